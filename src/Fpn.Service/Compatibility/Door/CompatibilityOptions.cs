namespace Fpn.Service.Compatibility.Door;

/// <summary>Contracts of other programs that are served beside the service's own (<c>Fpn:Compatibility</c>).</summary>
internal sealed class CompatibilityOptions
{
    /// <summary>
    /// Names of contracts, separated by commas, or <c>all</c> (docs/clients.md lists them). Default: none; what is not
    /// asked for is not served.
    /// </summary>
    public string Served { get; set; } = string.Empty;

    /// <summary>Settings of the contract <c>cvat</c>.</summary>
    public CvatOptions Cvat { get; } = new();

    /// <summary>Settings of the contract <c>deepstack</c>.</summary>
    public DeepStackOptions DeepStack { get; } = new();

    /// <summary>Settings of <c>label-studio</c>.</summary>
    public LabelStudioOptions LabelStudio { get; } = new();

    /// <summary>Settings of <c>sagemaker</c>.</summary>
    public SageMakerOptions SageMaker { get; } = new();
}
