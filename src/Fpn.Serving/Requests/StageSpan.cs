namespace Fpn.Serving.Requests;

/// <summary>When something was done, and how long it took.</summary>
/// <param name="Start">Time stamp of the clock.</param>
/// <param name="Time">How long.</param>
internal readonly record struct StageSpan(long Start, TimeSpan Time);
