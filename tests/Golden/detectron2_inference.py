"""A whole detectron2-style inference of an FPN Faster R-CNN, from a PIL image to detections.

The steps between and after the networks are those of detectron2_reference.py; here are the two that touch tensors
of the network: what goes in (bytes resized by Pillow, BGR minus mean) and the aligned, adaptive RoIAlign.
"""
import math

import numpy as np
import torch
from PIL import Image
from torchvision.ops import roi_align

import detectron2_reference as d2

BGR_MEAN = (103.53, 116.28, 123.675)


def preprocess(image, min_size, max_size, divisor=32):
    """PIL RGB image -> ([1, 3, H, W] BGR minus mean, zero-padded) and the resized (height, width)."""
    height, width = d2.shortest_edge_size(image.height, image.width, min_size, max_size)
    pixels = np.asarray(image.resize((width, height), Image.BILINEAR))[:, :, ::-1].astype(np.float32)
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1) - torch.tensor(BGR_MEAN)[:, None, None]
    return torch.nn.functional.pad(tensor, (0, -width % divisor, 0, -height % divisor))[None], (height, width)


def pool(features, boxes, strides, output_size):
    """[R, D, s, s]: each RoI from its level, aligned, as many samples as it is large; rows as the boxes come."""
    levels = d2.assign_levels(boxes, int(math.log2(strides[0])), int(math.log2(strides[-1])))
    pooled = torch.zeros(len(boxes), features[0].shape[1], *output_size)
    for index, (feature, stride) in enumerate(zip(features, strides)):
        chosen = torch.where(levels == index)[0]
        rois = torch.cat([torch.zeros(len(chosen), 1), boxes[chosen]], dim=1)
        pooled[chosen] = roi_align(feature, rois, output_size, 1.0 / stride, sampling_ratio=0, aligned=True)
    return pooled


def infer(detector, levels, images, resized, original):
    """Boxes [D, 4] in the original image, scores [D], labels [D] from 0.

    `detector` is a torchvision model whose predictor has the background last and no deltas for it; `images` comes
    from `preprocess`; thresholds are the detector's.
    """
    rpn, roi = detector.rpn, detector.roi_heads
    features = list(detector.backbone(images).values())
    objectness, deltas = rpn.head(features)
    maps = [{"objectness": o[0], "deltas": d[0], "sizes": level.anchor_sizes, "stride": level.stride}
            for o, d, level in zip(objectness, deltas, levels)]
    ratios = rpn.anchor_generator.aspect_ratios[0]
    boxes = d2.find_top_proposals(maps, ratios, resized, rpn.pre_nms_top_n(), rpn.post_nms_top_n(), rpn.nms_thresh)[0]
    strides = [level.stride for level in levels if level.pooled]
    crops = pool(features[: len(strides)], boxes, strides, roi.box_roi_pool.output_size)
    logits, deltas = roi.box_predictor(roi.box_head(crops))
    return d2.detections(logits, deltas, boxes, resized, original, roi.box_coder.weights, roi.score_thresh,
                         roi.nms_thresh, roi.detections_per_img)[:3]
