"""Rebuilds a torchvision FPN Faster R-CNN from the shapes in its state dict."""
import itertools
import math
import re
from unittest import mock

import torch
from torch import nn
from torchvision.models import mobilenet_v3_large
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN, _mobilenet_extractor
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.ops import MultiScaleRoIAlign

import safe_pickle
from errors import ExportError

_OTHER_HEADS = re.compile(r"roi_heads\.(mask|keypoint)_")


def read_state_dict(path):
    """Tensors by name, without the prefix of DataParallel and without mask and keypoint heads."""
    try:
        # torch 1.13.0 takes its own pickle whatever is given, so that its name is lent to ours.
        with mock.patch.object(torch.serialization, "pickle", safe_pickle):
            loaded = torch.load(path, map_location="cpu", pickle_module=safe_pickle, weights_only=False)
    except FileNotFoundError:
        raise ExportError(f"{path}: no such file") from None
    except Exception as error:  # bytes that are no checkpoint fail in any way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExportError(
            f"{path}: not a file of tensors; save model.state_dict() with torch.save ({reason})") from None
    if isinstance(loaded, safe_pickle.StandIn):
        raise ExportError(f"{path}: a whole model, which only its own program can load: "
                          'there, torch.save(model.state_dict(), "weights.pth")')
    for wrapper in ("model", "state_dict", "model_state_dict"):
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
    if not isinstance(loaded, dict) or not all(isinstance(v, torch.Tensor) for v in loaded.values()):
        raise ExportError(f"{path}: not a state dict (names to tensors)")
    if all(key.startswith("module.") for key in loaded):
        loaded = {key[len("module.") :]: value for key, value in loaded.items()}
    return {key: value for key, value in _modernise(loaded).items() if not _OTHER_HEADS.match(key)}


