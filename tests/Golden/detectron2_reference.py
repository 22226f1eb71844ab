"""detectron2's arithmetic between and after the graphs, written anew in plain torch from its documented steps.

A reference for the goldens: slow, one image, no batching, float32 wherever detectron2 is float32. The steps are
those of the detectron2 column of the project's table of conventions; the names follow the detectron2 functions.
"""
import math

import numpy as np
import torch
import torchvision

SCALE_CLAMP = math.log(1000.0 / 16)


def shortest_edge_size(height, width, min_size, max_size):
    """ResizeShortestEdge.get_output_shape: all in double, rounded half up, once, at the end; never below 1."""
    scale = min_size / min(height, width)
    new_height, new_width = (min_size, scale * width) if height < width else (scale * height, min_size)
    if max(new_height, new_width) > max_size:
        scale = max_size / max(new_height, new_width)
        new_height, new_width = new_height * scale, new_width * scale
    return max(1, int(new_height + 0.5)), max(1, int(new_width + 0.5))


def cell_anchors(sizes, ratios):
    """DefaultAnchorGenerator.generate_cell_anchors: size outer, ratio inner, not rounded. -> [A, 4]."""
    anchors = []
    for size in sizes:
        for ratio in ratios:
            width = math.sqrt(size ** 2.0 / ratio)
            height = ratio * width
            anchors.append([-width / 2, -height / 2, width / 2, height / 2])
    return torch.tensor(anchors)


def grid_anchors(sizes, ratios, stride, height, width):
    """The cell's anchors at every cell, (H, W, A) flattened. -> [H * W * A, 4]."""
    y, x = torch.meshgrid(torch.arange(height) * float(stride), torch.arange(width) * float(stride), indexing="ij")
    shifts = torch.stack([x, y, x, y], -1).reshape(-1, 1, 4)
    return (shifts + cell_anchors(sizes, ratios)[None]).reshape(-1, 4)


def apply_deltas(deltas, boxes, weights):
    """Box2BoxTransform.apply_deltas: deltas [N, 4K], boxes [N, 4] -> [N, 4K]."""
    deltas = deltas.float().reshape(len(boxes), -1, 4)
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    center_x, center_y = boxes[:, 0] + 0.5 * widths, boxes[:, 1] + 0.5 * heights
    dx, dy, dw, dh = (deltas[:, :, k] / weights[k] for k in range(4))
    dw, dh = torch.clamp(dw, max=SCALE_CLAMP), torch.clamp(dh, max=SCALE_CLAMP)
    x, y = dx * widths[:, None] + center_x[:, None], dy * heights[:, None] + center_y[:, None]
    w, h = torch.exp(dw) * widths[:, None], torch.exp(dh) * heights[:, None]
    return torch.stack([x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h], -1).reshape(len(boxes), -1)


def clip(boxes, size):
    """Boxes.clip to (height, width). -> new [N, 4]."""
    x = boxes[:, 0::2].clamp(min=0, max=size[1])
    y = boxes[:, 1::2].clamp(min=0, max=size[0])
    return torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], 1)


def nonempty(boxes, threshold=0.0):
    return (boxes[:, 2] - boxes[:, 0] > threshold) & (boxes[:, 3] - boxes[:, 1] > threshold)


def batched_nms(boxes, scores, groups, iou_threshold):
    """Groups are moved apart by a float32 shift below 40,000 boxes, taken one by one from there on."""
    if len(boxes) == 0:
        return torch.empty(0, dtype=torch.int64)
    if len(boxes) < 40000:
        offsets = groups.to(boxes) * (boxes.max() + 1)
        return torchvision.ops.nms(boxes + offsets[:, None], scores, iou_threshold)
    kept = torch.zeros(len(boxes), dtype=torch.bool)
    for group in groups.unique():
        index = torch.where(groups == group)[0]
        kept[index[torchvision.ops.nms(boxes[index], scores[index], iou_threshold)]] = True
    kept = torch.where(kept)[0]
    return kept[scores[kept].argsort(descending=True, stable=True)]


