using Fpn.Service.Engine;
using Fpn.Service.Stages;
using Fpn.Serving.Lanes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>Describes bodies and queries of the endpoints that ask one stage alone, which read them
/// themselves.</summary>
internal sealed class StageOperationFilter(LaneRegistry lanes, LimitsOptions limits) : IOperationFilter
{
    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.OperationId == StageRegistration.ProposalsOperation)
        {
            operation.RequestBody = ImageBodyDescription.Create(limits);
            operation.Parameters = [.. ProposalParameters()];
        }
    }

    private IEnumerable<OpenApiParameter> ProposalParameters()
    {
        // The examples are the usual numbers: Swagger UI sends all of them.
        yield return ParameterDescriptions.Model(lanes);
        yield return ParameterDescriptions.Query(
            "topN",
            "The most proposals to return. Default: the model's own number (`postNmsTopN` of its package).",
            1000,
            new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
        yield return ParameterDescriptions.Query(
            "nmsThreshold",
            "A proposal is removed when its overlap (IoU) with a better one of its level is greater than this. Default: "
                + "the model's own number.",
            0.7,
            Fraction());
        yield return ParameterDescriptions.Query(
            "scoreThreshold",
            "Keeps proposals with an objectness of at least this. Default: the model's own number.",
            0,
            Fraction());
        yield return ParameterDescriptions.Query(
            "format",
            "How to answer; beats `Accept`, which then only chooses between the media types of the format.",
            "json",
            new OpenApiSchema { Type = JsonSchemaType.String, Default = "json", Enum = ["json", "coco"] });
        yield return ParameterDescriptions.ImageId("What `coco` names the image.");
        foreach (var header in ParameterDescriptions.Urgency())
        {
            yield return header;
        }
    }

    private static OpenApiSchema Fraction() => new() { Type = JsonSchemaType.Number, Minimum = "0", Maximum = "1" };
}
