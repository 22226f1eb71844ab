using Fpn.Detection.Geometry;

namespace Fpn.Detection.Conventions;

/// <summary>The rules and defaults of one reference implementation, one property for each row in which implementations
/// can differ; <see cref="ConventionTable"/> has the values.</summary>
/// <remarks>
/// Selectors and readers read the rule that they need and never ask which implementation it comes from. Sources name
/// torchvision's file first, then detectron2's, each relative to the package of that name; they were checked against
/// torchvision 0.14.1 and the main branch of detectron2 after its last release, 0.6. RoIAlign is not here: it is part
/// of the graph that an export makes. Immutable, so thread-safe.
/// </remarks>
public sealed record ConventionRules
{
    /// <summary>Order of the color planes: RGB or BGR. Sources: <c>datasets/coco.py</c> (<c>_load_image</c>), from
    /// which the weights were trained; <c>config/defaults.py</c> (<c>INPUT.FORMAT</c>).</summary>
    public required ColorOrder ColorOrder { get; init; }

    /// <summary>Bytes are multiplied by this before normalization: 1/255, or 1 for means on the scale of bytes.
    /// Sources: <c>transforms/functional.py</c> (<c>to_tensor</c>); <c>modeling/meta_arch/rcnn.py</c>
    /// (<c>preprocess_image</c>).</summary>
    public required float PixelScale { get; init; }

    /// <summary>Three values in the order of <see cref="ColorOrder"/>, subtracted after scaling. Sources:
    /// <c>models/detection/faster_rcnn.py</c> (<c>image_mean</c>); <c>config/defaults.py</c>
    /// (<c>PIXEL_MEAN</c>).</summary>
    public required IReadOnlyList<float> PixelMean { get; init; }

    /// <summary>Three values in the order of <see cref="ColorOrder"/>, divided by last; all 1 in detectron2, whose
    /// weights absorb them. Sources: <c>models/detection/faster_rcnn.py</c> (<c>image_std</c>);
    /// <c>config/defaults.py</c> (<c>PIXEL_STD</c>).</summary>
    public required IReadOnlyList<float> PixelStd { get; init; }

    /// <summary>Rounding of the resized sides: float32 and floor, or double and round half up. Sources:
    /// <c>models/detection/transform.py</c> (<c>_resize_image_and_masks</c>);
    /// <c>data/transforms/augmentation_impl.py</c> (<c>ResizeShortestEdge.get_output_shape</c>).</summary>
    public required SizeRounding SizeRounding { get; init; }

    /// <summary>Interpolation: two taps on floats, or Pillow's antialiasing filter on bytes. Sources:
    /// <c>models/detection/transform.py</c> (<c>_resize_image_and_masks</c>); <c>data/transforms/transform.py</c>
    /// (<c>ResizeTransform.apply_image</c>).</summary>
    public required ResizeFilter ResizeFilter { get; init; }

    /// <summary>Both sides are padded to a multiple of this, in pixels; the same in both. Sources:
    /// <c>models/detection/transform.py</c> (<c>batch_images</c>); <c>modeling/backbone/fpn.py</c>
    /// (<c>size_divisibility</c>: the coarsest stride of the backbone's own maps).</summary>
    public required int SizeDivisor { get; init; }

    /// <summary>Height over width of the anchors in a cell; the same in both. Sources:
    /// <c>models/detection/faster_rcnn.py</c> (<c>_default_anchorgen</c>); <c>config/defaults.py</c>
    /// (<c>ANCHOR_GENERATOR.ASPECT_RATIOS</c>).</summary>
    public required IReadOnlyList<float> AspectRatios { get; init; }

    /// <summary>Whether cell anchors are rounded to whole pixels, half to even; detectron2 does not. Sources:
    /// <c>models/detection/anchor_utils.py</c> (<c>generate_anchors</c>); <c>modeling/anchor_generator.py</c>
    /// (<c>generate_cell_anchors</c>).</summary>
    public required bool AnchorsRounded { get; init; }

    /// <summary>Order of the anchors in a cell; no difference where a level has one size. Sources as for
    /// <see cref="AnchorsRounded"/>.</summary>
    public required AnchorOrder AnchorOrder { get; init; }

    /// <summary>Precision of the anchors' sides. Sources as for <see cref="AnchorsRounded"/>.</summary>
    public required AnchorArithmetic AnchorArithmetic { get; init; }

