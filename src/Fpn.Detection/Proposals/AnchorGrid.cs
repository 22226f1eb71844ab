namespace Fpn.Detection.Proposals;

/// <summary>How the anchors of one level lie.</summary>
/// <param name="Width">Cells in a row.</param>
/// <param name="StrideY">Distance of rows, padded-input pixels.</param>
/// <param name="StrideX">Distance of columns, padded-input pixels.</param>
internal readonly record struct AnchorGrid(int Width, int StrideY, int StrideX);
