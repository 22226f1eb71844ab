namespace Fpn.Detection.Tensors;

/// <summary>What a batch tensor holds for every pixel, and in which order. N images, H × W the padded size.</summary>
#pragma warning disable CA1720 // The names are those of ONNX types.
public enum PixelType
{
    /// <summary>[N, 3, H, W] float32: normalized planes in the model's color order.</summary>
    Float32,

    /// <summary>[N, 3, H, W] float16: the same values, each rounded to the nearest half, ties to even.</summary>
    Float16,

    /// <summary>[N, H, W, 3] bytes: the resized image itself, red, green, blue, for graphs that normalize.</summary>
    UInt8,
}
#pragma warning restore CA1720
