using System.Text.Json.Nodes;
using Fpn.Service.Answers;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>
/// The successful answers of <c>/detect</c> and <c>/detect/batch</c>, in every format, with examples.
/// </summary>
internal static class FormatResponses
{
    private const string CocoExample = """
        [{ "image_id": 7, "category_id": 15, "bbox": [37.435, 16.727, 348.253, 495.199], "score": 0.98704 }]
        """;

    private const string YoloExample = "14 0.413206055 0.516262695 0.680181641 0.967185547 0.98704\n";

    private const string VocExample = """
        <annotation>
          <folder>images</folder>
          <filename>7.jpeg</filename>
          <source><database>everyday 1</database></source>
          <size><width>512</width><height>512</height><depth>3</depth></size>
          <segmented>0</segmented>
          <object>
            <name>person</name>
            <pose>Unspecified</pose>
            <truncated>0</truncated>
            <difficult>0</difficult>
            <score>0.98704</score>
            <bndbox><xmin>38</xmin><ymin>17</ymin><xmax>386</xmax><ymax>512</ymax></bndbox>
          </object>
        </annotation>
        """;

    /// <summary>Status 200 of <c>/detect</c>.</summary>
    public static OpenApiResponse Detect(OperationFilterContext context)
    {
        var coco = Generate(context, typeof(CocoResponse[]));
        var content = new Dictionary<string, IOpenApiMediaType>();
        foreach (var choice in FormatNegotiation.Served.Where(choice => choice.NamesFormat))
        {
            content[choice.MediaType] = choice.Format switch
            {
                OutputFormat.Json => new OpenApiMediaType
                {
                    Schema = Generate(context, typeof(DetectionResponse)),
                    Example = JsonNode.Parse(ReadExample()),
                },
                OutputFormat.Coco => new OpenApiMediaType { Schema = coco, Example = JsonNode.Parse(CocoExample) },
                OutputFormat.Voc => new OpenApiMediaType
                {
                    Schema = Text("A Pascal VOC annotation."),
                    Example = VocExample,
                },
                OutputFormat.Yolo => new OpenApiMediaType
                {
                    Schema = Text("Lines `class cx cy w h score`."),
                    Example = YoloExample,
                },
                _ => new OpenApiMediaType
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Format = "binary",
                        Description = "The picture.",
                    },
                    Example = $"(the bytes of a file of type {choice.MediaType})",
                },
            };
        }

        return new OpenApiResponse
        {
            Description = "What was found. With `format=coco` the type is `application/json`, unless `Accept` names "
                + "`application/vnd.coco+json`.",
            Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["Server-Timing"] = new OpenApiHeader
                {
                    Description = "The timings, also for browsers.",
                    Schema = Text("Milliseconds by stage."),
                },
            },
            Content = content,
        };
    }

    /// <summary>Status 200 of <c>/detect/batch</c>.</summary>
    public static OpenApiResponse DetectBatch(OperationFilterContext context) => new()
    {
        Description = "One result an image, in the order sent; one that failed is a problem.",
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/json"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { "results" },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["results"] = new OpenApiSchema
                        {
                            Type = JsonSchemaType.Array,
                            Description = "In the order sent.",
                            Items = new OpenApiSchema
                            {
                                AnyOf =
                                [
                                    Generate(context, typeof(DetectionResponse)),
                                    Generate(context, typeof(CocoResponse[])),
                                    Text("The formats `voc` and `yolo` as they are, `image` as a data URI."),
                                    ProblemResponseFilter.Schema(context),
                                ],
                            },
                        },
                    },
                },
                Example = new JsonObject
                {
                    ["results"] = new JsonArray(
                        JsonNode.Parse(ReadExample()),
                        ProblemResponseFilter.Example(
                            FailureExamples.UndecodableImage())),
                },
            },
        },
    };

    private static IOpenApiSchema Generate(OperationFilterContext context, Type type) =>
        context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository);

    private static OpenApiSchema Text(string description) =>
        new() { Type = JsonSchemaType.String, Description = description };

    private static string ReadExample()
    {
        using var stream = typeof(FormatResponses).Assembly.GetManifestResourceStream(
            "Fpn.Service.OpenApi.detect-example.json")
            ?? throw new InvalidOperationException("The example of /detect is missing from the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
