"""torchvision's Faster R-CNN ResNet-50-FPN on this machine's GPU: images per second by batch, TF32 and half.

    torch_race.py --out torch.json [--device cuda|cpu] [--limit 100] [--batches 8,16] [--compile] [--quick]

Needs nothing but this file and torch 1.13 or later with torchvision 0.14 or later. Random weights; as many proposals of
each image as the service's package of the same architecture has. The images are on the device before the clock starts
and the answers stay there. The file is written anew after every measurement, so that ending this process loses only
the rest.
"""
import argparse
import importlib
import json
import os
import statistics
import sys
import time

STARTED = time.monotonic()  # importing torch from a cold disk is part of the time that there is

import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import nn  # noqa: E402

PROPOSALS = 1000
BATCHES = (8, 16)
QUICK_BATCHES = (1, 2)
QUICK_SIDES = (96, 128)
SIDES = (800, 1333)  # of the resized image; the model pads it to 800 x 1344
WARM_UP_RUNS = 2
SECONDS = 1.5


class Race:
    """The measurements, kept in a file."""

    def __init__(self, arguments):
        self.arguments, self.ends = arguments, STARTED + arguments.limit
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
    """What is raced, the most important first: (precision, dtype, whether channels come last)."""
    if not race.on_gpu:
        return [("fp32", torch.float32, True), ("fp32", torch.float32, False)]
    return [
        (precision, dtype, channels_last)
        for channels_last in (True, False)
        for precision, dtype in (("fp16", torch.float16), ("tf32", torch.float32))
    ]


def kind_of(precision, channels_last):
    names = {"fp16": "half", "tf32": "float32, TF32 allowed", "fp32": "float32"}
    return names[precision] + (", channels last" if channels_last else "")


def measure(race, run):
    """Seconds of each of several runs, after some that are not counted."""
    wait = torch.cuda.synchronize if race.on_gpu else (lambda: None)
    seconds = 0.2 if race.arguments.quick else SECONDS
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


def count_proposals(detector, images):
    """Proposals of each image; times compare only where each has the pinned number."""
    counts = []
    hook = detector.rpn.register_forward_hook(lambda module, inputs, output: counts.extend(map(len, output[0])))
    try:
        with torch.no_grad():
            detector(images)
    finally:
        hook.remove()
    return counts


def prepare(detector, dtype, channels_last):
    """The detector in an arithmetic and a layout. Its other buffers keep their type."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return detector.to(dtype=dtype).to(memory_format=layout)


def race_one(race, way, detector, precision, dtype, channels_last, batches):
    """Adds a run for each batch; an error ends the row and is reported. Returns the batch with the best throughput."""
    kind = kind_of(precision, channels_last)
    set_tf32(precision == "tf32")
    best_batch, best = None, 0.0
    for batch in batches:
        if race.is_over:
            race.note(f"Time was up before {way}, {kind}, batch {batch}.")
            break
        try:
            run = detector = prepare(detector, dtype, channels_last)
            images = [torch.rand(3, *race.sides, device=race.device).to(dtype) for _ in range(batch)]
            counts = count_proposals(detector, images)
            if set(counts) != {race.proposals}:
                race.note(f"{kind}, batch {batch}: {min(counts)} to {max(counts)} proposals an image.")
            if way == "compile":
                importlib.import_module("torch._dynamo").reset()  # torch 1 has none
                run = torch.compile(detector)
            with torch.no_grad():
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
    parser.add_argument("--limit", type=float, default=100, help="seconds after which no measurement begins")
    parser.add_argument("--batches", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which takes minutes")
    parser.add_argument("--quick", action="store_true", help="a small image and few runs: a trial of the script")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here")
    if options.compile and not hasattr(torch, "compile"):
        parser.error(f"torch {torch.__version__} cannot compile")
    torch.backends.cudnn.benchmark = True  # all shapes are fixed: the best algorithm for each
    race = Race(options)
    race.write()
    detector = build(race)
    race.report["readySeconds"] = time.monotonic() - STARTED
    batches = options.batches or (QUICK_BATCHES if options.quick else BATCHES)
    best = {}
    for way in arithmetics(race):
        best[way] = race_one(race, "eager", detector, *way, batches)
    # Compiled for each batch anew, so only the best eager one.
    for way, batch in best.items() if options.compile else ():
        race_one(race, "compile", detector, *way, [batch] if batch else [])
    print(json.dumps(race.report))


if __name__ == "__main__":
    main()
