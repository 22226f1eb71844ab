"""Random changes of training images that keep boxes on their objects. Numbers come from torch's generator."""
import torch

from recipe import TrainOptions


def uniform(low: float, high: float, *shape: int, device="cpu") -> torch.Tensor:
    """Random numbers of the given shape, low ≤ value < high."""
    return torch.rand(*shape, device=device) * (high - low) + low


def flip(image: torch.Tensor, boxes: torch.Tensor, horizontal: bool, vertical: bool):
    """Mirrors [..., H, W] pixels and [N, 4] xyxy boxes, each way with probability 1/2 if allowed."""
    height, width = image.shape[-2:]
    x1, y1, x2, y2 = boxes.unbind(1)
    if horizontal and torch.rand(()) < 0.5:
        image, x1, x2 = image.flip(-1), width - x2, width - x1
    if vertical and torch.rand(()) < 0.5:
        image, y1, y2 = image.flip(-2), height - y2, height - y1
    return image, torch.stack([x1, y1, x2, y2], 1)


def recolor(images: torch.Tensor, options: TrainOptions) -> torch.Tensor:
    """Changes brightness, contrast, saturation and tint of [B, 3, H, W] in 0…1, each image its own way."""
    count, device = len(images), images.device

    def factor(spread, channels=1):
        return uniform(1 - spread, 1 + spread, count, channels, 1, 1, device=device)
    if options.contrast:
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) * factor(options.contrast) + mean
    if options.saturation:
        gray = images.mean(1, keepdim=True)
        images = gray + (images - gray) * factor(options.saturation)
    images = images * factor(options.brightness) + uniform(-options.offset, options.offset, count, 1, 1, 1,
                                                           device=device)
    return (images * factor(options.tint, 3)).clamp(0, 1)
