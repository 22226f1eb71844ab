"""The checks that the service makes of a model.json, so that nothing is written that it would refuse."""
import math

from errors import ExportError

PLACEHOLDER_LABEL = "N/A"


def check_manifest(manifest):
    """Fails with the key at fault; ranges are those of docs/model-package.md and the service."""
    if not manifest.get("version"):
        raise ExportError("version is empty")
    _check_labels(manifest["labels"])
    size = manifest["input"]
    _range("input.minSize", size["minSize"], 1, 8192, "--min-size")
    _range("input.maxSize", size["maxSize"], size["minSize"], 16384, "--max-size; at least minSize")
    _range("input.sizeDivisor", size["sizeDivisor"], 1, 1024)
    _list("input.mean", size.get("mean", [0, 0, 0]), 3, 3, lambda value: True, "three numbers (--mean)")
    _list("input.std", size.get("std", [1, 1, 1]), 3, 3, lambda value: value > 0,
          "three numbers greater than 0 (--std)")
    for index, level in enumerate(manifest.get("levels", [])):
        _list(f"levels[{index}].anchorSizes", level["anchorSizes"], 1, 64, lambda value: 0 < value <= 65536,
              "1 to 64 sizes greater than 0 (--anchor-sizes)")
    _list("aspectRatios", manifest.get("aspectRatios", [1]), 1, 64, lambda value: 0 < value <= 1000,
          "1 to 64 ratios greater than 0 (--aspect-ratios)")
    rpn, roi, detection = manifest.get("rpn", {}), manifest.get("roi", {}), manifest["detection"]
    for key, flag in (("preNmsTopN", "--pre-nms-top-n"), ("postNmsTopN", "--post-nms-top-n")):
        _range(f"rpn.{key}", rpn.get(key, 1), 1, 100_000, flag)
    _range("rpn.nmsThreshold", rpn.get("nmsThreshold", 0), 0, 1, "--rpn-nms-threshold")
    _range("rpn.scoreThreshold", rpn.get("scoreThreshold", 0), 0, 1, "--rpn-score-threshold")
    _range("rpn.minBoxSize", rpn.get("minBoxSize", 0), 0, 1e6)
    _range("roi.canonicalLevel", roi.get("canonicalLevel", 4), 0, 16)
    _range("roi.canonicalSize", roi.get("canonicalSize", 224), 1, 1e6)
    _range("detection.scoreThreshold", detection["scoreThreshold"], 0, 1, "--score-threshold")
    _range("detection.nmsThreshold", detection["nmsThreshold"], 0, 1, "--nms-threshold")
    _range("detection.maxDetections", detection["maxDetections"], 1, 100_000, "--max-detections")
    _list("detection.boxWeights", detection.get("boxWeights", [1] * 4), 4, 4, lambda value: value > 0,
          "four numbers greater than 0")


def _check_labels(labels):
    if not 1 <= len(labels) <= 100_000:
        raise ExportError(f"there are {len(labels)} labels; from 1 to 100000 are served")
    if any(not label.strip() for label in labels):
        raise ExportError("a label is empty")
    seen = set()
    for label in labels:
        if label in seen:
            raise ExportError(f"the label '{label}' is given twice (only '{PLACEHOLDER_LABEL}' may repeat)")
        if label != PLACEHOLDER_LABEL:
            seen.add(label)


def _range(key, value, least, most, flag=None):
    if not least <= value <= most:  # written so that NaN fails
        raise ExportError(f"{key} must be from {least:g} to {most:g}; it is {value:g}" + (f" ({flag})" if flag else ""))


def _list(key, values, least, most, good, wanted):
    if not least <= len(values) <= most or not all(math.isfinite(value) and good(value) for value in values):
        raise ExportError(f"{key} must hold {wanted}; it holds {', '.join(f'{value:g}' for value in values)}")
