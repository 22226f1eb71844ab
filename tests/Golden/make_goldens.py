"""Makes the blood-cells goldens: torchvision's own numbers for the made images and for some BCCD test images.

usage: make_goldens.py [--shared ../shared] [--only CASE ...]    (torch 1.13, torchvision 0.14, Pillow 9.4)

Writes blood-cells/meta.json and, a case, blood-cells/cases/<case>/expected.json, resized.npy, proposals.npy and
levels.npy; README.md beside this file says what is in them. Shape letters: P proposals, H x W the resized image.
"""
import argparse
import hashlib
import importlib.util
import io
import math
import pathlib

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops.poolers import initLevelMapper

from golden_files import HERE, save, size_of, versions, write_json

OUT = HERE / "blood-cells"
LABELS = ["RBC", "WBC", "Platelets"]
LEVELS = ["p2", "p3", "p4", "p5", "p6"]
# Annotated with: all three in a crowd, 21 red, no white, platelets only, a lone white, two white, few, three platelets.
BCCD = ["00031", "00018", "00135", "00327", "00303", "00249", "00157", "00385"]
TOLERANCE = {
    "box": 0.1, "score": 0.001, "matchFrom": 0.1, "nothingExtraAbove": 0.105, "resizedTensor": 2e-5,
    "proposalBox": 0.05, "proposalScore": 1e-4,
}


class Transform(GeneralizedRCNNTransform):
    """torchvision's own transform, except that a resized side is never below one pixel, where torchvision fails."""

    def resize(self, image, target=None):
        assert target is None
        height, width = image.shape[-2:]
        sides = torch.tensor([height, width]).to(torch.float32)
        scale = torch.min(float(self.min_size[-1]) / sides.min(), float(self.max_size) / sides.max()).item()
        size = [max(1, math.floor(height * scale)), max(1, math.floor(width * scale))]
        ours = nn.functional.interpolate(image[None], size=size, mode="bilinear", align_corners=False)[0]
        if min(math.floor(height * scale), math.floor(width * scale)) > 0:
            theirs, _ = super().resize(image)
            assert torch.equal(ours, theirs), "the size= form must be torchvision's own resize to the bit"
        return ours, None


def load_model(shared):
    """The checkpoint in the network of the script that trained it, ready for inference, with RoI scales pinned."""
    folder = shared / "models" / "blood-cells"
    spec = importlib.util.spec_from_file_location("blood_cells_train", folder / "train.py")
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    model = train.build(len(LABELS) + 1)
    model.load_state_dict(torch.load(folder / "blood-cells.pth", map_location="cpu"))
    t = model.transform
    model.transform = Transform(t.min_size, t.max_size, t.image_mean, t.image_std, t.size_divisible)
    # Left alone, torchvision infers the scales from the first image it sees, and a thin one breaks them for good.
    model.roi_heads.box_roi_pool.scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    model.roi_heads.box_roi_pool.map_levels = initLevelMapper(2, 5, canonical_scale=224, canonical_level=4, eps=1e-6)
    return model.eval(), train, folder / "blood-cells.pth"


def decode(encoded):
    """Bytes of a file -> [H, W, 3] uint8, as displayed."""
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(encoded))).convert("RGB"))


def to_input(pixels):
    """[H, W, 3] uint8 -> [3, H, W] float32 in 0..1."""
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255


class Recorder:
    """Keeps what passes between torchvision's stages, without touching it."""

    def __init__(self, model):
        filter_proposals, postprocess = model.rpn.filter_proposals, model.roi_heads.postprocess_detections

        def on_filter(*arguments):
            self.proposals, self.objectness = (x[0] for x in filter_proposals(*arguments))
            return [self.proposals], [self.objectness]

        def on_postprocess(logits, deltas, proposals, shapes):
            self.class_logits, self.box_deltas = logits, deltas
            self.decoded = model.roi_heads.box_coder.decode(deltas, proposals)
            boxes, scores, labels = postprocess(logits, deltas, proposals, shapes)
            self.resized_boxes = boxes[0]
            return boxes, scores, labels

        model.rpn.filter_proposals = on_filter
        model.roi_heads.postprocess_detections = on_postprocess
        model.transform.register_forward_hook(lambda _, __, out: setattr(self, "images", out[0]))
        model.backbone.register_forward_hook(lambda _, __, out: setattr(self, "features", list(out.values())))

    def proposal_of(self, score, label):
        """The proposals whose softmax for this label is exactly this score: one, or several on a tie."""
        scores = torch.softmax(self.class_logits, -1)[:, label]
        return torch.where(scores == score)[0]


