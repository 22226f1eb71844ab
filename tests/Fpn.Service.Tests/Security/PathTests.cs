using System.Text.RegularExpressions;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Security;

/// <summary>Nothing that a request says leads to a file.</summary>
public sealed partial class PathTests(GuardedService guarded) : IClassFixture<GuardedService>
{
    [Theory]
    [InlineData("GET", "/swagger/..%2f..%2fappsettings.json")]
    [InlineData("GET", "/swagger/%2e%2e/%2e%2e/appsettings.json")]
    [InlineData("GET", "/swagger/..%5c..%5cappsettings.json")]
    [InlineData("GET", "/swagger//etc/passwd")]
    [InlineData("GET", "/swagger/..%2f..%2fetc%2fpasswd/swagger.json")]
    [InlineData("GET", "/appsettings.json")]
    [InlineData("GET", "/models/..%2f..%2fmodels%2fblood-cells%2fmodel.json")]
    [InlineData("POST", "/detect?model=../../etc/passwd")]
    [InlineData("POST", "/detect?model=blood-cells%2fmodel.json")]
    [InlineData("POST", "/detect?model=%00")]
    public async Task Path_ThatClimbs_FindsNothing(string method, string path)
    {
        using var connection = await RawConnection.OpenAsync(guarded.Service.Address);
        await connection.SendAsync(
            $"{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Api-Key: "
            + $"{KeyFile.Alice}\r\nContent-Length: 0\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        Assert.Matches("^HTTP/1.1 40[04] ", answer);
        Assert.DoesNotContain("Serilog", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("sha256", answer, StringComparison.Ordinal);
    }

    /// <summary>Where requests are handled, nothing can open a file; keys are read where no request leads.</summary>
    [Fact]
    public void Sources_Api_OpenNoFiles()
    {
        var service = Path.Combine(Checkout.Root, "src", "Fpn.Service");
        string[] rooms =
            ["Answers", "Bodies", "Detect", "Formats", "OpenInference", "Problems", "Repository", "Security"];
        var naming = rooms.SelectMany(room => Directory.EnumerateFiles(Path.Combine(service, room), "*.cs"))
            .Where(file => FileSystem().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetRelativePath(service, file).Replace('\\', '/'));
        Assert.Equal(["Security/KeySource.cs"], naming);
    }

    [GeneratedRegex(
        @"(?<![.\w])(File|Directory|Path)\.[A-Z]\w+\(|Results\.(File|PhysicalFile|Stream)\b"
        + @"|\b(FileStream|FileInfo|DirectoryInfo|PhysicalFileProvider|UseStaticFiles|SendFileAsync)\b")]
    private static partial Regex FileSystem();
}
