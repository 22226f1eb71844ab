namespace Fpn.Models.Options;

/// <summary>Where the graphs run.</summary>
public enum ExecutionProvider
{
    /// <summary>CUDA if it can be used, else the CPU.</summary>
    Auto,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU; as a setting: refuse to start without it.</summary>
    Cuda,
}
