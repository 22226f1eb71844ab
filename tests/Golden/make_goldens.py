"""Makes a model's goldens: torchvision's own numbers for the made images and for some pictures of the shared data.

usage: make_goldens.py MODEL [--shared ../shared] [--only CASE ...]    (torch 1.13, torchvision 0.14, Pillow 9.4)

Writes MODEL/meta.json and, a case, MODEL/cases/<case>/expected.json, resized.npy, proposals.npy and
levels.npy; README.md beside this file says what is in them. Shape letters: P proposals, H x W the resized image.
"""
import argparse
import collections
import hashlib
import io
import pathlib

import numpy as np
import torch
from PIL import Image, ImageOps

import references
from golden_files import HERE, save, size_of, versions, write_json

LEVELS = ["p2", "p3", "p4", "p5", "p6"]
TOLERANCE = {
    "box": 0.1, "score": 0.001, "matchFrom": 0.1, "nothingExtraAbove": 0.105, "resizedTensor": 2e-5,
    "proposalBox": 0.05, "proposalScore": 1e-4,
}


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


def make_case(reference, model, record, name, encoded, source):
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
            "label": reference.labels[label - 1], "score": round(float(score), 6),
            "box": [round(float(v), 4) for v in box],
            "level": pooled.pop() if len(pooled) == 1 else None})
    scores = torch.softmax(record.class_logits, -1)[:, 1:]
    expected = source | {
        "fileSha256": hashlib.sha256(encoded).hexdigest(), "rgbSha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "original": size_of(*pixels.shape[:2]), "resized": size_of(height, width),
        "padded": size_of(*padded.shape[-2:]),
        "grids": [size_of(*f.shape[-2:]) for f in record.features],
        "resizedSampleStep": step if reference.may_show or "image" in source else None,
        "resizedMean": [round(float(c.double().mean()), 8) for c in resized],
        "resizedMeanAbs": [round(float(c.double().abs().mean()), 8) for c in resized],
        "candidates": int((scores > model.roi_heads.score_thresh).sum()),
        "detections": detections}
    folder = reference.folder / "cases" / name
    folder.mkdir(parents=True, exist_ok=True)
    if expected["resizedSampleStep"]:  # the samples are a small picture
        rows, columns = sampled(height, step), sampled(width, step)
        save(folder / "resized.npy", resized.numpy()[np.ix_(range(3), rows, columns)], "<f4")
    save(folder / "proposals.npy", torch.cat([record.proposals, record.objectness[:, None]], 1).numpy(), "<f4")
    save(folder / "levels.npy", levels.numpy(), "|u1")
    write_json(folder / "expected.json", expected)
    sure = collections.Counter(d["label"] for d in detections if d["score"] >= 0.1)
    print(f"{name}: {width}x{height}, {len(levels)} proposals, {expected['candidates']} candidates, "
          f"{len(detections)} detections, from 0.1 {dict(sure)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=references.ALL)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared",
                        help="folder with models and data (default: beside the repository)")
    parser.add_argument("--only", nargs="*", help="cases to make again; meta.json is then left alone")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    reference = references.ALL[arguments.model]
    model = reference.load(arguments.shared)
    record = Recorder(model)
    made = sorted((reference.folder / "images").iterdir())
    cases = [(path.stem, path.read_bytes(), {"image": path.name}) for path in made]
    cases += reference.pictures(arguments.shared)
    for name, encoded, source in cases:
        if not arguments.only or name in arguments.only:
            make_case(reference, model, record, name, encoded, source)
    if not arguments.only:
        checkpoint = reference.checkpoint(arguments.shared)
        write_json(reference.folder / "meta.json", {
            "model": reference.name, "checkpointSha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
            "command": f"tests/Golden/make_goldens.py {reference.name} --shared ../shared", "versions": versions(),
            "threads": torch.get_num_threads(), "labels": reference.labels, "levels": LEVELS,
            "thresholds": {"score": model.roi_heads.score_thresh, "nms": model.roi_heads.nms_thresh,
                           "detections": model.roi_heads.detections_per_img, "rpnNms": model.rpn.nms_thresh,
                           "rpnPreNmsTopN": model.rpn.pre_nms_top_n(), "rpnPostNmsTopN": model.rpn.post_nms_top_n()},
            "input": {"minSize": model.transform.min_size[-1], "maxSize": model.transform.max_size},
            "tolerance": TOLERANCE, "cases": [name for name, _, _ in cases]})


if __name__ == "__main__":
    main()
