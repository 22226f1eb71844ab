"""Made recipes, pictures and data folders for the tests."""
import io
import json
import pathlib
import tarfile
import tempfile
import unittest

import numpy
import torch
from PIL import Image

import data
import recipe as recipes

torch.set_num_threads(1)
TABLE = {
    "name": "made", "labels": ["square", "bar"],
    "data": {"format": "annotations", "train": "train", "test": "val"},
    "model": {"blocks": [1, 1, 1, 1], "width": 4, "fpn_channels": 8, "head_channels": 8, "min_size": 64,
              "max_size": 96},
    "train": {"engine": "reference", "steps": 3, "batch": 2, "rate": 1e-3, "weight_decay": 0.01, "warmup": 1,
              "sizes": [64, 80], "side": 64, "mosaic": 0.5, "proposals": 20, "flip_vertical": True}}


def made_recipe(**train) -> recipes.Recipe:
    return recipes.parse({**TABLE, "train": {**TABLE["train"], **train}}, "made")


def picture(width, height, box, color=(255, 255, 255)) -> Image.Image:
    """Black, with a filled box (whole pixels, xyxy)."""
    pixels = numpy.zeros((height, width, 3), numpy.uint8)
    pixels[box[1]:box[3], box[0]:box[2]] = color
    return Image.fromarray(pixels)


def annotations(root, entries) -> None:
    """Writes annotations.json and images-1.tar; entries: id → (width, height, split, objects)."""
    with tarfile.open(root / "images-1.tar", "w") as tar:
        for id, (width, height, _, objects) in entries.items():
            encoded = io.BytesIO()
            picture(width, height, [int(v) for v in objects[0][1:5]]).save(encoded, "PNG")
            member = tarfile.TarInfo(f"{id}.png")
            member.size = encoded.tell()
            tar.addfile(member, io.BytesIO(encoded.getvalue()))
    content = {id: {"w": w, "h": h, "split": split, "objects": objects}
               for id, (w, h, split, objects) in entries.items()}
    (root / "annotations.json").write_text(json.dumps(content))


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def examples(self) -> list[data.Example]:
        annotations(self.root, {
            "a": (60, 40, "train", [["square", 10, 5, 30, 25, 0]]),
            "b": (50, 64, "train", [["bar", 8, 20, 44, 34, 0]]),
            "c": (64, 64, "train", [["square", 20, 20, 50, 50, 0]])})
        recipe = made_recipe()
        return data.load(self.root, "train", recipe.labels, recipe.data)
