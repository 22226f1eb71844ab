"""Goldens of the resize rules: sizes of both conventions, torch's bilinear, Pillow's bilinear on bytes."""
import math

import numpy as np
import torch
from PIL import Image
from torch import nn

import detectron2_reference as d2
from golden_files import save, size_of, write_json

LIMITS = [(800, 1333), (384, 640), (320, 640)]
SIZES = [(480, 640), (640, 480), (427, 640), (333, 500), (501, 333), (375, 500), (1, 1), (1, 2), (2, 3), (800, 800),
         (1080, 1920), (720, 1280), (600, 1000), (601, 1001), (768, 1280), (3000, 40), (40, 3000), (3000, 2), (2, 5000),
         (799, 1333), (800, 1333), (800, 1334), (1333, 800), (853, 640), (479, 641), (6000, 4000), (1, 20000)]
# A source and where it goes: enlarged, shrunk a little, a lot, in one axis only, to one pixel, from one pixel.
RESIZES = {"enlarge": ((37, 53), (64, 91)), "shrink": ((67, 90), (48, 61)), "shrink-far": ((120, 97), (13, 9)),
           "one-axis": ((40, 60), (40, 23)), "mixed": ((24, 90), (51, 37)), "to-one": ((19, 23), (1, 1)),
           "from-one": ((1, 1), (7, 5)), "same": ((21, 33), (21, 33)), "row": ((1, 64), (3, 40))}


def torchvision_size(height, width, min_size, max_size):
    """_resize_image_and_masks and the floor of interpolate(recompute_scale_factor=True); never below 1."""
    sides = torch.tensor([height, width]).to(torch.float32)
    scale = torch.min(float(min_size) / sides.min(), float(max_size) / sides.max()).item()
    return max(1, math.floor(float(height) * scale)), max(1, math.floor(float(width) * scale))


def make(out):
    rng = np.random.default_rng(0)
    sizes = SIZES + [(int(h), int(w)) for h, w in rng.integers(1, 2500, (60, 2))]
    write_json(out / "sizes.json", {
        "columns": ["minSize", "maxSize", "height", "width", "torchvisionHeight", "torchvisionWidth",
                    "detectron2Height", "detectron2Width"],
        "rows": [[*limits, *size, *torchvision_size(*size, *limits), *d2.shortest_edge_size(*size, *limits)]
                 for limits in LIMITS for size in sizes]})
    for name, ((height, width), target) in RESIZES.items():
        # Half noise, half edges: noise shows wrong weights, edges wrong rounding and overshoot.
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        pixels[:, width // 2:] = np.where(pixels[:, width // 2:] > 127, 255, 0)
        folder = out / "resize" / name
        save(folder / "source.npy", pixels, "|u1")
        pillow = Image.fromarray(pixels).resize(target[::-1], Image.Resampling.BILINEAR)
        save(folder / "pillow.npy", np.asarray(pillow), "|u1")
        floats = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        bilinear = nn.functional.interpolate((floats - mean) / std, size=target, mode="bilinear", align_corners=False)
        save(folder / "torch.npy", bilinear[0].numpy(), "<f4")
        write_json(folder / "case.json", {"source": size_of(height, width), "target": size_of(*target)})
