"""What a training run is made of: a TOML file read into checked, documented values.

An unknown key, a missing one or a value of the wrong type stops the run with one line that names it.
"""
import dataclasses
import pathlib
import tomllib


class RecipeError(ValueError):
    """The recipe cannot be used; the message names the file and the key."""


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """Where examples come from. Formats and folder layouts: see ``data.py``."""
    format: str                   # "voc", "coco" or "annotations"
    train: str                    # name of the split to train on
    test: str                     # name of the split to measure on
    min_box_side: float = 2.0     # pixels; boxes with a shorter side are left out
    one_based: bool = False       # VOC only: true where pixel 1 is the first (the challenge's own files)
    other_labels: str = "error"   # "error", or "skip" objects whose class the recipe does not list


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """Shape of the network; one entry of ``anchor_sizes`` per level P2…P6."""
    blocks: list[int]             # basic blocks per stage; [2, 2, 2, 2] is ResNet-18
    width: int                    # channels of the first stage; 64 is the paper's
    fpn_channels: int
    head_channels: int            # both layers of the box head
    fpn_norm: str = "none"        # "none" or "batch"
    min_size: int = 800           # pixels; short side at inference
    max_size: int = 1333          # pixels; long side at most
    anchor_sizes: list[list[int]] = dataclasses.field(
        default_factory=lambda: [[32], [64], [128], [256], [512]])
    aspect_ratios: list[float] = dataclasses.field(default_factory=lambda: [0.5, 1.0, 2.0])
    proposals: int = 1000         # kept per image after NMS at inference
    detections: int = 100         # per image, at most
    init: str = ""                # weights to start from, where they fit: see pretrained.py
    norms: str = "train"          # batch norms of the body: "train", "freeze" (as they come), or "fold" (the scale
                                  # goes into the convolution before; only the bias is left, and trained)
    frozen_stages: int = 0        # of the body, not trained: 1 the stem, 2 also the first stage … 5 all


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """The loop. Learning rate: linear warm-up, then a cosine from 1 to ``floor`` times ``rate``."""
    engine: str                   # "reference": torchvision's own losses; "batched": see batched.py
    steps: int
    batch: int                    # images per step
    rate: float                   # AdamW learning rate at its peak
    weight_decay: float
    decay_norms: bool = True      # whether weight decay also acts on biases and norms
    body_rate: float = 1.0        # factor on the rate in the body: less where it starts from trained weights
    warmup: int = 100             # steps
    floor: float = 0.02
    clip: float = 5.0             # largest gradient norm
    ema: float = 0.998            # decay of the averaged weights, which are the ones kept
    ema_warmup: int = 20          # steps; at step t the decay is at most t / (t + ema_warmup)
    sizes: list[int] = dataclasses.field(default_factory=list)  # reference: short sides drawn per image
    side: int = 416               # batched: side of the square canvas, pixels
    mosaic: float = 0.0           # batched: share of canvases made of four images
    proposals: int = 600          # kept per image after NMS in training
    rpn_samples: int = 256        # anchors per image in the RPN loss
    roi_samples: int = 256        # RoIs per image in the head's loss
    flip_horizontal: bool = True
    flip_vertical: bool = False
    brightness: float = 0.2       # factor in 1 ± this
    offset: float = 0.0           # added, ± this (images are 0…1)
    contrast: float = 0.0         # factor on the distance from the mean, in 1 ± this
    saturation: float = 0.0       # factor on the distance from gray, in 1 ± this
    tint: float = 0.07            # factor per color channel, in 1 ± this
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """``labels`` are numbered from 1 in their order; 0 is the background."""
    name: str
    labels: list[str]
    data: DataOptions
    model: ModelOptions
    train: TrainOptions


CHOICES = {"format": ("voc", "coco", "annotations"), "other_labels": ("error", "skip"),
           "fpn_norm": ("none", "batch"), "norms": ("train", "freeze", "fold"), "engine": ("reference", "batched")}


def read(path: pathlib.Path, overrides: list[str] = ()) -> Recipe:
    """Reads a recipe. ``overrides`` are lines such as ``train.steps=200``, TOML on the right."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for line in overrides:
            key, _, value = line.partition("=")
            section, _, name = key.strip().rpartition(".")
            target = table.setdefault(section, {}) if section else table
            target[name] = tomllib.loads(f"value = {value}")["value"]
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return parse(table, str(path))


def parse(table: dict, where: str) -> Recipe:
    """Turns a table into a Recipe. Raises RecipeError, prefixed with ``where``."""
    sections = {"data": DataOptions, "model": ModelOptions, "train": TrainOptions}
    for name in sections:
        if not isinstance(table.get(name), dict):
            raise RecipeError(f"{where}: section [{name}] is missing")
    values = {name: _section(cls, table[name], f"{where}: [{name}]") for name, cls in sections.items()}
    recipe = _section(Recipe, {**table, **values}, where)
    if not recipe.labels or len(set(recipe.labels)) != len(recipe.labels):
        raise RecipeError(f"{where}: labels must be at least one name, each once")
    if len(recipe.model.blocks) != 4:
        raise RecipeError(f"{where}: [model] blocks: four stages are needed")
    if len(recipe.model.anchor_sizes) != 5:
        raise RecipeError(f"{where}: [model] anchor_sizes: five levels (P2…P6) are needed")
    if not 0 <= recipe.model.frozen_stages <= 5:
        raise RecipeError(f"{where}: [model] frozen_stages: from 0 to 5")
    for name in ("steps", "batch"):
        if getattr(recipe.train, name) < 1:
            raise RecipeError(f"{where}: [train] {name}: at least 1")
    return recipe


def _section(cls, table: dict, where: str):
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            raise RecipeError(f"{where}: unknown key {key}; known: {', '.join(fields)}")
    values = {}
    for name, field in fields.items():
        if name not in table:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise RecipeError(f"{where}: {name} is missing")
            continue
        values[name] = _checked(table[name], field.type, f"{where} {name}")
        if name in CHOICES and values[name] not in CHOICES[name]:
            raise RecipeError(f"{where} {name}: one of {', '.join(CHOICES[name])}, not {values[name]!r}")
    return cls(**values)


def _checked(value, kind, where: str):
    origin = getattr(kind, "__origin__", kind)
    if origin is list and isinstance(value, list):
        return [_checked(v, kind.__args__[0], where) for v in value]
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, origin) or (isinstance(value, bool) and origin is not bool):
        raise RecipeError(f"{where}: {origin.__name__} expected, not {value!r}")
    return value
