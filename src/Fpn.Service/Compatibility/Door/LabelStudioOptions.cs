namespace Fpn.Service.Compatibility.Door;

/// <summary>How pictures are got from Label Studio (<c>Fpn:Compatibility:LabelStudio</c>).</summary>
internal sealed class LabelStudioOptions
{
    /// <summary>
    /// The address of Label Studio, for tasks that name their picture without a host, such as
    /// <c>/data/upload/3/a.jpg</c>. Its host must be one of <c>Fpn:Fetch:Hosts</c>, and its token one of the
    /// credentials of <c>Fpn:Fetch</c>. Default: none.
    /// </summary>
    public string Url { get; set; } = string.Empty;
}
