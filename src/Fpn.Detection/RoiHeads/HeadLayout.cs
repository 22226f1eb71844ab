using Fpn.Detection.Conventions;

namespace Fpn.Detection.RoiHeads;

/// <summary>Shape of the box head's outputs: class logits [R, C + 1] and box deltas [R, 4K], C classes without the
/// background and K boxes per row.</summary>
internal readonly struct HeadLayout
{
    /// <summary>Name of the logits, for messages.</summary>
    public const string ClassLogitsName = "class_logits";

    /// <summary>Name of the deltas, for messages.</summary>
    public const string BoxDeltasName = "box_deltas";

    private const int DeltasPerBox = 4;

    /// <summary>Reads the shape from a model's options.</summary>
    public HeadLayout(RoiHeadsOptions options)
    {
        Columns = options.Classes + 1;
        FirstColumn = options.Background == BackgroundPosition.First ? 1 : 0;
        BoxesPerRow = options.BoxDeltas switch
        {
            BoxDeltasLayout.PerClassWithBackground => Columns,
            BoxDeltasLayout.PerClass => options.Classes,
            _ => 1,
        };
        FirstBox = options.BoxDeltas == BoxDeltasLayout.PerClassWithBackground ? FirstColumn : 0;
    }

    /// <summary>C + 1: logits in a row.</summary>
    public int Columns { get; }

    /// <summary>Column of the first class.</summary>
    public int FirstColumn { get; }

    /// <summary>K: boxes in a row.</summary>
    public int BoxesPerRow { get; }

    /// <summary>Box of the first class in a row.</summary>
    public int FirstBox { get; }

    /// <summary>Deltas in a row.</summary>
    public int DeltasPerRow => DeltasPerBox * BoxesPerRow;

    /// <summary>Requires lengths that fit this shape.</summary>
    /// <param name="classLogits">Name and length of the logits.</param>
    /// <param name="boxDeltas">Name and length of the deltas.</param>
    /// <param name="proposals">P: proposals of the image.</param>
    /// <param name="rows">[P] the row of each proposal.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a row is not in the outputs.</exception>
    public void RequireFitting(
        (string Name, int Length) classLogits,
        (string Name, int Length) boxDeltas,
        int proposals,
        ReadOnlySpan<int> rows)
    {
        var rowCount = classLogits.Length / Columns;
        if (rowCount * Columns != classLogits.Length)
        {
            throw new ArgumentException(
                $"{classLogits.Name} holds {classLogits.Length} values, which is not a multiple of {Columns}.");
        }

        if (boxDeltas.Length != (long)DeltasPerBox * BoxesPerRow * rowCount)
        {
            throw new ArgumentException(
                $"{boxDeltas.Name} holds {boxDeltas.Length} values, not {DeltasPerRow} in each of {rowCount} rows.");
        }

        if (rows.Length != proposals)
        {
            throw new ArgumentException($"There are {proposals} proposals but {rows.Length} rows.");
        }

        foreach (var row in rows)
        {
            if ((uint)row >= (uint)rowCount)
            {
                throw new ArgumentException($"Row {row} does not exist: the head has {rowCount} rows.", nameof(rows));
            }
        }
    }
}
