#!/usr/bin/env python3
"""Makes sizes.csv and resampled.json: what torchvision, detectron2's rule and Pillow make of many sizes.

Committed files were made with torch 1.13.1, torchvision 0.14.1 and Pillow 9.4.0; no arguments.
Source images are not stored: byte i of [H, W, 3] is bits 24..31 of (i + 1) * 2654435761 modulo 2^32.
"""
import hashlib
import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.models.detection import transform

HERE = Path(__file__).resolve().parent
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LIMITS = [(800, 1333), (384, 640), (320, 640), (600, 1000), (512, 512)]
# Old and new height and width: larger, smaller, odd, unchanged in one or both axes, single rows, columns and pixels.
CASES = [
    ((480, 640), (800, 1066)), ((33, 50), (21, 17)), ((21, 17), (33, 50)), ((1, 1), (7, 9)), ((1, 1), (1, 1)),
    ((300, 4), (133, 2)), ((1, 50), (8, 133)), ((50, 1), (133, 8)), ((40, 17), (1, 3)), ((64, 64), (64, 64)),
    ((37, 53), (37, 106)), ((37, 53), (19, 53)), ((333, 500), (799, 1199)), ((501, 333), (1199, 797)),
    ((3000, 40), (1333, 17)), ((1, 500), (2, 1333)), ((900, 1200), (800, 1066)), ((5, 7), (40, 1333)),
]


def torchvision_size(height, width, limits):
    """The size that torchvision's own function resizes to; one stored value stands for all pixels."""
    image = torch.zeros(1).expand(1, height, width)
    resized, _ = transform._resize_image_and_masks(image, float(limits[0]), float(limits[1]))
    return tuple(resized.shape[-2:])


def detectron2_size(height, width, limits):
    """ResizeShortestEdge.get_output_shape, written after its description: in double, rounded once at the end."""
    scale = limits[0] / min(height, width)
    new = [limits[0], scale * width] if height < width else [scale * height, limits[0]]
    if max(new) > limits[1]:
        scale = limits[1] / max(new)
        new = [side * scale for side in new]
    return tuple(int(side + 0.5) for side in new)


def sizes():
    random.seed(20240501)
    pairs = [(480, 640), (640, 480), (427, 640), (333, 500), (501, 333), (3000, 40), (1, 1), (800, 1333), (800, 1334)]
    pairs += [(random.randint(1, 1500), random.randint(1, 1500)) for _ in range(300)]
    pairs += [(random.randint(200, 700), random.randint(200, 700)) for _ in range(100)]
    rows = ["height,width,minSize,maxSize,torchvisionHeight,torchvisionWidth,detectron2Height,detectron2Width"]
    for index, (height, width) in enumerate(pairs):
        limits = LIMITS[0] if index < 200 else LIMITS[index % len(LIMITS)]
        if max(height, width) / min(height, width) > limits[1]:
            continue
        both = torchvision_size(height, width, limits) + detectron2_size(height, width, limits)
        rows.append(",".join(map(str, (height, width, *limits, *both))))
    (HERE / "sizes.csv").write_text("\n".join(rows) + "\n")


def source(height, width):
    i = np.arange(1, height * width * 3 + 1, dtype=np.uint64)
    return ((i * 2654435761 % 2**32) >> 24).astype(np.uint8).reshape(height, width, 3)


def resampled():
    rng = np.random.RandomState(7)
    cases = []
    for (height, width), (new_height, new_width) in CASES:
        image = source(height, width)
        tensor = torch.from_numpy(image).permute(2, 0, 1).float() / 255
        tensor = (tensor - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        resized = torch.nn.functional.interpolate(
            tensor[None], size=(new_height, new_width), mode="bilinear", align_corners=False)[0].numpy()
        # The corners, and some places in between.
        places = [(c, y, x) for c in range(3) for y in (0, new_height - 1) for x in (0, new_width - 1)]
        places += [(rng.randint(3), rng.randint(new_height), rng.randint(new_width)) for _ in range(28)]
        samples = [[c, y, x, round(float(resized[c, y, x]), 7)] for c, y, x in places]
        pillow = np.asarray(Image.fromarray(image).resize((new_width, new_height), Image.BILINEAR))
        cases.append({
            "source": [height, width], "resized": [new_height, new_width], "torch": samples,
            "pillowSha256": hashlib.sha256(np.ascontiguousarray(pillow.transpose(2, 0, 1)).tobytes()).hexdigest(),
        })
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "resampled.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    torch.set_num_threads(2)
    sizes()
    resampled()
