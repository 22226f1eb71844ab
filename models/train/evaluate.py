"""Average precision as COCO defines it, with torchvision's own inference.

python3 models/train/evaluate.py models/train/recipes/blood-cells.toml --data DIR --weights FILE.pth
"""
import argparse
import json
import pathlib
import time

import numpy
import torch
from torchvision.ops import box_iou

import data
import model as models
import pretrained
import recipe as recipes

THRESHOLDS = [0.5 + 0.05 * k for k in range(10)]
RECALLS = numpy.linspace(0.0, 1.0, 101)
SCORES = [0.3, 0.5, 0.7, 0.9]


def average_precision(outcomes: list[tuple[float, bool]], objects: int) -> float:
    """Mean precision at recalls 0, 0.01 … 1, precision made non-increasing from the right.

    ``outcomes``: (score, whether it found an object) of every detection of one class; equal scores keep
    their order. ``objects``: how many there are to find, at least 1.
    """
    found = numpy.array([hit for _, hit in sorted(outcomes, key=lambda o: -o[0])], dtype=bool)
    hits = found.cumsum()
    recall = hits / objects
    precision = hits / numpy.arange(1, len(found) + 1)
    precision = numpy.maximum.accumulate(precision[::-1])[::-1]
    at = numpy.searchsorted(recall, RECALLS, side="left")
    return float(numpy.append(precision, numpy.zeros(1))[at].mean())


