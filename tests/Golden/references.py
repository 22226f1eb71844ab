"""The models whose numbers the goldens hold: torchvision's network with the checkpoint, and shared pictures."""
import importlib.util
import math
import pathlib
import tarfile
from dataclasses import dataclass
from typing import Callable

import torch
from torch import nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops.poolers import initLevelMapper

from golden_files import HERE

# Annotated with: all three in a crowd, 21 red, no white, platelets only, a lone white, two white, few, three platelets.
BCCD = ["00031", "00018", "00135", "00327", "00303", "00249", "00157", "00385"]
# Dog and person, a cat, a table among chairs, narrow, a desk, a wide one of birds, 14 plants, wider still, aeroplanes,
# cyclists, riders and cars, a bus.
VOC = ["000001", "000114", "000226", "000378", "000397", "000852", "001070", "001744", "001996", "002168", "002331",
       "000833"]


class Transform(GeneralizedRCNNTransform):
    """torchvision's own transform, except that a resized side is never below one pixel, where torchvision fails."""

    def resize(self, image, target=None):
        assert target is None
        height, width = image.shape[-2:]
        sides = torch.tensor([height, width]).to(torch.float32)
        scale = torch.min(float(self.min_size[-1]) / sides.min(), float(self.max_size) / sides.max()).item()
        size = [max(1, math.floor(height * scale)), max(1, math.floor(width * scale))]
        ours = nn.functional.interpolate(image[None], size=size, mode="bilinear", align_corners=False)[0]
        if min(math.floor(height * scale), math.floor(width * scale)) > 0:
            theirs, _ = super().resize(image)
            assert torch.equal(ours, theirs), "the size= form must be torchvision's own resize to the bit"
        return ours, None


@dataclass(frozen=True)
class Reference:
    """A model as torchvision runs it.

    `module` is the shared file that builds it, `network` takes that module and gives the network without weights;
    `pictures` takes the shared folder and gives (case, encoded picture, its place in expected.json);
    `may_show` tells whether their terms allow to commit pixels of them.
    """

    name: str
    labels: tuple
    module: str
    network: Callable
    pictures: Callable
    may_show: bool

    @property
    def folder(self):
        """Where its goldens are."""
        return HERE / self.name

    def checkpoint(self, shared):
        return shared / "models" / self.name / f"{self.name}.pth"

    def load_module(self, shared):
        """The shared file that builds the network."""
        path = self.checkpoint(shared).parent / self.module
        spec = importlib.util.spec_from_file_location(f"{self.name.replace('-', '_')}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def load(self, shared):
        """The network with its weights as float32, ready for inference, with RoI scales pinned."""
        model = self.network(self.load_module(shared))
        weights = torch.load(self.checkpoint(shared), map_location="cpu")
        model.load_state_dict({key: value.float() if value.is_floating_point() else value
                               for key, value in weights.items()})
        t = model.transform
        model.transform = Transform(t.min_size, t.max_size, t.image_mean, t.image_std, t.size_divisible)
        # Left alone, torchvision infers the scales from the first image it sees, and a thin one breaks them for good.
        pool = model.roi_heads.box_roi_pool
        pool.scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
        pool.map_levels = initLevelMapper(2, 5, canonical_scale=224, canonical_level=4, eps=1e-6)
        return model.eval()


def _bccd_pictures(shared):
    for number in BCCD:
        path = shared / "data" / "bccd" / "JPEGImages" / f"BloodImage_{number}.jpg"
        yield f"bccd-{number}", path.read_bytes(), {"bccd": path.stem}


def _voc_pictures(shared):
    found = {}
    for path in sorted((shared / "data" / "voc2007").glob("images-*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                stem = pathlib.PurePath(member.name).stem
                if stem in VOC:
                    found[stem] = tar.extractfile(member).read()
    for stem in VOC:
        yield f"voc-{stem}", found[stem], {"voc": stem}


BLOOD_CELLS = Reference("blood-cells", ("RBC", "WBC", "Platelets"), "train.py",
                        lambda module: module.build(4), _bccd_pictures, may_show=True)
EVERYDAY = Reference(
    "everyday",
    ("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
     "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
    "model.py", lambda module: module.build(), _voc_pictures, may_show=False)
ALL = {reference.name: reference for reference in (BLOOD_CELLS, EVERYDAY)}
