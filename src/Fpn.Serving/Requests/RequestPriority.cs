using Fpn.Serving.Queue;

namespace Fpn.Serving.Requests;

/// <summary>Who goes first when requests wait; see <see cref="RequestQueue"/>.</summary>
internal enum RequestPriority
{
    /// <summary>Before the others, but not always.</summary>
    High,

    /// <summary>The default.</summary>
    Normal,

    /// <summary>After the others, but never only after them.</summary>
    Low,
}