def match(boxes, scores, objects, ignored, threshold: float) -> list[tuple[float, bool]]:
    """Gives each detection of one image and class, best first, the free object that it overlaps most.

    boxes [D, 4], scores [D]; objects [N, 4], ignored [N] bool. It hits if that IoU is at least
    ``threshold``. One that hits nothing but overlaps an ignored object that much is left out.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    overlaps = box_iou(boxes, objects).numpy() if len(objects) and len(boxes) else numpy.zeros((len(boxes), 0))
    ignored = ignored.numpy()
    free, outcomes = ~ignored, []
    for row in order.tolist():
        overlap = numpy.where(free, overlaps[row], -1.0)
        best = int(overlap.argmax()) if len(overlap) else -1
        if best >= 0 and overlap[best] >= threshold:
            free[best] = False
            outcomes.append((float(scores[row]), True))
        elif not (overlaps[row][ignored] >= threshold).any():
            outcomes.append((float(scores[row]), False))
    return outcomes


def summarize(detections: list[dict], examples: list[data.Example], labels: list[str]) -> dict:
    """AP50, AP (mean over IoU 0.50 … 0.95) and object count per label, and mAP50 and mAP, their means.

    ``detections``: one {boxes, labels, scores} per example, on the CPU. A label without objects has no AP
    (None) and no part in the means.
    """
    result = {}
    for number, name in enumerate(labels, start=1):
        objects = sum(int(((e.labels == number) & ~e.ignored).sum()) for e in examples)
        if not objects:
            result[name] = {"AP50": None, "AP": None, "objects": 0}
            continue
        per_threshold = []
        for threshold in THRESHOLDS:
            outcomes = []
            for found, example in zip(detections, examples):
                mine, real = found["labels"] == number, example.labels == number
                outcomes += match(found["boxes"][mine], found["scores"][mine], example.boxes[real],
                                  example.ignored[real], threshold)
            per_threshold.append(average_precision(outcomes, objects))
        result[name] = {"AP50": per_threshold[0], "AP": float(numpy.mean(per_threshold)), "objects": objects}
    counted = [v for v in result.values() if v["objects"]]
    for key in ("AP50", "AP"):
        result["m" + key] = float(numpy.mean([v[key] for v in counted])) if counted else None
    return result


def at_scores(detections: list[dict], examples: list[data.Example], labels: list[str]) -> dict:
    """Precision and recall of detections from a score on, at IoU 0.5, for all labels together ("all") and for each that
    has objects: {label: {score: (precision, recall)}}. No detection at all has no precision (None)."""
    result, everything, sought = {}, [], 0
    for number, name in enumerate(labels, start=1):
        objects, outcomes = 0, []
        for found, example in zip(detections, examples):
            mine, real = found["labels"] == number, example.labels == number
            objects += int((real & ~example.ignored).sum())
            outcomes += match(found["boxes"][mine], found["scores"][mine], example.boxes[real],
                              example.ignored[real], 0.5)
        if objects:
            result[name] = _at_scores(outcomes, objects)
        everything += outcomes
        sought += objects
    return {"all": _at_scores(everything, sought), **result}


def _at_scores(outcomes, objects: int) -> dict:
    rows = {}
    for score in SCORES:
        hits = [hit for value, hit in outcomes if value >= score]
        rows[score] = (sum(hits) / len(hits) if hits else None, sum(hits) / max(objects, 1))
    return rows


def evaluate(model, examples: list[data.Example], labels: list[str], device="cpu", report=None) -> dict:
    """Runs the model over the examples one by one and summarizes; leaves it in evaluation mode.

    ``report(done, total)`` is called after each image.
    """
    return summarize(detect(model, examples, device, report), examples, labels)


def detect(model, examples: list[data.Example], device="cpu", report=None) -> list[dict]:
    """What the model finds in each example: {boxes, labels, scores}, on the CPU. See ``evaluate``."""
    model.eval()
    detections = []
    with torch.no_grad():
        for done, example in enumerate(examples, start=1):
            image = example.image.read().to(device).float() / 255
            detections.append({k: v.cpu() for k, v in model([image])[0].items()})
            if report:
                report(done, len(examples))
    return detections


def progress(every: float = 10.0):
    """A ``report`` that prints a line at most every so many seconds."""
    start = last = time.monotonic()

    def report(done, total):
        nonlocal last
        now = time.monotonic()
        if now - last >= every or done == total:
            last = now
            print(f"evaluated {done}/{total} images, {done / max(now - start, 1e-9):.1f} images/s", flush=True)
    return report


def table(result: dict) -> str:
    """The result as aligned text, one label a line."""
    def figure(value):
        return "     -" if value is None else f"{value:.4f}"
    rows = [(k, v["AP50"], v["AP"], str(v["objects"])) for k, v in result.items() if isinstance(v, dict)]
    rows.append(("all", result["mAP50"], result["mAP"], ""))
    width = max(len(r[0]) for r in rows)
    return "\n".join([f"{'':{width}}    AP50     AP  objects"]
                     + [f"{n:{width}}  {figure(a)} {figure(b)} {c:>8}" for n, a, b, c in rows])


def scores_table(result: dict) -> str:
    """``at_scores`` as aligned text, one label a line: precision / recall."""
    width = max(len(name) for name in result)

    def figure(precision, recall):
        return f"{'  - ' if precision is None else f'{precision:.2f}'} / {recall:.2f}"
    head = " ".join(f"{f'score >= {score:g}':>13}" for score in SCORES)
    lines = [" ".join([f"{name:{width}}", *(f"{figure(*rows[score]):>13}" for score in SCORES)])
             for name, rows in result.items()]
    return "\n".join([f"{'':{width}} {head}", *lines])


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures a checkpoint on a recipe's test split.")
    parser.add_argument("recipe", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--split", help="default: the recipe's test split")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; default: torch's choice")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    recipe = recipes.read(arguments.recipe)
    examples = data.load(arguments.data, arguments.split or recipe.data.test, recipe.labels, recipe.data)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = models.build(recipe.model, len(recipe.labels))
    pretrained.load(model, arguments.weights)
    detections = detect(model.to(device), examples, device, progress())
    result = summarize(detections, examples, recipe.labels)
    print(table(result))
    print("\nprecision / recall at IoU 0.5")
    print(scores_table(at_scores(detections, examples, recipe.labels)))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except (recipes.RecipeError, data.DataError) as error:
        raise SystemExit(str(error)) from error
