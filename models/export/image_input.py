"""Changes what a backbone's `images` are: float16, or the bytes of the resized picture.

Shape letters: N images, H x W padded input.
"""
import numpy
from onnx import TensorProto, helper

from errors import ExportError
from graph_editor import FLOAT, HALF

IMAGES, SIZES = "images", "image_sizes"


def take_half(editor):
    """`images` become float16 and are cast to float32 first."""
    value = _float_images(editor)
    cast = editor.make_node("Cast", [IMAGES], f"{IMAGES}_float32", to=FLOAT)
    _prepend(editor, [cast])
    value.type.tensor_type.elem_type = HALF


def take_bytes(editor, normalization):
    """`images` become uint8 [N, H, W, 3], RGB, and `image_sizes` int64 [N, 2] says how much of each is picture.

    The graph then does what the service does for float32 images, with the same roundings: one multiplication and one
    addition in float32, and zeros where there is no picture. A graph that takes float16 images gets them rounded after
    that. `normalization`: see `package_reader.Normalization`.
    """
    value = editor.input(IMAGES)
    images_type = value.type.tensor_type.elem_type
    if images_type not in (FLOAT, HALF):
        raise ExportError(f"{editor.path}: input '{IMAGES}' is neither float32 nor float16")
    nodes = []

    def add(operator, inputs, hint, **attributes):
        nodes.append(editor.make_node(operator, inputs, hint, **attributes))
        return nodes[-1].output[0]

    def constant(hint, values, kind):
        return editor.add_constant(hint, numpy.array(values, dtype=kind))

    def inside(axis, shape):
        """Whether a row (axis 1) or column (axis 2) lies within its picture; bool, to be broadcast to [N, 1, H, W]."""
        name = ("rows", "columns")[axis - 1]
        count = add("Gather", [bounds, constant(f"{name}_axis", axis, numpy.int64)], f"{name}_count")
        positions = add("Range", [first, count, step], f"{name}_positions")
        positions = add("Reshape", [positions, constant(f"{name}_shape", shape, numpy.int64)], name)
        side = constant(f"{name}_side", [axis - 1], numpy.int64)
        ends = add("Gather", [SIZES, side], f"{name}_of_images", axis=1)
        ends = add("Reshape", [ends, constant(f"{name}_end_shape", [-1, 1, 1, 1], numpy.int64)], f"{name}_end")
        return add("Less", [positions, ends], f"{name}_inside")

    planes = add("Transpose", [IMAGES], "planes", perm=[0, 3, 1, 2])
    if normalization.channels != (0, 1, 2):
        order = constant("channel_order", normalization.channels, numpy.int64)
        planes = add("Gather", [planes, order], "ordered_planes", axis=1)
    pixels = add("Cast", [planes], "pixels", to=FLOAT)
    multiplier = constant("multiplier", normalization.multiplier.reshape(1, 3, 1, 1), numpy.float32)
    offset = constant("offset", normalization.offset.reshape(1, 3, 1, 1), numpy.float32)
    scaled = add("Mul", [pixels, multiplier], "scaled_pixels")
    normalized = add("Add", [scaled, offset], "normalized_pixels")
    if images_type == HALF:
        normalized = add("Cast", [normalized], "rounded_pixels", to=HALF)
    bounds = add("Shape", [IMAGES], "images_shape")
    first, step = constant("first_position", 0, numpy.int64), constant("position_step", 1, numpy.int64)
    picture = add("And", [inside(1, [1, 1, -1, 1]), inside(2, [1, 1, 1, -1])], "inside_picture")
    zero = constant("padding", 0, numpy.float16 if images_type == HALF else numpy.float32)
    add("Where", [picture, normalized, zero], "padded_pixels")
    _prepend(editor, nodes)

    count, _, height, width = value.type.tensor_type.shape.dim
    named = [_name(dim, default) for dim, default in ((count, "N"), (height, "H"), (width, "W"))]
    value.CopyFrom(helper.make_tensor_value_info(IMAGES, TensorProto.UINT8, [*named, 3]))
    editor.graph.input.append(helper.make_tensor_value_info(SIZES, TensorProto.INT64, [named[0], 2]))


def _float_images(editor):
    value = editor.input(IMAGES)
    if value.type.tensor_type.elem_type != FLOAT:
        raise ExportError(f"{editor.path}: input '{IMAGES}' is not float32; convert the package it was made from")
    return value


def _prepend(editor, nodes):
    """Puts nodes in front; readers of the images read the output of the last node."""
    editor.rename_reads(IMAGES, nodes[-1].output[0])
    editor.replace_nodes([*nodes, *editor.graph.node])


def _name(dim, default):
    return dim.dim_param or dim.dim_value or default
