using System.Reflection;
using System.Reflection.Emit;

namespace Fpn.Deployment.Tests.Architecture;

/// <summary>Finds in compiled methods where a value of an enum decides between two ways.</summary>
/// <remarks>A value that a method loads is compared when the instruction that takes it from the stack is a comparison,
/// a conditional branch or a switch. A record's own equality goes through a comparer and does not count.</remarks>
internal static class EnumComparisons
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    /// <summary>Lists the methods of an assembly that compare values of an enum, as
    /// <c>Namespace.Type.Method</c>.</summary>
    public static IEnumerable<string> Find(Assembly assembly, Type type) => assembly.GetTypes()
        .SelectMany(owner => owner.GetMethods(Declared).Concat<MethodBase>(owner.GetConstructors(Declared)))
        .Where(method => Compares(method, type))
        .Select(method => $"{method.DeclaringType!.FullName}.{method.Name}");

    /// <summary>Returns whether a method compares values of an enum.</summary>
    public static bool Compares(MethodBase method, Type type)
    {
        if (method.GetMethodBody() is not { } body)
        {
            return false;
        }

        var instructions = Read(body.GetILAsByteArray()!).ToArray();
        for (var i = 0; i < instructions.Length; i++)
        {
            if (!Loads(instructions[i], method, body, type))
            {
                continue;
            }

            if (Decides(Consumer(instructions, i, method)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds the instruction that takes the value pushed by another, up to the next jump.</summary>
    private static OpCode? Consumer(Instruction[] instructions, int load, MethodBase method)
    {
        var depth = 1;
        for (var i = load + 1; i < instructions.Length; i++)
        {
            var code = instructions[i].Code;
            var (pops, pushes) = Stack(instructions[i], method);
            if (code.FlowControl is FlowControl.Branch or FlowControl.Return or FlowControl.Throw)
            {
                return null;
            }

            // A switch over names that do not begin at 0 subtracts first; the difference stands for the value.
            if (pops >= depth && code != OpCodes.Sub && code != OpCodes.Dup)
            {
                return code;
            }

            depth = pops >= depth ? 1 : depth - pops + pushes;
        }

        return null;
    }

    private static (int Pops, int Pushes) Stack(Instruction instruction, MethodBase method)
    {
        var code = instruction.Code;
        if (code.OperandType == OperandType.InlineMethod && code.FlowControl == FlowControl.Call)
        {
            var called = (MethodBase)Resolve(method, instruction.Operand)!;
            var created = code == OpCodes.Newobj;
            var target = created || called.IsStatic ? 0 : 1;
            var gives = created || called is MethodInfo { ReturnType: var result } && result != typeof(void);
            return (called.GetParameters().Length + target, gives ? 1 : 0);
        }

        return (Count(code.StackBehaviourPop.ToString()), Count(code.StackBehaviourPush.ToString()));

        // Popi_popi_popi is three, Push0 none.
        static int Count(string behavior) => behavior.EndsWith('0') ? 0 : behavior.Split('_').Length;
    }

    private static bool Decides(OpCode? code) =>
        code?.FlowControl == FlowControl.Cond_Branch || code?.Name is "ceq" or "cgt" or "cgt.un" or "clt" or "clt.un";

    private static bool Loads(Instruction instruction, MethodBase method, MethodBody body, Type type)
    {
        var name = instruction.Code.Name!;
        if (instruction.Code.OperandType is OperandType.InlineMethod or OperandType.InlineField)
        {
            var member = Resolve(method, instruction.Operand);
            return name[0] != 's' && member switch
            {
                FieldInfo field => field.FieldType == type,
                MethodInfo called => called.ReturnType == type,
                _ => false,
            };
        }

        if (name.StartsWith("ldloc", StringComparison.Ordinal))
        {
            return body.LocalVariables[Index(instruction)].LocalType == type;
        }

        if (name.StartsWith("ldarg", StringComparison.Ordinal))
        {
            var index = Index(instruction) - (method.IsStatic ? 0 : 1);
            return index >= 0 && method.GetParameters()[index].ParameterType == type;
        }

        return false;
    }

    /// <summary>Returns the number of a local variable or an argument: the operand, or the end of a name such as
    /// ldloc.2.</summary>
    private static int Index(Instruction instruction) =>
        instruction.Code.OperandType == OperandType.InlineNone ? instruction.Code.Name![^1] - '0' : instruction.Operand;

    private static MemberInfo? Resolve(MethodBase method, int token)
    {
        var typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMember(token, typeArguments, methodArguments);
    }

    private static IEnumerable<Instruction> Read(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var code = s_opCodes[bytes[at] == 0xFE ? (short)(0xFE00 | bytes[at + 1]) : bytes[at]];
            at += code.Size;
            var length = code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(bytes, at),
                _ => 4,
            };
            yield return new Instruction(code, length switch
            {
                0 => 0,
                1 => bytes[at],
                2 => BitConverter.ToUInt16(bytes, at),
                _ => BitConverter.ToInt32(bytes, at),
            });
            at += length;
        }
    }

    private readonly record struct Instruction(OpCode Code, int Operand);
}
