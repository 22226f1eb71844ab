using System.ComponentModel.DataAnnotations;

namespace Fpn.Models.Loading;

/// <summary>The time between two looks at a folder: 0 for none, or from one second to a day.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PollIntervalAttribute() : ValidationAttribute("{0} must be 0 or from 1s to 24h")
{
    /// <inheritdoc/>
    public override bool IsValid(object? value) =>
        value is TimeSpan interval
        && (interval == TimeSpan.Zero || (interval >= TimeSpan.FromSeconds(1) && interval <= TimeSpan.FromDays(1)));
}
