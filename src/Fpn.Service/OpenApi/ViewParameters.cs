using Fpn.Detection.Views;
using Microsoft.OpenApi;

namespace Fpn.Service.OpenApi;

/// <summary>Describes the parameters that say which looks are taken at an image.</summary>
internal static class ViewParameters
{
    private const string Off = "off";

    /// <summary>The parameters of the query. Their examples ask for one look: Swagger UI sends all of them.</summary>
    public static IEnumerable<OpenApiParameter> All()
    {
        yield return ParameterDescriptions.Query(
            "slice",
            "Cuts the image into slices of this size, each a view of its own: a side such as `640`, or height x width "
                + "such as `480x640`, in pixels of the image; `off` for none. For objects that are small in a large "
                + "picture.",
            Off,
            new OpenApiSchema { Type = JsonSchemaType.String, Default = Off });
        yield return ParameterDescriptions.Query(
            "overlap",
            "The part of a slice that its neighbor shows, too, at least.",
            0.2,
            Number(ViewOptions.LargestOverlap, 0.2));
        yield return ParameterDescriptions.Query(
            "wholeImage",
            "Whether slices are joined by a look at the whole image, which sees what is larger than a slice.",
            true,
            new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = true });
        yield return ParameterDescriptions.Query(
            "scales",
            "Looks at the image (or at each slice) once for each of these sizes: shorter sides in pixels after "
                + "resizing, such as `480,800,1200`; `off` for the model's own size.",
            Off,
            new OpenApiSchema { Type = JsonSchemaType.String, Default = Off });
        yield return ParameterDescriptions.Query(
            "flip",
            "Takes every look a second time, mirrored.",
            false,
            new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = false });
        yield return ParameterDescriptions.Query(
            "merge",
            "How the detections of several views become one list: `nms` keeps the better of two boxes that overlap, "
                + "`voting` then averages boxes by their scores, `ios` compares the intersection with the smaller box "
                + "and joins what slices cut.",
            "nms",
            new OpenApiSchema { Type = JsonSchemaType.String, Default = "nms", Enum = ["nms", "voting", "ios"] });
        yield return ParameterDescriptions.Query(
            "mergeThreshold",
            "The overlap that merging acts upon. Default: the model's own for `nms`, 0.8 for `voting`, 0.5 for `ios`.",
            0.5,
            Number(1, null));
    }

    private static OpenApiSchema Number(double largest, double? usual) => new()
    {
        Type = JsonSchemaType.Number,
        Default = usual,
        Minimum = "0",
        Maximum = largest.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
