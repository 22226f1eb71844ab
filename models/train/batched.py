"""The batched engine: all images of a step at once on one GPU, canvases of one size made there.

torchvision's training forward goes image by image in Python, which leaves a fast GPU idle. Here matching,
sampling and losses act on the whole batch; with the same samples the losses are torchvision's
(test_train.py compares them). Objects marked as ignored are neither found nor background.

Shapes: B images, A anchors, P proposals, G object slots (labels as in collage.py).
"""
import torch
from torch.nn import functional
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import clip_boxes_to_image, nms

from collage import Collage, StoredImages
from recipe import TrainOptions

CANDIDATES = 400         # per level before NMS in training
IGNORED_SHARE = 0.5      # a box that lies in an ignored object by more than this is no background
MOSAIC_UNTIL = 0.85      # share of training after which canvases hold one image, as at inference
SLICE = 8                # images matched at a time, to bound the [B, A, G] temporaries


class BatchedEngine:
    """Makes canvases and computes the four losses. ``model`` must be trained on square canvases only."""

    def __init__(self, model, examples, options: TrainOptions, device: str):
        self.model, self.options, self.device = model, options, device
        self.collage = Collage(StoredImages(examples, options.side, device), options)
        shape = (1, 3, 1, 1)
        self.mean = torch.tensor(model.transform.image_mean, device=device).reshape(shape)
        self.std = torch.tensor(model.transform.image_std, device=device).reshape(shape)
        if device == "cuda":
            model.to(memory_format=torch.channels_last)
            torch.backends.cudnn.benchmark = True
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True

    def losses(self, progress: float) -> dict[str, torch.Tensor]:
        """The losses of the next batch, scalars. ``progress``: the share of training done, 0…1."""
        count = self.options.batch
        mosaics = round(count * self.options.mosaic) if progress < MOSAIC_UNTIL else 0
        images, boxes, labels = self.collage.draw(count, mosaics)
        return batch_losses(self.model, (images - self.mean) / self.std, boxes, labels, self.options)

    def state(self) -> dict:
        """Nothing beside the random generators."""
        return {}

    def restore(self, state: dict) -> None:
        """See ``state``."""


def batch_losses(model, images, boxes, labels, options: TrainOptions) -> dict[str, torch.Tensor]:
    """Losses of normalized canvases [B, 3, S, S] with boxes [B, G, 4] and labels [B, G]."""
    if images.is_cuda:
        images = images.contiguous(memory_format=torch.channels_last)
    shape = (images.shape[2], images.shape[3])
    features = model.backbone(images)
    levels = list(features.values())
    logits, deltas = model.rpn.head(levels)
    anchors = model.rpn.anchor_generator(ImageList(images[:1], [shape]), levels)[0]
    per_level = [level[0].numel() for level in logits]
    logits, deltas = concat_box_prediction_layers(logits, deltas)
    logits = logits.reshape(len(images), -1).float()
    deltas = deltas.reshape(len(images), -1, 4).float()
    losses = rpn_losses(model, logits, deltas, anchors, boxes, labels, options.rpn_samples)
    proposals, valid = propose(model, logits.detach(), deltas.detach(), anchors, per_level, shape,
                               options.proposals)
    rois, classes, targets = sample_rois(model, proposals, valid, boxes, labels, options.roi_samples)
    pooled = model.roi_heads.box_roi_pool({k: f.float() for k, f in features.items()}, rois, [shape] * len(images))
    scores, changes = model.roi_heads.box_predictor(model.roi_heads.box_head(pooled))
    losses["loss_classifier"], losses["loss_box_reg"] = fastrcnn_loss(scores.float(), changes.float(),
                                                                     classes, targets)
    return losses


@torch.no_grad()
def match(candidates, boxes, labels):
    """Best real object of each candidate box: IoU [B, C], slot [B, C]; whether no other candidate overlaps
    some object more [B, C]; whether it lies in an ignored object [B, C].

    ``candidates`` is [1, C, 4] (the same for all images) or [B, C, 4].
    """
    results = []
    for start in range(0, len(boxes), SLICE):
        objects, names = boxes[start:start + SLICE], labels[start:start + SLICE]
        mine = candidates if len(candidates) == 1 else candidates[start:start + SLICE]
        low = torch.maximum(mine[:, :, None, :2], objects[:, None, :, :2])
        high = torch.minimum(mine[:, :, None, 2:], objects[:, None, :, 2:])
        shared = (high - low).clamp(min=0).prod(-1)
        area = (mine[..., 2:] - mine[..., :2]).prod(-1)[:, :, None]
        whole = area + (objects[..., 2:] - objects[..., :2]).prod(-1)[:, None] - shared
        iou = torch.where((names > 0)[:, None], shared / whole.clamp(min=1e-9), torch.zeros_like(shared))
        best, slot = iou.max(2)
        top = iou.amax(1, keepdim=True)
        inside = torch.where((names < 0)[:, None], shared / area.clamp(min=1e-9), torch.zeros_like(shared))
        results.append((best, slot, ((iou == top) & (top > 0)).any(2), inside.amax(2) > IGNORED_SHARE))
    return tuple(torch.cat(parts) for parts in zip(*results))


