"""Writes a model package: the graphs, model.json and their checksums, all or nothing."""
import hashlib
import json
import os
import shutil
import tempfile

from errors import ExportError

_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def two_stage_manifest(detector, levels, about, labels):
    """The contents of model.json, without files; every figure is read from the model object.

    Keys whose default follows from the convention appear only where the model differs from it.
    """
    rpn, roi = detector.rpn, detector.roi_heads
    ratios = {tuple(r) for r in rpn.anchor_generator.aspect_ratios}
    if len(ratios) != 1:
        raise ExportError("every level must have the same aspect ratios")
    pool = roi.box_roi_pool
    canonical = _unless(("canonicalLevel", pool.canonical_level, 4), ("canonicalSize", pool.canonical_scale, 224))
    manifest = {
        **_head(about, "two-stage"),
        "input": _input(detector.transform, detector.transform.size_divisible),
        "levels": [
            {"name": level.name, "anchorSizes": list(level.anchor_sizes), "pooled": level.pooled} for level in levels
        ],
        "aspectRatios": list(ratios.pop()),
        "rpn": {
            "preNmsTopN": rpn._pre_nms_top_n["testing"],
            "postNmsTopN": rpn._post_nms_top_n["testing"],
            "nmsThreshold": rpn.nms_thresh,
            "scoreThreshold": rpn.score_thresh,
            **_unless(("minBoxSize", rpn.min_size, 1e-3)),
        },
        **({"roi": canonical} if canonical else {}),
        "detection": {**_thresholds(roi), "boxWeights": list(roi.box_coder.weights)},
        "labels": labels,
    }
    return manifest


def end_to_end_manifest(detector, about, labels):
    """The contents of model.json for the one-file form, without files."""
    return {
        **_head(about, "end-to-end"),
        "endToEnd": {
            "input": "image",
            "rank": 3,
            "resizeInside": False,
            "boxes": "boxes",
            "labels": "labels",
            "scores": "scores",
            "boxSpace": "resized",
        },
        # The graph pads, since it clips boxes to the image without its padding.
        "input": _input(detector.transform, 1),
        "detection": _thresholds(detector.roi_heads),
        "labels": labels,
    }


def _head(about, layout):
    manifest = {"name": about["name"], "version": about["version"], "layout": layout, "convention": "torchvision"}
    manifest.update({key: about[key] for key in ("description", "license", "source") if about.get(key)})
    manifest["files"] = {}
    return manifest


def _input(transform, divisor):
    if transform.fixed_size is not None:
        raise ExportError("a model with a fixed input size has no place in model.json")
    size = {"minSize": transform.min_size[-1], "maxSize": transform.max_size, "sizeDivisor": divisor}
    size.update(_unless(("mean", list(transform.image_mean), _MEAN), ("std", list(transform.image_std), _STD)))
    return size


def _thresholds(roi):
    return {
        "scoreThreshold": roi.score_thresh,
        "nmsThreshold": roi.nms_thresh,
        "maxDetections": roi.detections_per_img,
    }


def _unless(*entries):
    return {key: value for key, value, default in entries if value != default}


def write_package(directory, manifest, graphs, force=False):
    """Writes `graphs` (role -> bytes) and model.json into `directory`; returns the manifest with files filled in.

    Everything is written beside the destination and renamed into place. With `force` an existing package is
    replaced; files that it does not name (a model card) are kept.
    """
    check_destination(directory, force)
    directory = os.path.abspath(directory)
    parent = os.path.dirname(directory)
    os.makedirs(parent, exist_ok=True)
    manifest = {**manifest, "files": {role: _entry(role, data) for role, data in graphs.items()}}
    staging = tempfile.mkdtemp(prefix=f".{os.path.basename(directory)}-", dir=parent)
    try:
        os.chmod(staging, 0o755)
        _keep_foreign_files(directory, staging)
        for role, data in graphs.items():
            _write(os.path.join(staging, manifest["files"][role]["path"]), data)
        _write(os.path.join(staging, "model.json"), format_manifest(manifest).encode())
        if os.path.exists(directory):
            replaced = staging + ".replaced"
            os.rename(directory, replaced)
            os.rename(staging, directory)
            shutil.rmtree(replaced)
        else:
            os.rename(staging, directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def check_destination(directory, force):
    """Fails where a package stands already, unless it may be replaced."""
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise ExportError(f"{directory}: is not a folder")
    if not force and os.path.isdir(directory) and _own_files(directory):
        raise ExportError(f"{directory}: holds a package already; --force replaces it")


def _own_files(directory):
    return [n for n in sorted(os.listdir(directory)) if n == "model.json" or n.endswith(".onnx")]


def _keep_foreign_files(directory, staging):
    if not os.path.isdir(directory):
        return
    own = _own_files(directory)
    for name in os.listdir(directory):
        source = os.path.join(directory, name)
        if name not in own and os.path.isfile(source):
            shutil.copy2(source, staging)
        elif name not in own:
            shutil.copytree(source, os.path.join(staging, name))


def _entry(role, data):
    return {"path": f"{role}.onnx", "sha256": hashlib.sha256(data).hexdigest()}


def _write(path, data):
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def format_manifest(manifest):
    """JSON with one line for each entry of an object or of a list of objects; the same text for the same contents."""
    return _format(_plain(manifest), 0) + "\n"


def _plain(value):
    """Whole floats become integers: 10, not 10.0."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _format(value, depth):
    flat = json.dumps(value, ensure_ascii=False)
    nested = isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))
    if not nested or (depth > 0 and len(flat) <= 110):
        return "{ " + flat[1:-1] + " }" if isinstance(value, dict) else _wrap(value, flat, depth)
    pad = "  " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{pad}{json.dumps(key)}: {_format(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
    return "[\n" + ",\n".join(pad + _format(item, depth + 1) for item in value) + "\n" + "  " * depth + "]"


def _wrap(value, flat, depth):
    """A long list of words (COCO's labels) goes over several lines."""
    if not isinstance(value, list) or len(flat) <= 110:
        return flat
    pad, lines = "  " * (depth + 1), [""]
    for item in value:
        text = json.dumps(item, ensure_ascii=False)
        if len(lines[-1]) + len(text) > 100:
            lines.append("")
        lines[-1] += ("" if not lines[-1] else " ") + text + ","
    return "[\n" + "\n".join(pad + line for line in lines).rstrip(",") + "\n" + "  " * depth + "]"
