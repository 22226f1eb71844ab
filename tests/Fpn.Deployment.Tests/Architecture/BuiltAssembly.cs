using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Fpn.Deployment.Tests.Architecture;

/// <summary>One of this project's assemblies as it was built, and what each of its namespaces uses.</summary>
/// <remarks>
/// Read from the metadata and the method bodies. Constants are not seen: the compiler copies their values. Namespaces
/// are folders, which the compiler's own rule holds (IDE0130).
/// </remarks>
internal sealed class BuiltAssembly : IDisposable
{
    private readonly AssemblyDefinition _assembly;

    private BuiltAssembly(AssemblyDefinition assembly) => _assembly = assembly;

    /// <summary>Names of the assemblies that it refers to.</summary>
    public IEnumerable<string> References =>
        _assembly.MainModule.AssemblyReferences.Select(reference => reference.Name);

    /// <summary>Opens an assembly that lies beside the tests.</summary>
    /// <param name="name">Its name, without extension.</param>
    public static BuiltAssembly Open(string name) =>
        new(AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, $"{name}.dll")));

    /// <summary>Every use of another type: the namespace that uses it, the type that does, and the type that is
    /// used.</summary>
    /// <remarks>Of nested and generated types the outermost one counts.</remarks>
    public IEnumerable<(string Room, string By, TypeReference Used)> Uses()
    {
        foreach (var type in _assembly.MainModule.GetAllTypes())
        {
            var outer = Outermost(type);
            if (!outer.Namespace.StartsWith("Fpn.", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var used in UsedBy(type).SelectMany(Parts))
            {
                yield return (outer.Namespace, outer.Name, used);
            }
        }
    }

    /// <summary>Namespaces of this assembly that use each other in a circle, with one use for every step.</summary>
    /// <returns>Empty when there is no circle.</returns>
    public IReadOnlyList<string> Circles()
    {
        var steps = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (var (room, by, used) in Uses())
        {
            var other = Outermost(used);
            if (other.Scope == _assembly.MainModule && other.Namespace != room && other.Namespace.Length > 0)
            {
                if (!steps.TryGetValue(room, out var to))
                {
                    steps.Add(room, to = new(StringComparer.Ordinal));
                }

                to.TryAdd(other.Namespace, $"{room}.{by} uses {other.Namespace}.{other.Name}");
            }
        }

        // What can be reached from a step's end and leads back to its start lies on a circle.
        return
        [
            .. from start in steps
               from step in start.Value
               where Reaches(steps, step.Key, start.Key)
               select step.Value,
        ];
    }

    /// <inheritdoc/>
    public void Dispose() => _assembly.Dispose();

    private static bool Reaches(Dictionary<string, Dictionary<string, string>> steps, string from, string to)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { from };
        var open = new Stack<string>(seen);
        while (open.TryPop(out var room))
        {
            if (room == to)
            {
                return true;
            }

            foreach (var next in steps.GetValueOrDefault(room)?.Keys.Where(seen.Add) ?? [])
            {
                open.Push(next);
            }
        }

        return false;
    }

    private static TypeReference Outermost(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return type;
    }

    private static IEnumerable<TypeReference?> UsedBy(TypeDefinition type)
    {
        yield return type.BaseType;
        IEnumerable<TypeReference?> declared =
        [
            .. type.Interfaces.Select(part => part.InterfaceType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.CustomAttributes.Select(attribute => attribute.AttributeType),
            .. type.GenericParameters.SelectMany(
                parameter => parameter.Constraints.Select(limit => limit.ConstraintType)),
        ];
        foreach (var used in declared.Concat(type.Methods.SelectMany(UsedBy)))
        {
            yield return used;
        }
    }

    private static IEnumerable<TypeReference?> UsedBy(MethodDefinition method)
    {
        IEnumerable<TypeReference?> declared =
        [
            method.ReturnType,
            .. method.Parameters.Select(parameter => parameter.ParameterType),
            .. method.CustomAttributes.Select(attribute => attribute.AttributeType),
        ];
        if (!method.HasBody)
        {
            return declared;
        }

        return
        [
            .. declared,
            .. method.Body.Variables.Select(variable => variable.VariableType),
            .. method.Body.ExceptionHandlers.Select(handler => handler.CatchType),
            .. method.Body.Instructions.SelectMany(UsedBy),
        ];
    }

    private static IEnumerable<TypeReference?> UsedBy(Instruction instruction) => instruction.Operand switch
    {
        TypeReference type => [type],
        FieldReference field => [field.DeclaringType, field.FieldType],
        GenericInstanceMethod method =>
            [method.DeclaringType, method.ReturnType, .. method.GenericArguments],
        MethodReference method => [method.DeclaringType, method.ReturnType],
        _ => [],
    };

    /// <summary>The types that a constructed type is made of: of <c>Task&lt;Box[]&gt;</c>, <c>Task</c> and
    /// <c>Box</c>.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification wrapped => Parts(wrapped.ElementType),
        _ => [type],
    };
}
