using System.Globalization;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>The value of a parameter: at most one of its kinds is set.</summary>
internal readonly struct ParameterValue
{
    /// <summary>True or false.</summary>
    public bool? Boolean { get; init; }

    /// <summary>A whole number of at least 0, whether it was sent as int64 or uint64.</summary>
    public ulong? Unsigned { get; init; }

    /// <summary>
    /// A number as text; also a string, since the first form of the protocol had no kind for fractions.
    /// </summary>
    public string? NumberText { get; init; }

    /// <summary>A string.</summary>
    public string? Text { get; init; }

    /// <summary>The value as text, whatever its kind.</summary>
    public string? ScalarText => Boolean is { } boolean ? (boolean ? "true" : "false") : NumberText;

    /// <summary>Whether there is a value: without one, a parameter counts as absent.</summary>
    public bool IsSet { get; init; }

    /// <summary>Reads an <c>InferParameter</c>.</summary>
    /// <param name="message">The message; empty for a parameter without a value.</param>
    /// <param name="longestText">Longer strings have no text, in bytes.</param>
    /// <exception cref="InvalidDataException">This is not a message.</exception>
    public static ParameterValue Read(ReadOnlyMemory<byte> message, int longestText)
    {
        var value = default(ParameterValue);
        var reader = new WireReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferParameter.BoolParamFieldNumber:
                    value = new ParameterValue { IsSet = true, Boolean = reader.Number() != 0 };
                    break;
                case InferParameter.Int64ParamFieldNumber:
                    var number = (long)reader.Number();
                    value = new ParameterValue
                    {
                        IsSet = true,
                        Unsigned = number >= 0 ? (ulong)number : null,
                        NumberText = number.ToString(CultureInfo.InvariantCulture),
                    };
                    break;
                case InferParameter.StringParamFieldNumber:
                    var text = reader.Text(longestText);
                    value = new ParameterValue { IsSet = true, Text = text, NumberText = text };
                    break;
                case InferParameter.DoubleParamFieldNumber:
                    value = new ParameterValue
                    {
                        IsSet = true,
                        NumberText = reader.Double().ToString("R", CultureInfo.InvariantCulture),
                    };
                    break;
                case InferParameter.Uint64ParamFieldNumber:
                    var unsigned = reader.Number();
                    value = new ParameterValue
                    {
                        IsSet = true,
                        Unsigned = unsigned,
                        NumberText = unsigned.ToString(CultureInfo.InvariantCulture),
                    };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return value;
    }
}
