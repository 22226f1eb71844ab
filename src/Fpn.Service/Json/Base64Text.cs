namespace Fpn.Service.Json;

/// <summary>A JSON string that holds base64, by its position in the body.</summary>
/// <param name="Start">Offset of its first character, in bytes.</param>
/// <param name="Length">Bytes between the quotes.</param>
/// <param name="IsEscaped">Whether it holds a backslash.</param>
internal readonly record struct Base64Text(int Start, int Length, bool IsEscaped);
