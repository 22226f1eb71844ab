using System.Globalization;

namespace Fpn.Client;

/// <summary>The form of <c>/detect/batch</c>: a part <c>images</c> for each image.</summary>
internal sealed class BatchContent : MultipartFormDataContent
{
    private const string PartName = "images";

    /// <summary>Adds an image after those that were added before.</summary>
    /// <param name="image">Disposed with the form.</param>
    public void AddImage(HttpContent image) =>
        Add(image, PartName, string.Create(CultureInfo.InvariantCulture, $"image-{this.Count()}"));
}
