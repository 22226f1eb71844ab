"""Labeled images in three formats, read into one kind of example.

voc          ROOT/ImageSets/Main/SPLIT.txt, ROOT/Annotations/ID.xml, ROOT/JPEGImages/ID.jpg (.jpeg, .png)
coco         ROOT/annotations/instances_SPLIT.json with the images in ROOT/SPLIT or ROOT/images/SPLIT,
             or ROOT/SPLIT/_annotations.coco.json with the images beside it
annotations  ROOT/annotations.json: id → {w, h, split, objects: [[class, x1, y1, x2, y2, difficult], …]},
             images in ROOT/images*.tar, or as files in ROOT/images

Boxes are xyxy in pixels, continuous (pixel i covers [i, i+1)), float32. Labels count from 1 in the order
of the recipe. VOC's "difficult" and COCO's "iscrowd" objects are kept and marked as ignored.
"""
import dataclasses
import io
import json
import pathlib
import tarfile
import xml.etree.ElementTree as ElementTree

import numpy
import torch
from PIL import Image, ImageOps

from recipe import DataOptions

EXTENSIONS = (".jpg", ".jpeg", ".png")


class DataError(ValueError):
    """The data cannot be used; the message names the file."""


@dataclasses.dataclass(frozen=True)
class ImageSource:
    """An encoded image: a whole file, or ``length`` bytes at ``offset`` of a tar file."""
    path: pathlib.Path
    offset: int = 0
    length: int = -1

    def read(self) -> torch.Tensor:
        """Decodes to [3, H, W] uint8 RGB, turned upright by its EXIF orientation."""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            encoded = file.read(self.length)
        try:
            with Image.open(io.BytesIO(encoded)) as image:
                pixels = numpy.array(ImageOps.exif_transpose(image).convert("RGB"))
        except OSError as error:
            raise DataError(f"{self.path}: {error}") from error
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


@dataclasses.dataclass(frozen=True)
class Example:
    """One image and its objects: boxes [N, 4], labels [N] int64, ignored [N] bool."""
    id: str
    image: ImageSource
    boxes: torch.Tensor
    labels: torch.Tensor
    ignored: torch.Tensor


def load(root: pathlib.Path, split: str, labels: list[str], options: DataOptions) -> list[Example]:
    """Reads the annotations of one split, in the order of its list; images are read when asked for.

    Raises DataError for a missing file, an unknown class (unless ``other_labels`` is "skip") or no image.
    """
    readers = {"voc": _voc, "coco": _coco, "annotations": _annotations}
    numbers = {name: i + 1 for i, name in enumerate(labels)}
    examples = []
    try:
        for id, image, objects in readers[options.format](pathlib.Path(root), split, options):
            boxes, classes, ignored = [], [], []
            for name, box, ignore in objects:
                if name not in numbers:
                    if options.other_labels == "skip":
                        continue
                    raise DataError(f"{root}: {id}: class {name!r} is not among the recipe's labels "
                                    f"({', '.join(labels)}); list it, or set other_labels = \"skip\"")
                side = min(box[2] - box[0], box[3] - box[1])
                if side < options.min_box_side or side <= 0:  # torchvision refuses boxes without area
                    continue
                boxes.append(box)
                classes.append(numbers[name])
                ignored.append(bool(ignore))
            examples.append(Example(id, image, torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
                                    torch.tensor(classes, dtype=torch.int64),
                                    torch.tensor(ignored, dtype=torch.bool)))
    except (FileNotFoundError, ElementTree.ParseError, json.JSONDecodeError) as error:
        raise DataError(f"{root}: {error}") from error
    if not examples:
        raise DataError(f"{root}: split {split!r} has no images")
    return examples


def _voc(root, split, options):
    shift = 1.0 if options.one_based else 0.0
    for line in (root / "ImageSets" / "Main" / f"{split}.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        id = line.split()[0]  # per-class lists of the challenge have a second column
        objects = []
        for node in ElementTree.parse(root / "Annotations" / f"{id}.xml").findall("object"):
            x1, y1, x2, y2 = (float(node.find("bndbox").findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax"))
            # A 1-based inclusive pixel range a…b covers [a − 1, b).
            objects.append((node.findtext("name"), (x1 - shift, y1 - shift, x2, y2),
                            node.findtext("difficult") == "1"))
        yield id, ImageSource(_image_file(root / "JPEGImages", id)), objects


def _coco(root, split, options):
    listed, folders = root / "annotations" / f"instances_{split}.json", (root / split, root / "images" / split)
    if not listed.exists():
        listed, folders = root / split / "_annotations.coco.json", (root / split,)
    content = json.loads(listed.read_text(encoding="utf-8"))
    names = {c["id"]: c["name"] for c in content["categories"]}
    objects = {}
    for entry in content["annotations"]:
        x, y, w, h = entry["bbox"]
        objects.setdefault(entry["image_id"], []).append(
            (names[entry["category_id"]], (x, y, x + w, y + h), entry.get("iscrowd", 0)))
    for image in content["images"]:
        file = next((f / image["file_name"] for f in folders if (f / image["file_name"]).exists()), None)
        if file is None:
            raise DataError(f"{listed}: {image['file_name']} is in neither of: {', '.join(map(str, folders))}")
        yield str(image["id"]), ImageSource(file), objects.get(image["id"], [])


def _annotations(root, split, options):
    content = json.loads((root / "annotations.json").read_text(encoding="utf-8"))
    packed = {}
    for path in sorted(root.glob("images*.tar")):
        with tarfile.open(path, "r:") as tar:  # uncompressed: members are read in place later
            packed.update({pathlib.Path(m.name).stem: ImageSource(path, m.offset_data, m.size)
                           for m in tar if m.isfile()})
    for id in sorted(content):
        if content[id]["split"] == split:
            source = packed.get(id) or ImageSource(_image_file(root / "images", id))
            yield id, source, [(o[0], tuple(o[1:5]), o[5] if len(o) > 5 else 0) for o in content[id]["objects"]]


def _image_file(folder, id):
    for extension in EXTENSIONS:
        if (folder / (id + extension)).exists():
            return folder / (id + extension)
    raise DataError(f"{folder}: no image {id} ({', '.join(EXTENSIONS)})")
