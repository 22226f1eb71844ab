"""Weights to start from or to measure: this trainer's files, torchvision's named weights, and model packages.

    resnet18.pth                      a state dict of a detector, or of a torchvision ResNet alone
    ResNet18_Weights.IMAGENET1K_V1    torchvision's, which downloads them once
    models/blood-cells                a two-stage package that models/export made
"""
import pathlib
import pickle
import re
import sys

import torch
from torch import nn
from torchvision.models import get_weight

from model import fold_norms
from recipe import ModelOptions, RecipeError

EXPORT = pathlib.Path(__file__).resolve().parent.parent / "export"
BODY = "backbone.body."
EPS = 1e-5  # of torch's batch norms


def load(model: nn.Module, path) -> None:
    """Loads a state dict saved by this trainer (fp32 or fp16). Raises RuntimeError where a name or a shape differs."""
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))


def start(model: nn.Module, source: str, options: ModelOptions) -> list[str]:
    """Gives the model what fits of a source's weights, so that a model for other labels begins with what a trained one
    knows, and folds its norms if the options say so. Returns the names of the tensors that stay fresh.

    Raises RecipeError if there is no such source, or nothing of it fits.
    """
    weights = read(source)
    own = model.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise RecipeError(f"{source}: none of its {len(weights)} tensors fits the recipe's network (blocks, width)")
    model.load_state_dict(fitting, strict=False)
    if options.norms == "fold":
        fold_norms(model.backbone.body)
    return [k for k in own if k not in fitting and not k.endswith("num_batches_tracked")]


def read(source: str) -> dict[str, torch.Tensor]:
    """Tensors by a detector's names. Raises RecipeError if the source is unknown or cannot be read."""
    path = pathlib.Path(source)
    if path.is_dir():
        return read_package(path)
    try:
        if path.is_file():
            state = torch.load(path, map_location="cpu", weights_only=True)
        else:
            state = get_weight(source).get_state_dict(progress=False)
    except (ValueError, KeyError, AttributeError):
        raise RecipeError(f"{source}: neither a file, nor a package's folder, nor a name of torchvision's") from None
    except (pickle.UnpicklingError, RuntimeError, OSError) as error:
        raise RecipeError(f"{source}: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise RecipeError(f"{source}: not a state dict (names to tensors)")
    if "conv1.weight" in state:  # a classifier: its last layer has no place here
        return {BODY + name: value for name, value in state.items() if not name.startswith("fc.")}
    return state


def read_package(folder: pathlib.Path) -> dict[str, torch.Tensor]:
    """The weights in a package's graphs, whose norms were folded: they come back as norms that only add a bias."""
    sys.path.insert(0, str(EXPORT))
    from errors import ExportError
    from graph_editor import GraphEditor
    from onnx import numpy_helper
    from package_reader import SourcePackage
    try:
        package = SourcePackage(str(folder))
        graphs = {"": GraphEditor(package.graph("backbone")), "roi_heads.": GraphEditor(package.graph("head"))}
    except ExportError as error:
        raise RecipeError(str(error)) from error
    state = {}
    for prefix, graph in graphs.items():
        for node in graph.graph.node:
            if node.op_type in ("Conv", "Gemm"):
                weight, bias = (torch.from_numpy(numpy_helper.to_array(graph.constants[name]).copy())
                                for name in node.input[1:3])
                if node.input[1].endswith(".weight"):
                    module = prefix + node.input[1].removeprefix("detector.").removesuffix(".weight")
                    state |= {f"{module}.weight": weight, f"{module}.bias": bias}
                else:  # folded: the exporter names the weight by a number, and the node by its module
                    module = module_of(node.name)
                    state |= {f"{module}.weight": weight, **plain_norm(norm_behind(module), bias)}
    return state


def plain_norm(name: str, bias: torch.Tensor) -> dict[str, torch.Tensor]:
    """The state of a batch norm that only adds a bias."""
    return {f"{name}.weight": torch.ones_like(bias), f"{name}.bias": bias,
            f"{name}.running_mean": torch.zeros_like(bias), f"{name}.running_var": torch.full_like(bias, 1 - EPS)}


def module_of(node: str) -> str:
    """The module of a node: /backbone/body/layer1/layer1.0/conv1/Conv is of backbone.body.layer1.0.conv1."""
    parts = []
    for part in node.strip("/").split("/")[:-1]:
        if parts and part.startswith(parts[-1] + "."):
            parts.pop()
        parts.append(part)
    return ".".join(parts)


def norm_behind(convolution: str) -> str:
    """The name of the batch norm that takes a convolution's output: bn1 of conv1, downsample.1 of downsample.0."""
    owner, _, name = convolution.rpartition(".")
    return f"{owner}.{name.replace('conv', 'bn')}" if re.match(r"conv\d", name) else f"{owner}.{int(name) + 1}"
