"""What the converter's tests share: a package of two small graphs, made without torch, and its conversion."""
import contextlib
import io
import json
import os
import tempfile
import unittest

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

import convert
from errors import ExportError
from package import write_package

FLOAT, HALF, UINT8, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8, TensorProto.INT64
CHANNELS, HIDDEN = 4, 6


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), name=f"make_{outputs.split()[0]}", **attributes)


def weights(name, *shape, scale=0.1):
    generator = numpy.random.default_rng(sum(name.encode()))
    return numpy_helper.from_array(generator.normal(0, scale, shape).astype(numpy.float32), name)


def tensor(name, values, kind):
    return numpy_helper.from_array(numpy.array(values, dtype=kind), name)


def model(name, nodes, inputs, outputs, initializers):
    values = [[helper.make_tensor_value_info(n, t, s) for n, t, s in group] for group in (inputs, outputs)]
    graph = helper.make_graph(nodes, name, *values, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)])


def small_backbone(last=(), extra=()):
    """Two levels, the first of them the second made larger by a Resize with sizes from a Shape."""
    nodes = [
        node("Conv", "images conv.weight conv.bias", "c2", strides=[4, 4], kernel_shape=[4, 4]),
        node("Relu", "c2", "r2"),
        node("MaxPool", "r2", "p3", kernel_shape=[2, 2], strides=[2, 2]),
        node("Shape", "r2", "shape"),
        node("Resize", "p3 no_roi no_scales shape", "up", mode="nearest", nearest_mode="floor",
             coordinate_transformation_mode="asymmetric"),
        node("Add", "r2 up", "sum"),
        helper.make_node("Constant", [], ["limit"], value=tensor("", 6.0, numpy.float32)),
        node("Clip", "sum zero limit", "p2"),
        *(node("Conv", f"p{level} objectness.weight objectness.bias", f"objectness_p{level}") for level in (2, 3)),
        *(node("Conv", f"p{level} deltas.weight", f"deltas_p{level}") for level in (2, 3)),
        *last,
    ]
    initializers = [
        weights("conv.weight", CHANNELS, 3, 4, 4), weights("conv.bias", CHANNELS), tensor("zero", 0.0, numpy.float32),
        weights("objectness.weight", 1, CHANNELS, 1, 1), weights("objectness.bias", 1),
        weights("deltas.weight", 4, CHANNELS, 1, 1), *extra,
    ]
    outputs = [(f"{kind}p{level}", FLOAT, ["N", channels, f"h{level}", f"w{level}"])
               for kind, channels in (("", CHANNELS), ("objectness_", 1), ("deltas_", 4)) for level in (2, 3)]
    for one in nodes:
        one.input[:] = ["" if name.startswith("no_") else name for name in one.input]
    return model("backbone", nodes, [("images", FLOAT, ["N", 3, "H", "W"])], outputs, initializers)


def small_head():
    nodes = []
    for level in (2, 3):
        nodes += [
            node("Slice", f"rois_p{level} one five one", f"boxes{level}"),
            node("Slice", f"rois_p{level} nought one one", f"column{level}"),
            node("Squeeze", f"column{level} one", f"floats{level}"),
            node("Cast", f"floats{level}", f"images{level}", to=INT64),
            node("RoiAlign", f"p{level} boxes{level} images{level}", f"pooled{level}", output_height=2, output_width=2,
                 sampling_ratio=2, spatial_scale=2.0**-level, coordinate_transformation_mode="output_half_pixel"),
        ]
    nodes += [
        node("Concat", "pooled2 pooled3", "pooled", axis=0),
        node("Flatten", "pooled", "flat"),
        node("Gemm", "flat fc.weight fc.bias", "hidden", transB=1),
        node("Relu", "hidden", "active"),
        node("Gemm", "active logits.weight", "class_logits", transB=1),
        node("MatMul", "active boxes.weight", "products"),
        node("Add", "products boxes.bias", "box_deltas"),
    ]
    initializers = [
        tensor("nought", [0], numpy.int64), tensor("one", [1], numpy.int64), tensor("five", [5], numpy.int64),
        weights("fc.weight", HIDDEN, 4 * CHANNELS), weights("fc.bias", HIDDEN), weights("logits.weight", 3, HIDDEN),
        weights("boxes.weight", HIDDEN, 12), weights("boxes.bias", 12),
    ]
    inputs = [(f"p{level}", FLOAT, ["N", CHANNELS, f"h{level}", f"w{level}"]) for level in (2, 3)]
    inputs += [(f"rois_p{level}", FLOAT, [f"R{level}", 5]) for level in (2, 3)]
    outputs = [("class_logits", FLOAT, ["R", 3]), ("box_deltas", FLOAT, ["R", 12])]
    return model("head", nodes, inputs, outputs, initializers)


def small_manifest(**changes):
    manifest = {
        "name": "small", "version": "7", "layout": "two-stage", "convention": "torchvision", "description": "A test",
        "license": "MIT", "files": {}, "input": {"minSize": 64, "maxSize": 128},
        "levels": [{"name": f"p{level}", "anchorSizes": [8 << level], "pooled": True} for level in (2, 3)],
        "aspectRatios": [1], "labels": ["a", "b"],
    }
    return {**manifest, **changes}


BYTES = {"minSize": 64, "maxSize": 128, "resize": "bilinear-antialias"}


class ConverterCase(unittest.TestCase):
    """A test with a folder for packages, and short words for what is in their graphs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make(self, backbone=None, head=None, **changes):
        graphs = {"backbone": backbone or small_backbone(), "head": head or small_head()}
        for graph in graphs.values():
            onnx.checker.check_model(graph, full_check=True)
        data = {role: graph.SerializeToString() for role, graph in graphs.items()}
        write_package(self.path("small"), small_manifest(**changes), data, force=True)

    def convert(self, *arguments, source="small", out="new"):
        """Converts, and returns both graphs and what was printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            convert.convert(convert.parse([self.path(source), self.path(out), *arguments]))
        backbone, head = (onnx.load(self.path(out, f"{role}.onnx")) for role in ("backbone", "head"))
        return backbone.graph, head.graph, printed.getvalue()

    def manifest(self, name="new"):
        with open(self.path(name, "model.json"), encoding="utf-8") as file:
            return json.load(file)

    def assert_error(self, text, *arguments, source="small", out="new"):
        with self.assertRaises(ExportError) as caught:
            self.convert(*arguments, source=source, out=out)
        self.assertIn(text, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        self.assertFalse(os.path.exists(self.path("new")))

    @staticmethod
    def types(values):
        return {value.name: value.type.tensor_type.elem_type for value in values}

    @staticmethod
    def dims(value):
        return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]

    @staticmethod
    def inputs_of(graph, output):
        return next(list(one.input) for one in graph.node if output in one.output)

    @staticmethod
    def inferred(graph):
        whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)])
        found = onnx.shape_inference.infer_shapes(whole, strict_mode=True).graph
        return {v.name: v.type.tensor_type.elem_type for v in (*found.value_info, *found.input, *found.output)}
