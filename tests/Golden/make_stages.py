"""Goldens of each stage alone: torchvision's proposals by other numbers, and its head on given regions.

usage: make_stages.py [--shared ../shared]    (torch 1.13, torchvision 0.14, Pillow 9.4)

Writes blood-cells/stages/meta.json and, a case, blood-cells/stages/<case>/case.json, proposals.npy, regions.npy,
scores.npy, boxes.npy and levels.npy; README.md beside this file says what is in them. Shape letters: P proposals,
R regions, C classes without background.
"""
import argparse
import pathlib

import numpy as np
import torch
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import clip_boxes_to_image

import references
from golden_files import HERE, save, size_of, versions, write_json
from make_goldens import decode, to_input

# Case, made image, numbers of filter_proposals.
CASES = [
    ("few", "smear-480x640.jpg", {"topN": 60, "nmsThreshold": 0.7, "scoreThreshold": 0.0}),
    ("apart", "crowded-480x800.jpg", {"topN": 1000, "nmsThreshold": 0.3, "scoreThreshold": 0.0}),
    ("sure", "odd-501x333.png", {"topN": 300, "nmsThreshold": 0.5, "scoreThreshold": 0.4}),
    ("many", "large-900x1200.jpg", {"topN": 3000, "nmsThreshold": 0.9, "scoreThreshold": 0.001}),
]
RANDOM_REGIONS = 180
TOLERANCE = {"proposalBox": 0.05, "objectness": 1e-4, "score": 0.001, "box": 0.1}


def propose(model, images, features, numbers):
    """[P, 5] proposals and their objectness, best first, in resized pixels."""
    rpn, recorded = model.rpn, {}
    filter_proposals = rpn.filter_proposals

    def on_filter(*arguments):
        boxes, scores = filter_proposals(*arguments)
        recorded["scores"] = scores[0]
        return boxes, scores

    before = rpn.nms_thresh, rpn.score_thresh, rpn._post_nms_top_n
    rpn.filter_proposals = on_filter
    rpn.nms_thresh, rpn.score_thresh = numbers["nmsThreshold"], numbers["scoreThreshold"]
    rpn._post_nms_top_n = {"training": numbers["topN"], "testing": numbers["topN"]}
    try:
        boxes = rpn(images, features)[0][0]
    finally:
        rpn.nms_thresh, rpn.score_thresh, rpn._post_nms_top_n = before
        rpn.filter_proposals = filter_proposals
    return torch.cat([boxes, recorded["scores"][:, None]], 1)


def random_regions(height, width, generator):
    """[N, 4] in the image's pixels, of all sizes and shapes, from two pixels to the whole image."""
    sides = torch.exp(torch.rand(RANDOM_REGIONS, 2, generator=generator)
                      * torch.log(torch.tensor([width / 2.0, height / 2.0]))) * 2
    corners = torch.rand(RANDOM_REGIONS, 2, generator=generator) * (torch.tensor([width, height]) - sides)
    return torch.round(torch.cat([corners, corners + sides], 1) * 100) / 100


def judge(model, features, regions, original, shape):
    """Softmax scores [R, C + 1], boxes of each class [R, C, 4] in the image's pixels, pooled levels [R]."""
    heads = model.roi_heads
    proposals = [resize_boxes(regions, original, shape)]
    pooled = heads.box_roi_pool(features, proposals, [shape])
    logits, deltas = heads.box_predictor(heads.box_head(pooled))
    scores = torch.softmax(logits, -1)
    decoded = clip_boxes_to_image(heads.box_coder.decode(deltas, proposals), shape)
    boxes = resize_boxes(decoded[:, 1:].reshape(-1, 4), shape, original).reshape(len(scores), -1, 4)
    return scores, boxes, heads.box_roi_pool.map_levels(proposals)


def make_case(model, folder, name, file, numbers, seed):
    pixels = decode((folder.parent / "images" / file).read_bytes())
    original = pixels.shape[:2]
    images, _ = model.transform([to_input(pixels)])
    features = model.backbone(images.tensors)
    shape = images.image_sizes[0]
    proposals = propose(model, images, features, numbers)
    found = resize_boxes(proposals[:20, :4], shape, original)
    regions = torch.cat([random_regions(*original, torch.Generator().manual_seed(seed)), found])
    scores, boxes, levels = judge(model, features, regions, original, shape)
    case = folder / name
    save(case / "proposals.npy", proposals.numpy(), "<f4")
    save(case / "regions.npy", regions.numpy(), "<f4")
    save(case / "scores.npy", scores.numpy(), "<f4")
    save(case / "boxes.npy", boxes.numpy(), "<f4")
    save(case / "levels.npy", levels.numpy(), "|u1")
    write_json(case / "case.json", {
        "image": file, "original": size_of(*original), "resized": size_of(*shape), **numbers, "seed": seed})
    print(f"{name}: {len(proposals)} proposals, {len(regions)} regions "
          f"({int((scores[:, 0] < 0.5).sum())} of objects), levels {np.bincount(levels.numpy())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared",
                        help="folder with models and data (default: beside the repository)")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    reference = references.BLOOD_CELLS
    model = reference.load(arguments.shared)
    folder = reference.folder / "stages"
    with torch.no_grad():
        for seed, (name, file, numbers) in enumerate(CASES):
            make_case(model, folder, name, file, numbers, seed)
    write_json(folder / "meta.json", {
        "model": reference.name, "command": "tests/Golden/make_stages.py --shared ../shared", "versions": versions(),
        "labels": reference.labels, "levels": ["p2", "p3", "p4", "p5"], "tolerance": TOLERANCE,
        "cases": [name for name, _, _ in CASES]})


if __name__ == "__main__":
    main()