def sampled(size, step):
    """Every step-th index of an axis, and the last."""
    return sorted(set(range(0, size, step)) | {size - 1})


def sample_step(height, width):
    """The smallest step that leaves at most 3 x 5,000 values."""
    step = 1
    while len(sampled(height, step)) * len(sampled(width, step)) > 5000:
        step += 1
    return step


def make_case(model, record, name, encoded, source):
    pixels = decode(encoded)
    with torch.no_grad():
        output = model([to_input(pixels)])[0]
    height, width = record.images.image_sizes[0]
    padded = record.images.tensors
    resized = padded[0, :, :height, :width]
    step = sample_step(height, width)
    levels = model.roi_heads.box_roi_pool.map_levels([record.proposals])
    detections = []
    for box, score, label in zip(output["boxes"], output["scores"], output["labels"]):
        pooled = {LEVELS[levels[p]] for p in record.proposal_of(score, label)}
        detections.append({
            "label": LABELS[label - 1], "score": round(float(score), 6), "box": [round(float(v), 4) for v in box],
            "level": pooled.pop() if len(pooled) == 1 else None})
    scores = torch.softmax(record.class_logits, -1)[:, 1:]
    expected = source | {
        "fileSha256": hashlib.sha256(encoded).hexdigest(), "rgbSha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "original": size_of(*pixels.shape[:2]), "resized": size_of(height, width),
        "padded": size_of(*padded.shape[-2:]),
        "grids": [size_of(*f.shape[-2:]) for f in record.features],
        "resizedSampleStep": step,
        "resizedMean": [round(float(c.double().mean()), 8) for c in resized],
        "resizedMeanAbs": [round(float(c.double().abs().mean()), 8) for c in resized],
        "candidates": int((scores > model.roi_heads.score_thresh).sum()),
        "detections": detections}
    folder = OUT / "cases" / name
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = sampled(height, step), sampled(width, step)
    save(folder / "resized.npy", resized.numpy()[np.ix_(range(3), rows, columns)], "<f4")
    save(folder / "proposals.npy", torch.cat([record.proposals, record.objectness[:, None]], 1).numpy(), "<f4")
    save(folder / "levels.npy", levels.numpy(), "|u1")
    write_json(folder / "expected.json", expected)
    count = [sum(d["label"] == label and d["score"] >= 0.1 for d in detections) for label in LABELS]
    print(f"{name}: {width}x{height}, {len(levels)} proposals, {expected['candidates']} candidates, "
          f"{len(detections)} detections, from 0.1 {count}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared",
                        help="folder with models/blood-cells and data/bccd (default: beside the repository)")
    parser.add_argument("--only", nargs="*", help="cases to make again; meta.json is then left alone")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    model, _, checkpoint = load_model(arguments.shared)
    record = Recorder(model)
    cases = []
    for path in sorted((OUT / "images").iterdir()):
        cases.append((path.stem, path, {"image": path.name}))
    for number in BCCD:
        path = arguments.shared / "data" / "bccd" / "JPEGImages" / f"BloodImage_{number}.jpg"
        cases.append((f"bccd-{number}", path, {"bccd": path.stem}))
    for name, path, source in cases:
        if not arguments.only or name in arguments.only:
            make_case(model, record, name, path.read_bytes(), source)
    if not arguments.only:
        write_json(OUT / "meta.json", {
            "model": "blood-cells", "checkpointSha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
            "command": "tests/Golden/make_goldens.py --shared ../shared", "versions": versions(),
            "threads": torch.get_num_threads(), "labels": LABELS, "levels": LEVELS,
            "thresholds": {"score": model.roi_heads.score_thresh, "nms": model.roi_heads.nms_thresh,
                           "detections": model.roi_heads.detections_per_img, "rpnNms": model.rpn.nms_thresh,
                           "rpnPreNmsTopN": model.rpn.pre_nms_top_n(), "rpnPostNmsTopN": model.rpn.post_nms_top_n()},
            "input": {"minSize": model.transform.min_size[-1], "maxSize": model.transform.max_size},
            "tolerance": TOLERANCE, "cases": [name for name, _, _ in cases]})


if __name__ == "__main__":
    main()
