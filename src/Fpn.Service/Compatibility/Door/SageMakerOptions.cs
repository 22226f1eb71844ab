using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Compatibility.Door;

/// <summary>Settings of the contract <c>sagemaker</c>.</summary>
internal sealed class SageMakerOptions
{
    /// <summary>
    /// The folder below which the packages of a multi-model endpoint lie; others are not loaded. Default: SageMaker's
    /// own.
    /// </summary>
    [Required(ErrorMessage = "{0} must name a folder")]
    public string Models { get; set; } = "/opt/ml/models";
}
