using Fpn.Service.Bodies;
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
        else if (operation.OperationId == StageRegistration.RegionsOperation)
        {
            operation.RequestBody = RegionBody();
            operation.Parameters = [.. RegionParameters()];
        }
    }

    private OpenApiRequestBody RegionBody() => new()
    {
        Required = true,
        Description = $"The image and 0 to {limits.MaxRegions} boxes: a form of two parts, or JSON.",
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = Members("binary", "The image, as `/detect` takes it."),
            },
            ["application/json"] = new OpenApiMediaType { Schema = Members("byte", "The image as base64.") },
        },
    };

    private OpenApiSchema Members(string format, string image) => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { ImageBodyReader.PartName, BoxListReader.Name },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            [ImageBodyReader.PartName] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Format = format,
                Description = image,
            },
            [BoxListReader.Name] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description = "Boxes in pixels of the image as displayed: x1, y1, x2, y2. Parts beyond the image are "
                    + "cut off.",
                MaxItems = limits.MaxRegions,
                Items = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array,
                    MinItems = 4,
                    MaxItems = 4,
                    Items = new OpenApiSchema { Type = JsonSchemaType.Number },
                },
            },
        },
    };

    private IEnumerable<OpenApiParameter> RegionParameters()
    {
        yield return ParameterDescriptions.Model(lanes);
        yield return ParameterDescriptions.Query(
            "top",
            "Classes to list for each box, best first.",
            RegionQuery.DefaultTop,
            new OpenApiSchema { Type = JsonSchemaType.Integer, Default = RegionQuery.DefaultTop, Minimum = "1" });
        foreach (var header in ParameterDescriptions.Urgency())
        {
            yield return header;
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
            "A proposal is removed when its overlap (IoU) with a better one of its level is greater than this. "
                + "Default: the model's own number.",
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
