"""Tests of the converter: python3 models/export/test_convert.py

Whole graphs run in ONNX Runtime in tests/Fpn.Service.Tests/Model/ConvertedPackageTests.cs; here, what is in them.
"""
import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
import unittest
from collections import Counter

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

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


def as_float32(values):
    """Doubles that are float32 numbers, as the service has what model.json says."""
    return numpy.array(values, dtype=numpy.float32).astype(numpy.float64)


def run_numpy(graph, values, wanted):
    """Runs the nodes up to one tensor: those operators that the preprocessing is made of."""
    values = {**values, **{t.name: numpy_helper.to_array(t) for t in graph.initializer}}
    operators = {
        "Transpose": lambda a, x: x.transpose(a["perm"]),
        "Gather": lambda a, x, i: numpy.take(x, i, axis=a.get("axis", 0)),
        "Cast": lambda a, x: x.astype({FLOAT: numpy.float32, HALF: numpy.float16}[a["to"]]),
        "Mul": lambda a, x, y: x * y,
        "Add": lambda a, x, y: x + y,
        "Shape": lambda a, x: numpy.array(x.shape, dtype=numpy.int64),
        "Range": lambda a, first, end, step: numpy.arange(first, end, step),
        "Reshape": lambda a, x, shape: x.reshape(shape),
        "Less": lambda a, x, y: x < y,
        "And": lambda a, x, y: x & y,
        "Where": lambda a, which, x, y: numpy.where(which, x, y),
    }
    for one in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in one.attribute}
        values[one.output[0]] = operators[one.op_type](attributes, *(values[name] for name in one.input))
        if one.output[0] == wanted:
            return values[wanted]
    raise AssertionError(f"nothing gives {wanted}")


