namespace Fpn.Service.Security;

/// <summary>What a key permits. No scope implies another: a key lists all of its own.</summary>
[Flags]
internal enum KeyScope
{
    /// <summary>Nothing; as a requirement: no key is needed.</summary>
    None = 0,

    /// <summary>Detections, and descriptions of the models.</summary>
    Detect = 1,

    /// <summary>The figures at <c>/metrics</c>.</summary>
    Metrics = 2,

    /// <summary>Loading and unloading models.</summary>
    Admin = 4,
}
