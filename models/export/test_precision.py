"""Tests of float16 arithmetic and float16 storage: python3 models/export/test_precision.py

Whole graphs run in ONNX Runtime in tests/Fpn.Models.Tests/ConvertedPackageTests.cs; here, what is in them.
"""
import os
import sys
import unittest
from collections import Counter

import numpy
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from converter_case import CHANNELS, FLOAT, HALF, INT64, ConverterCase, node, small_backbone, tensor, weights


class PrecisionTests(ConverterCase):
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
        """A normalization spelt out: its squares leave float16's range."""
        extra = [node("ReduceMean", "c2", "mean", axes=[2, 3]), node("Sub", "c2 mean", "centered"),
                 node("Pow", "centered two", "squares"), node("ReduceMean", "squares", "variance", axes=[2, 3]),
                 node("Sqrt", "variance", "deviation"), node("Div", "centered deviation", "normal"),
                 node("Conv", "normal conv1.weight", "after")]
        constants = [tensor("two", 2.0, numpy.float32), weights("conv1.weight", 1, CHANNELS, 1, 1)]
        self.make(small_backbone(extra, constants))
        converted, _, _ = self.convert("--precision", "float16")
        found = self.inferred(converted)
        self.assertEqual([found[n] for n in ("c2", "mean", "centered", "squares", "variance", "normal", "after")],
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


if __name__ == "__main__":
    unittest.main()
