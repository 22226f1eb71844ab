using System.Text.Json.Nodes;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Serving.Lanes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>
/// Describes bodies, queries and answers of <c>/detect</c> and <c>/detect/batch</c>, which read and write them
/// themselves.
/// </summary>
internal sealed class DetectionOperationFilter(LaneRegistry lanes, LimitsOptions limits) : IOperationFilter
{
    private const string ImageIdNote = "What `coco` and `voc` name the image; no other format uses it.";

    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.OperationId == DetectRegistration.DetectOperation)
        {
            operation.RequestBody = ImageBodyDescription.Create(limits);
            operation.Parameters = [.. Parameters(ImageIdNote)];
            operation.Responses!["200"] = FormatResponses.Detect(context);
        }
        else if (operation.OperationId == DetectRegistration.BatchOperation)
        {
            operation.RequestBody = BatchBody();
            operation.Parameters = [.. Parameters($"{ImageIdNote} The images are counted on from it.")];
            operation.Responses!["200"] = FormatResponses.DetectBatch(context);
        }
    }

    private static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    private OpenApiRequestBody BatchBody() => new()
    {
        Required = true,
        Description = $"1 to {limits.MaxBatchImages} parts `{BatchBodyReader.PartName}`, each an image as `/detect` "
            + $"takes it; the whole form at most {limits.MaxBatchBytes} bytes.",
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { BatchBodyReader.PartName },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        [BatchBodyReader.PartName] = new OpenApiSchema
                        {
                            Type = JsonSchemaType.Array,
                            Description = "The images.",
                            MinItems = 1,
                            MaxItems = limits.MaxBatchImages,
                            Items = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" },
                        },
                    },
                },
            },
        },
    };

    /// <summary>
    /// The parameters. Swagger UI sends all their examples unless they are cleared, so together they make the request
    /// that a newcomer wants to see: every kind of object, in the usual form.
    /// </summary>
    private IEnumerable<OpenApiParameter> Parameters(string imageIdNote)
    {
        var models = lanes.Lanes.Select(lane => lane.Model.Contract).ToList();
        var shown = models.FirstOrDefault();
        var known = models.Select(model => $"`{model.Name}` knows {string.Join(", ", model.Labels.Take(20))}");
        yield return ParameterDescriptions.Model(lanes);
        yield return Query(
            "scoreThreshold",
            "Keeps scores of at least this. Below the model's own threshold it has no effect.",
            0.5,
            new OpenApiSchema { Type = JsonSchemaType.Number, Minimum = "0", Maximum = "1" });
        yield return Query(
            "maxDetections",
            "The most detections to return. The model's own limit (`maxDetections` in `/models`) stays.",
            100,
            new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
        yield return Query(
            "labels",
            $"Comma-separated names to keep, applied last; {string.Join("; ", known)}.",
            string.Join(',', shown?.Labels ?? []),
            Text());
        yield return new OpenApiParameter
        {
            Name = "label",
            In = ParameterLocation.Query,
            Description = "A name to keep, beside those of `labels`: for names that hold a comma. May be repeated.",
            Style = ParameterStyle.Form,
            Explode = true,
            Example = new JsonArray([.. (shown?.Labels ?? []).Take(3).Select(label => JsonValue.Create(label))]),
            Schema = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Text() },
        };
        yield return Query(
            "format",
            "How to answer; beats `Accept`, which then only chooses between the media types of the format.",
            "json",
            new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Default = "json",
                Enum = ["json", "coco", "voc", "yolo", "image"],
            });
        yield return ParameterDescriptions.ImageId(imageIdNote);
        yield return Query(
            "explain",
            "Adds `explain` to the answer: the proposal and anchor behind each detection, the boxes that were "
                + "suppressed in its favour, and all proposals. For two-stage models, in the format `json`.",
            false,
            new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = false });
        foreach (var view in ViewParameters.All())
        {
            yield return view;
        }

        foreach (var header in ParameterDescriptions.Urgency())
        {
            yield return header;
        }
    }

    private static OpenApiParameter Query(string name, string description, JsonNode example, OpenApiSchema schema) =>
        ParameterDescriptions.Query(name, description, example, schema);
}
