namespace Fpn.Service.Security;

/// <summary>What a key may be used for. No scope implies another: a key lists all that it may do.</summary>
[Flags]
internal enum KeyScope
{
    /// <summary>Nothing; as a requirement: no key is needed.</summary>
    None = 0,

    /// <summary>Detections, and what is said about the models.</summary>
    Detect = 1,

    /// <summary>The figures at <c>/metrics</c>.</summary>
    Metrics = 2,

    /// <summary>Loading and unloading models.</summary>
    Admin = 4,
}
