using Fpn.Imaging.Painting;
using Fpn.Service.Formats;
using Microsoft.Extensions.Primitives;

namespace Fpn.Service.Tests.Formats;

/// <summary>Which format is answered for which <c>format</c> and <c>Accept</c>.</summary>
public sealed class FormatNegotiationTests
{
    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("", "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("application/json", "application/json")]
    [InlineData("APPLICATION/JSON; charset=utf-8", "application/json")]
    [InlineData("application/*", "application/json")]
    [InlineData("application/json, text/plain, */*", "application/json")]
    [InlineData("application/*;q=0.1, text/html", "application/json")]
    [InlineData("application/vnd.coco+json", "application/vnd.coco+json")]
    [InlineData("application/xml", "application/xml")]
    [InlineData("text/xml", "text/xml")]
    [InlineData("text/xml;q=0.5, application/xml;q=0.6", "application/xml")]
    [InlineData("text/plain", "text/plain")]
    [InlineData("text/*", "text/plain")]
    [InlineData("text/*, text/plain;q=0", "text/xml")]
    [InlineData("image/*", "image/png")]
    [InlineData("image/jpeg", "image/jpeg")]
    [InlineData("image/png;q=0.8, image/jpeg", "image/jpeg")]
    [InlineData("image/avif, image/webp, image/png, image/svg+xml, image/*;q=0.8, */*;q=0.5", "image/png")]
    [InlineData("*/*;q=0.1, image/*;q=0.2", "image/png")]
    [InlineData("image/jpeg, */*", "image/jpeg")]
    [InlineData("*/*, application/json;q=0", "application/vnd.coco+json")]
    [InlineData("application/json;q=0.4, image/jpeg;q=0.5, text/plain;q=0.45", "image/jpeg")]
    [InlineData("text/html, image/gif, image/jpeg, */*; q=0.2", "image/jpeg")]
    [InlineData("no media type at all", "application/json")]
    public void Choose_WithoutFormat_AcceptDecides(string? accept, string mediaType)
    {
        Assert.True(Choose(null, accept, out var choice));
        Assert.Equal(mediaType, choice!.MediaType);
    }

    [Theory]
    [InlineData(OutputFormat.Json, "image/png", "application/json")]
    [InlineData(OutputFormat.Json, "application/json;q=0", "application/json")]
    [InlineData(OutputFormat.Coco, null, "application/json")]
    [InlineData(OutputFormat.Coco, "*/*", "application/json")]
    [InlineData(OutputFormat.Coco, "application/vnd.coco+json", "application/vnd.coco+json")]
    [InlineData(OutputFormat.Voc, "application/json", "application/xml")]
    [InlineData(OutputFormat.Voc, "text/*", "text/xml")]
    [InlineData(OutputFormat.Yolo, "application/json", "text/plain")]
    [InlineData(OutputFormat.Image, null, "image/png")]
    [InlineData(OutputFormat.Image, "text/html", "image/png")]
    [InlineData(OutputFormat.Image, "application/json, image/jpeg", "image/jpeg")]
    [InlineData(OutputFormat.Image, "image/webp, image/*;q=0.5", "image/png")]
    [InlineData(OutputFormat.Image, "image/png;q=0, */*", "image/jpeg")]
    public void Choose_WithFormat_AcceptOnlyChoosesItsMediaType(object format, string? accept, string mediaType)
    {
        Assert.True(Choose((OutputFormat)format, accept, out var choice));
        Assert.Equal(((OutputFormat)format, mediaType), (choice!.Format, choice.MediaType));
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/webp, application/pdf")]
    [InlineData("*/*;q=0")]
    [InlineData("application/json;q=0, application/yaml")]
    public void Choose_NothingAcceptable_IsAProblemThatListsWhatIsServed(string accept)
    {
        Assert.False(FormatNegotiation.Choose(null, accept).Succeeded(out _, out var problem));
        Assert.Equal((406, "not-acceptable"), (problem.Status, problem.Type));
        Assert.Contains(accept, problem.Detail, StringComparison.Ordinal);
        Assert.All(
            FormatNegotiation.Served.Select(choice => choice.MediaType),
            type => Assert.Contains(type, problem.Detail, StringComparison.Ordinal));
    }

    [Fact]
    public void Choose_SeveralHeaders_AreOneList()
    {
        var accept = new StringValues(["text/html", "text/plain;q=0.3, image/jpeg;q=0.4"]);
        Assert.True(FormatNegotiation.Choose(null, accept).Succeeded(out var choice, out _));
        Assert.Equal(PictureEncoding.Jpeg, choice.Encoding);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(OutputFormat.Json, false)]
    [InlineData(OutputFormat.Yolo, false)]
    [InlineData(OutputFormat.Coco, true)]
    [InlineData(OutputFormat.Voc, true)]
    [InlineData(OutputFormat.Image, true)]
    public void DependsOnAccept_SeveralMediaTypes_True(object? format, bool expected) =>
        Assert.Equal(expected, FormatNegotiation.DependsOnAccept((OutputFormat?)format, FormatNegotiation.Served));

    private static bool Choose(OutputFormat? format, string? accept, out OutputChoice? choice) =>
        FormatNegotiation.Choose(format, accept is null ? StringValues.Empty : accept).Succeeded(out choice, out _);
}
