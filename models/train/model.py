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


def build(options: ModelOptions, labels: int, proposals: int = 1000, rpn_samples: int = 256,
          roi_samples: int = 512) -> FasterRCNN:
    """Makes the model with fresh weights from torch's random numbers.

    ``labels`` does not count the background. The last three act in training only: proposals kept per
    image, anchors and RoIs in the losses.
    """
    body = residual_network(options.blocks, options.width)
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
        rpn_pre_nms_top_n_train=1000, rpn_post_nms_top_n_train=proposals,
        rpn_batch_size_per_image=rpn_samples, box_batch_size_per_image=roi_samples)


def load_weights(model: nn.Module, path, partly: bool = False) -> list[str]:
    """Loads a state dict saved by this trainer (fp32 or fp16); only tensors are unpickled.

    ``partly``: tensors whose name or shape differs keep their fresh values and are returned by name, so
    that a model for other labels starts from what a trained one knows. Otherwise they raise RuntimeError.
    """
    weights = torch.load(path, map_location="cpu", weights_only=True)
    if not partly:
        model.load_state_dict(weights)
        return []
    own = model.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fitting, strict=False)
    return [k for k in own if k not in fitting]
