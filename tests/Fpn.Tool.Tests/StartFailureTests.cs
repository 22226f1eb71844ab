using System.Reflection;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Settings;
using Fpn.Tool.Commands;

namespace Fpn.Tool.Tests;

/// <summary>The line that a person reads when a start fails.</summary>
public sealed class StartFailureTests
{
    private const string Message = "Setting 'Fpn:A:B' must be 1;\n  it is '2'.";

    private static readonly Exception Cause = new InvalidOperationException("cause");

    public static TheoryData<string> Written => [.. Exceptions.Keys];

    private static Dictionary<string, Exception> Exceptions { get; } = new Exception[]
    {
        new SettingsException(Message),
        new InvalidOptionException(Message, Cause),
        new ModelPackageException(Message, Cause),
        new ModelNotServedException(Message, Cause),
        new RuntimeMismatchException(Message),
        new IOException(Message),
        new UnauthorizedAccessException(Message),
    }.ToDictionary(exception => exception.GetType().Name);

    [Theory]
    [MemberData(nameof(Written))]
    public void Describe_WrittenForThePerson_IsTheMessageInOneLine(string exception) =>
        Assert.Equal("Setting 'Fpn:A:B' must be 1; it is '2'.", StartFailure.Describe(Exceptions[exception]));

    [Fact]
    public void Describe_Wrapped_IsTheCause() => Assert.Equal(
        "Setting 'Fpn:A:B' must be 1; it is '2'.",
        StartFailure.Describe(
            new TargetInvocationException(new AggregateException(new ModelPackageException(Message)))));

    [Fact]
    public void Describe_Unexpected_NamesTheKind() =>
        Assert.Equal("InvalidOperationException: cause", StartFailure.Describe(Cause));

    [Fact]
    public void Describe_MissingLibrary_LeavesOutWhereItWasLookedFor() => Assert.Equal(
        "a native library is missing: Unable to load 'x'",
        StartFailure.Describe(new DllNotFoundException("Unable to load 'x'\n/usr/lib/x: cannot open")));
}
