"""Turns a torchvision FPN Faster R-CNN into a model package: ONNX graphs, model.json, checksums.

    export.py --checkpoint blood-cells.pth --labels RBC,WBC,Platelets --min-size 384 --max-size 640 models/blood-cells
    export.py --weights FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1 models/coco

README.md beside this file tells the rest.
"""
import argparse
import os
import re
import sys

import torch

import named_weights
from checkpoints import build_detector, read_state_dict
from errors import ExportError
from graphs import export_backbone, export_end_to_end, export_head, levels_of, thaw_batch_norms
from package import check_destination, end_to_end_manifest, two_stage_manifest, write_package

# Flag -> FasterRCNN's keyword argument. What is not given keeps the value of the architecture.
_SETTINGS = {
    "min_size": "min_size",
    "max_size": "max_size",
    "pre_nms_top_n": "rpn_pre_nms_top_n_test",
    "post_nms_top_n": "rpn_post_nms_top_n_test",
    "rpn_nms_threshold": "rpn_nms_thresh",
    "rpn_score_threshold": "rpn_score_thresh",
    "score_threshold": "box_score_thresh",
    "nms_threshold": "box_nms_thresh",
    "max_detections": "box_detections_per_img",
}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="export.py", description=__doc__.splitlines()[0])
    parser.add_argument("out", help="the package's folder, such as models/blood-cells")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--checkpoint", help="a state dict of torchvision's FasterRCNN")
    model.add_argument("--weights", help="torchvision's: " + ", ".join(named_weights.NAMES))
    parser.add_argument("--random-weights", type=int, metavar="SEED", help="with --weights: its architecture, nothing downloaded")
    parser.add_argument("--layout", choices=["two-stage", "end-to-end"], default="two-stage")
    parser.add_argument("--labels", help="names without background, comma-separated, or a file with one a line")
    parser.add_argument("--name", help="default: the folder's name")
    parser.add_argument("--version", default="1")
    for name in ("description", "license", "source"):
        parser.add_argument(f"--{name}")
    for name, kind in (("min_size", int), ("max_size", int), ("pre_nms_top_n", int), ("post_nms_top_n", int),
                       ("rpn_nms_threshold", float), ("rpn_score_threshold", float), ("score_threshold", float),
                       ("nms_threshold", float), ("max_detections", int)):
        parser.add_argument("--" + name.replace("_", "-"), type=kind)
    parser.add_argument("--anchor-sizes", type=_sizes, metavar="32/64/128/256/512",
                        help="levels parted by '/', several sizes of a level by ','")
    parser.add_argument("--aspect-ratios", type=_floats, default=(0.5, 1.0, 2.0), metavar="0.5,1,2")
    parser.add_argument("--norm-eps", type=float, default=1e-5,
                        help="eps of the checkpoint's batch norms: 0 if it was fine-tuned from ResNet50's COCO_V1")
    parser.add_argument("--force", action="store_true", help="replace an existing package")
    options = parser.parse_args(arguments)
    if options.random_weights is not None and not options.weights:
        parser.error("--random-weights needs --weights, which names the architecture")
    return options


def _sizes(text):
    return tuple(tuple(int(size) for size in level.split(",")) for level in text.split("/"))


def _floats(text):
    return tuple(float(part) for part in text.split(","))


def build(options):
    """The detector in evaluation, batch norms ready to be folded, and its labels."""
    settings = {_SETTINGS[key]: getattr(options, key) for key in _SETTINGS if getattr(options, key) is not None}
    if options.checkpoint:
        state = read_state_dict(options.checkpoint)
        detector = build_detector(state, options.norm_eps, options.anchor_sizes, options.aspect_ratios, **settings)
        labels = None
    else:
        detector, labels = named_weights.build(options.weights, options.random_weights, **settings)
    classes = detector.roi_heads.box_predictor.cls_score.out_features - 1
    labels = _labels(options.labels) if options.labels else labels
    if labels is None:
        raise ExportError(f"--labels is missing: the checkpoint has {classes} classes without the background")
    if len(labels) != classes:
        raise ExportError(f"{len(labels)} labels for {classes} classes (the background is not one of them)")
    if any(not label for label in labels):
        raise ExportError("a label is empty")
    thaw_batch_norms(detector)
    return detector.eval(), labels


def _labels(text):
    if os.path.isfile(text):
        with open(text, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    return [label.strip() for label in text.split(",")]


def export(options):
    """Writes the package and returns its manifest."""
    name = options.name or os.path.basename(os.path.abspath(options.out))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ExportError(f"'{name}' is no package name: letters, digits, '.', '_', '-'; give --name")
    check_destination(options.out, options.force)
    detector, labels = build(options)
    levels = levels_of(detector)
    about = {key: getattr(options, key) for key in ("version", "description", "license", "source")}
    about["name"] = name
    if options.layout == "two-stage":
        graphs = {"backbone": export_backbone(detector, levels), "head": export_head(detector, levels)}
        manifest = two_stage_manifest(detector, levels, about, labels)
    else:
        graphs = {"model": export_end_to_end(detector, levels)}
        manifest = end_to_end_manifest(detector, about, labels)
    manifest = write_package(options.out, manifest, graphs, options.force)
    _summarise(options.out, manifest, graphs, levels, detector)
    return manifest


def _summarise(out, manifest, graphs, levels, detector):
    parameters = sum(p.numel() for p in detector.parameters()) / 1e6
    print(f"{out}: {manifest['name']} {manifest['version']}, {manifest['layout']}, {parameters:.1f} M parameters, "
          f"{len(manifest['labels'])} labels")
    print("  levels " + ", ".join(f"{l.name} (stride {l.stride}{'' if l.pooled else ', not pooled'})" for l in levels))
    for role, data in graphs.items():
        entry = manifest["files"][role]
        print(f"  {entry['path']} {len(data) / 1e6:.1f} MB, ONNX checked, sha256 {entry['sha256']}")


def main(arguments=None):
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    try:
        export(parse(arguments))
    except ExportError as error:
        print(f"export.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
