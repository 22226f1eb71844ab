"""Turns a torchvision FPN Faster R-CNN into a model package: ONNX graphs, model.json, checksums.

    export.py --checkpoint blood-cells.pth --labels RBC,WBC,Platelets --min-size 384 --max-size 640 models/blood-cells
    export.py --weights FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1 models/coco

README.md beside this file has the rest.
"""
import argparse
import codecs
import os
import re
import sys

import torch

import named_weights
from checkpoints import build_detector, read_state_dict
from errors import ExportError, exit_code
from graphs import export_backbone, export_end_to_end, export_head, levels_of, thaw_batch_norms
from manifest_check import check_manifest
from package import check_destination, end_to_end_manifest, two_stage_manifest, write_package

# What a name is taken for a file by, where no file has it.
_LABEL_FILES = (".txt", ".names", ".labels", ".lst", ".list", ".csv", ".json", ".yaml", ".yml")


def _sizes(text):
    return tuple(tuple(int(size) for size in level.split(",")) for level in text.split("/"))


def _floats(text):
    return tuple(float(part) for part in text.split(","))


# Flag: FasterRCNN's keyword argument, type, meaning. What is not given keeps the value of the architecture.
_SETTINGS = {
    "min-size": ("min_size", int, "shorter side of the resized image"),
    "max-size": ("max_size", int, "its longer side at most"),
    "mean": ("image_mean", _floats, "of RGB / 255, such as 0.485,0.456,0.406"),
    "std": ("image_std", _floats, "of RGB / 255"),
    "pre-nms-top-n": ("rpn_pre_nms_top_n_test", int, "anchors kept per level"),
    "post-nms-top-n": ("rpn_post_nms_top_n_test", int, "proposals kept per image"),
    "rpn-nms-threshold": ("rpn_nms_thresh", float, "IoU between proposals"),
    "rpn-score-threshold": ("rpn_score_thresh", float, "least score of a proposal"),
    "score-threshold": ("box_score_thresh", float, "a detection scores more"),
    "nms-threshold": ("box_nms_thresh", float, "IoU between detections of a class"),
    "max-detections": ("box_detections_per_img", int, "detections kept per image"),
}
# Flags that describe a checkpoint; named weights know these figures themselves.
_SHAPES = {
    "anchor-sizes": (_sizes, None, "levels parted by '/', several sizes of a level by ',': 32/64/128/256/512"),
    "aspect-ratios": (_floats, (0.5, 1.0, 2.0), "height over width; default 0.5,1,2"),
    "sampling-ratio": (int, 2, "of RoIAlign, 0 for adaptive; default 2, as torchvision's builders have it"),
    "norm-eps": (float, 1e-5, "eps of the batch norms; 0 if fine-tuned from ResNet50's COCO_V1; default 1e-5"),
}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="export.py", description=__doc__.splitlines()[0])
    parser.add_argument("out", help="the package's folder, such as models/blood-cells; its name is the model's")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--checkpoint", help="a state dict of torchvision's FasterRCNN")
    model.add_argument("--weights", help="torchvision's: " + ", ".join(named_weights.NAMES))
    parser.add_argument("--random-weights", type=int, metavar="SEED",
                        help="with --weights: its architecture, nothing downloaded")
    parser.add_argument("--layout", choices=["two-stage", "end-to-end"], default="two-stage")
    parser.add_argument("--labels", help="names without background, comma-separated, or a file with one a line")
    parser.add_argument("--version", default="1")
    for name in ("description", "license", "source"):
        parser.add_argument(f"--{name}")
    for flag, (_, kind, meaning) in _SETTINGS.items():
        parser.add_argument("--" + flag, type=kind, metavar=kind.__name__.strip("_").upper(), help=meaning)
    for flag, (kind, _, meaning) in _SHAPES.items():
        parser.add_argument("--" + flag, type=kind, metavar=kind.__name__.strip("_").upper(), help=meaning)
    parser.add_argument("--force", action="store_true", help="replace an existing package")
    options = parser.parse_args(arguments)
    if options.random_weights is not None and not options.weights:
        parser.error("--random-weights needs --weights, which names the architecture")
    for flag, (_, default, _) in _SHAPES.items():
        if getattr(options, _key(flag)) is None:
            setattr(options, _key(flag), default)
        elif options.weights:
            parser.error(f"--{flag} describes a checkpoint; named weights have their own")
    return options


