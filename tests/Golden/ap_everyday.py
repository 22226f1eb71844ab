"""Torchvision's own average precision of the everyday model on the validation photographs: the bar for the service.

usage: ap_everyday.py [--shared ../shared] [--detections FILE.pt]      writes everyday/ap.json; half an hour

The rule is COCO's (101 points, difficult objects ignored) as models/train/evaluate.py has it. Figures are written for
the first 120 photographs, which every test run asks about, and for all. --detections keeps what torchvision found.
"""
import argparse
import hashlib
import json
import pathlib
import sys

import torch

import references
from golden_files import HERE, versions, write_json

TRAIN = HERE.parents[1] / "models" / "train"
sys.path.insert(0, str(TRAIN))
import data  # noqa: E402
import evaluate  # noqa: E402
import recipe as recipes  # noqa: E402

FIRST = 120


def figures(detections, examples, labels):
    """AP50 and AP of each label that has objects, their means, and how many objects there are."""
    result = evaluate.summarize(detections, examples, labels)
    found = {label: result[label] for label in labels if result[label]["objects"]}
    return {
        "images": len(examples), "ap50": round(result["mAP50"], 6), "ap": round(result["mAP"], 6),
        "truths": {label: f["objects"] for label, f in found.items()},
        "perClass": {label: {"ap50": round(f["AP50"], 6), "ap": round(f["AP"], 6)} for label, f in found.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--detections", type=pathlib.Path, help="also keep the detections, a list for torch.load")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    reference = references.EVERYDAY
    model, checkpoint = reference.load(arguments.shared), reference.checkpoint(arguments.shared)
    recipe = recipes.read(TRAIN / "recipes" / "everyday.toml")
    labels = list(reference.labels)
    assert recipe.labels == labels
    examples = data.load(arguments.shared / "data" / "voc2007", recipe.data.test, labels, recipe.data)
    detections = evaluate.detect(model, examples, report=evaluate.progress(60))
    if arguments.detections:
        torch.save(detections, arguments.detections)
    first, everything = (figures(detections[:n], examples[:n], labels) for n in (FIRST, len(examples)))
    write_json(reference.folder / "ap.json", {
        "data": "Pascal VOC 2007 test pictures, our split 'val', in the order of their ids",
        "rule": "COCO 101-point, IoU 0.50 and 0.50:0.05:0.95, difficult objects ignored",
        "checkpointSha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "command": "tests/Golden/ap_everyday.py --shared ../shared", "versions": versions(),
        "tolerance": 0.002, "first": first, "all": everything})
    print(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
