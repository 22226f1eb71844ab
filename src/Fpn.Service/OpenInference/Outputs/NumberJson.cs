using System.Text.Json;

namespace Fpn.Service.OpenInference.Outputs;

/// <summary>Writes numbers into a JSON array.</summary>
/// <param name="json">Stands in the array.</param>
internal readonly struct NumberJson(Utf8JsonWriter json) : INumberSink
{
    /// <inheritdoc/>
    public void Add(float number) => json.WriteNumberValue(number);

    /// <inheritdoc/>
    public void Add(long number) => json.WriteNumberValue(number);
}