    /// <summary>Distance of the finest level's anchors in padded-input pixels, doubled from level to level
    /// (detectron2), or null to derive each level's distance as padded size // grid size, per axis (torchvision).
    /// Sources: <c>models/detection/anchor_utils.py</c> (<c>forward</c>); <c>modeling/anchor_generator.py</c>
    /// (<c>_grid_anchors</c>) with the strides of <c>modeling/backbone/fpn.py</c>.</summary>
    public required int? FinestAnchorStride { get; init; }

    /// <summary>Anchors kept per level before suppression, by logit; the same in both. Sources:
    /// <c>models/detection/faster_rcnn.py</c> (<c>rpn_pre_nms_top_n_test</c>); <c>configs/Base-RCNN-FPN.yaml</c>
    /// beside the package (<c>RPN.PRE_NMS_TOPK_TEST</c>; <c>config/defaults.py</c> has 6000, for one level).</summary>
    public required int PreNmsTopN { get; init; }

    /// <summary>Proposals kept per image over all levels; the same in both. Sources:
    /// <c>models/detection/faster_rcnn.py</c> (<c>rpn_post_nms_top_n_test</c>); <c>config/defaults.py</c>
    /// (<c>RPN.POST_NMS_TOPK_TEST</c>).</summary>
    public required int PostNmsTopN { get; init; }

    /// <summary>A proposal is removed when its IoU with a better one of its level is greater; the same in both.
    /// Sources: <c>models/detection/faster_rcnn.py</c> (<c>rpn_nms_thresh</c>); <c>config/defaults.py</c>
    /// (<c>RPN.NMS_THRESH</c>).</summary>
    public required double ProposalNmsThreshold { get; init; }

    /// <summary>A proposal is kept when its score is at least this; the same in both, since 0 keeps all. Sources:
    /// <c>models/detection/rpn.py</c> (<c>filter_proposals</c>) with the default of
    /// <c>models/detection/faster_rcnn.py</c> (<c>rpn_score_thresh</c>);
    /// <c>modeling/proposal_generator/proposal_utils.py</c> (<c>find_top_rpn_proposals</c>), which has no such
    /// test.</summary>
    public required float ProposalScoreThreshold { get; init; }

    /// <summary>Order of proposals in suppression: by sigmoid or by logit. Sources: <c>models/detection/rpn.py</c>
    /// (<c>filter_proposals</c>); <c>modeling/proposal_generator/proposal_utils.py</c>
    /// (<c>find_top_rpn_proposals</c>).</summary>
    public required ProposalRanking ProposalRanking { get; init; }

    /// <summary>Shortest side of a proposal, in resized-image pixels. Sources: <c>models/detection/rpn.py</c>
    /// (<c>min_size</c>); <c>config/defaults.py</c> (<c>PROPOSAL_GENERATOR.MIN_SIZE</c>).</summary>
    public required float MinProposalSize { get; init; }

    /// <summary>Whether a side equal to <see cref="MinProposalSize"/> is long enough: yes in torchvision, no in
    /// detectron2. Sources: <c>ops/boxes.py</c> (<c>remove_small_boxes</c>); <c>structures/boxes.py</c>
    /// (<c>nonempty</c>).</summary>
    public required bool MinProposalSizeInclusive { get; init; }

    /// <summary>Whether a proposal with an infinite coordinate is dropped (detectron2) or clipped (torchvision).
    /// Sources: <c>models/detection/rpn.py</c> (<c>filter_proposals</c>);
    /// <c>modeling/proposal_generator/proposal_utils.py</c> (<c>find_top_rpn_proposals</c>).</summary>
    public required bool DropNonFiniteProposals { get; init; }

    /// <summary>Suppression shifts levels or classes apart in float32 for up to this many boxes and works group by
    /// group above; near the threshold the shift can decide. Sources: <c>ops/boxes.py</c> (<c>batched_nms</c> on a
    /// CPU: 4,000 numbers, four a box); <c>layers/nms.py</c> (<c>batched_nms</c>) up to release 0.6, which left fewer
    /// than 40,000 boxes to torchvision, where older versions always shifted. Since December 2021 detectron2 leaves all
    /// to torchvision, whose limit then holds for it too.</summary>
    public required int MaxShiftedBoxes { get; init; }

