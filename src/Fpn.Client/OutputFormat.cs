namespace Fpn.Client;

/// <summary>The forms in which <see cref="FpnClient.RenderAsync"/> answers.</summary>
public enum OutputFormat
{
    /// <summary>The picture as displayed, with boxes, labels and scores drawn, as PNG.</summary>
    Png,

    /// <summary>The same as JPEG; at most 65,500 pixels a side.</summary>
    Jpeg,

    /// <summary>COCO's results array, JSON.</summary>
    Coco,

    /// <summary>A Pascal VOC annotation, XML.</summary>
    Voc,

    /// <summary>A line of text for each detection: class, center, size (parts of the image's), score.</summary>
    Yolo,
}
