"""What the golden scripts share: where files go and how they are written."""
import json
import pathlib
import platform

import numpy as np
import PIL
import torch
import torchvision

HERE = pathlib.Path(__file__).resolve().parent


def save(path, array, dtype):
    """An .npy in C order, little-endian."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ascontiguousarray(array, dtype=np.dtype(dtype)), allow_pickle=False)


def write_json(path, value):
    """Indented, with the entries of lists on a line of their own, so that a difference shows which one changed."""
    lines = []
    for key, entry in value.items():
        if isinstance(entry, list) and entry and isinstance(entry[0], (dict, list)):
            entry = "[\n" + ",\n".join("    " + json.dumps(e) for e in entry) + "\n  ]"
        else:
            entry = json.dumps(entry)
        lines.append(f"  {json.dumps(key)}: {entry}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def size_of(height, width):
    return {"height": int(height), "width": int(width)}


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__,
            "pillow": PIL.__version__, "numpy": np.__version__}
