using Fpn.Service.Problems;

namespace Fpn.Service.Bodies;

/// <summary>A form with an image and text fields.</summary>
internal sealed class ImageForm : IDisposable
{
    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);

    /// <summary>The encoded image, which the form owns; null when it was not sent.</summary>
    public ImageBody? Image { get; private set; }

    /// <summary>The text of a field; null when it was not sent.</summary>
    /// <param name="name">Its name; case matters.</param>
    public string? Field(string name) => _fields.GetValueOrDefault(name);

    /// <summary>Takes the image.</summary>
    /// <returns>Null, or the problem that there is one already; the form then does not own this one.</returns>
    public Problem? Add(ImageBody image)
    {
        if (Image is not null)
        {
            return Problem.TooManyImages("The form has more than one image; send one.");
        }

        Image = image;
        return null;
    }

    /// <summary>Takes a field.</summary>
    /// <returns>Null, or the problem that it is given twice.</returns>
    public Problem? Add(string name, string text) =>
        _fields.TryAdd(name, text) ? null : Problem.BadParameter(name, "Is given twice.");

    /// <inheritdoc/>
    public void Dispose() => Image?.Dispose();
}
