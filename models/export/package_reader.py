"""Reads a two-stage package: its manifest with the defaults that the service gives it, and its graphs' files."""
import hashlib
import json
import os
import re
from dataclasses import dataclass

import numpy

from errors import ExportError

_STRING = r'("(?:[^"\\]|\\.)*")'
_COMMENT = re.compile(_STRING + r"|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(_STRING + r"|,(?=\s*[}\]])")
# What model.json leaves out: docs/model-package.md.
_DEFAULTS = {
    "torchvision": {"colorOrder": "rgb", "scale": numpy.float32(1) / numpy.float32(255), "resize": "bilinear",
                    "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "detectron2": {"colorOrder": "bgr", "scale": 1, "resize": "bilinear-antialias",
                   "mean": [103.53, 116.28, 123.675], "std": [1, 1, 1]},
}


@dataclass(frozen=True)
class Normalization:
    """How RGB bytes become a model's planes: plane p is channel `channels[p]` times multiplier plus offset.

    `multiplier` (scale / std) and `offset` (-mean / std) are float32 [3], each rounded once from double, as
    PlaneNormalization of the service has them.
    """

    channels: tuple
    multiplier: numpy.ndarray
    offset: numpy.ndarray


class SourcePackage:
    """A package on disk; `manifest` is model.json as it is written, comments aside."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self._file = os.path.join(folder, "model.json")
        self.manifest = self._read_manifest()
        if self.manifest.get("layout", "two-stage") != "two-stage":
            raise ExportError(f"{self._file}: only packages of two graphs can be converted, "
                              f"this one's layout is '{self.manifest['layout']}'")
        try:
            self.pooled = [level["name"] for level in self.manifest["levels"] if level["pooled"]]
            self.name, self.version = self.manifest["name"], self.manifest["version"]
            self._input = {**_DEFAULTS[self.manifest.get("convention", "torchvision")], **self.manifest["input"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise ExportError(f"{self._file}: is not what the service would read ({error})") from None

    @property
    def resize(self):
        """The word for the filter that images are resized with."""
        return self._input["resize"]

    def normalization(self):
        """What the service does to bytes; floats are float32 first, as the service reads them."""
        scale, mean, std = (numpy.float32(self._input[key]).astype(numpy.float64) for key in ("scale", "mean", "std"))
        channels = (0, 1, 2) if self._input["colorOrder"] == "rgb" else (2, 1, 0)
        return Normalization(channels, (scale / std).astype(numpy.float32), (-mean / std).astype(numpy.float32))

    def graph(self, role):
        """The path of a graph, after its checksum was compared."""
        try:
            entry = self.manifest["files"][role]
            path, expected = os.path.join(self.folder, entry["path"]), entry["sha256"].lower()
        except (KeyError, TypeError, AttributeError):
            raise ExportError(f"{self._file}: key 'files.{role}' is missing or incomplete") from None
        try:
            with open(path, "rb") as file:
                actual = hashlib.sha256(file.read()).hexdigest()
        except OSError as error:
            raise ExportError(f"{path}: {error.strerror}") from None
        if actual != expected:
            raise ExportError(f"{path}: its sha256 is {actual}, but model.json says {expected}")
        return path

    def other_files(self):
        """What lies in the folder and is neither the manifest nor a graph that it names."""
        own = {"model.json", *(entry["path"] for entry in self.manifest["files"].values())}
        return [name for name in sorted(os.listdir(self.folder)) if name not in own]

    def _read_manifest(self):
        try:
            with open(self._file, encoding="utf-8-sig") as file:
                text = file.read()
        except OSError as error:
            raise ExportError(f"{self._file}: {error.strerror}") from None
        text = _COMMENT.sub(lambda match: match.group(1) or " ", text)
        text = _LAST_COMMA.sub(lambda match: match.group(1) or "", text)
        try:
            manifest = json.loads(text)
        except ValueError as error:
            raise ExportError(f"{self._file}: is not JSON ({error})") from None
        if not isinstance(manifest, dict):
            raise ExportError(f"{self._file}: must be an object")
        return manifest
