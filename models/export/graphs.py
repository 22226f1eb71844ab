"""Cuts a torchvision Faster R-CNN into the graphs of a model package and writes them as ONNX.

Shape letters: N images, H x W padded input, D feature channels, A anchors a cell, h x w a level's grid,
R RoIs (R_l of one level), C classes without the background.
"""
import io
import warnings
from collections import OrderedDict
from dataclasses import dataclass

import onnx
import torch
from torch import nn
from torch.onnx import register_custom_op_symbolic
from torch.onnx.symbolic_helper import parse_args
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import misc, roi_align

from errors import ExportError

OPSET = 16
_PROBE_SIDE = 256


@dataclass(frozen=True)
class Level:
    """One feature map that the RPN looks at; `pooled` ones feed RoIAlign too."""

    name: str
    stride: int
    channels: int
    anchor_sizes: tuple
    pooled: bool


@parse_args("v", "v", "f", "i", "i", "i", "i")
def _roi_align_16(g, features, rois, spatial_scale, height, width, sampling_ratio, aligned):
    """RoiAlign of opset 16.

    torchvision 0.14 leaves `coordinate_transformation_mode` out; its default became `half_pixel` in opset 16,
    which is `aligned=True`: every box would be pooled half a feature pixel off.
    """

    def constant(*values):
        return g.op("Constant", value_t=torch.tensor(values, dtype=torch.long))

    batch = g.op("Squeeze", g.op("Slice", rois, constant(0), constant(1), constant(1)), constant(1))
    boxes = g.op("Slice", rois, constant(1), constant(5), constant(1))
    return g.op(
        "RoiAlign",
        features,
        boxes,
        g.op("Cast", batch, to_i=onnx.TensorProto.INT64),
        coordinate_transformation_mode_s="half_pixel" if aligned else "output_half_pixel",
        spatial_scale_f=spatial_scale,
        output_height_i=height,
        output_width_i=width,
        sampling_ratio_i=max(sampling_ratio, 0),
    )


register_custom_op_symbolic("torchvision::roi_align", _roi_align_16, OPSET)


@parse_args("v")
def _sigmoid(g, logits):
    """1 / (1 + exp(-x)) in full precision.

    ONNX Runtime's Sigmoid moves in steps of 6e-8 (at 3e-7 it was 6 to 8 % off), and torchvision orders proposals by
    sigmoids: others than torchvision's would be among the 1000 that are kept.
    """
    one = g.op("Constant", value_t=torch.tensor(1.0))
    return g.op("Div", one, g.op("Add", one, g.op("Exp", g.op("Neg", logits))))


register_custom_op_symbolic("aten::sigmoid", _sigmoid, OPSET)


def thaw_batch_norms(module):
    """Replaces FrozenBatchNorm2d by BatchNorm2d with the same figures and eps.

    The same arithmetic in evaluation, but the ONNX exporter folds only BatchNorm2d into its convolution.
    """
    for name, child in module.named_children():
        if isinstance(child, misc.FrozenBatchNorm2d):
            thawed = nn.BatchNorm2d(child.weight.numel(), eps=child.eps)
            for key in ("weight", "bias", "running_mean", "running_var"):
                getattr(thawed, key).data.copy_(getattr(child, key))
            setattr(module, name, thawed.eval())
        else:
            thaw_batch_norms(child)


def feature_maps(detector, images):
    """The backbone's maps by name, finest first; a backbone without FPN gives a single one."""
    features = detector.backbone(images)
    return {"0": features} if isinstance(features, torch.Tensor) else features


