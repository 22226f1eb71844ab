using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Fpn.Models.Packages;
using Fpn.Service.Answers;
using Fpn.Service.Engine;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>Requests that were damaged at random: understood or refused, but never a defect. Seeds are fixed.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class InferFuzzTests(ServiceFixture fixture)
{
    /// <summary>No image, so that no request costs a run of the model: what is understood ends as 415.</summary>
    private static readonly byte[] Element = "no image at all, but long enough to be damaged"u8.ToArray();

    private static readonly string[] Tokens =
    [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "null", "true", "-1", "0", "1e400",
        "18446744073709551616", "4294967295",
        "\"inputs\"", "\"outputs\"", "\"parameters\"", "\"name\"", "\"shape\"", "\"data\"", "\"datatype\"",
        "\"image\"", "\"BYTES\"",
        "\"binary_data_size\"", "\"binary_data\"", "\"priority\"", "\"timeout\"", "\"id\"", "\"labels\"",
        "\"score_threshold\"", "\0", "\uFFFF", " ",
    ];

    private static readonly string[] Requests =
    [
        InferCall.Json(
            [Element, Element],
            """
            , "id": "\u00e9\ud83d\ude00", "parameters": {"priority": 1, "timeout": 10000000, "binary_data_output": true,
              "score_threshold": 0.5, "max_detections": 3, "labels": "thing", "other": "x"},
              "outputs": [{"name": "boxes", "parameters": {"binary_data": false}}, {"name": "labels"}]
            """),
        InferCall.BinaryJson(
            2,
            2 * (4 + Element.Length),
            """, "outputs": [{"name": "scores", "parameters": {"binary_data": true}}]"""),
        """
        {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [[["AA\/\u002B"]]],
          "parameters": {"content_type": "base64"}}]}
        """,
    ];

    [Fact]
    public void Reader_DamagedRequests_UnderstandsOrRefuses()
    {
        var contract = new FakeDetector().Contract;
        var limits = new LimitsOptions();
        var random = new Random(20260101);
        var (understood, refused) = (0, 0);
        for (var i = 0; i < 60_000; i++)
        {
            var (body, length) = Damage(random, Requests[i % Requests.Length]);
            var jsonLength = Math.Clamp(length, 1, body.Length);
            var problem = Understand(body, jsonLength, contract, limits);
            if (problem is null)
            {
                understood++;
            }
            else
            {
                refused++;
                Assert.InRange(problem.Status, 400, 499);
                Assert.NotEmpty(ErrorResponse.TextFor(problem));
            }
        }

        // Both must come, or the damage was none or total.
        Assert.True(understood > 1000, $"{understood} understood");
        Assert.True(refused > 1000, $"{refused} refused");
    }

    [Fact]
    public async Task Service_DamagedRequests_AnswersBelow500()
    {
        var random = new Random(20260102);
        var statuses = new Dictionary<int, int>();
        for (var i = 0; i < 600; i++)
        {
            var (body, length) = Damage(
                random, Requests[i % Requests.Length].Replace("\"thing\"", "\"RBC\"", StringComparison.Ordinal));
            var header = random.Next(8) switch
            {
                0 => null,
                1 => "0",
                2 => random.Next(-5, 2 * body.Length).ToString(CultureInfo.InvariantCulture),
                _ => length.ToString(CultureInfo.InvariantCulture),
            };
            using var response = await fixture.Service.Client.PostInferAsync(body, header);
            var status = (int)response.StatusCode;
            statuses[status] = statuses.GetValueOrDefault(status) + 1;

            // A damaged timeout may be too short to be met.
            Assert.True(status is >= 400 and < 500 or 504, $"request {i}: {status}");
            await response.ErrorAsync(response.StatusCode);
        }

        // Both must come, or the damage was none or total.
        Assert.InRange(statuses[400], 100, 500);
        Assert.InRange(statuses[415], 100, 500);
    }

    private static Problem? Understand(byte[] body, int jsonLength, ModelContract contract, LimitsOptions limits)
    {
        var json = body.AsSpan(0, jsonLength);
        if (!InferRequestReader.Read(json, new DetectionFilter(contract), limits.MaxBatchImages)
                .Succeeded(out var request, out var problem)
            || !ImageTensor.Split(body, jsonLength, request, limits).Succeeded(out var images, out problem))
        {
            return problem;
        }

        Assert.InRange(images.Length, 1, limits.MaxBatchImages);
        Assert.All(images, image => Assert.InRange(image.Length, 1, body.Length));
        return null;
    }

    private static (byte[] Body, int JsonLength) Damage(Random random, string json)
    {
        var head = new List<byte>(Encoding.UTF8.GetBytes(json));
        var binary =
            json.Contains("binary_data_size\":", StringComparison.Ordinal) ? InferCall.Binary(Element, Element) : [];
        for (var wounds = random.Next(4); wounds > 0; wounds--)
        {
            var at = random.Next(head.Count);
            switch (random.Next(7))
            {
                case 0:
                    head[at] = (byte)random.Next(256);
                    break;
                case 1:
                    head.RemoveRange(at, random.Next(head.Count - at));
                    break;
                case 2:
                    head.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[random.Next(Tokens.Length)]));
                    break;
                case 3:
                    head.InsertRange(at, head.GetRange(at, random.Next(Math.Min(64, head.Count - at))));
                    break;
                case 4 when binary.Length > 0:
                    BinaryPrimitives.WriteInt32LittleEndian(
                        binary.AsSpan(random.Next(binary.Length - 3)), random.Next(int.MinValue, int.MaxValue));
                    break;
                case 5 when binary.Length > 4:
                    binary = binary[..random.Next(4, binary.Length)];
                    break;
                default:
                    head[at] ^= (byte)(1 << random.Next(8));
                    break;
            }

            if (head.Count == 0)
            {
                head.Add((byte)'{');
            }
        }

        return ([.. head, .. binary], head.Count);
    }
}
