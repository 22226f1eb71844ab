namespace Fpn.Models.Packages;

/// <summary>A file of the package: it exists inside the folder; its checksum is compared when it is loaded.</summary>
/// <param name="Path">Full path.</param>
/// <param name="Sha256">Its checksum, lower-case hexadecimal.</param>
/// <param name="Key">The manifest's key that names it, for messages.</param>
internal sealed record GraphFile(string Path, string Sha256, string Key);
