"""Stores a graph's weights as float16; what it computes with stays float32.

Each stored weight is followed by a Cast to float32, which ONNX Runtime computes once, when it loads the graph.
"""
import numpy
from onnx import helper, numpy_helper

from errors import ExportError
from graph_editor import FLOAT
from precision import LARGEST

_LEAST_DIMENSIONS = 2  # biases are few, and exact for nothing


def store_half(editor):
    """Converts a graph in place; returns remarks for the user, a line each."""
    casts, remarks = [], []
    for name, tensor in list(editor.constants.items()):
        if tensor.data_type != FLOAT or len(tensor.dims) < _LEAST_DIMENSIONS:
            continue
        values = numpy_helper.to_array(tensor)
        if not (numpy.abs(values) <= LARGEST).all():  # NaN and infinity too
            remarks.append(f"weight '{name}' stays float32: float16 ends at {LARGEST:g}")
            continue
        stored = editor.add_constant(f"{name}_float16", values.astype(numpy.float16))
        editor.remove_constant(name)
        casts.append(helper.make_node("Cast", [stored], [name], name=f"{name}_cast", to=FLOAT))
    if not casts:
        raise ExportError(f"{editor.path}: has no float32 weights to store as float16")
    editor.replace_nodes([*casts, *editor.graph.node])
    return remarks
