namespace Fpn.Service.Compatibility.Door;

/// <summary>Settings of the contract <c>cvat</c> (<c>Fpn:Compatibility:Cvat</c>).</summary>
internal sealed class CvatOptions
{
    /// <summary>
    /// Addresses and networks, separated by commas, such as <c>172.18.0.0/16</c>, from which CVAT's paths need no key:
    /// CVAT cannot send one. Default: none; without keys the service asks none of anyone.
    /// </summary>
    public string Networks { get; set; } = string.Empty;
}
