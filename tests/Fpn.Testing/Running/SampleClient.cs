using System.Text.Json;

namespace Fpn.Testing.Running;

/// <summary>The clients in docs/sample, in Python, which share no code with the service.</summary>
internal static class SampleClient
{
    /// <summary>Debian's, for which Debian's packages are installed.</summary>
    private const string Python = "/usr/bin/python3";

    /// <summary>Why no client can run, if none can.</summary>
    public static string? Absent => File.Exists(Python) ? null : "python3-torch is absent, and python3 with it.";

    /// <summary>Why the client for gRPC cannot run, if it cannot.</summary>
    public static string? GrpcAbsent =>
        File.Exists("/usr/lib/python3/dist-packages/grpc/__init__.py") && File.Exists("/usr/bin/protoc")
            ? Absent
            : "python3-grpcio is absent, or protoc.";

    /// <summary>Runs a client to its end.</summary>
    /// <param name="script">Name of the file.</param>
    /// <param name="arguments">Its command line.</param>
    /// <returns>Exit code, the detections that it printed, one JSON object each, and its standard error.</returns>
    public static async Task<(int ExitCode, JsonElement[] Printed, string Errors)> RunAsync(
        string script, params string[] arguments)
    {
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Checkout.Root, Python, [Path.Combine(Checkout.Root, "docs", "sample", script), .. arguments]);
        return (
            exitCode,
            [
                .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => JsonDocument.Parse(line).RootElement),
            ],
            errors);
    }

    /// <summary>Compares what a client printed about one image with the answer of <c>/detect</c> about it.</summary>
    /// <remarks>Two images may share a batch, which may change the last bits.</remarks>
    public static void AssertDetections(JsonElement answer, IEnumerable<JsonElement> printed)
    {
        var expected = answer.GetProperty("detections").EnumerateArray().ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, printed.Count());
        foreach (var (detection, line) in expected.Zip(printed))
        {
            Assert.Equal(detection.GetProperty("classId").GetInt32(), line.GetProperty("classId").GetInt32());
            Assert.Equal(detection.GetProperty("score").GetDouble(), line.GetProperty("score").GetDouble(), 1e-4);
            var box = ((string[])["x1", "y1", "x2", "y2"])
                .Select(side => detection.GetProperty("box").GetProperty(side).GetDouble());
            Assert.All(
                box.Zip(line.GetProperty("box").EnumerateArray()),
                pair => Assert.Equal(pair.First, pair.Second.GetDouble(), 0.05));
        }
    }
}
