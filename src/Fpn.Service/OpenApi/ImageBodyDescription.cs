using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Microsoft.OpenApi;

namespace Fpn.Service.OpenApi;

/// <summary>Describes a body that is an image, or a form with one.</summary>
internal static class ImageBodyDescription
{
    private static readonly string[] RawTypes =
    [
        "image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/avif", "image/bmp",
        "application/octet-stream",
    ];

    /// <summary>Describes the body.</summary>
    /// <param name="limits">The limits of images.</param>
    public static OpenApiRequestBody Create(LimitsOptions limits)
    {
        var content = new Dictionary<string, IOpenApiMediaType>
        {
            ["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { ImageBodyReader.PartName },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        [ImageBodyReader.PartName] = new OpenApiSchema
                        {
                            Type = JsonSchemaType.String,
                            Format = "binary",
                            Description = "The image.",
                        },
                    },
                },
            },
        };
        foreach (var type in RawTypes)
        {
            content[type] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" },
            };
        }

        return new OpenApiRequestBody
        {
            Required = true,
            Description = $"The image itself, or a form with exactly one part `{ImageBodyReader.PartName}`. "
                + "JPEG, PNG, WebP, GIF (first frame), TIFF, AVIF or, unless the build leaves its decoder out, BMP, "
                + $"told from its bytes; at most {limits.MaxImageBytes} bytes and {limits.MaxImagePixels} pixels.",
            Content = content,
        };
    }
}
