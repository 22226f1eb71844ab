"""The reference engine: images one by one through torchvision's own training forward.

Simple, exact and fast enough on a CPU, where convolutions take nearly all the time.
"""
import torch

import augment
from data import Example
from recipe import TrainOptions

CACHED_BYTES = 1 << 30  # decoded images are kept while they fit in here


class ReferenceEngine:
    """Draws batches, every example once an epoch, and computes torchvision's four losses."""

    def __init__(self, model, examples: list[Example], options: TrainOptions, device: str):
        self.model, self.examples, self.options, self.device = model, examples, options, device
        self.order: list[int] = []  # examples of this epoch still to come, next one last
        self._decoded: dict[int, torch.Tensor] = {}
        self._room = CACHED_BYTES
        if options.sizes:
            model.transform.min_size = tuple(options.sizes)  # one is drawn for each image

    def losses(self, progress: float) -> dict[str, torch.Tensor]:
        """The losses of the next batch, scalars. ``progress``, the share of training done, is not used."""
        images, targets = [], []
        for _ in range(self.options.batch):
            if not self.order:
                self.order = torch.randperm(len(self.examples)).tolist()
            index = self.order.pop()
            example = self.examples[index]
            image, boxes = augment.flip(self._read(index), example.boxes[~example.ignored],
                                        self.options.flip_horizontal, self.options.flip_vertical)
            images.append(augment.recolor(image[None].to(self.device).float() / 255, self.options)[0])
            targets.append({"boxes": boxes.to(self.device),
                            "labels": example.labels[~example.ignored].to(self.device)})
        return self.model(images, targets)

    def state(self) -> dict:
        """What a checkpoint needs beside the random generators."""
        return {"order": list(self.order)}

    def restore(self, state: dict) -> None:
        self.order = list(state["order"])

    def _read(self, index: int) -> torch.Tensor:
        image = self._decoded.get(index)
        if image is None:
            image = self.examples[index].image.read()
            if image.numel() <= self._room:
                self._decoded[index] = image
                self._room -= image.numel()
        return image
