namespace Fpn.Serving.Requests;

/// <summary>Which requests go first when several wait.</summary>
public enum RequestPriority
{
    /// <summary>Before the others, but not always.</summary>
    High,

    /// <summary>The default.</summary>
    Normal,

    /// <summary>After the others, but never only after them.</summary>
    Low,
}