def _key(flag):
    return flag.replace("-", "_")


def build(options):
    """The detector in evaluation, batch norms ready to be folded, and its labels."""
    given = {argument: getattr(options, _key(flag)) for flag, (argument, _, _) in _SETTINGS.items()}
    settings = {argument: value for argument, value in given.items() if value is not None}
    if options.checkpoint:
        state = read_state_dict(options.checkpoint)
        if options.sampling_ratio < 0:
            raise ExportError("--sampling-ratio must be 0 (adaptive) or a number of samples")
        detector = build_detector(
            state, options.norm_eps, options.anchor_sizes, options.aspect_ratios, options.sampling_ratio, **settings)
        labels = None
    else:
        detector, labels = named_weights.build(options.weights, options.random_weights, **settings)
    classes = detector.roi_heads.box_predictor.cls_score.out_features - 1
    labels = _labels(options.labels) if options.labels else labels
    if labels is None:
        raise ExportError(f"--labels is missing: the checkpoint has {classes} classes without the background")
    if len(labels) != classes:
        raise ExportError(f"{len(labels)} labels for {classes} classes (the background is not one of them)")
    thaw_batch_norms(detector)
    return detector.eval(), labels


def _labels(text):
    if os.path.isfile(text):
        return [line.strip() for line in _read_text(text).splitlines() if line.strip()]
    if "," not in text and (os.sep in text or os.path.splitext(text)[1].lower() in _LABEL_FILES):
        raise ExportError(f"--labels {text}: no such file")
    return [label.strip() for label in text.split(",")]


def _read_text(path):
    """UTF-8, with or without its mark, or UTF-16 with one; nothing is guessed."""
    with open(path, "rb") as file:
        data = file.read()
    wide = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    name, encoding = ("UTF-16", "UTF-16") if wide else ("UTF-8", "utf-8-sig")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ExportError(f"{path}: line {line} is not {name}: save the file as UTF-8") from None
    if "\0" in text:
        raise ExportError(f"{path}: holds zero bytes, as UTF-16 without its mark does: save the file as UTF-8")
    return text


def export(options):
    """Writes the package and returns its manifest."""
    name = os.path.basename(os.path.abspath(options.out))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ExportError(f"'{name}' is no package name: letters, digits, '.', '_', '-' only")
    check_destination(options.out, options.force)
    detector, labels = build(options)
    levels = levels_of(detector)
    about = {key: getattr(options, key) for key in ("version", "description", "license", "source")}
    about["name"] = name
    if options.layout == "two-stage":
        manifest = two_stage_manifest(detector, levels, about, labels)
        check_manifest(manifest)
        graphs = {"backbone": export_backbone(detector, levels), "head": export_head(detector, levels)}
    else:
        manifest = end_to_end_manifest(detector, about, labels)
        check_manifest(manifest)
        graphs = {"model": export_end_to_end(detector, levels)}
    manifest = write_package(options.out, manifest, graphs, options.force)
    _summarise(options.out, manifest, graphs, levels, detector)
    if options.checkpoint:
        weights = ",".join(f"{weight:g}" for weight in detector.roi_heads.box_coder.weights)
        print("  taken as usual, since no checkpoint says them: "
              f"sampling ratio {options.sampling_ratio} (--sampling-ratio), "
              f"batch norms' eps {options.norm_eps:g} (--norm-eps), box weights {weights}")
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
    return exit_code("export.py", lambda: export(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main())
