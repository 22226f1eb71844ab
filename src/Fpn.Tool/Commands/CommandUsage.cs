namespace Fpn.Tool.Commands;

/// <summary>How to use a command.</summary>
/// <param name="Arguments">What follows the program's name.</param>
/// <param name="Effect">What it does: a sentence without its subject.</param>
internal sealed record CommandUsage(string Arguments, string Effect);
