"""Trains a detector from a recipe; the same command again continues where the last one stopped.

python3 models/train/train.py models/train/recipes/blood-cells.toml --data DIR --out blood-cells.pth

Writes the averaged weights (--out), beside them the figures (.json) and all that is needed to go on
(.checkpoint). Ctrl-C, SIGTERM and --minutes save and stop; the exit code is then 130.
"""
import argparse
import copy
import dataclasses
import json
import math
import os
import pathlib
import signal
import time

import torch
from torch import nn

import data
import evaluate
import model as models
import pretrained
import recipe as recipes
from reference import ReferenceEngine

SAVE_EVERY, REPORT_EVERY = 300.0, 15.0  # seconds
MEASURED_STEPS = (10, 60)               # --fit-minutes takes its speed from the steps between these
INTERRUPTED = 130


class Trainer:
    """Model, its moving average, optimizer and batches; one ``step`` at a time.

    State taken after any step and restored, in this process or another, continues identically on a CPU
    with the same number of threads.
    """

    def __init__(self, recipe: recipes.Recipe, examples: list[data.Example], device: str = "cpu"):
        options = recipe.train
        torch.manual_seed(options.seed)
        self.recipe, self.options, self.device = recipe, options, device
        self.model = models.build(recipe.model, len(recipe.labels), options.proposals,
                                  options.rpn_samples, options.roi_samples).to(device)
        self.average = copy.deepcopy(self.model)
        if options.engine == "batched":
            from batched import BatchedEngine  # the reference engine works without it
            self.engine = BatchedEngine(self.model, examples, options, device)
        else:
            self.engine = ReferenceEngine(self.model, examples, options, device)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, options), lr=options.rate)
        self.done, self.steps, self.seconds = 0, options.steps, 0.0

    def start(self, source: str) -> list[str]:
        """Begins with what fits of these weights; returns the names of the tensors that stay fresh."""
        fresh = pretrained.start(self.model, source, self.recipe.model)
        self.average.load_state_dict(self.model.state_dict())
        return fresh

    def rate(self) -> float:
        """The learning rate of the next step."""
        o = self.options
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, self.done / self.steps)))
        return o.rate * min(1.0, (self.done + 1) / max(1, o.warmup)) * (o.floor + (1 - o.floor) * cosine)

    def step(self) -> dict[str, torch.Tensor]:
        """One batch: losses, gradients, update, average. Raises FloatingPointError if the loss is not finite."""
        start = time.monotonic()
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate() * group["factor"]
        self.model.train()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            losses = self.engine.losses(self.done / self.steps)
        total = sum(losses.values())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"step {self.done + 1}: loss {total.item()}, gradient norm {norm.item()}; "
                                     "a smaller [train] rate or clip may help")
        self.optimizer.step()
        self.done += 1
        self._average()
        self.seconds += time.monotonic() - start
        return {name: value.detach() for name, value in losses.items()}

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.options.ema, self.done / (self.done + self.options.ema_warmup))
        for kept, now in zip(self.average.state_dict().values(), self.model.state_dict().values()):
            if kept.dtype.is_floating_point:
                kept.lerp_(now, 1 - decay)
            else:
                kept.copy_(now)  # BatchNorm's counters

    def state(self) -> dict:
        """Everything a later process needs, as tensors, whole numbers and text, which load without unpickling
        anything else."""
        return {"run": json.dumps({"recipe": dataclasses.asdict(self.recipe), "done": self.done,
                                   "steps": self.steps, "seconds": self.seconds}),
                "model": self.model.state_dict(), "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict()["state"],  # its settings follow from the recipe
                "engine": self.engine.state(), "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state() if self.device == "cuda" else None}

    def restore(self, state: dict) -> None:
        """Takes over a state. Raises RecipeError, naming the keys, if another recipe made it."""
        run = json.loads(state["run"])
        before, now = _flat(run["recipe"]), _flat(dataclasses.asdict(self.recipe))
        changed = sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))
        if changed:
            raise recipes.RecipeError(f"the checkpoint was made with other values of {', '.join(changed)}; "
                                      "put them back, or start over with --fresh")
        self.done, self.steps, self.seconds = run["done"], run["steps"], run["seconds"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict({"state": state["optimizer"],
                                        "param_groups": self.optimizer.state_dict()["param_groups"]})
        self.engine.restore(state["engine"])
        torch.set_rng_state(state["random"])
        if self.device == "cuda" and state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"])


def parameter_groups(model: nn.Module, options: recipes.TrainOptions) -> list[dict]:
    """What is trained, for AdamW: by weight decay and by the factor on the learning rate."""
    groups = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decay = options.weight_decay if options.decay_norms or parameter.dim() >= 2 else 0.0
            factor = options.body_rate if name.startswith(pretrained.BODY) else 1.0
            groups.setdefault((factor, decay), []).append(parameter)
    return [{"params": parameters, "weight_decay": decay, "factor": factor}
            for (factor, decay), parameters in groups.items()]


def _flat(table: dict, prefix: str = "") -> dict:
    """{"a": {"b": 1}} as {"a.b": 1}."""
    result = {}
    for key, value in table.items():
        result.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return result


def save(content, path: pathlib.Path) -> None:
    """Writes beside the path and renames, so that a kill in between leaves the old file whole."""
    partial = path.with_name(path.name + ".partial")
    torch.save(content, partial)
    os.replace(partial, path)


def line(trainer: Trainer, losses: dict, speed: float) -> str:
    """One line of progress. ``speed``: images per second over the last lines."""
    left = int((trainer.steps - trainer.done) * trainer.options.batch / max(speed, 1e-9))
    parts = " ".join(f"{name.removeprefix('loss_')} {value.item():.3f}" for name, value in losses.items())
    return (f"step {trainer.done}/{trainer.steps} {speed:.1f} images/s rate {trainer.rate():.1e} "
            f"loss {sum(losses.values()).item():.3f} ({parts}) "
            f"left {left // 3600}:{left // 60 % 60:02}:{left % 60:02}")


def run(trainer: Trainer, checkpoint: pathlib.Path, minutes: float | None, fit_minutes: float | None) -> bool:
    """Steps until the end, a signal or the time limit; saves the checkpoint. True when all steps are done."""
    stopping = []

    def stop(number, frame):
        stopping.append(number)
        signal.signal(number, signal.SIG_DFL)  # a second one ends at once
    previous = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    start = saved = shown = time.monotonic()
    shown_at = first = trainer.done
    measured = None
    try:
        while trainer.done < trainer.steps and not stopping:
            losses = trainer.step()
            now = time.monotonic()
            if trainer.done == MEASURED_STEPS[0]:
                measured = trainer.seconds
            if fit_minutes and trainer.done == MEASURED_STEPS[1] and measured is not None:
                each = (trainer.seconds - measured) / (MEASURED_STEPS[1] - MEASURED_STEPS[0])
                trainer.steps = max(trainer.done, int(fit_minutes * 60 / each))
                print(f"{each:.3f} s a step: {trainer.steps} steps in {fit_minutes:g} minutes", flush=True)
            if now - shown >= REPORT_EVERY or trainer.done in (first + 1, trainer.steps):
                speed = (trainer.done - shown_at) * trainer.options.batch / max(now - shown, 1e-9)
                print(line(trainer, losses, speed), flush=True)
                shown, shown_at = now, trainer.done
            if now - saved >= SAVE_EVERY:
                save(trainer.state(), checkpoint)
                saved = now
            if minutes is not None and now - start >= minutes * 60:
                break
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    save(trainer.state(), checkpoint)
    return trainer.done >= trainer.steps


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains a detector from a recipe; run again to continue.")
    parser.add_argument("recipe", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the data")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="weights to write, FILE.pth")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. train.steps=200")
    parser.add_argument("--init", metavar="WEIGHTS", help="in place of the recipe's init; see pretrained.py")
    parser.add_argument("--fresh", action="store_true", help="start over even if there is a checkpoint")
    parser.add_argument("--minutes", type=float, help="save and stop after this time")
    parser.add_argument("--fit-minutes", type=float, help="choose the number of steps to take this long")
    parser.add_argument("--half", action="store_true", help="write the weights as fp16")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; default: torch's choice")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    recipe = recipes.read(arguments.recipe, arguments.set)
    train, test = (data.load(arguments.data, split, recipe.labels, recipe.data)
                   for split in (recipe.data.train, recipe.data.test))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"{recipe.name}: {len(train)} training and {len(test)} test images", flush=True)
    trainer = Trainer(recipe, train, device)  # the batched engine reads all images here
    print(f"{sum(p.numel() for p in trainer.model.parameters()) / 1e6:.1f} M parameters on {device}", flush=True)
    checkpoint = arguments.out.with_suffix(".checkpoint")
    if checkpoint.exists() and not arguments.fresh:
        trainer.restore(torch.load(checkpoint, map_location="cpu", weights_only=True))
        print(f"continuing {checkpoint} after step {trainer.done}", flush=True)
    elif source := arguments.init or recipe.model.init:
        fresh = trainer.start(source)
        print(f"started from {source}; fresh: {', '.join(fresh) or 'nothing'}", flush=True)
    finished = run(trainer, checkpoint, arguments.minutes, arguments.fit_minutes)
    weights = trainer.average.state_dict()
    save({k: v.half() if arguments.half and v.is_floating_point() else v.cpu() for k, v in weights.items()},
         arguments.out)
    if not finished:
        print(f"stopped after step {trainer.done} of {trainer.steps}; the same command continues", flush=True)
        return INTERRUPTED
    result = evaluate.evaluate(trainer.average, test, recipe.labels, device, evaluate.progress())
    print(evaluate.table(result))
    figures = {"test": result, "steps": trainer.done, "minutes": round(trainer.seconds / 60, 1),
               "device": device, "images": len(train), "recipe": dataclasses.asdict(recipe)}
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except (recipes.RecipeError, data.DataError, FloatingPointError) as error:
        raise SystemExit(str(error)) from error
