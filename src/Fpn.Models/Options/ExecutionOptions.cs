using System.ComponentModel.DataAnnotations;

namespace Fpn.Models.Options;

/// <summary>What the graphs run on (<c>Fpn:Execution</c>).</summary>
internal sealed class ExecutionOptions
{
    /// <summary>
    /// Where the graphs run. Default <c>auto</c>: CUDA if it can be used, else the CPU, and the log says which and why.
    /// </summary>
    public ExecutionProvider Provider { get; set; } = ExecutionProvider.Auto;

    /// <summary>
    /// Threads of the one pool that all sessions share. Default: the processors this process may use, container limits
    /// included.
    /// </summary>
    [Range(1, 1024, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Threads { get; set; } = Environment.ProcessorCount;
}
