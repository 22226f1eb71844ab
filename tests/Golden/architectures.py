"""Makes model packages of every supported architecture, with the detections that the service must give.

    architectures.py --out DIR [--only CASE]

DIR/<case>/ holds the package, `image.png` and `expected.json`: the reference's own full inference with the same
weights and thresholds (torchvision's; for `detectron2`, detectron2_inference.py). The packages are too large to
commit, so the tests run this script. Cases `detectron2` and `end-to-end` use the blood-cells checkpoint, read from
$FPN_SHARED (default: `shared` beside the project); where it is absent they are left out and named.

A reference decides nothing that noise could turn: each case is inferred again with its input disturbed by less
than any two runtimes differ, and takes another seed if a detection changes.
"""
import argparse
import json
import os
import sys

import numpy as np
import torch
import torchvision
from PIL import Image, ImageDraw
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign
from torchvision.transforms.functional import to_tensor

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "models", "export")]

import detectron2_inference
import export
import graphs
import named_weights
import package
import render

AT_LEAST = 20
TOLERANCE = {"boxPixels": 0.1, "score": 0.001}
THRESHOLDS = (0.05, 0.02, 0.01, 0.005, 0.002)
CHECKPOINT = os.path.join(os.environ.get("FPN_SHARED") or os.path.join(ROOT, "..", "shared"),
                          "models", "blood-cells", "blood-cells.pth")
CELLS = ["RBC", "WBC", "Platelets"]


class Unstable(Exception):
    """The reference hangs on a near tie, or finds too little; another seed is needed."""


class TorchvisionCase:
    """Reference: the detector's own inference, RoI scales pinned (torchvision guesses them from its first image)."""

    def __init__(self, name, detector, labels, image, layout="two-stage"):
        self.name, self.detector, self.labels, self.image, self.layout = name, detector, labels, image, layout
        graphs.thaw_batch_norms(detector)
        detector.eval()
        self.levels = graphs.levels_of(detector)
        graphs.pin_roi_scales(detector, self.levels)

    @property
    def threshold(self):
        return self.detector.roi_heads.score_thresh

    @threshold.setter
    def threshold(self, value):
        self.detector.roi_heads.score_thresh = value

    def infer(self, noise):
        """Boxes, scores and class ids (1 is the first label) with the input disturbed by `noise` (relative)."""
        image = to_tensor(self.image)
        result = self.detector([image * (1 + noise * torch.randn(image.shape))])[0]
        return result["boxes"], result["scores"], result["labels"]

    def package(self):
        """Contents of model.json without files, and the graphs by role."""
        about = {"name": self.name, "version": "1"}
        if self.layout == "end-to-end":
            return package.end_to_end_manifest(self.detector, about, self.labels), {
                "model": graphs.export_end_to_end(self.detector, self.levels)
            }
        return package.two_stage_manifest(self.detector, self.levels, about, self.labels), {
            "backbone": graphs.export_backbone(self.detector, self.levels),
            "head": graphs.export_head(self.detector, self.levels),
        }


class Detectron2Case(TorchvisionCase):
    """The same weights laid out as detectron2 has them: BGR bytes minus mean, background last and without deltas."""

    def __init__(self, name, detector, labels, image):
        super().__init__(name, detector, labels, image)
        transform, roi = detector.transform, detector.roi_heads
        std = torch.tensor(transform.image_std) * 255
        first, predictor = detector.backbone.body["conv1"], roi.box_predictor
        first.weight.data = (first.weight.data / std[:, None, None]).flip(1).contiguous()
        for tensor in (predictor.cls_score.weight, predictor.cls_score.bias):
            tensor.data = torch.cat([tensor.data[1:], tensor.data[:1]])
        for tensor in (predictor.bbox_pred.weight, predictor.bbox_pred.bias):
            tensor.data = tensor.data[4:].clone()
        predictor.bbox_pred.out_features -= 4

    def infer(self, noise):
        transform = self.detector.transform
        images, resized = detectron2_inference.preprocess(self.image, transform.min_size[-1], transform.max_size)
        images = images * (1 + noise * torch.randn(images.shape))
        original = (self.image.height, self.image.width)
        boxes, scores, labels = detectron2_inference.infer(self.detector, self.levels, images, resized, original)
        return boxes, scores, labels + 1

    def package(self):
        manifest, _ = super().package()
        manifest["convention"] = "detectron2"
        return manifest, {
            "backbone": graphs.export_backbone(self.detector, self.levels),
            "head": graphs.export_head(self.detector, self.levels, sampling_ratio=0, aligned=True),
        }


def named(family, seed, image, **settings):
    """The architecture behind torchvision's named weights, with random ones."""
    detector, labels = named_weights.random(f"{family}_Weights.COCO_V1", seed, **settings)
    return conditioned(detector, seed, image), labels, image


def conditioned(detector, seed, image):
    """Random weights that behave like trained ones on this image."""
    detector.eval()
    named_weights.condition(detector, seed, detector.transform([to_tensor(image)])[0].tensors)
    return detector


