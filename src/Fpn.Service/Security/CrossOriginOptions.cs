namespace Fpn.Service.Security;

/// <summary>Which web pages may call the API from browsers (<c>Fpn:Cors</c>).</summary>
internal sealed class CrossOriginOptions
{
    /// <summary>
    /// Origins, separated by commas, such as <c>https://app.example.com</c>; <c>*</c> allows every page. Default: none,
    /// browsers then let no page of another origin read an answer.
    /// </summary>
    public string AllowedOrigins { get; set; } = string.Empty;
}
