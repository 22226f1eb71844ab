using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests.Answers;

/// <summary>The client's types against docs/openapi.json: the same members, and the same of them required.</summary>
public sealed class PublishedDocumentTests
{
    public static TheoryData<string, Type> Schemas => new()
    {
        { "Detection", typeof(DetectionResult) },
        { "Image", typeof(ImageInfo) },
        { "DetectedObject", typeof(DetectedObject) },
        { "Timings", typeof(DetectionTimings) },
        { "Explanation", typeof(Explanation) },
        { "Origin", typeof(DetectionOrigin) },
        { "Proposal", typeof(RegionProposal) },
        { "Anchor", typeof(AnchorBox) },
        { "Suppressed", typeof(SuppressedBox) },
        { "View", typeof(ImageView) },
        { "Merged", typeof(MergedBox) },
        { "Model", typeof(ModelInfo) },
        { "ModelInput", typeof(ModelInput) },
        { "Class", typeof(ModelClass) },
        { "ModelExecution", typeof(ModelExecution) },
        { "ModelBatching", typeof(ModelBatching) },
        { "BatchTiming", typeof(BatchTiming) },
        { "Health", typeof(HealthReport) },
        { "HealthCheck", typeof(HealthCheck) },
    };

    [Theory]
    [MemberData(nameof(Schemas))]
    public void Type_AndItsSchema_HaveTheSameMembers(string schema, Type type)
    {
        using var document =
            JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkout.Root, "docs", "openapi.json")));
        var published = document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty(schema);
        var members = type.GetProperties()
            .Where(property => !property.IsDefined(typeof(JsonIgnoreAttribute)))
            .ToArray();
        Assert.Equal(
            published.GetProperty("properties").EnumerateObject().Select(member => member.Name).Order(),
            members.Select(WireName).Order());
        Assert.Equal(
            published.GetProperty("required").EnumerateArray().Select(name => name.GetString()!).Order(),
            members.Where(property => property.IsDefined(typeof(RequiredMemberAttribute))).Select(WireName).Order());
    }

    private static string WireName(PropertyInfo property) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
        ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);
}
