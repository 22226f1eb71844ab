namespace Fpn.Deployment.Tests.Architecture.Circular;

/// <summary>Half of a circle, for the test of the finder: <see cref="DependencyTests"/> uses it, and it uses
/// that.</summary>
internal static class There
{
    public static Type Back => typeof(DependencyTests);
}
