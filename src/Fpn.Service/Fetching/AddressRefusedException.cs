namespace Fpn.Service.Fetching;

/// <summary>A host has an address that may not be connected to.</summary>
/// <remarks>
/// An exception, since it must cross the framework's handler, which has no other way to say that there is no
/// connection.
/// </remarks>
internal sealed class AddressRefusedException() : Exception("The address may not be connected to.");
