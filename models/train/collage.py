"""Training canvases made on the device: random crops, scalings and 2×2 mosaics of images that live there.

Shapes: B canvases, N stored images, G object slots per image, S the canvas side, T the stored side.
Labels in slots: 1… a class, NONE an empty slot, IGNORED an object that is neither to be found nor background.
"""
import math
from concurrent.futures import ThreadPoolExecutor

import torch
from torch.nn import functional

import augment
from data import Example
from recipe import TrainOptions

NONE, IGNORED = 0, -1
FILL = 0.45                    # gray around images that do not fill their window
SINGLE_SCALE = (0.6, 2.2)      # of the size that just fits the window
MOSAIC_SCALE = (0.7, 1.8)
ASPECT = 0.18                  # largest |log| of the change of sides
VISIBLE = 0.35                 # objects with a smaller share of their area left are ignored
SHORTEST = 7.0                 # pixels; objects with a shorter side are ignored


class StoredImages:
    """All images as bytes [N, 3, T, T] on the device, top left, with sizes [N, 2] (width, height),
    boxes [N, G, 4] xyxy and labels [N, G]. Images larger than ``side`` are shrunk to fit."""

    def __init__(self, examples: list[Example], side: int, device: str):
        def fitted(example):
            image = example.image.read()
            scale = min(1.0, side / max(image.shape[1:]))
            if scale < 1:
                size = [max(1, round(edge * scale)) for edge in image.shape[1:]]
                image = functional.interpolate(image[None].float(), size, mode="bilinear", antialias=True,
                                               align_corners=False)[0].round().clamp(0, 255).byte()
            return image, scale
        with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
            read = list(pool.map(fitted, examples))
        tallest = max(max(image.shape[1:]) for image, _ in read)
        slots = max(1, max(len(e.labels) for e in examples))
        self.pixels = torch.zeros(len(examples), 3, tallest, tallest, dtype=torch.uint8, device=device)
        sizes = torch.zeros(len(examples), 2)
        boxes = torch.zeros(len(examples), slots, 4)
        labels = torch.full((len(examples), slots), NONE)
        for index, (example, (image, scale)) in enumerate(zip(examples, read)):
            self.pixels[index, :, :image.shape[1], :image.shape[2]] = image.to(device)
            sizes[index] = torch.tensor([image.shape[2], image.shape[1]])
            boxes[index, :len(example.boxes)] = example.boxes * scale
            labels[index, :len(example.labels)] = example.labels.masked_fill(example.ignored, IGNORED)
        self.sizes, self.boxes, self.labels = sizes.to(device), boxes.to(device), labels.to(device)


