"""Reads checkpoints without running anything that they name: what torch.load takes as its `pickle_module`.

torch's own `weights_only` refuses whole files for what lies beside the weights: a float among the figures of a training
(pytorch #94670), the arguments of torchvision's reference scripts. Here such things become empty stand-ins.
"""
import collections
import pickle
from pickle import UnpicklingError  # noqa: F401  torch looks for it here

import torch

# All that tensors are made of; storages are torch.load's own affair.
_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): torch.Size,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
}


class StandIn:
    """Takes the place of whatever else a file names; holds nothing and does nothing."""

    def __new__(cls, *_, **__):
        return super().__new__(cls)

    def __init__(self, *_, **__):
        pass

    def __call__(self, *_, **__):
        return StandIn()

    def __setstate__(self, _):
        pass

    def __setitem__(self, _, __):
        pass

    def append(self, _):
        pass

    def extend(self, _):
        pass

    def add(self, _):
        pass


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        return _ALLOWED.get((module, name), StandIn)


def load(file, **options):
    return Unpickler(file, **options).load()
