namespace Fpn.Service.Formats;

/// <summary>The format of an answer (docs/formats.md).</summary>
internal enum OutputFormat
{
    /// <summary>The service's own format, with all that is known.</summary>
    Json,

    /// <summary>COCO's results array.</summary>
    Coco,

    /// <summary>A Pascal VOC annotation file.</summary>
    Voc,

    /// <summary>A line a box, relative to the image.</summary>
    Yolo,

    /// <summary>The picture with its boxes drawn.</summary>
    Image,
}