def find_top_proposals(levels, ratios, size, pre_nms, post_nms, iou_threshold, min_box_size=0.0):
    """levels: dicts of objectness [A, H, W], deltas [4A, H, W], sizes, stride; size: (height, width) of the image.

    -> boxes [P, 4], logits [P], level of each [P], flat anchor index (y * W + x) * A + a of each [P]."""
    boxes, logits, of_level, of_anchor = [], [], [], []
    for index, level in enumerate(levels):
        a, height, width = level["objectness"].shape
        scores = level["objectness"].permute(1, 2, 0).reshape(-1)
        deltas = level["deltas"].reshape(a, 4, height, width).permute(2, 3, 0, 1).reshape(-1, 4)
        anchors = grid_anchors(level["sizes"], ratios, level["stride"], height, width)
        top, chosen = scores.topk(min(pre_nms, len(scores)))
        boxes.append(apply_deltas(deltas[chosen], anchors[chosen], (1, 1, 1, 1)))
        logits.append(top)
        of_level.append(torch.full((len(top),), index))
        of_anchor.append(chosen)
    boxes, logits, of_level, of_anchor = (torch.cat(x) for x in (boxes, logits, of_level, of_anchor))
    valid = torch.isfinite(boxes).all(1) & torch.isfinite(logits)
    boxes, logits, of_level, of_anchor = boxes[valid], logits[valid], of_level[valid], of_anchor[valid]
    boxes = clip(boxes, size)
    kept = nonempty(boxes, min_box_size)
    boxes, logits, of_level, of_anchor = boxes[kept], logits[kept], of_level[kept], of_anchor[kept]
    kept = batched_nms(boxes, logits, of_level, iou_threshold)[:post_nms]
    return boxes[kept], logits[kept], of_level[kept], of_anchor[kept]


def assign_levels(boxes, min_level, max_level, canonical_size=224, canonical_level=4):
    """assign_boxes_to_levels: epsilon inside the logarithm. -> [N] from 0."""
    size = torch.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    level = torch.floor(canonical_level + torch.log2(size / canonical_size + 1e-8))
    return torch.clamp(level, min_level, max_level).to(torch.int64) - min_level


def detections(class_logits, box_deltas, proposals, size, original, weights, score_threshold, iou_threshold, top):
    """fast_rcnn_inference_single_image and detector_postprocess, background last.

    box_deltas [R, 4C] or [R, 4]; size, original: (height, width).
    -> boxes [D, 4] in the original image, scores [D], labels [D] from 0, proposals [D]."""
    scores = torch.softmax(class_logits, -1)
    boxes = apply_deltas(box_deltas, proposals, weights)
    rows = torch.where(torch.isfinite(boxes).all(1) & torch.isfinite(scores).all(1))[0]
    boxes, scores = boxes[rows], scores[rows, :-1]
    boxes = clip(boxes.reshape(-1, 4), size).reshape(len(rows), -1, 4)
    chosen = (scores > score_threshold).nonzero()
    labels = chosen[:, 1]
    boxes = boxes[chosen[:, 0], 0 if boxes.shape[1] == 1 else labels]
    scores = scores[chosen[:, 0], labels]
    kept = batched_nms(boxes, scores, labels, iou_threshold)[:top]
    boxes, scores, labels, rows = boxes[kept], scores[kept], labels[kept], rows[chosen[kept, 0]]
    # detectron2 multiplies a float32 tensor by a Python float, which torch rounds to float32 first.
    ratio = torch.tensor(np.float32([original[1] / size[1], original[0] / size[0]] * 2))
    boxes = clip(boxes * ratio, original)
    kept = nonempty(boxes)
    return boxes[kept], scores[kept], labels[kept], rows[kept]
