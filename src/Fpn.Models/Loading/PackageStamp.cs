using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Fpn.Models.Packages;

namespace Fpn.Models.Loading;

/// <summary>Tells states of a package's files apart without reading the graphs, which are large.</summary>
internal static class PackageStamp
{
    /// <summary>
    /// Describes a package: its manifest's content, and size and time of each graph; what is wrong with them, while
    /// they are incomplete.
    /// </summary>
    /// <param name="folder">The package's folder.</param>
    /// <returns>A text that changes when the package does.</returns>
    public static string Create(string folder)
    {
        try
        {
            var manifest = SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, ModelManifestReader.FileName)));
            var stamp = new StringBuilder(Convert.ToHexStringLower(manifest));
            foreach (var file in ModelManifestReader.ReadAlone(folder).Files.Values)
            {
                // Of the file itself, should the name be a link.
                using var handle = File.OpenHandle(file.Path);
                var (length, time) = (RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle).Ticks);
                stamp.Append(CultureInfo.InvariantCulture, $" {length} {time}");
            }

            return stamp.ToString();
        }
        catch (Exception exception)
            when (exception is ModelPackageException or IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
