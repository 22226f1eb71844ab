using System.Reflection;
using Fpn.Detection.Conventions;

namespace Fpn.Deployment.Tests.Architecture;

/// <summary>Rules are named: only the table asks which reference implementation a model follows.</summary>
public sealed class ConventionTableTests
{
    [Fact]
    public void Convention_InEveryAssembly_IsComparedInTheTableOnly()
    {
        // All that the service is made of: its references and theirs, as the build put them beside it.
        var assemblies = Directory.GetFiles(AppContext.BaseDirectory, "Fpn.*.dll")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Where(name => !name.EndsWith(".Tests", StringComparison.Ordinal))
            .Select(Assembly.Load)
            .ToArray();

        Assert.Contains(typeof(ConventionTable).Assembly, assemblies);
        Assert.Contains(typeof(Program).Assembly, assemblies);
        Assert.Equal(
            ["Fpn.Detection.Conventions.ConventionTable.RulesFor"],
            assemblies.SelectMany(assembly => EnumComparisons.Find(assembly, typeof(Convention))));
    }

    [Fact]
    public void Find_EveryWayToCompare_IsFound()
    {
        var methods = typeof(Samples).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly);
        Assert.Equal(
            methods.Select(method => method.Name).Where(name => name.StartsWith("Compares", StringComparison.Ordinal)),
            methods.Where(method => EnumComparisons.Compares(method, typeof(Convention)))
                .Select(method => method.Name));
    }

    /// <summary>Ways to compare an enum and ways to use one without comparing it.</summary>
    private static class Samples
    {
        private sealed record Holder(Convention Kind, string Name);

        private static readonly Holder s_holder = new(Convention.Detectron2, "b");

        public static int ComparesWithZero(Convention convention) => convention == Convention.Torchvision ? 1 : 2;

        public static int ComparesWithOne(Convention convention) => Convention.Detectron2 == convention ? 1 : 2;

        public static bool ComparesToABool(Convention convention) => convention != Convention.Detectron2;

        public static bool ComparesAProperty() => s_holder.Kind is Convention.Detectron2;

        public static bool ComparesTwo(Convention left, Convention right) => left == right;

        public static bool ComparesALocal()
        {
            var convention = Enum.Parse<Convention>(s_holder.Name);
            Console.Out.Flush();
            return convention == Convention.Torchvision;
        }

        public static string ComparesInASwitch(Convention convention) => convention switch
        {
            Convention.Torchvision => "t",
            Convention.Detectron2 => "d",
            _ => "?",
        };

        public static string ComparesInAStatement(string name)
        {
            switch (Enum.Parse<Convention>(name))
            {
                case Convention.Detectron2:
                    return "d";
                default:
                    return "t";
            }
        }

        public static string Names(Convention convention) => convention.ToString();

        public static ConventionRules Looks(Convention convention) => ConventionTable.RulesFor(convention);

        public static object Copies() => s_holder with { Kind = Convention.Torchvision };

        public static int OtherNumber(int number, Convention convention) => number == 0 ? Names(convention).Length : 1;
    }
}
