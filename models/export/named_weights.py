"""torchvision's named Faster R-CNN weights, and random ones of the same architectures."""
import urllib.error

import torch
from torch import nn
from torchvision.models import detection
from torchvision.models.mobilenetv3 import InvertedResidual

import graphs
from errors import ExportError

_BUILDERS = {
    "FasterRCNN_ResNet50_FPN_Weights": detection.fasterrcnn_resnet50_fpn,
    "FasterRCNN_ResNet50_FPN_V2_Weights": detection.fasterrcnn_resnet50_fpn_v2,
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights": detection.fasterrcnn_mobilenet_v3_large_320_fpn,
    "FasterRCNN_MobileNet_V3_Large_FPN_Weights": detection.fasterrcnn_mobilenet_v3_large_fpn,
}
_RESIDUAL_GAIN = 0.25
_ACTIVITY = 2.0
_BACKGROUND_LEAD = 5.0  # in deviations of the class logits
NAMES = [f"{family}.COCO_V1" for family in _BUILDERS]


def build(name, seed=None, **settings):
    """The detector that `name` stands for and its labels; with a seed, random weights instead of a download.

    COCO's 91 categories without the background: 90 labels, so that a label's position is COCO's id;
    ids that COCO does not use are called N/A, as in torchvision.
    """
    if seed is not None:
        detector, labels = random(name, seed, **settings)
        condition(detector, seed)
        return detector, labels
    weights, builder, labels = _find(name)
    try:
        # Checks the hash in the file's name on download; the builder then takes the file from the cache.
        torch.hub.load_state_dict_from_url(weights.url, progress=True, check_hash=True)
        return builder(weights=weights, progress=False, **settings).eval(), labels
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise ExportError(f"{weights.url} could not be had ({error}); a file downloaded elsewhere belongs into "
                          "the folder hub/checkpoints of $TORCH_HOME") from None


def random(name, seed, **settings):
    """As `build` with a seed, but the weights as torchvision initializes them: scores are all but equal."""
    _, builder, labels = _find(name)
    torch.manual_seed(seed)
    return builder(weights=None, weights_backbone=None, num_classes=len(labels) + 1, **settings).eval(), labels


def _find(name):
    if name not in NAMES:
        raise ExportError(f"unknown weights '{name}'; known: {', '.join(NAMES)}")
    family, version = name.split(".")
    weights = getattr(getattr(detection, family), version)
    return weights, _BUILDERS[family], weights.meta["categories"][1:]


def condition(detector, seed, images=None, logits=2.5, deltas=(0.3, 1.0)):
    """Gives random weights the manners of trained ones: detections exist, scores are far apart, noise stays small.

    On `images` (normalized, [N, 3, H, W]; made ones if None): batch norms take their statistics, residual branches
    are damped (a deep random network is chaotic otherwise), and the output layers are scaled until objectness and
    class logits have the standard deviation `logits`, RPN and box deltas those of `deltas`. The background wins in
    most RoIs.
    """
    generator = torch.Generator().manual_seed(seed)
    if images is None:
        images = torch.randn(2, 3, 8, 10, generator=generator)
        images = nn.functional.interpolate(images, size=(256, 320), mode="bicubic", align_corners=False)
    graphs.thaw_batch_norms(detector)
    heads = detector.roi_heads
    with torch.no_grad():
        _calm(detector)
        _take_statistics(detector.backbone, lambda: graphs.feature_maps(detector, images))
        features = graphs.feature_maps(detector, images)
        hidden = [detector.rpn.head.conv(f) for f in features.values()]
        _scale(detector.rpn.head.cls_logits, hidden, logits)
        _scale(detector.rpn.head.bbox_pred, hidden, deltas[0])
        graphs.pin_roi_scales(detector, graphs.levels_of(detector))
        boxes = [_random_boxes(images.shape[2:], generator) for _ in images]
        crops = heads.box_roi_pool(features, boxes, [tuple(images.shape[2:])] * len(boxes))
        _take_statistics(heads.box_head, lambda: heads.box_head(crops))
        hidden = [heads.box_head(crops)]
        _scale(heads.box_predictor.cls_score, hidden, logits)
        _scale(heads.box_predictor.bbox_pred, hidden, deltas[1])
        heads.box_predictor.cls_score.bias[0] += _BACKGROUND_LEAD * logits


def _random_boxes(size, generator, count=64):
    side = torch.tensor([size[1], size[0], size[1], size[0]], dtype=torch.float32)
    corners = torch.rand(count, 2, 2, generator=generator).sort(dim=1).values
    return corners.flatten(1) * side


def _calm(detector):
    """Damps residual branches, and lets most units of a layer be active (a nearly linear layer amplifies no noise)."""
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.bias.fill_(_ACTIVITY)
    for module in detector.modules():
        branch = getattr(module, "bn3", getattr(module, "bn2", None))
        if isinstance(module, InvertedResidual) and module.use_res_connect:
            branch = module.block[-1][1]
        if branch is not None:
            branch.weight.mul_(_RESIDUAL_GAIN)
            branch.bias.mul_(_RESIDUAL_GAIN)


def _take_statistics(module, run):
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average
        norm.train()
    run()
    for norm in norms:
        norm.eval()


def _scale(layer, inputs, deviation):
    """Scales and centers a layer so that its outputs have mean 0 (channel by channel) and this deviation."""
    outputs = torch.cat([layer(x).transpose(0, 1).flatten(1) for x in inputs], dim=1)
    means = outputs.mean(dim=1)
    factor = deviation / (outputs - means[:, None]).std()
    layer.weight.mul_(factor)
    layer.bias.sub_(means).mul_(factor)
