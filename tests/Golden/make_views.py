"""Goldens of several looks at an image: slices, scales and mirror images, merged, with torchvision's network.

usage: make_views.py [--shared ../shared]      writes blood-cells/views.json; about a minute on two cores

Test-time augmentation as detectron2 has it (GeneralizedRCNNWithTTA): each view is resized, then mirrored; its
detections are taken back; all of them go through suppression inside each class once more, and the best stay. Slices are
cut out of the picture and looked at as pictures of their own. Merging is torchvision's batched_nms.
"""
import argparse
import io
import math
import pathlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import batched_nms

import references
from golden_files import HERE, versions, write_json

# Each names a made picture, the query, and what it asks for.
CASES = [
    ("smear-480x640.jpg", "flip=true", {"flip": True}),
    ("smear-480x640.jpg", "scales=320,480", {"scales": [320, 480]}),
    ("exif6-480x360.jpg", "scales=320,384,448&flip=true", {"scales": [320, 384, 448], "flip": True}),
    ("crowded-480x800.jpg", "scales=448&flip=true", {"scales": [448], "flip": True}),
    ("odd-333x500.jpg", "slice=200x260&overlap=0.3", {"slice": (200, 260), "overlap": 0.3}),
    ("large-900x1200.jpg", "slice=480x640&wholeImage=false", {"slice": (480, 640), "whole": False}),
    ("strip-240x1600.jpg", "slice=400", {"slice": (400, 400)}),
    ("crowded-480x800.jpg", "slice=320&overlap=0.1&flip=true", {"slice": (320, 320), "overlap": 0.1, "flip": True}),
]


def spans(length, side, overlap):
    """Evenly spread, as few as reach the end with the overlap."""
    if length <= side:
        return [(0, length)]
    step = side - int(side * overlap)
    count = math.ceil((length - side) / step) + 1
    return [(k * (length - side) // (count - 1), k * (length - side) // (count - 1) + side) for k in range(count)]


def regions(height, width, options):
    if "slice" not in options:
        return [(0, 0, width, height)]
    rows, columns = options["slice"]
    overlap = options.get("overlap", 0.2)
    slices = [(left, top, right, bottom)
              for top, bottom in spans(height, rows, overlap) for left, right in spans(width, columns, overlap)]
    return ([(0, 0, width, height)] if options.get("whole", True) else []) + slices


def look(model, image, scale, mirrored):
    """Detections in pixels of the image that is given: boxes, scores, labels."""
    transform = model.transform
    own = (transform.min_size, transform.max_size)
    if scale:
        transform.min_size = (scale,)
        transform.max_size = math.floor(scale * own[1] / own[0][-1] + 0.5)
    batch, _ = transform([image])
    transform.min_size, transform.max_size = own
    height, width = batch.image_sizes[0]
    tensors = batch.tensors.clone()
    if mirrored:
        tensors[..., :height, :width] = tensors[..., :height, :width].flip(-1)
    batch = ImageList(tensors, batch.image_sizes)
    features = model.backbone(batch.tensors)
    proposals, _ = model.rpn(batch, features, None)
    found, _ = model.roi_heads(features, proposals, batch.image_sizes, None)
    boxes = found[0]["boxes"]
    if mirrored:
        boxes = torch.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], dim=1)
    found[0]["boxes"] = boxes
    found = transform.postprocess(found, batch.image_sizes, [tuple(image.shape[-2:])])[0]
    return found["boxes"], found["scores"], found["labels"]


def detect(model, image, options):
    height, width = image.shape[-2:]
    found, count = [], 0
    parts = regions(height, width, options)
    for left, top, right, bottom in parts:
        for scale in options.get("scales", [None]):
            for mirrored in [False, True] if options.get("flip") else [False]:
                boxes, scores, labels = look(model, image[:, top:bottom, left:right], scale, mirrored)
                found.append((boxes + torch.tensor([left, top, left, top]), scores, labels))
                count += 1
    boxes, scores, labels = (torch.cat(values) for values in zip(*found))
    kept = batched_nms(boxes, scores, labels, model.roi_heads.nms_thresh)
    kept = kept[:model.roi_heads.detections_per_img * len(parts)]
    return boxes[kept], scores[kept], labels[kept], count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    reference = references.BLOOD_CELLS
    model = reference.load(arguments.shared)
    cases = []
    for name, query, options in CASES:
        picture = PIL.Image.open(io.BytesIO((reference.folder / "images" / name).read_bytes()))
        pixels = np.asarray(PIL.ImageOps.exif_transpose(picture).convert("RGB"))
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            boxes, scores, labels, views = detect(model, image, options)
        cases.append({"image": name, "query": query, "views": views, "detections": [
            {"label": reference.labels[label - 1], "score": round(float(score), 6),
             "box": [round(float(side), 4) for side in box]}
            for box, score, label in zip(boxes, scores, labels)]})
        print(f"{name} {query}: {views} views, {len(scores)} detections")
    write_json(reference.folder / "views.json", {
        "model": reference.name, "command": "tests/Golden/make_views.py --shared ../shared", "versions": versions(),
        "tolerance": "as in meta.json", "cases": cases})


if __name__ == "__main__":
    main()
