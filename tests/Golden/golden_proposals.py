"""Goldens of anchors, proposals and level assignment, for torchvision (its own code) and detectron2 (the reference)."""
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import box_iou, clip_boxes_to_image
from torchvision.ops.poolers import initLevelMapper

import detectron2_reference as d2
from golden_files import save, size_of, write_json

RATIOS = [0.5, 1.0, 2.0]
FPN = {"names": ["p2", "p3", "p4", "p5", "p6"], "sizes": [[32], [64], [128], [256], [512]],
       "strides": [4, 8, 16, 32, 64]}
# MobileNetV3: two maps of stride 32 and a pooled one, 15 anchors a cell. C4: one map of stride 16, 15 anchors.
MOBILE = {"names": ["0", "1", "pool"], "sizes": [[32, 64, 128, 256, 512]] * 3, "strides": [32, 32, 64]}
C4 = {"names": ["c4"], "sizes": [[32, 64, 128, 256, 512]], "strides": [16]}
# Decoding differs in the last bit between libraries; no IoU of the made pyramids may be this near its threshold.
MARGIN = 2e-5


def grid(size, stride):
    return -(-size[0] // stride), -(-size[1] // stride)


class GivenHead(nn.Module):
    """An RPN head that answers with the golden's tensors."""

    def __init__(self, maps):
        super().__init__()
        self.maps = maps

    def forward(self, _):
        return [o[None] for o, _ in self.maps], [d[None] for _, d in self.maps]


def random_maps(pyramid, padded, seed, saturated, wild):
    generator = torch.Generator().manual_seed(seed)
    maps = []
    for index, (sizes, stride) in enumerate(zip(pyramid["sizes"], pyramid["strides"])):
        height, width = grid(padded, stride)
        anchors = len(sizes) * len(RATIOS)
        objectness = torch.randn(anchors, height, width, generator=generator) * 3 - 1
        deltas = torch.randn(4 * anchors, height, width, generator=generator) * 0.35
        flat = objectness.reshape(-1)
        if saturated:  # float32 sigmoid is 1 above 17 or so: ties by score that are none by logit
            flat[torch.randperm(len(flat), generator=generator)[:len(flat) // 40]] += 20
        if wild:  # the cap at ln(1000/16), boxes of no size, boxes far outside, and ones that overflow
            values = deltas.view(anchors, 4, height, width)
            picks = torch.randperm(height * width, generator=generator)[:max(1, height * width // 12)]
            for k, pick in enumerate(picks.tolist()):
                y, x = divmod(pick, width)
                values[k % anchors, :, y, x] = torch.tensor(
                    [[0, 0, 9, 9], [0, 0, -30, 0], [50, -40, 0, 0], [0, 0, 4.1351666, 4.2], [3e38, 0, 0, 0]][k % 5])
                objectness[k % anchors, y, x] = 9 + 0.01 * k + 0.003 * index
        maps.append((objectness, deltas))
    return maps


def torchvision_proposals(pyramid, maps, padded, resized, options):
    generator = AnchorGenerator(tuple(map(tuple, pyramid["sizes"])), (tuple(RATIOS),) * len(maps))
    rpn = RegionProposalNetwork(
        generator, GivenHead(maps), 0.7, 0.3, 256, 0.5, {"training": 1, "testing": options["preNmsTopN"]},
        {"training": 1, "testing": options["postNmsTopN"]}, options["nmsThreshold"], options["scoreThreshold"]).eval()
    recorded = {}
    filter_proposals = rpn.filter_proposals

    def on_filter(decoded, objectness, shapes, counts):
        boxes, scores = filter_proposals(decoded, objectness, shapes, counts)
        recorded.update(decoded=clip_boxes_to_image(decoded[0], shapes[0]), logits=objectness.reshape(-1),
                        counts=counts, scores=scores[0])
        return boxes, scores

    rpn.filter_proposals = on_filter
    features = OrderedDict((n, o[None]) for n, (o, _) in zip(pyramid["names"], maps))
    boxes = rpn(ImageList(torch.zeros(1, 3, *padded), [resized]), features)[0][0]
    starts = np.cumsum([0] + recorded["counts"])
    origin = []
    for box, score in zip(boxes, recorded["scores"]):
        same = torch.where((recorded["decoded"] == box).all(1) & (torch.sigmoid(recorded["logits"]) == score))[0]
        assert len(same) == 1, "two anchors with one box and one score: the case cannot tell them apart"
        level = int(np.searchsorted(starts, int(same), side="right")) - 1
        origin.append((level, int(same) - starts[level]))
    return boxes, recorded["scores"], np.array(origin, np.int32).reshape(-1, 2)


def smallest_margin(pyramid, maps, padded, resized, options):
    """How near any IoU that NMS may look at comes to the threshold."""
    nearest = 1.0
    for index, (objectness, deltas) in enumerate(maps):
        a, height, width = objectness.shape
        top = objectness.permute(1, 2, 0).reshape(-1).topk(min(options["preNmsTopN"], objectness.numel()))[1]
        for cell in ("torchvision", "detectron2"):
            if cell == "torchvision":
                anchors = AnchorGenerator((tuple(pyramid["sizes"][index]),), (tuple(RATIOS),))(
                    ImageList(torch.zeros(1, 3, *padded), [resized]), [objectness[None]])[0]
            else:
                anchors = d2.grid_anchors(pyramid["sizes"][index], RATIOS, pyramid["strides"][index], height, width)
            flat = deltas.reshape(a, 4, height, width).permute(2, 3, 0, 1).reshape(-1, 4)
            boxes = clip_boxes_to_image(d2.apply_deltas(flat[top], anchors[top], (1, 1, 1, 1)).double(), resized)
            boxes = boxes[d2.nonempty(boxes, 1e-3)]
            overlaps = box_iou(boxes, boxes)
            nearest = min(nearest, float((overlaps - options["nmsThreshold"]).abs().min()))
    return nearest


def make_proposals(out):
    base = {"preNmsTopN": 300, "postNmsTopN": 250, "nmsThreshold": 0.7, "scoreThreshold": 0.0}
    # 300 a level is more than 1000 boxes at once (torchvision goes level by level), 200 is fewer (it shifts them).
    cases = [
        ("fpn-grouped", FPN, (160, 224), (150, 221), base, {}),
        ("fpn-shifted", FPN, (160, 224), (150, 221), base | {"preNmsTopN": 200, "postNmsTopN": 150}, {}),
        ("fpn-score-threshold", FPN, (160, 224), (160, 224), base | {"scoreThreshold": 0.3}, {}),
        ("fpn-all-survive", FPN, (64, 96), (64, 90), base | {"preNmsTopN": 1000, "postNmsTopN": 1000}, {}),
        ("fpn-saturated", FPN, (128, 160), (128, 160), base | {"postNmsTopN": 30}, {"saturated": True}),
        ("fpn-wild-deltas", FPN, (128, 160), (121, 160), base, {"wild": True}),
        ("fpn-one-row", FPN, (32, 640), (1, 640), base, {}),
        ("mobilenet", MOBILE, (128, 160), (128, 150), base | {"scoreThreshold": 0.05}, {}),
        ("c4", C4, (96, 128), (96, 128), base | {"preNmsTopN": 500}, {})]
    for name, pyramid, padded, resized, options, flavor in cases:
        seed = 0
        while True:
            maps = random_maps(pyramid, padded, seed, flavor.get("saturated"), flavor.get("wild"))
            if smallest_margin(pyramid, maps, padded, resized, options) > MARGIN:
                break
            seed += 1
        folder = out / "proposals" / name
        for level, (objectness, deltas) in zip(pyramid["names"], maps):
            save(folder / f"objectness_{level}.npy", objectness.numpy(), "<f4")
            save(folder / f"deltas_{level}.npy", deltas.numpy(), "<f4")
        boxes, scores, origin = torchvision_proposals(pyramid, maps, padded, resized, options)
        save_proposals(folder, "torchvision", boxes, scores, origin)
        levels = [{"objectness": o, "deltas": d, "sizes": s, "stride": t}
                  for (o, d), s, t in zip(maps, pyramid["sizes"], pyramid["strides"])]
        boxes, logits, of_level, of_anchor = d2.find_top_proposals(
            levels, RATIOS, resized, options["preNmsTopN"], options["postNmsTopN"], options["nmsThreshold"])
        save_proposals(folder, "detectron2", boxes, torch.sigmoid(logits), torch.stack([of_level, of_anchor], 1))
        write_json(folder / "case.json", {
            "seed": seed, "padded": size_of(*padded), "resized": size_of(*resized), "aspectRatios": RATIOS,
            **options, "levels": [
                {"name": n, "anchorSizes": s, "stride": t, **size_of(*grid(padded, t))}
                for n, s, t in zip(pyramid["names"], pyramid["sizes"], pyramid["strides"])]})
        print(f"proposals/{name}: seed {seed}, {len(boxes)} by detectron2")


def save_proposals(folder, convention, boxes, scores, origin):
    """[P, 5] x1, y1, x2, y2, sigmoid and [P, 2] level, flat anchor index (y * W + x) * A + a, best first."""
    save(folder / f"{convention}.npy", torch.cat([boxes, scores[:, None]], 1).numpy(), "<f4")
    save(folder / f"{convention}_origin.npy", np.asarray(origin), "<i4")


def make_anchors(out):
    rows = []
    for padded in [(800, 1088), (800, 1344), (832, 800), (384, 608), (32, 640), (640, 32), (160, 224)]:
        for name, pyramid in (("fpn", FPN), ("mobilenet", MOBILE), ("c4", C4)):
            for level, sizes, stride in zip(pyramid["names"], pyramid["sizes"], pyramid["strides"]):
                height, width = grid(padded, stride)
                theirs = AnchorGenerator((tuple(sizes),), (tuple(RATIOS),))(
                    ImageList(torch.zeros(1, 3, *padded), [padded]), [torch.zeros(1, 1, height, width)])[0]
                d2s = d2.grid_anchors(sizes, RATIOS, stride, height, width)
                picks = sorted({0, 1, len(theirs) // 2, len(theirs) - 1})
                rows.append({
                    "padded": size_of(*padded), "pyramid": name, "level": level, "anchorSizes": sizes,
                    "nominalStride": stride, "grid": size_of(height, width),
                    "derivedStride": {"y": padded[0] // height, "x": padded[1] // width},
                    "anchors": picks, "torchvision": theirs[picks].tolist(), "detectron2": d2s[picks].tolist()})
    write_json(out / "anchors.json", {"aspectRatios": RATIOS, "rows": rows})


def make_levels(out):
    """Boxes whose square root of area lies on, one float below and above each boundary, and random ones."""
    boxes = []
    for side in (56, 112, 224, 448, 896):
        for value in (np.float32(side), np.nextafter(np.float32(side), np.float32(0)),
                      np.nextafter(np.float32(side), np.float32(1e9)), np.float32(side * (1 - 3e-7)),
                      np.float32(side * (1 - 6e-7)), np.float32(side * (1 - 1e-6)), np.float32(side * (1 - 2e-6))):
            boxes.append([0, 0, value, value])
    boxes += [[0, 0, 0, 0], [5, 5, 5, 9], [0, 0, 1e-3, 1e-3], [0, 0, 1333, 800], [0, 0, 28, 448], [0, 0, 14, 896]]
    rng = np.random.default_rng(0)
    corners, sides = rng.uniform(0, 600, (300, 2)), np.exp(rng.uniform(0, 7, (300, 2)))
    boxes = np.concatenate([np.array(boxes, np.float32), np.hstack([corners, corners + sides])])
    boxes = torch.tensor(boxes.astype(np.float32))
    save(out / "levels" / "boxes.npy", boxes.numpy(), "<f4")
    for first, last in ((2, 5), (5, 5), (4, 4), (3, 7)):
        mapper = initLevelMapper(first, last, canonical_scale=224, canonical_level=4, eps=1e-6)
        save(out / "levels" / f"torchvision_{first}_{last}.npy", mapper([boxes]).numpy(), "|u1")
        save(out / "levels" / f"detectron2_{first}_{last}.npy", d2.assign_levels(boxes, first, last).numpy(), "|u1")
