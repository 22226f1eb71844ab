"""Goldens of the step from the box head's outputs to detections, for torchvision (its own code) and detectron2."""
import numpy as np
import torch
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import box_iou, clip_boxes_to_image
from torchvision.ops import boxes as box_ops

import detectron2_reference as d2
from golden_files import save, size_of, write_json

WEIGHTS = (10.0, 10.0, 5.0, 5.0)
MARGIN = 2e-5


def random_head(seed, rois, classes, layout, size, spread=2.0):
    """Clusters of proposals, so that NMS has work; -> logits [R, C + 1], deltas [R, 4K], proposals [R, 4]."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return torch.rand(*shape, generator=generator)

    centers = uniform(max(1, rois // 8), 2) * torch.tensor([size[1], size[0]])
    sides = 12 + uniform(len(centers), 2) * 70
    pick = torch.randint(len(centers), (rois,), generator=generator)
    center = centers[pick] + torch.randn(rois, 2, generator=generator) * 5
    side = sides[pick] * (0.8 + 0.4 * uniform(rois, 2))
    proposals = clip_boxes_to_image(torch.cat([center - side / 2, center + side / 2], 1), size)
    logits = torch.randn(rois, classes + 1, generator=generator) * spread
    regressed = {"per-class-with-background": classes + 1, "per-class": classes, "agnostic": 1}[layout]
    spreads = torch.tensor([1.0, 1.0, 0.6, 0.6]).repeat(regressed)
    deltas = torch.randn(rois, 4 * regressed, generator=generator) * spreads
    return logits, deltas, proposals


def torchvision_detections(logits, deltas, proposals, size, original, options):
    heads = RoIHeads(None, None, None, 0.5, 0.5, 512, 0.25, WEIGHTS, options["scoreThreshold"],
                     options["nmsThreshold"], options["detectionsPerImage"])
    recorded = {}
    batched_nms = box_ops.batched_nms

    def on_nms(boxes, scores, labels, threshold):
        recorded.update(scores=scores, labels=labels, kept=batched_nms(boxes, scores, labels, threshold))
        return recorded["kept"]

    box_ops.batched_nms = on_nms
    try:
        boxes, scores, labels = (x[0] for x in heads.postprocess_detections(logits, deltas, [proposals], [size]))
    finally:
        box_ops.batched_nms = batched_nms
    probabilities = torch.softmax(logits, -1)
    rows = []
    for score, label in zip(scores, labels):
        same = torch.where(probabilities[:, label] == score)[0]
        rows.append(int(same[0]) if len(same) == 1 else -1)
    return resize_boxes(boxes, size, original), scores, labels - 1, torch.tensor(rows), len(recorded["scores"])


def smallest_margin(logits, deltas, proposals, size, options, background_first):
    """How near a score comes to the score threshold, or an IoU of two candidates of a class to the NMS threshold."""
    scores = torch.softmax(logits.double(), -1)
    scores = scores[:, 1:] if background_first else scores[:, :-1]
    boxes = d2.apply_deltas(deltas, proposals, WEIGHTS).reshape(len(logits), -1, 4)
    nearest = float((scores - options["scoreThreshold"]).abs().min())
    for label in range(scores.shape[1]):
        chosen = scores[:, label] > options["scoreThreshold"]
        column = 0 if boxes.shape[1] == 1 else label + (boxes.shape[1] > scores.shape[1])
        mine = clip_boxes_to_image(boxes[chosen, column].double(), size)
        mine = mine[torch.isfinite(mine).all(1) & d2.nonempty(mine, 1e-2)]
        if len(mine):
            nearest = min(nearest, float((box_iou(mine, mine) - options["nmsThreshold"]).abs().min()))
    return nearest


def write(folder, convention, layout, head, size, original, options, result, candidates, **more):
    logits, deltas, proposals = head
    boxes, scores, labels, rows = result
    save(folder / "class_logits.npy", logits.numpy(), "<f4")
    save(folder / "box_deltas.npy", deltas.numpy(), "<f4")
    save(folder / "proposals.npy", proposals.numpy(), "<f4")
    # [D, 5] x1, y1, x2, y2 in the original image, score; [D, 2] label from 0, proposal (-1: several have that score).
    save(folder / "expected.npy", torch.cat([boxes, scores[:, None]], 1).numpy(), "<f4")
    save(folder / "expected_labels.npy", torch.stack([labels, rows], 1).numpy(), "<i4")
    write_json(folder / "case.json", {
        "convention": convention, "boxDeltas": layout, "background": "first" if convention == "torchvision" else "last",
        "resized": size_of(*size), "original": size_of(*original), "candidates": candidates, **options, **more})
    print(f"detections/{folder.name}: {candidates} candidates, {len(boxes)} detections")


def make_random(out):
    base = {"scoreThreshold": 0.05, "nmsThreshold": 0.5, "detectionsPerImage": 100}
    size, original = (216, 300), (333, 457)
    cases = [
        # Up to 1000 candidates torchvision shifts the classes apart, above it goes class by class.
        ("torchvision-shifted", "torchvision", "per-class-with-background", 160, 5, base, False),
        ("torchvision-grouped", "torchvision", "per-class-with-background", 300, 10, base, False),
        ("torchvision-one-class", "torchvision", "per-class-with-background", 120, 1,
         base | {"detectionsPerImage": 7}, False),
        ("torchvision-overflow", "torchvision", "per-class-with-background", 60, 3, base, True),
        ("detectron2-per-class", "detectron2", "per-class", 160, 5, base, False),
        ("detectron2-many", "detectron2", "per-class", 300, 10, base, False),
        ("detectron2-agnostic", "detectron2", "agnostic", 160, 5, base, False),
        ("detectron2-overflow", "detectron2", "per-class", 60, 3, base, True)]
    for name, convention, layout, rois, classes, options, overflow in cases:
        first = convention == "torchvision"
        seed = 0
        while True:
            head = random_head(seed, rois, classes, layout, size)
            if overflow:  # finite deltas whose boxes are not: too far right, below, left, and no size left at all
                wild = torch.tensor(
                    [[3e38, 0, 0, 0], [0, 3e38, 0, 0], [-3e38, 0, 0, 0], [0, 0, -600, 0], [0, 0, 99, 99]])
                for k in range(20):
                    column = k % (head[1].shape[1] // 4)
                    head[1][k, 4 * column:4 * column + 4] = wild[k % 5]
                    head[0][k] += torch.eye(classes + 1)[min(column, classes)] * 4
            if smallest_margin(*head, size, options, first) > MARGIN:
                break
            seed += 1
        if first:
            *result, candidates = torchvision_detections(*head, size, original, options)
        else:
            result = d2.detections(*head, size, original, WEIGHTS, options["scoreThreshold"], options["nmsThreshold"],
                                   options["detectionsPerImage"])
            candidates = int((torch.softmax(head[0], -1)[:, :-1] > options["scoreThreshold"]).sum())
        write(out / "detections" / name, convention, layout, head, size, original, options, result, candidates,
              seed=seed)


def shift_decides(seed, wanted, label, size):
    """Pairs of boxes on whose IoU at 0.5 float32 says one thing where they are and another after the shift.

    Deltas are zero, so decoding is plain arithmetic and equal to the last bit everywhere."""
    rng = np.random.default_rng(seed)
    pairs = []
    offset = torch.tensor(np.float32(label) * (np.float32(size[1]) + np.float32(1)))
    while len(pairs) < wanted:
        corner, side = rng.uniform(0, 120, (4000, 2)), rng.uniform(20, 90, (4000, 2))
        a = np.hstack([corner, corner + side]).astype(np.float32)
        b = a.copy()
        b[:, 0] += (a[:, 2] - a[:, 0]) / np.float32(3)  # half of the union is shared when one is moved by a third
        b[:, 2] += (a[:, 2] - a[:, 0]) / np.float32(3)
        both = torch.from_numpy(np.stack([a, b], 1))
        both = BoxCoder(WEIGHTS).decode_single(torch.zeros(8000, 4), both.reshape(-1, 4)).reshape(-1, 2, 4)
        scores = torch.tensor([1.0, 0.5])
        for pair in both:
            here = len(box_ops.nms(pair, scores, 0.5))
            there = len(box_ops.nms(pair + offset, scores, 0.5))
            if here != there and pair.max() < min(size):
                pairs.append(pair)
                if len(pairs) == wanted:
                    break
    return torch.stack(pairs)


def make_shift_cases(out):
    """Each pair alone, once with a few candidates (torchvision shifts) and once with over 1000 (it does not)."""
    classes, size = 7, (700, 700)
    options = {"scoreThreshold": 0.05, "nmsThreshold": 0.5, "detectionsPerImage": 100}
    pairs = shift_decides(0, 6, classes, size)
    # The shift is by the largest coordinate of all boxes: one that touches the far corner pins it to 700.
    corner, filler = torch.tensor([[650.0, 650.0, 700.0, 700.0]]), torch.tensor([[600.0, 20.0, 640.0, 60.0]])
    survivors = {}
    for fillers, branch in ((0, "shifted"), (1000, "grouped")):
        survivors[branch] = []
        for pair in pairs:
            proposals = torch.cat([pair, corner, filler.repeat(fillers, 1)])
            logits = torch.zeros(len(proposals), classes + 1)
            logits[:2, classes], logits[2:, 1] = torch.tensor([6.0, 5.0]), 4
            deltas = torch.zeros(len(proposals), 4 * (classes + 1))
            *result, candidates = torchvision_detections(logits, deltas, proposals, size, size, options)
            assert (candidates > 1000) == (branch == "grouped")
            survivors[branch].append(int((result[2] == classes - 1).sum()))
    assert all(a != b for a, b in zip(survivors["shifted"], survivors["grouped"])), survivors
    # The head's outputs are as good as constant: only the pairs and what comes of them are worth keeping.
    save(out / "shift" / "pairs.npy", pairs.numpy(), "<f4")
    write_json(out / "shift" / "case.json", {
        "classes": classes, "pairClass": classes, "pairLogits": [6, 5], "otherClass": 1, "otherLogit": 4,
        "resized": size_of(*size), "corner": corner[0].tolist(), "filler": filler[0].tolist(), "fillers": 1000,
        **options,
        "survivorsShifted": survivors["shifted"], "survivorsGrouped": survivors["grouped"]})
    print(f"shift: survivors of each pair {survivors}")


def make(out):
    make_random(out)
    make_shift_cases(out)
