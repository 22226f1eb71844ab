"""The network: torchvision's Faster R-CNN on a residual network of basic blocks with a feature pyramid.

The modules are torchvision's, so the weights run with its own inference, and models/export/ turns them
into a package. Key names are those of torchvision: backbone.body, backbone.fpn, rpn.head, roi_heads.
"""
import warnings

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.resnet import BasicBlock, ResNet

from recipe import ModelOptions

ROI_SIDE = 7  # cells per side that each RoI is pooled to


def residual_network(blocks: list[int], width: int) -> ResNet:
    """ResNet of basic blocks (He et al. 2015, table 1) whose stages have width, 2, 4 and 8 × width channels."""
    network = ResNet(BasicBlock, blocks)
    network.inplanes = width
    network.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
    network.bn1 = nn.BatchNorm2d(width)
    for stage, count in enumerate(blocks):
        made = network._make_layer(BasicBlock, width << stage, count, stride=1 if stage == 0 else 2)
        setattr(network, f"layer{stage + 1}", made)
    return network


class FixedNorm(nn.BatchNorm2d):
    """A batch norm that keeps its statistics, in training too. Names and figures are those of BatchNorm2d."""

    def train(self, mode: bool = True) -> "FixedNorm":
        return super().train(False)


def norms_of(body: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """Its batch norms by name."""
    return {name: part for name, part in body.named_modules() if isinstance(part, nn.BatchNorm2d)}


def fix_norms(body: nn.Module, names, bias: bool) -> None:
    """Puts a FixedNorm in place of these batch norms; of its figures at most the bias is trained."""
    for name in names:
        norm = body.get_submodule(name)
        fixed = FixedNorm(norm.num_features, norm.eps)
        fixed.load_state_dict(norm.state_dict())
        fixed.weight.requires_grad_(False)
        fixed.bias.requires_grad_(bias)
        owner, _, last = name.rpartition(".")
        setattr(body.get_submodule(owner), last, fixed)


@torch.no_grad()
def fold_norms(body: nn.Module) -> None:
    """Multiplies each convolution by the scale of the batch norm behind it, which then only adds its bias.

    What the body computes in evaluation stays the same; the norms' names stay, so that the exporter knows the network.
    """
    for name, norm in norms_of(body).items():
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        body.get_submodule(convolution_before(name)).weight.mul_(scale[:, None, None, None])
        norm.bias.sub_(norm.running_mean * scale)
        norm.weight.fill_(1)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)


def convolution_before(norm: str) -> str:
    """The name of the convolution whose output a batch norm takes: conv1 of bn1, downsample.0 of downsample.1."""
    owner, _, name = norm.rpartition(".")
    before = name.replace("bn", "conv") if name.startswith("bn") else str(int(name) - 1)
    return f"{owner}.{before}" if owner else before


def freeze_stages(body: nn.Module, count: int) -> None:
    """Leaves the first so many parts, the stem being one, as they are: weights, norms and statistics."""
    frozen = {"conv1", "bn1", *(f"layer{stage}" for stage in range(1, count))} if count else set()
    fix_norms(body, [name for name in norms_of(body) if name.split(".")[0] in frozen], bias=False)
    for name, parameter in body.named_parameters():
        if name.split(".")[0] in frozen:
            parameter.requires_grad_(False)


def build(options: ModelOptions, labels: int, proposals: int = 1000, rpn_samples: int = 256,
          roi_samples: int = 512) -> FasterRCNN:
    """Makes the model with fresh weights from torch's random numbers; pretrained.start gives it others.

    ``labels`` does not count the background. The last three act in training only: proposals kept per
    image, anchors and RoIs in the losses.
    """
    body = residual_network(options.blocks, options.width)
    if options.norms != "train":
        fix_norms(body, norms_of(body), bias=options.norms == "fold")
    freeze_stages(body, options.frozen_stages)
    with warnings.catch_warnings():
        # BackboneWithFPN of torchvision 0.14 hands its getter to code that warns about renamed arguments.
        warnings.simplefilter("ignore", UserWarning)
        backbone = BackboneWithFPN(
            body, {f"layer{stage + 1}": str(stage) for stage in range(4)},
            [options.width << stage for stage in range(4)], options.fpn_channels,
            norm_layer=nn.BatchNorm2d if options.fpn_norm == "batch" else None)
    return FasterRCNN(
        backbone, min_size=options.min_size, max_size=options.max_size,
        rpn_anchor_generator=AnchorGenerator(
            tuple(map(tuple, options.anchor_sizes)),
            (tuple(options.aspect_ratios),) * len(options.anchor_sizes)),
        box_head=TwoMLPHead(options.fpn_channels * ROI_SIDE * ROI_SIDE, options.head_channels),
        box_predictor=FastRCNNPredictor(options.head_channels, labels + 1),
        box_detections_per_img=options.detections,
        rpn_post_nms_top_n_test=options.proposals,
        rpn_pre_nms_top_n_train=1000, rpn_post_nms_top_n_train=proposals,
        rpn_batch_size_per_image=rpn_samples, box_batch_size_per_image=roi_samples)