def choose(mask, limits):
    """[B, C] mask with at most limits[b] random members of each row of ``mask``."""
    most = min(int(limits.max()), mask.shape[1])
    if most == 0:
        return torch.zeros_like(mask)
    keys = torch.rand(mask.shape, device=mask.device).masked_fill(~mask, -1.0)
    values, index = keys.topk(most, dim=1)
    kept = (values >= 0) & (torch.arange(most, device=mask.device) < limits[:, None])
    return torch.zeros_like(mask).scatter(1, index, kept)


def balance(positive, negative, samples: int, share: float):
    """Random samples per image, at most ``share`` of them positive, filled up with negatives."""
    most = torch.full((len(positive),), int(samples * share), device=positive.device)
    positive = choose(positive, most)
    return positive, choose(negative, samples - positive.sum(1))


def rpn_losses(model, logits, deltas, anchors, boxes, labels, samples: int) -> dict[str, torch.Tensor]:
    """Objectness and box losses of the proposals' network.

    logits [B, A], deltas [B, A, 4], anchors [A, 4]. Positive from IoU 0.7 and the best of each object,
    negative below 0.3, as in Faster R-CNN (arXiv:1506.01497, section 3.1.2).
    """
    best, slot, forced, ignored = match(anchors[None], boxes, labels)
    positive = (best >= 0.7) | forced
    positive, negative = balance(positive, (best < 0.3) & ~positive & ~ignored, samples, 0.5)
    image, anchor = positive.nonzero(as_tuple=True)
    wanted = model.rpn.box_coder.encode_single(boxes[image, slot[image, anchor]], anchors[anchor])
    sampled = positive | negative
    count = sampled.sum().clamp(min=1)
    return {"loss_objectness": functional.binary_cross_entropy_with_logits(
                logits[sampled], positive[sampled].float(), reduction="sum") / count,
            "loss_rpn_box_reg": functional.smooth_l1_loss(
                deltas[image, anchor], wanted, beta=1 / 9, reduction="sum") / count}


@torch.no_grad()
def propose(model, logits, deltas, anchors, per_level, shape, count: int):
    """Proposals [B, count, 4] and which are real [B, count]; best first, NMS 0.7 within each level."""
    kept = []
    for level, (scores, changes, references) in enumerate(zip(
            logits.split(per_level, 1), deltas.split(per_level, 1), anchors.split(per_level))):
        scores, index = scores.topk(min(CANDIDATES, scores.shape[1]), dim=1)
        changes = changes.gather(1, index[..., None].expand(-1, -1, 4))
        decoded = model.rpn.box_coder.decode_single(changes.reshape(-1, 4), references[index].reshape(-1, 4))
        decoded = clip_boxes_to_image(decoded, shape).reshape(changes.shape)
        kept.append((scores, decoded, torch.full_like(index, level)))
    scores, decoded, level = (torch.cat(parts, 1) for parts in zip(*kept))
    # Levels are moved apart, so that one NMS per image acts within each.
    apart = decoded + (level * (max(shape) + 1.0))[..., None]
    proposals = torch.zeros(len(logits), count, 4, device=logits.device)
    for image in range(len(logits)):
        index = nms(apart[image], scores[image], 0.7)[:count]
        proposals[image, :len(index)] = decoded[image, index]
    return proposals, (proposals[..., 2:] - proposals[..., :2]).amin(2) > 1e-3


@torch.no_grad()
def sample_rois(model, proposals, valid, boxes, labels, samples: int):
    """RoIs, classes and box targets of the head, as lists of B tensors; the objects themselves take part.

    Foreground from IoU 0.5, a quarter of the samples at most (Fast R-CNN, arXiv:1504.08083, section 2.3).
    """
    proposals, valid = torch.cat([proposals, boxes], 1), torch.cat([valid, labels > 0], 1)
    best, slot, _, ignored = match(proposals, boxes, labels)
    positive, negative = balance((best >= 0.5) & valid, (best < 0.5) & valid & ~ignored, samples, 0.25)
    rois, classes, targets = [], [], []
    for image, taken in enumerate(positive | negative):
        mine, chosen = slot[image, taken], positive[image, taken]
        rois.append(proposals[image, taken])
        classes.append(torch.where(chosen, labels[image, mine], torch.zeros_like(mine)))
        # Background rows get themselves as target: empty slots have no logarithm, and the loss skips them.
        wanted = torch.where(chosen[:, None], boxes[image, mine], rois[-1])
        targets.append(model.roi_heads.box_coder.encode_single(wanted, rois[-1]))
    return rois, classes, targets