def shapes(width, height, seed):
    """Colored ellipses and bars over a smooth background with grain."""
    random = np.random.RandomState(seed)
    coarse = Image.fromarray(random.randint(0, 256, (6, 8, 3), dtype=np.uint8))
    image = coarse.resize((width, height), Image.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = random.randint(0, width), random.randint(0, height)
        w, h = random.randint(8, width // 2) // 2, random.randint(8, height // 2) // 2
        color = tuple(int(c) for c in random.randint(0, 256, 3))
        (draw.ellipse if random.rand() < 0.6 else draw.rectangle)((x - w, y - h, x + w, y + h), fill=color)
    pixels = np.asarray(image) + 12 * random.randn(height, width, 3)
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def c4(seed, image):
    """A single map of stride 16 with 15 anchors a cell, as before feature pyramids."""
    torch.manual_seed(seed)
    layers, channels = [], 3
    for width in (24, 48, 64, 64):
        layers += [nn.Conv2d(channels, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    backbone = nn.Sequential(*layers)
    backbone.out_channels = channels
    detector = FasterRCNN(
        backbone,
        min_size=240,
        max_size=400,
        rpn_anchor_generator=AnchorGenerator(((32, 64, 128, 256, 512),), ((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(["0"], 7, 2),
        box_head=TwoMLPHead(channels * 49, 128),
        box_predictor=FastRCNNPredictor(128, 7),
    )
    return conditioned(detector, seed, image), ["one", "two", "three", "four", "five", "six"], image


def blood_cells():
    """The trained detector and its labels."""
    options = export.parse(["--checkpoint", CHECKPOINT, "--labels", ",".join(CELLS), "--min-size", "384",
                            "--max-size", "640", "unused"])
    return export.build(options)


SMALL = {"min_size": 224, "max_size": 384}
CASES = {
    "resnet50-fpn": lambda seed: TorchvisionCase("resnet50-fpn", *named(
        "FasterRCNN_ResNet50_FPN", seed, shapes(301, 217, seed))),
    "resnet50-fpn-v2": lambda seed: TorchvisionCase("resnet50-fpn-v2", *named(
        "FasterRCNN_ResNet50_FPN_V2", seed, shapes(180, 243, seed), **SMALL)),
    "mobilenet-v3-320": lambda seed: TorchvisionCase("mobilenet-v3-320", *named(
        "FasterRCNN_MobileNet_V3_Large_320_FPN", seed, shapes(517, 333, seed))),
    "mobilenet-v3-fpn": lambda seed: TorchvisionCase("mobilenet-v3-fpn", *named(
        "FasterRCNN_MobileNet_V3_Large_FPN", seed, shapes(640, 427, seed))),
    "c4": lambda seed: TorchvisionCase("c4", *c4(seed, shapes(333, 250, seed))),
    # 600 x 750 shrinks to 384 x 480: antialiasing shows, and torchvision's rule would give P6 a stride of 60, not 64.
    "detectron2": lambda seed: Detectron2Case("detectron2", *blood_cells(), render.smear(600, 750, 45, seed)),
    # 331 rows shrink to 383, where a graph that computes its size in float32 makes them 384.
    "end-to-end": lambda seed: TorchvisionCase(
        "end-to-end", *blood_cells(), render.smear(331, 452, 30, seed), "end-to-end"),
}
TRAINED = ("detectron2", "end-to-end")


def reference(case):
    """The undisturbed detections, once enough of them and none on an edge."""
    for case.threshold in THRESHOLDS:
        boxes, scores, labels = case.infer(0)
        if len(scores) >= AT_LEAST:
            break
    else:
        raise Unstable(f"{len(scores)} detections")
    if float((scores - case.threshold).min()) < 1e-4:
        raise Unstable("a score on the threshold")
    for draw, noise in enumerate((1e-6, 1e-6, 3e-6)):
        torch.manual_seed(draw)
        others = case.infer(noise)
        if not _same((boxes, scores, labels), others):
            raise Unstable(f"not the same detections with noise of {noise:g}")
    return boxes, scores, labels


def _same(first, second):
    """Each detection has its counterpart within 0.05 px and 5e-4, whatever the order of near-equal scores."""
    if len(first[1]) != len(second[1]):
        return False
    distance = (first[0][:, None] - second[0][None]).abs().amax(dim=2)
    close = (distance <= 0.05) & ((first[1][:, None] - second[1][None]).abs() <= 5e-4)
    close &= first[2][:, None] == second[2][None]
    return bool(close.any(dim=1).all() and close.any(dim=0).all())


def make(name, out):
    """Writes one case, with the first seed that gives a firm reference."""
    for seed in range(1, 21):
        case = CASES[name](seed)
        try:
            boxes, scores, labels = reference(case)
            break
        except Unstable as reason:
            print(f"{name}: seed {seed} left out: {reason}", flush=True)
    else:
        raise SystemExit(f"{name}: no seed gives a firm reference")
    folder = os.path.join(out, name)
    package.write_package(folder, *case.package(), force=True)
    case.image.save(os.path.join(folder, "image.png"))
    expected = {
        "case": name, "model": name, "torch": torch.__version__, "torchvision": torchvision.__version__,
        "seed": seed, "image": "image.png", "threshold": case.threshold, "tolerance": TOLERANCE,
        "detections": [
            {"label": case.labels[label - 1], "classId": label, "score": score, "box": box}
            for box, score, label in zip(boxes.tolist(), scores.tolist(), labels.tolist())
        ],
    }
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")
    print(f"{name}: {len(scores)} detections from {scores[-1]:.3f} to {scores[0]:.3f}, threshold {case.threshold}, "
          f"seed {seed}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder for the cases; existing ones are replaced")
    parser.add_argument("--only", choices=list(CASES), help="make this case alone")
    options = parser.parse_args()
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    with torch.no_grad():
        for name in [options.only] if options.only else CASES:
            if name in TRAINED and not os.path.exists(CHECKPOINT):
                print(f"{name}: left out, there is no {CHECKPOINT}", flush=True)
                continue
            make(name, options.out)


if __name__ == "__main__":
    main()
