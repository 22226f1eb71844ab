"""torchvision's Faster R-CNN ResNet-50-FPN on this machine's GPU: images per second by batch, eager and compiled.

    torch_race.py --out torch.json [--device cuda|cpu] [--limit 240] [--batches 1,2,4,8,16,32] [--quick]

Random weights; as many proposals of each image as the service's package of the same architecture has. The images are
on the device before the clock starts and the answers stay there. The file is written anew after every measurement,
so that whoever ends this process loses only the rest. Needs torch 1.13 or later with torchvision 0.14 or later.
"""
import argparse
import contextlib
import importlib
import json
import os
import statistics
import sys
import time

import torch
import torchvision
from torch import nn

PROPOSALS = 1000
BATCHES = (1, 2, 4, 8, 16, 32)
QUICK_SIDES = (96, 128)
SIDES = (800, 1333)  # of the resized image; the model pads it to 800 x 1344
WARM_UP_RUNS = 3


class Race:
    """The measurements, kept in a file."""

    def __init__(self, arguments):
        self.arguments, self.ends = arguments, time.monotonic() + arguments.limit
        self.device = torch.device(arguments.device)
        self.sides = QUICK_SIDES if arguments.quick else SIDES
        self.proposals = 100 if arguments.quick else PROPOSALS
        self.report = {
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "device": torch.cuda.get_device_name() if self.on_gpu else f"cpu, {torch.get_num_threads()} threads",
            "image": "{}x{}".format(*self.sides),
            "proposals": self.proposals,
            "runs": [],
            "notes": [],
        }

    @property
    def on_gpu(self):
        return self.device.type == "cuda"

    @property
    def is_over(self):
        return time.monotonic() > self.ends

    def write(self):
        """Replaces the file; a reader finds the old text or the new one."""
        with open(self.arguments.out + ".new", "w", encoding="utf-8") as file:
            json.dump(self.report, file, indent=1)
        os.replace(self.arguments.out + ".new", self.arguments.out)

    def note(self, text):
        self.report["notes"].append(text)
        self.write()

    def add(self, way, precision, kind, batch, **figures):
        run = {"way": way, "precision": precision, "kind": kind, "batch": batch, **figures}
        self.report["runs"].append(run)
        self.write()
        print(json.dumps(run), file=sys.stderr)


def build(race):
    """The detector in evaluation on the device. Batch norms hold statistics of random images: with the initial ones the
    activations of the random network would leave the range of float16."""
    torch.manual_seed(0)
    detector = torchvision.models.detection.fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        min_size=min(race.sides),
        max_size=max(race.sides),
        rpn_pre_nms_top_n_test=race.proposals,
        rpn_post_nms_top_n_test=race.proposals,
        rpn_nms_thresh=1.0,  # nothing is suppressed, so that each image has all its proposals
    )
    detector.to(race.device).eval()
    norms = [module for module in detector.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average
        norm.train()
    with torch.no_grad():
        detector.backbone(torch.randn(2, 3, 128, 160, device=race.device))
    for norm in norms:
        norm.eval()
    return detector


def set_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def arithmetics(race):
    """(precision, kind) -> how a detector and its images are prepared, and what surrounds a run."""
    if not race.on_gpu:
        return [("fp32", "float32", torch.float32, contextlib.nullcontext)]
    autocast = lambda: torch.autocast("cuda", dtype=torch.float16)  # noqa: E731
    return [
        ("tf32", "float32, TF32 allowed", torch.float32, contextlib.nullcontext),
        ("fp16", "autocast", torch.float32, autocast),
        ("fp16", "half", torch.float16, contextlib.nullcontext),
        ("fp32", "float32", torch.float32, contextlib.nullcontext),
    ]


def measure(race, run):
    """Seconds of each of several runs, after some that are not counted."""
    wait = torch.cuda.synchronize if race.on_gpu else (lambda: None)
    seconds = 0.2 if race.arguments.quick else 2.0
    for _ in range(1 if race.arguments.quick else WARM_UP_RUNS):
        run()
    wait()
    times, begun = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        started = time.perf_counter()
        run()
        wait()
        times.append(time.perf_counter() - started)
    return times


def check_proposals(race, detector, images, surround):
    """Fails unless every image has the pinned number of proposals."""
    counts = []
    hook = detector.rpn.register_forward_hook(lambda module, inputs, output: counts.extend(map(len, output[0])))
    try:
        with torch.no_grad(), surround():
            detector(images)
    finally:
        hook.remove()
    if set(counts) != {race.proposals}:
        raise RuntimeError(f"{sorted(set(counts))} proposals an image instead of {race.proposals}")


def race_one(race, way, detector, batches, precision, kind, dtype, surround):
    """Adds a run for each batch; an error ends the row and is reported. Returns the batch with the best throughput."""
    set_tf32(precision == "tf32")
    detector = detector.to(dtype)
    best_batch, best = None, 0.0
    for batch in batches:
        if race.is_over:
            race.note(f"Time was up before {way}, {precision} ({kind}), batch {batch}.")
            break
        try:
            run = detector
            if way == "compile":
                importlib.import_module("torch._dynamo").reset()  # torch 1 has none
                run = torch.compile(detector)
            images = [torch.rand(3, *race.sides, device=race.device).to(dtype) for _ in range(batch)]
            if way == "eager" and batch == batches[0]:
                check_proposals(race, detector, images, surround)
            with torch.no_grad(), surround():
                times = measure(race, lambda: run(images))
            rate = batch / statistics.mean(times)
            race.add(way, precision, kind, batch, imagesPerSecond=rate, medianMs=1000 * statistics.median(times))
            if rate > best:
                best_batch, best = batch, rate
        except Exception as error:  # whatever this version of torch cannot do is part of the result
            race.add(way, precision, kind, batch, error=f"{type(error).__name__}: {error}".splitlines()[0][:200])
            break
    return best_batch


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="torch_race.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="the JSON file to write")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--limit", type=float, default=240, help="seconds after which no measurement begins")
    parser.add_argument("--batches", type=lambda text: [int(part) for part in text.split(",")], default=list(BATCHES))
    parser.add_argument("--quick", action="store_true", help="a small image and few runs: a trial of the script")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here")
    torch.backends.cudnn.benchmark = True  # all shapes are fixed: the best algorithm for each
    race = Race(options)
    race.write()
    detector = build(race)
    batches = options.batches[:2] if options.quick else options.batches
    best = {}
    for precision, kind, dtype, surround in arithmetics(race):
        best[kind] = race_one(race, "eager", detector, batches, precision, kind, dtype, surround)
    if not race.on_gpu:
        race.note("fp16: not measured on a CPU.")
    if not hasattr(torch, "compile"):
        race.note(f"torch.compile: not measured, torch {torch.__version__} has none.")
    elif options.quick:
        race.note("torch.compile: not measured in a quick trial; compiling takes minutes.")
    else:
        # Compiled for each batch anew, which takes long: the best eager batch, then single images.
        for precision, kind, dtype, surround in arithmetics(race):
            for batch in dict.fromkeys(b for b in (best[kind], 1) if b):
                race_one(race, "compile", detector, [batch], precision, kind, dtype, surround)
    print(json.dumps(race.report))


if __name__ == "__main__":
    main()