class ConvertTests(unittest.TestCase):
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

    def test_precision_backbone_computes_and_answers_in_float16(self):
        self.make()
        backbone, _, _ = self.convert("--precision", "float16")
        self.assertEqual(set(self.types(backbone.input).values()), {HALF})
        self.assertEqual(set(self.types(backbone.output).values()), {HALF})
        self.assertEqual([v.name for v in backbone.output],
                         [f"{kind}p{level}" for kind in ("", "objectness_", "deltas_") for level in (2, 3)])
        self.assertEqual(self.dims(backbone.input[0]), ["N", 3, "H", "W"])
        self.assertEqual({t.data_type for t in backbone.initializer}, {HALF})
        found = self.inferred(backbone)
        self.assertEqual((found["sum"], found["shape"]), (HALF, INT64))
        self.assertNotIn("Cast", [one.op_type for one in backbone.node])
        self.assertEqual(self.inputs_of(backbone, "up"), ["p3", "", "", "shape"])

    def test_precision_head_pools_and_answers_in_float32(self):
        self.make()
        _, head, _ = self.convert("--precision", "float16")
        self.assertEqual(self.types(head.input), {"p2": HALF, "p3": HALF, "rois_p2": FLOAT, "rois_p3": FLOAT})
        self.assertEqual(self.types(head.output), {"class_logits": FLOAT, "box_deltas": FLOAT})
        found = self.inferred(head)
        for one in (one for one in head.node if one.op_type == "RoiAlign"):
            self.assertEqual([found[name] for name in one.input], [FLOAT, FLOAT, INT64])
        self.assertEqual([found[name] for name in ("boxes2", "pooled2", "pooled", "hidden", "products")],
                         [FLOAT, HALF, HALF, HALF, FLOAT])
        self.assertEqual({t.name: t.data_type for t in head.initializer if t.data_type != INT64}, {
            "fc.weight_float16": HALF, "fc.bias_float16": HALF,
            "logits.weight": FLOAT, "boxes.weight": FLOAT, "boxes.bias": FLOAT})
        # Features in, pooled results back, and the hidden layer once for both last products.
        self.assertEqual(Counter(one.op_type for one in head.node)["Cast"], 2 + 2 + 2 + 1)

    def test_precision_weights_are_the_nearest_float16(self):
        self.make()
        backbone, _, _ = self.convert("--precision", "float16")
        stored = {t.name: numpy_helper.to_array(t) for t in backbone.initializer}
        expected = numpy_helper.to_array(weights("conv.weight", CHANNELS, 3, 4, 4)).astype(numpy.float16)
        numpy.testing.assert_array_equal(stored["conv.weight_float16"], expected)

    def test_precision_sizes_and_scales_from_shapes_stay_float32(self):
        """A scale that is computed from shapes, as older exporters do it: floats, but no activations."""
        extra = [node("Shape", "c2", "shape4"), node("Cast", "shape4", "sizes", to=FLOAT),
                 node("Div", "sizes sizes", "ratios"), node("Mul", "ratios two", "scales"),
                 node("Resize", "c2 no_roi scales", "twice", mode="nearest")]
        backbone = small_backbone(extra, [tensor("two", [1, 1, 2, 2], numpy.float32)])
        self.make(backbone)
        converted, _, _ = self.convert("--precision", "float16")
        found = self.inferred(converted)
        self.assertEqual([found[name] for name in ("sizes", "scales", "twice")], [FLOAT, FLOAT, HALF])
        self.assertEqual(self.inputs_of(converted, "twice"), ["c2", "", "scales"])
        self.assertEqual({t.name: t.data_type for t in converted.initializer}["two"], FLOAT)

    def test_precision_squares_and_sums_stay_float32_until_the_next_product(self):
        """A normalisation spelt out: its squares leave float16's range."""
        extra = [node("ReduceMean", "c2", "mean", axes=[2, 3]), node("Sub", "c2 mean", "centred"),
                 node("Pow", "centred two", "squares"), node("ReduceMean", "squares", "variance", axes=[2, 3]),
                 node("Sqrt", "variance", "deviation"), node("Div", "centred deviation", "normal"),
                 node("Conv", "normal conv1.weight", "after")]
        constants = [tensor("two", 2.0, numpy.float32), weights("conv1.weight", 1, CHANNELS, 1, 1)]
        self.make(small_backbone(extra, constants))
        converted, _, _ = self.convert("--precision", "float16")
        found = self.inferred(converted)
        self.assertEqual([found[n] for n in ("c2", "mean", "centred", "squares", "variance", "normal", "after")],
                         [HALF, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, HALF])

    def test_precision_feature_that_comes_out_wide_is_cast(self):
        backbone = small_backbone()
        for one in backbone.graph.node:
            if one.op_type == "Clip":
                one.output[0] = "clipped"
        place = next(i for i, one in enumerate(backbone.graph.node) if one.op_type == "Clip")
        backbone.graph.node.insert(place + 1, node("Exp", "clipped", "p2"))
        self.make(backbone)
        converted, _, _ = self.convert("--precision", "float16")
        self.assertEqual(self.types(converted.output)["p2"], HALF)
        self.assertEqual(self.inputs_of(converted, "p2"), ["p2_float32"])
        self.assertEqual(self.types(converted.output)["objectness_p2"], HALF)

    def test_precision_weight_beyond_float16_is_refused(self):
        backbone = small_backbone()
        backbone.graph.initializer[0].CopyFrom(weights("conv.weight", CHANNELS, 3, 4, 4, scale=1e5))
        self.make(backbone)
        self.assert_error("'conv.weight' holds", "--precision", "float16")
        self.assert_error("float16 ends at 65504", "--precision", "float16")

    def test_precision_nan_is_refused(self):
        backbone = small_backbone()
        backbone.graph.initializer[1].CopyFrom(tensor("conv.bias", [1, numpy.nan, 0, 0], numpy.float32))
        self.make(backbone)
        self.assert_error("'conv.bias' holds NaN", "--precision", "float16")

    def test_precision_limits_beyond_float16_are_cut_infinities_stay_and_an_epsilon_stays_above_zero(self):
        extra = [node("Clip", "c2 lowest highest", "clipped"), node("Max", "clipped never", "same"),
                 node("Add", "same epsilon", "more")]
        constants = [tensor("lowest", -3e38, numpy.float32), tensor("highest", 1e6, numpy.float32),
                     tensor("never", -numpy.inf, numpy.float32), tensor("epsilon", 1e-9, numpy.float32)]
        self.make(small_backbone(extra, constants))
        backbone, _, printed = self.convert("--precision", "float16")
        values = {t.name: numpy_helper.to_array(t) for t in backbone.initializer}
        self.assertEqual([float(values[f"{n}_float16"]) for n in ("lowest", "highest", "never", "epsilon")],
                         [-65504, 65504, -numpy.inf, 2.0**-24])
        for text in ("'lowest' of Clip: -3e+38 becomes -65504", "'highest' of Clip: 1e+06 becomes 65504",
                     "'epsilon': 1e-09 becomes the smallest float16"):
            self.assertIn(text, printed)
        self.assertNotIn("'never'", printed)

    def test_precision_unknown_operator_and_control_flow_are_refused(self):
        outputs = [helper.make_tensor_value_info("branch", FLOAT, None)]
        branch = helper.make_graph([node("Relu", "c2", "branch")], "branch", [], outputs)
        flow = helper.make_node("If", ["condition"], ["chosen"], then_branch=branch, else_branch=branch)
        extra = [flow, node("Add", "c2 chosen", "more")]
        self.make(small_backbone(extra, [tensor("condition", True, bool)]))
        self.assert_error("holds a graph of its own", "--precision", "float16")
        custom = helper.make_node("Gelu", ["c2"], ["gelu"], domain="com.example", name="custom")
        backbone = small_backbone([custom])
        backbone.opset_import.append(helper.make_opsetid("com.example", 1))
        self.make(backbone)
        self.assert_error("node 'custom' (Gelu) is not an operator of ONNX", "--precision", "float16")

    def test_precision_of_stored_weights_equals_precision_of_the_original(self):
        self.make()
        direct = self.convert("--precision", "float16", out="direct")[:2]
        self.convert("--storage", "float16", out="stored")
        through = self.convert("--precision", "float16", source="stored", out="through")[:2]
        for one, other in zip(direct, through):
            self.assertEqual([n.op_type for n in one.node], [n.op_type for n in other.node])
            expected, actual = ({t.name: numpy_helper.to_array(t) for t in g.initializer} for g in (one, other))
            self.assertEqual(expected.keys(), actual.keys())
            for name, values in expected.items():  # those that stay float32 were stored as float16 in between
                numpy.testing.assert_array_equal(values.astype(numpy.float16), actual[name].astype(numpy.float16))

    def test_storage_weights_are_cast_and_biases_stay(self):
        self.make()
        backbone, head, _ = self.convert("--storage", "float16")
        for graph, role in ((backbone, "backbone"), (head, "head")):
            before = onnx.load(self.path("small", f"{role}.onnx")).graph
            self.assertEqual(self.types(graph.input), self.types(before.input))
            self.assertEqual(self.types(graph.output), self.types(before.output))
            stored = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
            casts = {one.output[0]: one.input[0] for one in graph.node if one.op_type == "Cast"}
            for original in before.initializer:
                values = numpy_helper.to_array(original)
                if values.ndim > 1:
                    self.assertNotIn(original.name, stored)
                    numpy.testing.assert_array_equal(stored[casts[original.name]], values.astype(numpy.float16))
                else:
                    numpy.testing.assert_array_equal(stored[original.name], values)
            self.assertTrue(casts)

    def test_storage_weight_beyond_float16_stays_and_is_named(self):
        backbone = small_backbone()
        backbone.graph.initializer[0].CopyFrom(weights("conv.weight", CHANNELS, 3, 4, 4, scale=1e5))
        self.make(backbone)
        converted, _, printed = self.convert("--storage", "float16")
        self.assertIn("'conv.weight' stays float32", printed)
        self.assertEqual({t.name: t.data_type for t in converted.initializer}["conv.weight"], FLOAT)

    def test_images_float16_are_cast_first(self):
        self.make()
        backbone, head, _ = self.convert("--images", "float16")
        self.assertEqual(self.types(backbone.input), {"images": HALF})
        self.assertEqual(set(self.types(backbone.output).values()), {FLOAT})
        self.assertEqual((backbone.node[0].op_type, list(backbone.node[0].input)), ("Cast", ["images"]))
        self.assertEqual(self.inputs_of(backbone, "c2")[0], backbone.node[0].output[0])
        self.assertEqual(head, onnx.load(self.path("small", "head.onnx")).graph)

    def assert_preprocessing(self, changes, multiplier, offset, channels, arguments=(), kind=numpy.float32):
        """Sizes of one image full, one small and one empty; equal to the last bit to numpy's own arithmetic."""
        self.make(**changes)
        backbone, _, _ = self.convert("--images", "uint8", *arguments, "--force")
        self.assertEqual(self.types(backbone.input), {"images": UINT8, "image_sizes": INT64})
        self.assertEqual([self.dims(value) for value in backbone.input], [["N", "H", "W", 3], ["N", 2]])
        generator = numpy.random.default_rng(1)
        images = generator.integers(0, 256, (3, 8, 12, 3), dtype=numpy.uint8)  # noise in the padding, too
        sizes = numpy.array([[8, 12], [5, 7], [0, 0]], dtype=numpy.int64)
        expected = numpy.zeros((3, 3, 8, 12), dtype=kind)
        for image, (height, width) in enumerate(sizes):
            for plane, channel in enumerate(channels):
                pixels = images[image, :height, :width, channel].astype(numpy.float32)
                scaled = pixels * numpy.float32(multiplier[plane])
                expected[image, plane, :height, :width] = (scaled + numpy.float32(offset[plane])).astype(kind)
        actual = run_numpy(backbone, {"images": images, "image_sizes": sizes}, self.inputs_of(backbone, "c2")[0])
        self.assertEqual(actual.dtype, kind)
        numpy.testing.assert_array_equal(actual, expected)

    def test_images_uint8_torchvision_scales_and_normalises_rgb(self):
        mean, std = as_float32([0.485, 0.456, 0.406]), as_float32([0.229, 0.224, 0.225])
        scale = float(numpy.float32(1) / numpy.float32(255))
        self.assert_preprocessing({"input": BYTES}, scale / std, -mean / std, (0, 1, 2))

    def test_images_uint8_detectron2_takes_the_mean_from_bgr(self):
        changes = {"convention": "detectron2", "input": {"minSize": 64, "maxSize": 128}}
        self.assert_preprocessing(changes, [1, 1, 1], -as_float32([103.53, 116.28, 123.675]), (2, 1, 0))

    def test_images_uint8_given_figures_are_used(self):
        changes = {"input": {**BYTES, "colorOrder": "bgr", "scale": 0.5, "mean": [1, 2, 3], "std": [3, 5, 7]}}
        self.assert_preprocessing(changes, [0.5 / 3, 0.5 / 5, 0.5 / 7], [-1 / 3, -2 / 5, -3 / 7], (2, 1, 0))

    def test_images_uint8_with_precision_are_rounded_after_normalising(self):
        changes = {"convention": "detectron2", "input": {"minSize": 64, "maxSize": 128, "std": [57.375, 57.12, 58.395]}}
        mean, std = as_float32([103.53, 116.28, 123.675]), as_float32([57.375, 57.12, 58.395])
        half = ("--precision", "float16")
        self.assert_preprocessing(changes, 1 / std, -mean / std, (2, 1, 0), half, numpy.float16)

    def test_images_uint8_resized_on_floats_is_refused(self):
        self.make()
        self.assert_error("input.resize is 'bilinear'", "--images", "uint8")
        self.assert_error("--images float16", "--images", "uint8")

    def test_manifest_is_carried_over_but_for_name_version_description_and_checksums(self):
        self.make(input={**BYTES, "mean": [0.1, 0.25, 0.5]})
        self.convert("--precision", "float16", "--images", "uint8")
        before, after = self.manifest("small"), self.manifest()
        self.assertEqual(list(before), list(after))
        changed = {key for key in before if before[key] != after[key]}
        self.assertEqual(changed, {"name", "version", "description", "files"})
        self.assertEqual((after["name"], after["version"]), ("new", "7-float16-uint8-images"))
        self.assertEqual(after["description"], "A test (small 7 converted: computes in float16, takes images as bytes)")
        for role, entry in after["files"].items():
            with open(self.path("new", entry["path"]), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), entry["sha256"], role)

    def test_manifest_with_comments_and_last_commas_is_read(self):
        self.make()
        with open(self.path("small", "model.json"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace('"MIT"', '"MIT, see https://example.org/*x*/ \\"//\\" ,]", // a comment')
        text = "/* more\n of them */" + text.replace('"b"]', '"b",]').replace(",\n  \"files\"", "\n  \"files\"")
        with open(self.path("small", "model.json"), "w", encoding="utf-8") as file:
            file.write(text)
        self.convert("--images", "float16")
        self.assertEqual(self.manifest()["license"], 'MIT, see https://example.org/*x*/ "//" ,]')
        self.assertEqual(self.manifest()["labels"], ["a", "b"])

    def test_model_card_is_not_copied_and_that_is_said(self):
        self.make()
        with open(self.path("small", "MODEL_CARD.md"), "w", encoding="utf-8") as file:
            file.write("AP 1.0")
        _, _, printed = self.convert("--storage", "float16")
        self.assertEqual(sorted(os.listdir(self.path("new"))), ["backbone.onnx", "head.onnx", "model.json"])
        self.assertIn("not copied: MODEL_CARD.md", printed)

    def test_convert_twice_gives_the_same_bytes(self):
        self.make(input=BYTES)
        files = []
        for _ in range(2):
            self.convert("--precision", "float16", "--images", "uint8", "--force")
            files.append(self.manifest()["files"])
        self.assertEqual(*files)

    def test_existing_package_needs_force_and_the_source_is_never_replaced(self):
        self.make()
        self.convert("--storage", "float16")
        with self.assertRaisesRegex(ExportError, "--force"):
            self.convert("--storage", "float16")
        with self.assertRaisesRegex(ExportError, "needs a name of its own"):
            self.convert("--storage", "float16", "--force", out="small")

    def test_wrong_package_says_what_is_wrong(self):
        self.assert_error("model.json: No such file", "--storage", "float16", source="none")
        self.make(layout="end-to-end")
        self.assert_error("this one's layout is 'end-to-end'", "--storage", "float16")
        self.make()
        self.assert_error("no package name", "--storage", "float16", out="two words")
        for opset, text in ((10, "from 11 on"), (99, "is of opset 99")):
            backbone = small_backbone()
            backbone.opset_import[0].version = opset
            data = {"backbone": backbone.SerializeToString(), "head": small_head().SerializeToString()}
            write_package(self.path("small"), small_manifest(), data, force=True)
            self.assert_error(text, "--storage", "float16")
        self.make()
        with open(self.path("small", "head.onnx"), "ab") as file:
            file.write(b"x")
        self.assert_error("but model.json says", "--storage", "float16")

    def test_already_converted_package_is_refused(self):
        self.make(input=BYTES)
        self.convert("--precision", "float16", out="half")
        self.convert("--images", "uint8", out="bytes")
        self.assert_error("is not float32", "--precision", "float16", source="half")
        self.assert_error("is not float32", "--images", "float16", source="half")
        self.assert_error("is not float32", "--precision", "float16", source="bytes")
        self.assert_error("neither float32 nor float16", "--images", "uint8", source="bytes")

    def test_parse_needs_something_to_do_and_one_kind_of_weights(self):
        for arguments in ((), ("--precision", "float16", "--storage", "float16"), ("--images", "int8")):
            with self.subTest(arguments), contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                convert.parse(["a", "b", *arguments])


if __name__ == "__main__":
    unittest.main()
