"""Makes the package `resnet50-fpn`: torchvision's Faster R-CNN ResNet-50-FPN with random weights that pack well.

    random_package.py OUT/resnet50-fpn

Timing does not depend on the weights, but on the number of RoIs, so that is pinned: with an NMS threshold of 1 the RPN
suppresses nothing, and every image has exactly 1000. Real random numbers do not compress; here every tensor repeats a
short pattern of its own, scaled so that the layer's outputs keep their size (nothing leaves the range of float16):
167 MB of graphs become less than 2 MB. Needs what models/export needs.
"""
import argparse
import pathlib
import sys

import torch
from torch import nn
from torchvision.models import detection

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "models" / "export"))
import graphs  # noqa: E402
import package  # noqa: E402

PERIOD = 2039  # a prime: no two filters begin at the same place of the pattern; 8 KB, well inside gzip's window
PROPOSALS = 1000
CLASSES = 91  # COCO's, with the background
BACKGROUND_LEAD = 7.0
# Standard deviation of a layer's outputs by the end of its name; 1 for all others. Residual branches are damped, since
# a deep random network is chaotic otherwise; the last four decide how far apart scores and boxes lie.
DEVIATIONS = {
    "conv3": 0.25,
    "head.cls_logits": 2.0,
    "head.bbox_pred": 0.2,
    "predictor.cls_score": 1.5,
    "predictor.bbox_pred": 0.5,
}


def build(seed=0):
    """The detector in evaluation."""
    detector = detection.fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=CLASSES,
        rpn_pre_nms_top_n_test=PROPOSALS,
        rpn_post_nms_top_n_test=PROPOSALS,
        rpn_nms_thresh=1.0,
    ).eval()
    fill(detector, torch.Generator().manual_seed(seed))
    return detector


def fill(detector, generator):
    """Gives every layer its pattern, scaled when the first image comes to it.

    Batch norms stay the identity, which the exporter folds away: statistics of their own would give every filter a
    factor of its own, and nothing would repeat any more.
    """
    hooks = []
    for name, module in detector.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            pattern = torch.randn(PERIOD, generator=generator)
            count = module.weight.numel()
            module.weight.data = pattern.repeat(count // PERIOD + 1)[:count].reshape(module.weight.shape).contiguous()
            if module.bias is not None:
                module.bias.data.zero_()
            deviation = next((value for end, value in DEVIATIONS.items() if name.endswith(end)), 1.0)
            hooks.append(module.register_forward_hook(scaling(deviation)))
    run_once(detector, generator)
    for hook in hooks:
        hook.remove()
    detector.roi_heads.box_predictor.cls_score.bias.data[0] = BACKGROUND_LEAD


def scaling(deviation):
    """A hook that scales a layer once, on its first outputs."""
    scaled = set()

    def hook(module, inputs, output):
        if module in scaled:
            return output
        scaled.add(module)
        factor = deviation / output.std()
        module.weight.data.mul_(factor)
        return output * factor

    return hook


def run_once(detector, generator):
    """Takes one made image through every layer."""
    images = torch.randn(1, 3, 8, 10, generator=generator)
    images = nn.functional.interpolate(images, size=(256, 320), mode="bicubic", align_corners=False)
    images += 0.3 * torch.randn(images.shape, generator=generator)
    roi_heads = detector.roi_heads
    with torch.no_grad():
        features = graphs.feature_maps(detector, images)
        detector.rpn.head(list(features.values()))
        graphs.pin_roi_scales(detector, graphs.levels_of(detector))
        corners = torch.rand(64, 2, 2, generator=generator).sort(dim=1).values.flatten(1)
        boxes = corners * torch.tensor([320.0, 256.0, 320.0, 256.0])
        crops = roi_heads.box_roi_pool(features, [boxes], [(256, 320)])
        roi_heads.box_predictor(roi_heads.box_head(crops))


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="random_package.py", description=__doc__.splitlines()[0])
    parser.add_argument("out", help="the package's folder; its name is the model's")
    out = parser.parse_args(arguments).out
    torch.set_num_threads(2)
    detector = build()
    levels = graphs.levels_of(detector)
    about = {
        "name": pathlib.Path(out).resolve().name,
        "version": "1",
        "description": "Faster R-CNN ResNet-50-FPN with random weights, 1000 RoIs of every image: for timing only",
    }
    labels = [f"class {number}" for number in range(1, CLASSES)]
    manifest = package.two_stage_manifest(detector, levels, about, labels)
    graph_files = {
        "backbone": graphs.export_backbone(detector, levels),
        "head": graphs.export_head(detector, levels),
    }
    package.write_package(out, manifest, graph_files, force=True)


if __name__ == "__main__":
    main()
