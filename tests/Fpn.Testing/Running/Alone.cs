namespace Fpn.Testing.Running;

/// <summary>Tests that count what the whole process holds: nothing else may run meanwhile.</summary>
public static class Alone
{
    /// <summary>Name of the collection.</summary>
    public const string Collection = "alone";
}
