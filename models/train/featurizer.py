"""Turns the ResNet of the NuGet package Microsoft.ML.DnnImageFeaturizer.ResNet18 into a state dict as torchvision's.

    featurizer.py PACKAGE.nupkg resnet18.pth [--check PICTURE]

The package (MIT; version 0.23.1 was tried) holds ResNet18.onnx, trained on ImageNet with CNTK: in truth of 2, 2, 2 and
3 blocks. It takes B, G, R in 0…255 less a mean image; the state dict takes what torchvision's models take, since the
first convolution is turned round and scaled. The constant between the two means is left out.

--check computes the pooled features of a picture with PyTorch and with ONNX Runtime (the Python package onnxruntime),
and fails if one of them differs by more than 1e-4. PACKAGE may also be the ResNet18.onnx itself.
"""
import argparse
import pathlib
import zipfile

import numpy
import onnx
import torch
from onnx import numpy_helper
from PIL import Image

from model import residual_network
from recipe import RecipeError

GRAPH = "tools/DnnImageModels/ResNet18Onnx/ResNet18.onnx"
STD = torch.tensor([0.229, 0.224, 0.225])  # torchvision's, of R, G, B
MEAN = torch.tensor([0.485, 0.456, 0.406])
NORM = ("weight", "bias", "running_mean", "running_var")  # of a batch norm, in ONNX's order
SIDE = 224
TOLERANCE = 1e-4


def read_graph(path: pathlib.Path) -> onnx.ModelProto:
    """The network's graph, from the package or from a file of its own. Raises RecipeError without one."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                return onnx.load_model_from_string(package.read(GRAPH))
        return onnx.load(path)
    except (OSError, KeyError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    except Exception as error:  # protobuf's own
        raise RecipeError(f"{path}: cannot be read as ONNX ({type(error).__name__})") from None


def convolutions(graph: onnx.GraphProto) -> list[dict[str, torch.Tensor]]:
    """Weight, and figures of the batch norm behind it, of each convolution in the order in which they run.

    Raises RecipeError where a convolution has no batch norm, or one of another eps than torch's.
    """
    values = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    norms = {node.input[0]: node for node in graph.node if node.op_type == "BatchNormalization"}
    found = []
    for node in graph.node:
        if node.op_type == "Conv":
            norm = norms.get(node.output[0])
            eps = next((a.f for a in norm.attribute if a.name == "epsilon"), 1e-5) if norm else None
            if eps is None or abs(eps - 1e-5) > 1e-9:
                raise RecipeError(f"convolution {node.name}: expected a batch norm with eps 1e-5 behind it, not {eps}")
            figures = (values[name] for name in norm.input[1:5])
            found.append({"conv": values[node.input[1]], **dict(zip(NORM, figures))})
    return found


def blocks_of(found: list[dict]) -> list[list[list[dict]]]:
    """The convolutions after the first, by stage and block; the 1×1, which shrinks what goes past it, comes last."""
    stages, rest = [], found[1:]
    while rest:
        main = [f for f in rest[:3] if f["conv"].shape[2] > 1][:2]
        if len(main) < 2:
            raise RecipeError("the graph is no ResNet of basic blocks: its convolutions do not pair")
        sides = (main[1]["conv"].shape[0], main[0]["conv"].shape[1], 1, 1)
        shrinks = [f for f in rest[:3] if f["conv"].shape == sides]
        if shrinks or not stages:
            stages.append([])
        stages[-1].append([*main, *shrinks])
        rest = rest[2 + len(shrinks):]
    return stages


def state_dict(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """The graph's weights by torchvision's names of a ResNet; for images normalized as torchvision does."""
    found = convolutions(graph)
    state = {}

    def put(convolution, norm, figures):
        state[f"{convolution}.weight"] = figures["conv"].contiguous()
        for name in NORM:
            state[f"{norm}.{name}"] = figures[name]
        state[f"{norm}.num_batches_tracked"] = torch.tensor(0)

    first = found[0]["conv"].flip(1) * (255 * STD)[None, :, None, None]
    put("conv1", "bn1", {**found[0], "conv": first})
    for number, blocks in enumerate(blocks_of(found), start=1):
        for index, (one, two, *shrinks) in enumerate(blocks):
            block = f"layer{number}.{index}"
            put(f"{block}.conv1", f"{block}.bn1", one)
            put(f"{block}.conv2", f"{block}.bn2", two)
            for figures in shrinks:
                put(f"{block}.downsample.0", f"{block}.downsample.1", figures)
    return state


def network_of(state: dict[str, torch.Tensor]) -> torch.nn.Module:
    """A ResNet of basic blocks with these weights, in evaluation; it gives pooled features [N, C]."""
    blocks = [len({name.split(".")[1] for name in state if name.startswith(f"layer{stage}.")}) for stage in range(1, 5)]
    network = residual_network(blocks, state["conv1.weight"].shape[0])
    network.fc = torch.nn.Identity()
    network.load_state_dict(state)
    return network.eval()


def normalized(picture: pathlib.Path) -> torch.Tensor:
    """A picture as torchvision's models take it: [1, 3, 224, 224]."""
    with Image.open(picture) as image:
        pixels = numpy.asarray(image.convert("RGB").resize((SIDE, SIDE)), dtype=numpy.float32) / 255
    return ((torch.from_numpy(pixels) - MEAN) / STD).permute(2, 0, 1)[None].contiguous()


def largest_difference(model: onnx.ModelProto, state: dict[str, torch.Tensor], picture: pathlib.Path) -> float:
    """Between PyTorch's and ONNX Runtime's pooled features of a picture."""
    import onnxruntime
    image = normalized(picture)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    # What the graph was made for: B, G, R in 0…255, here less torchvision's mean.
    bytes_like = (image * (255 * STD)[None, :, None, None]).flip(1).numpy()
    wanted = session.run(None, {session.get_inputs()[0].name: bytes_like})[0].reshape(-1)
    with torch.no_grad():
        found = network_of(state)(image).numpy().reshape(-1)
    return float(numpy.abs(found - wanted).max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path, metavar="PICTURE", help="compare with ONNX Runtime")
    arguments = parser.parse_args()
    model = read_graph(arguments.package)
    state = state_dict(model.graph)
    if arguments.check:
        difference = largest_difference(model, state, arguments.check)
        print(f"pooled features differ by {difference:.1e} at most")
        if difference > TOLERANCE:
            raise RecipeError(f"{arguments.package}: the features differ by more than {TOLERANCE:g}")
    torch.save(state, arguments.out)
    print(f"{arguments.out}: {sum(v.numel() for v in state.values()) / 1e6:.1f} M figures")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except RecipeError as error:
        raise SystemExit(str(error)) from error