def levels_of(detector):
    """The pyramid's levels. Strides are measured on a square input whose side every stride divides."""
    with torch.no_grad():
        features = feature_maps(detector, torch.zeros(1, 3, _PROBE_SIDE, _PROBE_SIDE))
    sizes = detector.rpn.anchor_generator.sizes
    if len(sizes) != len(features):
        raise ExportError(f"the model has {len(features)} levels but anchor sizes for {len(sizes)}")
    prefix = "p" if hasattr(detector.backbone, "fpn") else "c"
    numbers = [(_PROBE_SIDE // f.shape[-1]).bit_length() - 1 for f in features.values()]
    levels = []
    for index, (key, feature) in enumerate(features.items()):
        stride = _PROBE_SIDE // feature.shape[-1]
        if stride * feature.shape[-1] != _PROBE_SIDE or stride & (stride - 1):
            raise ExportError(f"level {index} has a grid of {feature.shape[-1]} at {_PROBE_SIDE} pixels: "
                              "no power of two")
        name = f"{prefix}{numbers[index]}"
        if numbers.count(numbers[index]) > 1:  # MobileNetV3 has two maps of stride 32: p5a, p5b
            name += "abcdefgh"[numbers[:index].count(numbers[index])]
        pooled = key in detector.roi_heads.box_roi_pool.featmap_names
        levels.append(Level(name, stride, feature.shape[1], tuple(sizes[index]), pooled))
    strides = [level.stride for level in levels if level.pooled]
    if not strides or numbers != sorted(numbers):
        raise ExportError(f"the levels' strides are {[level.stride for level in levels]}: "
                          "finest first, one pooled at least")
    if (strides[-1] // strides[0]).bit_length() > len(strides):
        raise ExportError(f"RoIs are pooled from strides {strides}, between which levels are missing")
    return levels


class Backbone(nn.Module):
    """images [N, 3, H, W] -> pooled maps [N, D, h, w], then objectness logits [N, A, h, w] of every level,
    then deltas [N, 4A, h, w] of every level."""

    def __init__(self, detector, levels):
        super().__init__()
        self.detector, self.pooled = detector, [level.pooled for level in levels]

    def forward(self, images):
        features = list(feature_maps(self.detector, images).values())
        objectness, deltas = self.detector.rpn.head(features)
        return (*[f for f, pooled in zip(features, self.pooled) if pooled], *objectness, *deltas)


class Head(nn.Module):
    """Pooled maps, then RoIs [R_l, 5] (image index, x1, y1, x2, y2 in padded-input pixels) for each of them
    -> class logits [R, C + 1], box deltas; rows level by level.

    `scales` are fixed (1 / stride): torchvision's pooler guesses them from the first image that it sees.
    """

    def __init__(self, detector, scales, sampling_ratio, aligned=False):
        super().__init__()
        self.box_head, self.box_predictor = detector.roi_heads.box_head, detector.roi_heads.box_predictor
        self.output_size = tuple(detector.roi_heads.box_roi_pool.output_size)
        self.scales, self.sampling_ratio, self.aligned = scales, sampling_ratio, aligned

    def forward(self, *inputs):
        features, rois = inputs[: len(self.scales)], inputs[len(self.scales) :]
        pooled = [
            roi_align(f, r, self.output_size, scale, self.sampling_ratio, self.aligned)
            for f, r, scale in zip(features, rois, self.scales)
        ]
        return self.box_predictor(self.box_head(torch.cat(pooled)))


class EndToEnd(nn.Module):
    """image [3, h, w], resized and normalized -> boxes [M, 4] in its pixels, labels [M] (1 is the first class),
    scores [M].

    Resizing stays outside: a traced graph multiplies side and scale in float32, torchvision in double, and about every
    third size comes out a pixel larger (pytorch/vision #3654).
    """

    def __init__(self, detector):
        super().__init__()
        self.detector = detector

    def forward(self, image):
        detector = self.detector
        padded = detector.transform.batch_images([image], detector.transform.size_divisible)
        images = ImageList(padded, [(image.shape[-2], image.shape[-1])])
        features = OrderedDict(feature_maps(detector, images.tensors))
        proposals, _ = detector.rpn(images, features)
        result = detector.roi_heads(features, proposals, images.image_sizes)[0][0]
        return result["boxes"], result["labels"], result["scores"]


def export_backbone(detector, levels):
    """Bytes of backbone.onnx."""
    pooled = [level.name for level in levels if level.pooled]
    names = pooled + [f"{kind}_{level.name}" for kind in ("objectness", "deltas") for level in levels]
    axes = {"images": {0: "N", 2: "H", 3: "W"}}
    for name in names:
        axes[name] = {0: "N", 2: f"h_{name.split('_')[-1]}", 3: f"w_{name.split('_')[-1]}"}
    side = 2 * max(level.stride for level in levels)
    example = torch.zeros(2, 3, side, side + 32)
    return _export(Backbone(detector, levels), (example,), ["images"], names, axes)


def export_head(detector, levels, sampling_ratio=None, aligned=False):
    """Bytes of head.onnx; the pooler's sampling ratio unless given (0: adaptive)."""
    pooled = [level for level in levels if level.pooled]
    ratio = detector.roi_heads.box_roi_pool.sampling_ratio if sampling_ratio is None else sampling_ratio
    head = Head(detector, [1.0 / level.stride for level in pooled], ratio, aligned)
    maps = [torch.zeros(2, level.channels, 128 // min(level.stride, 32), 8) for level in pooled]
    rois = [torch.tensor([[0.0, 0, 0, 32, 32], [1.0, 8, 8, 40, 60]]) for _ in pooled]
    names = [level.name for level in pooled] + [f"rois_{level.name}" for level in pooled]
    axes = {"class_logits": {0: "R"}, "box_deltas": {0: "R"}}
    for level in pooled:
        axes[level.name] = {0: "N", 2: f"h_{level.name}", 3: f"w_{level.name}"}
        axes[f"rois_{level.name}"] = {0: f"R_{level.name}"}
    return _export(head, (*maps, *rois), names, ["class_logits", "box_deltas"], axes)


def pin_roi_scales(detector, levels):
    """Sets the pooler's scales and level mapper once and for all, instead of from the first image."""
    pool = detector.roi_heads.box_roi_pool
    strides = [level.stride for level in levels if level.pooled]
    mapper = torch_mapper(strides, pool.canonical_scale, pool.canonical_level)
    pool.scales, pool.map_levels = [1.0 / stride for stride in strides], mapper


def torch_mapper(strides, canonical_scale=224, canonical_level=4):
    """torchvision's own eq. 1 of the FPN paper between the first and the last pooled stride."""
    from torchvision.ops.poolers import initLevelMapper

    first, last = (stride.bit_length() - 1 for stride in (strides[0], strides[-1]))
    return initLevelMapper(first, last, canonical_scale, canonical_level)


def export_end_to_end(detector, levels):
    """Bytes of the one-file form: padding, both stages and post-processing inside."""
    pin_roi_scales(detector, levels)
    generator = torch.Generator().manual_seed(0)
    example = torch.rand(3, 96, 128, generator=generator)
    axes = {"image": {1: "H", 2: "W"}, "boxes": {0: "M"}, "labels": {0: "M"}, "scores": {0: "M"}}
    return _export(EndToEnd(detector), (example,), ["image"], ["boxes", "labels", "scores"], axes)


def _export(module, example, inputs, outputs, axes):
    module.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's remarks on Python values, all of them constants here
        torch.onnx.export(
            module,
            example,
            buffer,
            opset_version=OPSET,
            do_constant_folding=True,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    model.doc_string = model.graph.doc_string = ""
    model.graph.name = type(module).__name__.lower()
    for node in model.graph.node:
        node.doc_string = ""
    check(model, inputs, outputs)
    return model.SerializeToString(deterministic=True)


def check(model, inputs, outputs):
    """Fails unless the graph is valid ONNX, has these inputs and outputs, and every normalization is folded."""
    onnx.checker.check_model(model, full_check=True)
    found = [value.name for value in model.graph.input], [value.name for value in model.graph.output]
    if found != (list(inputs), list(outputs)):
        raise ExportError(f"the graph came out with inputs and outputs {found}")
    if any(node.op_type == "BatchNormalization" for node in model.graph.node):
        raise ExportError("a batch normalization does not follow a convolution and cannot be folded")
