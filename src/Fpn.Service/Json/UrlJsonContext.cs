using System.Text.Json.Serialization;

namespace Fpn.Service.Json;

/// <summary>Reads JSON strings without reflection.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class UrlJsonContext : JsonSerializerContext;
