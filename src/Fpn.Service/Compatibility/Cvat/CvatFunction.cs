using System.Globalization;
using System.Text;
using System.Text.Json;
using Fpn.Models.Packages;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.Cvat;

/// <summary>A model as CVAT finds it: a function of Nuclio with annotations.</summary>
internal static class CvatFunction
{
    /// <summary>The start of the name of every function.</summary>
    private const string Prefix = "fpn-";

    /// <summary>The name of a model's function.</summary>
    public static string NameFor(string model) => Prefix + model;

    /// <summary>The name of the model behind a function.</summary>
    /// <param name="function">The function's name; also the model's own.</param>
    public static string ModelFor(string function) =>
        function.StartsWith(Prefix, StringComparison.Ordinal) ? function[Prefix.Length..] : function;

    /// <summary>Writes a function as an object.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="lane">The model.</param>
    /// <param name="port">The port that CVAT reaches the service at.</param>
    public static void Write(Utf8JsonWriter json, ModelLane lane, int port)
    {
        var contract = lane.Model.Contract;
        json.WriteStartObject();
        json.WriteStartObject("metadata"u8);
        json.WriteString("name"u8, NameFor(contract.Name));
        json.WriteStartObject("annotations"u8);
        json.WriteString("type"u8, "detector"u8);
        json.WriteString("name"u8, contract.Name);
        json.WriteString("framework"u8, "fpn"u8);
        json.WriteString("spec"u8, Labels(contract));

        // CVAT leaves out a function whose version is not a whole number, and takes a missing one for 1.
        if (int.TryParse(contract.Version, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            json.WriteString("version"u8, contract.Version);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("spec"u8);
        json.WriteString("description"u8, contract.Description ?? string.Empty);
        json.WriteEndObject();
        json.WriteStartObject("status"u8);
        json.WriteString("state"u8, lane.Model.IsLost ? "unhealthy"u8 : "ready"u8);
        json.WriteNumber("httpPort"u8, port);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The labels, as JSON in a text.</summary>
    /// <remarks>Each once: CVAT leaves out a function that repeats one, as COCO's lists repeat <c>N/A</c>.</remarks>
    private static string Labels(ModelContract contract)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, JsonText.ReadableWriter))
        {
            json.WriteStartArray();
            foreach (var (id, label) in contract.ClassIds.Zip(contract.Labels).DistinctBy(pair => pair.Second))
            {
                json.WriteStartObject();
                json.WriteNumber("id"u8, id);
                json.WriteString("name"u8, label);
                json.WriteString("type"u8, "rectangle"u8);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.Written.Span);
    }
}