    /// <summary>Level of a RoI of <see cref="CanonicalSize"/>; the same in both. Sources: <c>ops/poolers.py</c>
    /// (<c>LevelMapper</c>); <c>modeling/poolers.py</c> (<c>ROIPooler</c>, <c>canonical_level</c>).</summary>
    public required int CanonicalLevel { get; init; }

    /// <summary>Square root of the area of a RoI on <see cref="CanonicalLevel"/>, in padded-input pixels; the same in
    /// both. Sources as for <see cref="CanonicalLevel"/>.</summary>
    public required float CanonicalSize { get; init; }

    /// <summary>Place of the epsilon in the level's formula. Sources: <c>ops/poolers.py</c> (<c>LevelMapper</c>);
    /// <c>modeling/poolers.py</c> (<c>assign_boxes_to_levels</c>).</summary>
    public required LevelEpsilon LevelEpsilon { get; init; }

    /// <summary>Position of the background among the class logits: first or last. Sources:
    /// <c>models/detection/roi_heads.py</c> (<c>postprocess_detections</c>); <c>modeling/roi_heads/fast_rcnn.py</c>
    /// (<c>fast_rcnn_inference_single_image</c>).</summary>
    public required BackgroundPosition Background { get; init; }

    /// <summary>What the box head regresses: the background has its own deltas in torchvision. Sources:
    /// <c>models/detection/faster_rcnn.py</c> (<c>FastRCNNPredictor</c>); <c>modeling/roi_heads/fast_rcnn.py</c>
    /// (<c>FastRCNNOutputLayers</c>).</summary>
    public required BoxDeltasLayout BoxDeltas { get; init; }

    /// <summary>The box head's deltas are divided by these; the same in both. Sources:
    /// <c>models/detection/roi_heads.py</c> (<c>bbox_reg_weights</c>); <c>config/defaults.py</c>
    /// (<c>ROI_BOX_HEAD.BBOX_REG_WEIGHTS</c>).</summary>
    public required BoxWeights BoxWeights { get; init; }

    /// <summary>A detection is kept when its score is greater; the same in both. Sources:
    /// <c>models/detection/faster_rcnn.py</c> (<c>box_score_thresh</c>); <c>config/defaults.py</c>
    /// (<c>ROI_HEADS.SCORE_THRESH_TEST</c>).</summary>
    public required float DetectionScoreThreshold { get; init; }

    /// <summary>A detection is removed when its IoU with a better one of its class is greater; the same in both.
    /// Sources: <c>models/detection/faster_rcnn.py</c> (<c>box_nms_thresh</c>); <c>config/defaults.py</c>
    /// (<c>ROI_HEADS.NMS_THRESH_TEST</c>).</summary>
    public required double DetectionNmsThreshold { get; init; }

    /// <summary>Detections kept per image; the same in both. Sources: <c>models/detection/faster_rcnn.py</c>
    /// (<c>box_detections_per_img</c>); <c>config/defaults.py</c> (<c>TEST.DETECTIONS_PER_IMAGE</c>).</summary>
    public required int DetectionsPerImage { get; init; }

    /// <summary>Shortest side of a detection, in resized-image pixels: kept when both sides are at least this.
    /// detectron2 has no such test: 0. Source: <c>models/detection/roi_heads.py</c>
    /// (<c>postprocess_detections</c>).</summary>
    public required float MinDetectionSize { get; init; }

    /// <summary>Whether a RoI with an infinite coordinate in the box of any class is dropped as a whole (detectron2) or
    /// its boxes are clipped (torchvision). Sources: <c>models/detection/roi_heads.py</c>
    /// (<c>postprocess_detections</c>); <c>modeling/roi_heads/fast_rcnn.py</c>
    /// (<c>fast_rcnn_inference_single_image</c>).</summary>
    public required bool DropNonFiniteDetections { get; init; }

    /// <summary>Whether a detection is dropped that has no area after scaling back to the original image and clipping
    /// there, though it counted among the best; detectron2 does. Sources: <c>models/detection/transform.py</c>
    /// (<c>postprocess</c>); <c>modeling/postprocessing.py</c> (<c>detector_postprocess</c>).</summary>
    public required bool DropEmptyDetections { get; init; }
}
