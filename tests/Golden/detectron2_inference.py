"""detectron2's inference of an FPN Faster R-CNN in plain torch: what `"convention": "detectron2"` must equal.

Written from the rules in the project's notes on the two references, not from detectron2's code. Boxes are xyxy;
`resized` is (height, width) of the image as it enters the network, before padding.
"""
import math

import numpy as np
import torch
from PIL import Image
from torchvision.ops import nms, roi_align

BGR_MEAN = (103.53, 116.28, 123.675)
DELTA_CAP = math.log(1000.0 / 16)


def resized_size(height, width, min_size, max_size):
    """Short side to `min_size`, both scaled down if the long side passes `max_size`; rounded once, half up."""
    scale = min_size / min(height, width)
    new_height, new_width = (min_size, scale * width) if height < width else (scale * height, min_size)
    if max(new_height, new_width) > max_size:
        shrink = max_size / max(new_height, new_width)
        new_height, new_width = new_height * shrink, new_width * shrink
    return int(new_height + 0.5), int(new_width + 0.5)


def preprocess(image, min_size, max_size, divisor=32):
    """PIL RGB image -> ([1, 3, H, W] BGR minus mean, zero-padded, and the resized (height, width))."""
    height, width = resized_size(image.height, image.width, min_size, max_size)
    pixels = np.asarray(image.resize((width, height), Image.BILINEAR))[:, :, ::-1].astype(np.float32)
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1) - torch.tensor(BGR_MEAN)[:, None, None]
    bottom, right = -height % divisor, -width % divisor
    return torch.nn.functional.pad(tensor, (0, right, 0, bottom))[None], (height, width)


def anchors(sizes, ratios, stride, grid_height, grid_width):
    """[h * w * A, 4]: unrounded cells, sizes outer and ratios inner, on a grid of the nominal stride."""
    cell = []
    for size in sizes:
        for ratio in ratios:
            width = math.sqrt(size**2 / ratio)
            cell.append((-width / 2, -ratio * width / 2, width / 2, ratio * width / 2))
    x, y = torch.arange(grid_width, dtype=torch.float32) * stride, torch.arange(grid_height, dtype=torch.float32) * stride
    y, x = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack((x, y, x, y), dim=-1).reshape(-1, 1, 4)
    return (shifts + torch.tensor(cell, dtype=torch.float32)).reshape(-1, 4)


def decode(deltas, boxes, weights):
    """[n, 4k] deltas on [n, 4] boxes -> [n, 4k]; divided by the weights, dw and dh capped above."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    x, y = boxes[:, 0] + 0.5 * width, boxes[:, 1] + 0.5 * height
    dx, dy = deltas[:, 0::4] / weights[0], deltas[:, 1::4] / weights[1]
    dw, dh = (deltas[:, i::4].div(weights[i]).clamp(max=DELTA_CAP) for i in (2, 3))
    x, y = dx * width[:, None] + x[:, None], dy * height[:, None] + y[:, None]
    w, h = torch.exp(dw) * width[:, None], torch.exp(dh) * height[:, None]
    return torch.stack((x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h), dim=2).flatten(1)


def clip(boxes, height, width):
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack((x[..., 0], y[..., 0], x[..., 1], y[..., 1]), dim=-1)


def shifted_nms(boxes, scores, groups, threshold):
    """NMS group by group: boxes moved apart by group * (largest coordinate + 1), in float32."""
    if not len(boxes):
        return torch.zeros(0, dtype=torch.int64)
    return nms(boxes + (groups.to(boxes) * (boxes.max() + 1))[:, None], scores, threshold)


def proposals(objectness, deltas, levels, ratios, resized, pre_top_n, post_top_n, threshold):
    """Per-level maps [1, A, h, w] and [1, 4A, h, w] -> [P, 4] proposals, best logit first."""
    boxes, scores, groups = [], [], []
    for index, (logits, delta, level) in enumerate(zip(objectness, deltas, levels)):
        count, height, width = logits.shape[1:]
        flat = logits[0].permute(1, 2, 0).reshape(-1)
        delta = delta[0].reshape(count, 4, height, width).permute(2, 3, 0, 1).reshape(-1, 4)
        best, chosen = flat.topk(min(pre_top_n, len(flat)))
        grid = anchors(level.anchor_sizes, ratios, level.stride, height, width)
        boxes.append(decode(delta[chosen], grid[chosen], (1, 1, 1, 1)))
        scores.append(best)
        groups.append(torch.full((len(chosen),), index))
    boxes, scores, groups = torch.cat(boxes), torch.cat(scores), torch.cat(groups)
    finite = torch.isfinite(boxes).all(dim=1) & torch.isfinite(scores)
    boxes, scores, groups = clip(boxes[finite], *resized), scores[finite], groups[finite]
    solid = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    boxes, scores, groups = boxes[solid], scores[solid], groups[solid]
    return boxes[shifted_nms(boxes, scores, groups, threshold)[:post_top_n]]


def pool_levels(boxes, first, last):
    """Index of each RoI's pooled level, 0 for the first."""
    side = torch.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    return torch.floor(4 + torch.log2(side / 224 + 1e-8)).clamp(first, last).to(torch.int64) - first


def pool(features, boxes, strides, output_size):
    """[P, D, s, s]: aligned RoIAlign with as many samples as the RoI is large, rows as the boxes come."""
    levels = pool_levels(boxes, int(math.log2(strides[0])), int(math.log2(strides[-1])))
    pooled = torch.zeros(len(boxes), features[0].shape[1], *output_size)
    for index, (feature, stride) in enumerate(zip(features, strides)):
        chosen = torch.where(levels == index)[0]
        rois = torch.cat([torch.zeros(len(chosen), 1), boxes[chosen]], dim=1)
        pooled[chosen] = roi_align(feature, rois, output_size, 1.0 / stride, sampling_ratio=0, aligned=True)
    return pooled


def detections(logits, deltas, boxes, resized, original, weights, score_threshold, nms_threshold, limit):
    """Background last in `logits` [P, C + 1], none in `deltas` [P, 4C] -> boxes in the original image, scores, classes."""
    scores = torch.softmax(logits, dim=1)[:, :-1]
    decoded = decode(deltas, boxes, weights).reshape(len(boxes), -1, 4)
    finite = torch.isfinite(decoded).flatten(1).all(dim=1) & torch.isfinite(scores).all(dim=1)
    decoded, scores = clip(decoded[finite], *resized), scores[finite]
    row, label = torch.where(scores > score_threshold)
    decoded, scores = decoded[row, label], scores[row, label]
    kept = shifted_nms(decoded, scores, label, nms_threshold)[:limit]
    decoded, scores, label = decoded[kept], scores[kept], label[kept]
    scale = torch.tensor([original[1] / resized[1], original[0] / resized[0]]).repeat(2)
    decoded = clip(decoded * scale, *original)
    solid = (decoded[:, 2] > decoded[:, 0]) & (decoded[:, 3] > decoded[:, 1])
    return decoded[solid], scores[solid], label[solid]