def _modernise(state):
    """Names of torchvision before 0.13 (one convolution a block) become today's, as torchvision does on loading."""
    renamed = {}
    for key, value in state.items():
        key = re.sub(r"(fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$", r"\1.0.\2", key)
        renamed[re.sub(r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.head.conv.0.0.\1", key)] = value
    return renamed


def build_detector(state, norm_eps, anchor_sizes, aspect_ratios, sampling_ratio=2, **settings):
    """A FasterRCNN in evaluation with the weights of `state`.

    `anchor_sizes` (one tuple a level) may be None for the usual ones; `sampling_ratio` is RoIAlign's, 0 for as many
    samples as a cell has pixels; `settings` are FasterRCNN's keyword arguments.
    """
    if not any(key.startswith("backbone.fpn.") for key in state):
        first = next(iter(state), "nothing")
        raise ExportError(f"not an FPN Faster R-CNN of torchvision: no backbone.fpn.* among the names (first: {first})")
    for key in ("rpn.head.cls_logits.weight", "roi_heads.box_predictor.cls_score.weight"):
        if key not in state:
            raise ExportError(f"not a Faster R-CNN of torchvision: {key} is missing")
    mobilenet = "backbone.body.0.0.weight" in state
    backbone = _mobilenet_backbone(state) if mobilenet else _resnet_backbone(state)
    anchors = _anchor_generator(state, len(backbone.fpn.inner_blocks) + 1, mobilenet, anchor_sizes, aspect_ratios)
    depth = _count(state, r"rpn\.head\.conv\.(\d+)\.")
    channels = backbone.out_channels
    box_head, resolution, width = _box_head(state, channels)
    detector = FasterRCNN(
        backbone,
        rpn_anchor_generator=anchors,
        rpn_head=RPNHead(channels, anchors.num_anchors_per_location()[0], conv_depth=depth),
        box_roi_pool=MultiScaleRoIAlign(["0", "1", "2", "3"], resolution, sampling_ratio),
        box_head=box_head,
        box_predictor=FastRCNNPredictor(width, state["roi_heads.box_predictor.cls_score.weight"].shape[0]),
        **settings,
    )
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = norm_eps
    _load(detector, state)
    return detector.eval()


def _load(detector, state):
    try:
        missing, unexpected = detector.load_state_dict(state, strict=False)
    except RuntimeError as error:
        detail = str(error).splitlines()[-1].strip()
        raise ExportError(f"the checkpoint's shapes do not make a torchvision Faster R-CNN: {detail}") from None
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]  # frozen norms have no such counter
    if missing or unexpected:
        which = f"lacks {missing[0]}" if missing else f"has {unexpected[0]}, which has no place in it"
        raise ExportError(f"not a torchvision FPN Faster R-CNN: the checkpoint {which}")


def _count(state, pattern):
    return len({match.group(1) for match in (re.match(pattern, key) for key in state) if match})


def _resnet_backbone(state):
    body, fpn = "backbone.body.", "backbone.fpn."
    if body + "conv1.weight" not in state or body + "layer1.0.conv1.weight" not in state:
        raise ExportError("the backbone is neither a ResNet nor MobileNetV3-Large of torchvision")
    bottleneck = body + "layer1.0.conv3.weight" in state
    block = Bottleneck if bottleneck else BasicBlock
    stages = _count(state, r"backbone\.body\.layer(\d)\.")
    last = "conv3" if bottleneck else "conv2"
    outputs = [state[f"{body}layer{i}.0.{last}.weight"].shape[0] for i in range(1, stages + 1)]
    counts = [_count(state, rf"backbone\.body\.layer{i}\.(\d+)\.") for i in range(1, stages + 1)]

    net = ResNet(block, [1, 1, 1, 1])
    if bottleneck:  # ResNeXt has groups, Wide ResNet a wider middle
        middle = state[body + "layer1.0.conv2.weight"]
        net.groups = middle.shape[0] // middle.shape[1]
        net.base_width = middle.shape[0] * 64 // net.groups // (outputs[0] // block.expansion)
    width = state[body + "conv1.weight"].shape[0]
    net.inplanes = width
    net.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
    net.bn1 = nn.BatchNorm2d(width)
    for i in range(stages):
        layer = net._make_layer(block, outputs[i] // block.expansion, counts[i], stride=1 if i == 0 else 2)
        setattr(net, f"layer{i + 1}", layer)

    levels = _count(state, r"backbone\.fpn\.inner_blocks\.(\d+)\.")
    inputs = [state[f"{fpn}inner_blocks.{i}.0.weight"].shape[1] for i in range(levels)]
    fits = [c for c in itertools.combinations(range(stages), levels) if [outputs[i] for i in c] == inputs]
    if not fits:
        raise ExportError(f"the FPN takes maps of {inputs} channels but the ResNet's have {outputs}")
    returned = {f"layer{i + 1}": str(k) for k, i in enumerate(fits[-1])}
    norm = nn.BatchNorm2d if fpn + "inner_blocks.0.1.weight" in state else None
    channels = state[fpn + "inner_blocks.0.0.weight"].shape[0]
    return BackboneWithFPN(net, returned, inputs, channels, norm_layer=norm)


def _mobilenet_backbone(state):
    norm = nn.BatchNorm2d if "backbone.fpn.inner_blocks.0.1.weight" in state else None
    levels = _count(state, r"backbone\.fpn\.inner_blocks\.(\d+)\.")
    if levels != 2:
        raise ExportError(f"a MobileNetV3 backbone with {levels} FPN levels is not supported (torchvision's has 2)")
    # As torchvision's builder does it: batch norms of PyTorch's default eps, not MobileNet's own.
    body = mobilenet_v3_large(weights=None, norm_layer=nn.BatchNorm2d)
    return _mobilenet_extractor(body, True, 6, norm_layer=norm)


def _anchor_generator(state, levels, mobilenet, sizes, ratios):
    if sizes is None:
        sizes = ((32, 64, 128, 256, 512),) * levels if mobilenet else tuple((32 * 2**i,) for i in range(levels))
    if len(sizes) != levels:
        raise ExportError(f"the model has {levels} levels but --anchor-sizes names {len(sizes)}")
    expected = state["rpn.head.cls_logits.weight"].shape[0]
    found = sorted({len(level) * len(ratios) for level in sizes})
    if found != [expected]:
        given = ", ".join(str(n) for n in found)
        raise ExportError(f"the checkpoint has {expected} anchors a cell, the sizes and ratios make {given}: "
                          "give --anchor-sizes and --aspect-ratios")
    return AnchorGenerator(sizes, (tuple(ratios),) * levels)


def _box_head(state, channels):
    prefix = "roi_heads.box_head."
    if prefix + "fc6.weight" in state:
        width, features = state[prefix + "fc6.weight"].shape
        return TwoMLPHead(features, width), _resolution(features, channels), state[prefix + "fc7.weight"].shape[0]
    convs = [state[f"{prefix}{i}.0.weight"].shape[0] for i in range(_count(state, r"roi_heads\.box_head\.(\d+)\.0\."))]
    linear = [state[key].shape for key in state if re.match(r"roi_heads\.box_head\.\d+\.weight$", key)]
    if not convs or not linear:
        raise ExportError("the box head is neither TwoMLPHead nor FastRCNNConvFCHead of torchvision")
    norm = nn.BatchNorm2d if prefix + "0.1.weight" in state else None
    resolution = _resolution(linear[0][1], convs[-1])
    head = FastRCNNConvFCHead((channels, resolution, resolution), convs, [shape[0] for shape in linear], norm)
    return head, resolution, linear[-1][0]


def _resolution(features, channels):
    side = math.isqrt(features // channels)
    if side * side * channels != features:
        raise ExportError(f"a box head of {features} inputs does not fit {channels} channels of square maps")
    return side
