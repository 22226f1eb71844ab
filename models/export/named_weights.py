"""torchvision's named Faster R-CNN weights, and random ones of the same architectures."""
import urllib.error

import torch
from torch import nn
from torchvision.models import detection

import graphs
from errors import ExportError

_BUILDERS = {
    "FasterRCNN_ResNet50_FPN_Weights": detection.fasterrcnn_resnet50_fpn,
    "FasterRCNN_ResNet50_FPN_V2_Weights": detection.fasterrcnn_resnet50_fpn_v2,
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights": detection.fasterrcnn_mobilenet_v3_large_320_fpn,
    "FasterRCNN_MobileNet_V3_Large_FPN_Weights": detection.fasterrcnn_mobilenet_v3_large_fpn,
}
NAMES = [f"{family}.COCO_V1" for family in _BUILDERS]


def build(name, seed=None, **settings):
    """The detector that `name` stands for and its labels; with a seed, random weights instead of a download.

    COCO's 91 categories without the background: 90 labels, so that a label's position is COCO's id;
    ids that COCO does not use are called N/A, as in torchvision.
    """
    if name not in NAMES:
        raise ExportError(f"unknown weights '{name}'; known: {', '.join(NAMES)}")
    family, version = name.split(".")
    weights = getattr(getattr(detection, family), version)
    labels = weights.meta["categories"][1:]
    builder = _BUILDERS[family]
    if seed is not None:
        torch.manual_seed(seed)
        detector = builder(weights=None, weights_backbone=None, num_classes=len(labels) + 1, **settings)
        condition(detector, seed)
        return detector.eval(), labels
    try:
        # The builder takes the file from the cache; here its hash is checked (the file's name ends with it).
        torch.hub.load_state_dict_from_url(weights.url, progress=True, check_hash=True)
        return builder(weights=weights, progress=False, **settings).eval(), labels
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise ExportError(f"{weights.url} could not be had ({error}); with a downloaded file use --checkpoint, "
                          "or put it into the folder checkpoints/ of $TORCH_HOME/hub") from None


def condition(detector, seed, logits=2.5, deltas=(0.3, 1.0)):
    """Gives random weights the statistics of trained ones, so that detections exist and scores are far apart.

    Batch norms take the statistics of a noise image; the four output layers are scaled until, on it, objectness
    and class logits have the standard deviation `logits`, RPN and box deltas those of `deltas`.
    """
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(2, 3, 8, 10, generator=generator)
    images = nn.functional.interpolate(images, size=(256, 320), mode="bicubic", align_corners=False)
    images = images + 0.3 * torch.randn(images.shape, generator=generator)
    graphs.thaw_batch_norms(detector)
    norms = [m for m in detector.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = None  # plain average
            norm.train()
        features = list(graphs.feature_maps(detector, images).values())
        for norm in norms:
            norm.eval()
        features = list(graphs.feature_maps(detector, images).values())
        hidden = [detector.rpn.head.conv(f) for f in features]
        _scale(detector.rpn.head.cls_logits, hidden, logits)
        _scale(detector.rpn.head.bbox_pred, hidden, deltas[0])
        _condition_box_head(detector.roi_heads, features[0], generator, logits, deltas[1])


def _condition_box_head(heads, features, generator, logits, deltas):
    side = heads.box_roi_pool.output_size[0]
    x, y = (torch.randint(0, n - side, (64,), generator=generator) for n in (features.shape[3], features.shape[2]))
    crops = torch.stack([features[i % 2, :, b : b + side, a : a + side] for i, (a, b) in enumerate(zip(x, y))])
    norms = [m for m in heads.box_head.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    heads.box_head(crops)
    for norm in norms:
        norm.eval()
    hidden = [heads.box_head(crops)]
    _scale(heads.box_predictor.cls_score, hidden, logits)
    _scale(heads.box_predictor.bbox_pred, hidden, deltas)


def _scale(layer, inputs, deviation):
    """Scales and centres a layer so that its outputs have mean 0 (channel by channel) and this deviation."""
    outputs = [layer(x).transpose(0, 1).flatten(1) for x in inputs]
    outputs = torch.cat(outputs, dim=1)
    factor = deviation / outputs.std()
    layer.weight.mul_(factor)
    layer.bias.sub_(outputs.mean(dim=1)).mul_(factor)
