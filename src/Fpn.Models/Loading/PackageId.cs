using System.Globalization;

namespace Fpn.Models.Loading;

/// <summary>A package among those that can be served.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Number">Number of its version folder, 1 or greater; null where the model's folder is the
/// package.</param>
internal readonly record struct PackageId(string Model, long? Number = null)
{
    /// <summary>The version that the folder gives the package; null where its manifest does.</summary>
    public string? Version => Number?.ToString(CultureInfo.InvariantCulture);

    /// <summary>Its folders, for people: <c>pets</c>, or <c>pets/2</c>.</summary>
    public override string ToString() => Version is { } version ? $"{Model}/{version}" : Model;
}
