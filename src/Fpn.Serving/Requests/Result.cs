using System.Diagnostics.CodeAnalysis;

namespace Fpn.Serving.Requests;

/// <summary>A value, or the failure that stands in its place.</summary>
/// <typeparam name="T">Type of the value.</typeparam>
public readonly record struct Result<T>
    where T : class
{
    private readonly DetectionFailure? _failure;

    /// <summary>Creates a success.</summary>
    public Result(T value) => Value = value;

    /// <summary>Creates a failure.</summary>
    public Result(DetectionFailure failure) => _failure = failure;

    /// <summary>The value; null on failure.</summary>
    public T? Value { get; }

    /// <summary>The failure; null on success.</summary>
    /// <exception cref="InvalidOperationException">The result is <c>default</c>: it holds neither.</exception>
    public DetectionFailure? Failure => _failure is null && Value is null
        ? throw new InvalidOperationException("The result was never set.")
        : _failure;

    /// <summary>Whether there is a value.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Value is not null;

#pragma warning disable CA2225 // The constructors do the same.
    /// <summary>Creates a success.</summary>
    public static implicit operator Result<T>(T value) => new(value);

    /// <summary>Creates a failure.</summary>
    public static implicit operator Result<T>(DetectionFailure failure) => new(failure);
#pragma warning restore CA2225
}