class Collage:
    """Draws batches of canvases from stored images."""

    def __init__(self, stored: StoredImages, options: TrainOptions):
        self.stored, self.options = stored, options
        self.device = stored.pixels.device

    @torch.no_grad()
    def draw(self, count: int, mosaics: int):
        """Images [count, 3, S, S] in 0…1, boxes [count, G', 4] and labels [count, G'].

        The first ``mosaics`` canvases are made of four images in windows that meet in a random point, the
        others of one. Empty slots have zero boxes.
        """
        side = float(self.options.side)
        canvases = torch.full((count, 3, self.options.side, self.options.side), FILL, device=self.device)
        windows = torch.tensor([0.0, 0.0, side, side], device=self.device).repeat(count, 1)
        middle = self._random(0.35, 0.65, mosaics, 2) * side
        zero, full = torch.zeros_like(middle[:, 0]), torch.full_like(middle[:, 0], side)
        x, y = middle.unbind(1)
        corners = [(zero, zero, x, y), (x, zero, full, y), (zero, y, x, full), (x, y, full, full)]
        windows[:mosaics] = torch.stack(corners[0], 1)
        boxes, labels = self._paste(canvases, windows, mosaics)
        parts = [(boxes, labels)]
        for corner in corners[1:] if mosaics else []:
            more, names = self._paste(canvases[:mosaics], torch.stack(corner, 1), mosaics)
            padding = (0, 0, 0, 0, 0, count - mosaics)
            parts.append((functional.pad(more, padding), functional.pad(names, padding[2:])))
        boxes, labels = torch.cat([b for b, _ in parts], 1), torch.cat([n for _, n in parts], 1)
        used = max(1, int((labels != NONE).sum(1).max()))
        order = torch.argsort((labels == NONE).int(), dim=1, stable=True)[:, :used]
        boxes, labels = boxes.gather(1, order[..., None].expand(-1, -1, 4)), labels.gather(1, order)
        return augment.recolor(canvases, self.options), boxes * (labels != NONE)[..., None], labels

    def _paste(self, canvases, windows, mosaics):
        """Draws one random image into the window [B, 4] of each canvas, in place; its boxes and labels."""
        count, stored = len(canvases), self.stored
        picks = torch.randint(len(stored.pixels), (count,), device=self.device)
        sizes, room = stored.sizes[picks], windows[:, 2:] - windows[:, :2]
        low, high = (torch.full((count,), value, device=self.device) for value in SINGLE_SCALE)
        low[:mosaics], high[:mosaics] = MOSAIC_SCALE
        scale = (room / sizes).amin(1) * torch.exp(low.log() + (high / low).log() * self._random(0, 1, count))
        aspect = torch.exp(self._random(-ASPECT, ASPECT, count))
        scales = torch.stack([scale * aspect, scale / aspect], 1)
        origin = windows[:, :2] + (room - sizes * scales) * self._random(0, 1, count, 2)
        mirrored = self._random(0, 1, count) < (0.5 if self.options.flip_horizontal else 0.0)
        upended = self._random(0, 1, count) < (0.5 if self.options.flip_vertical else 0.0)
        flipped = torch.stack([mirrored, upended], 1)
        self._paste_pixels(canvases, windows, picks, sizes, scales, origin, flipped)
        return self._move_boxes(windows, picks, sizes, scales, origin, flipped)

    def _paste_pixels(self, canvases, windows, picks, sizes, scales, origin, flipped):
        centers = torch.arange(canvases.shape[-1], device=self.device) + 0.5

        def axis(k):  # image coordinates [B, S] of the canvas's pixel centers, and which are drawn
            at = (centers - origin[:, k:k + 1]) / scales[:, k:k + 1]
            drawn = (at >= 0) & (at <= sizes[:, k:k + 1])
            drawn &= (centers >= windows[:, k:k + 1]) & (centers < windows[:, k + 2:k + 3])
            return torch.where(flipped[:, k:k + 1], sizes[:, k:k + 1] - at, at), drawn
        (x, in_x), (y, in_y) = axis(0), axis(1)
        # The images lie in larger squares: half a pixel off their border the fill must not bleed in.
        x, y = (torch.minimum(a.clamp(min=0.5), sizes[:, k:k + 1] - 0.5) for k, a in enumerate((x, y)))
        x, y = (a * (2 / self.stored.pixels.shape[-1]) - 1 for a in (x, y))
        grid = torch.stack([x[:, None, :].expand(-1, y.shape[1], -1), y[:, :, None].expand(-1, -1, x.shape[1])], 3)
        pixels = functional.grid_sample(self.stored.pixels[picks].float() / 255, grid, align_corners=False)
        canvases.copy_(torch.where((in_y[:, :, None] & in_x[:, None, :])[:, None], pixels, canvases))

    def _move_boxes(self, windows, picks, sizes, scales, origin, flipped):
        boxes, labels = self.stored.boxes[picks], self.stored.labels[picks].clone()
        low, high, size, flipped = boxes[..., :2], boxes[..., 2:], sizes[:, None], flipped[:, None]
        low, high = torch.where(flipped, size - high, low), torch.where(flipped, size - low, high)
        low, high = (edge * scales[:, None] + origin[:, None] for edge in (low, high))
        area = (high - low).prod(-1)
        low = torch.maximum(low, windows[:, None, :2])
        high = torch.minimum(high, windows[:, None, 2:])
        sides = (high - low).clamp(min=0)
        real = labels != NONE
        hidden = (sides.prod(-1) < VISIBLE * area) | (sides.amin(-1) < SHORTEST)
        labels[real & hidden] = IGNORED
        labels[sides.amin(-1) < 1] = NONE
        return torch.cat([low, high], -1), labels

    def _random(self, low, high, *shape):
        return augment.uniform(low, high, *shape, device=self.device)
