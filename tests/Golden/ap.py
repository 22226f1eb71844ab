"""Torchvision's own average precision of the blood-cells model on the 72 BCCD test images: the bar for the service.

usage: ap.py [--shared ../shared]      writes blood-cells/ap.json; about a minute on two cores

COCO's rule (101-point interpolation, boxes under 2 px skipped, as in the training script), checked against the
figures that came with the checkpoint.
"""
import argparse
import hashlib
import json
import pathlib

import numpy as np
import torch

import references
from golden_files import HERE, versions, write_json

THRESHOLDS = [round(0.5 + 0.05 * k, 2) for k in range(10)]


def intersection_over_union(box, boxes):
    """[4], [N, 4] -> [N], in float64."""
    left_top = np.maximum(box[:2], boxes[:, :2])
    right_bottom = np.minimum(box[2:], boxes[:, 2:])
    width, height = np.clip(right_bottom - left_top, 0, None).T
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    shared = width * height
    return shared / ((box[2] - box[0]) * (box[3] - box[1]) + area - shared)


def average_precision(detections, truths, iou):
    """detections: (image, score, box) of one class; truths: image -> [G, 4]. NaN-free: no truth at all gives 0."""
    detections = sorted(detections, key=lambda d: -d[1])
    used = {image: np.zeros(len(boxes), bool) for image, boxes in truths.items()}
    hits = np.zeros(len(detections))
    for rank, (image, _, box) in enumerate(detections):
        if not len(truths[image]):
            continue
        overlaps = intersection_over_union(box, truths[image])
        overlaps[used[image]] = -1
        best = overlaps.argmax()
        if overlaps[best] >= iou:
            used[image][best], hits[rank] = True, 1
    found = hits.cumsum()
    recall = found / max(sum(len(boxes) for boxes in truths.values()), 1)
    precision = np.maximum.accumulate((found / np.arange(1, len(detections) + 1))[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([precision[k] if k < len(precision) else 0 for k in at]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    reference = references.BLOOD_CELLS
    model, checkpoint = reference.load(arguments.shared), reference.checkpoint(arguments.shared)
    train, labels = reference.load_module(arguments.shared), reference.labels
    detections, truths = {label: [] for label in labels}, {label: {} for label in labels}
    images = train.load(str(arguments.shared / "data" / "bccd"), "test")
    for name, image, boxes, classes in images:
        with torch.no_grad():
            output = model([image.float() / 255])[0]
        for index, label in enumerate(labels, start=1):
            truths[label][name] = boxes[classes == index].numpy().astype(np.float64)
            chosen = output["labels"] == index
            detections[label] += [(name, float(score), box.numpy().astype(np.float64))
                                  for box, score in zip(output["boxes"][chosen], output["scores"][chosen])]
    figures = {}
    for label in labels:
        at = [average_precision(detections[label], truths[label], iou) for iou in THRESHOLDS]
        figures[label] = {"ap50": at[0], "ap": float(np.mean(at))}
    means = {key: float(np.mean([f[key] for f in figures.values()])) for key in ("ap50", "ap")}
    given = json.loads((checkpoint.parent / "result.json").read_text())["test"]
    assert abs(given["mAP50"] - means["ap50"]) < 1e-3 and abs(given["mAP"] - means["ap"]) < 1e-3, (given, means)
    write_json(reference.folder / "ap.json", {
        "data": "BCCD test", "images": len(images), "rule": "COCO 101-point, IoU 0.50 and 0.50:0.05:0.95",
        "checkpointSha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "command": "tests/Golden/ap.py --shared ../shared", "versions": versions(),
        "tolerance": 0.002, "truths": {label: sum(map(len, truths[label].values())) for label in labels},
        "perClass": {label: {k: round(v, 6) for k, v in f.items()} for label, f in figures.items()},
        "ap50": round(means["ap50"], 6), "ap": round(means["ap"], 6)})
    print(json.dumps({"means": means, "perClass": figures}, indent=1))


if __name__ == "__main__":
    main()
