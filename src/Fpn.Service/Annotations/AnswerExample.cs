namespace Fpn.Service.Annotations;

/// <summary>An example of a successful answer of an endpoint, for the OpenAPI document.</summary>
/// <param name="ContentType">Content type of the answer.</param>
/// <param name="Text">The body: JSON where the type is JSON, otherwise the text as it is sent.</param>
internal sealed record AnswerExample(string ContentType, string Text);

/// <summary>A JSON body that an endpoint reads itself and that may be left out, for the OpenAPI document.</summary>
/// <param name="Description">Its meaning.</param>
/// <param name="Json">A valid body.</param>
internal sealed record BodyExample(string Description, string Json)
{
    /// <summary>Whether the body may also be an image itself.</summary>
    public bool AlsoImage { get; init; }
}

/// <summary>A form with the part <c>image</c> that an endpoint reads itself, for the OpenAPI document.</summary>
/// <param name="Description">Its meaning.</param>
/// <param name="Fields">Names of the text fields that it may have.</param>
internal sealed record FormExample(string Description, params string[] Fields);

/// <summary>The meaning of a parameter in an endpoint's path, for the OpenAPI document.</summary>
/// <param name="Name">Name of the parameter in the route.</param>
/// <param name="Description">Its meaning.</param>
/// <param name="IsVersion">Whether it is a model's version, and not its name.</param>
internal sealed record PathParameterNote(string Name, string Description, bool IsVersion = false);
