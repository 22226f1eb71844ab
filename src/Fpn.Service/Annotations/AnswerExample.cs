namespace Fpn.Service.Annotations;

/// <summary>What a successful answer of an endpoint may look like, for the OpenAPI document.</summary>
/// <param name="ContentType">Of the answer.</param>
/// <param name="Text">The body: JSON where the type is JSON's, otherwise as it is sent.</param>
internal sealed record AnswerExample(string ContentType, string Text);

/// <summary>A JSON body that an endpoint reads itself and that may be left out, for the OpenAPI document.</summary>
/// <param name="Description">What it says.</param>
/// <param name="Json">One that works.</param>
internal sealed record BodyExample(string Description, string Json);

/// <summary>What a part of an endpoint's path stands for, for the OpenAPI document.</summary>
/// <param name="Name">Name in the route.</param>
/// <param name="Description">What it stands for.</param>
/// <param name="IsVersion">Whether it is a model's version, and not its name.</param>
internal sealed record PathParameterNote(string Name, string Description, bool IsVersion = false);
