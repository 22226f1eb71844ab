namespace Fpn.Service.Repository;

/// <summary>Whether models may be loaded and unloaded over HTTP (<c>Fpn:Control</c>).</summary>
internal sealed class ControlOptions
{
    /// <summary>
    /// Opens <c>/v2/repository</c> to keys of scope <c>admin</c>. Default false: which models are served is then
    /// decided at start.
    /// </summary>
    public bool Enabled { get; set; }
}
