"""Tests of what a backbone can be given instead of float32 images: python3 models/export/test_image_input.py"""
import os
import sys
import unittest

import numpy
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from converter_case import BYTES, FLOAT, HALF, INT64, UINT8, ConverterCase


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


class ImageInputTests(ConverterCase):
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

    def test_images_uint8_torchvision_scales_and_normalizes_rgb(self):
        mean, std = as_float32([0.485, 0.456, 0.406]), as_float32([0.229, 0.224, 0.225])
        scale = float(numpy.float32(1) / numpy.float32(255))
        self.assert_preprocessing({"input": BYTES}, scale / std, -mean / std, (0, 1, 2))

    def test_images_uint8_detectron2_takes_the_mean_from_bgr(self):
        changes = {"convention": "detectron2", "input": {"minSize": 64, "maxSize": 128}}
        self.assert_preprocessing(changes, [1, 1, 1], -as_float32([103.53, 116.28, 123.675]), (2, 1, 0))

    def test_images_uint8_given_figures_are_used(self):
        changes = {"input": {**BYTES, "colorOrder": "bgr", "scale": 0.5, "mean": [1, 2, 3], "std": [3, 5, 7]}}
        self.assert_preprocessing(changes, [0.5 / 3, 0.5 / 5, 0.5 / 7], [-1 / 3, -2 / 5, -3 / 7], (2, 1, 0))

    def test_images_uint8_with_precision_are_rounded_after_normalizing(self):
        changes = {"convention": "detectron2", "input": {"minSize": 64, "maxSize": 128, "std": [57.375, 57.12, 58.395]}}
        mean, std = as_float32([103.53, 116.28, 123.675]), as_float32([57.375, 57.12, 58.395])
        half = ("--precision", "float16")
        self.assert_preprocessing(changes, 1 / std, -mean / std, (2, 1, 0), half, numpy.float16)

    def test_images_uint8_resized_on_floats_is_refused(self):
        self.make()
        self.assert_error("input.resize is 'bilinear'", "--images", "uint8")
        self.assert_error("--images float16", "--images", "uint8")


if __name__ == "__main__":
    unittest.main()
