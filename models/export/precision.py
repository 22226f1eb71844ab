"""Makes a graph compute in float16, and keeps in float32 what float16 has too few bits or too little range for.

float16 has 11 bits and ends at 65504. The rule is that of mixed precision in training:

- matrix products (nearly all of the time) read float16;
- sums over many values, powers and the like run in float32, and so does RoiAlign: a coordinate near 1000 would be
  off by half a pixel. RoiAlign's result is an average of features and goes on as float16;
- any other node takes the type of what it reads, the wider one where that differs;
- what does not come from the images or the features (sizes, scales, RoIs) stays as it is.
"""
import numpy
from onnx import TensorProto, helper, numpy_helper

from errors import ExportError
from graph_editor import FLOAT, HALF

LARGEST, SMALLEST = 65504.0, 2.0**-24
_PRODUCTS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
_WIDE = {
    "RoiAlign", "Pow", "Exp", "Log", "Sqrt", "Reciprocal", "Softmax", "LogSoftmax", "CumSum", "InstanceNormalization",
    "LayerNormalization", "LpNormalization", "MeanVarianceNormalization", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMean", "ReduceProd", "ReduceSum", "ReduceSumSquare",
}
_BOUNDED = {"RoiAlign"}  # their results lie within what they read
_LIMITS = {"Clip", "Min", "Max", "Where", "Pad"}  # constants there are bounds or fillings: the largest number will do
_ALWAYS_FLOAT = {"Resize": (1, 2)}  # roi and scales


def convert(editor, half_inputs, half_outputs=(), float_outputs=()):
    """Converts a graph in place.

    `half_inputs` become float16, `half_outputs` are float16 afterwards, `float_outputs` are float32 and computed so
    from their last matrix product on; other outputs are of the type that they come out in. Returns remarks for the
    user, a line each. A graph that cannot be converted without changing what it computes is an ExportError.
    """
    return _Conversion(editor, half_inputs, float_outputs).run(half_outputs)


class _Conversion:
    """One pass over the nodes in the order in which they run."""

    def __init__(self, editor, half_inputs, float_outputs):
        self.editor, self.types = editor, editor.types()
        self.wide_nodes = self._last_products(float_outputs)
        self.half = set(half_inputs)  # tensors that were float32 and are float16 now
        self.derived = set(half_inputs)  # floats of any type that come from the images or the features
        self.nodes, self.converted, self.remarks = [], {}, []
        for name in half_inputs:
            value = editor.input(name)
            if value.type.tensor_type.elem_type != FLOAT:
                raise ExportError(f"{editor.path}: input '{name}' is not float32; convert the package it was made from")
            value.type.tensor_type.elem_type = HALF

    def run(self, half_outputs):
        for node in list(self.editor.graph.node):
            self._convert(node)
        self.editor.replace_nodes(self.nodes)
        for value in self.editor.graph.output:
            if value.name in half_outputs and value.name not in self.half:
                wide = self.editor.unique(f"{value.name}_float32")
                self.editor.rename(value.name, wide)
                self.editor.graph.node.append(helper.make_node("Cast", [wide], [value.name], to=HALF))
                self.half.add(value.name)
            if value.name in self.half:
                value.type.tensor_type.elem_type = HALF
        return self.remarks

    def _last_products(self, outputs):
        """Nodes from the last matrix product to the outputs, by the names of what they give."""
        producers = {name: node for node in self.editor.graph.node for name in node.output}
        found, names = set(), list(outputs)
        while names:
            node = producers.get(names.pop())
            if node is not None and node.output[0] not in found:
                found.add(node.output[0])
                if node.op_type not in _PRODUCTS:
                    names.extend(node.input)
        return found

    def _convert(self, node):
        if not any(name in self.derived for name in self.editor.reads(node)):
            self.nodes.append(node)
            return
        schema = self.editor.schema(node)
        label = f"{self.editor.path}: node '{node.name or node.output[0]}' ({node.op_type})"
        if schema is None:
            raise ExportError(f"{label} is not an operator of ONNX: what it makes of float16 is unknown")
        if any(attribute.g.node or attribute.graphs for attribute in node.attribute):
            raise ExportError(f"{label} holds a graph of its own, which cannot be converted")
        self.derived |= {name for name in node.output if self.types.get(name) in (FLOAT, TensorProto.DOUBLE)}
        if self._is_half(node, schema):
            self._make_half(node, schema)
        else:
            self._keep_float(node)

    def _is_half(self, node, schema):
        if node.op_type in _WIDE or node.output[0] in self.wide_nodes:
            return False
        floats = [name for _, name in self._convertible(node, schema) if name not in self.editor.constants]
        if node.op_type in _PRODUCTS:
            return bool(floats)
        return bool(floats) and all(name in self.half for name in floats)

    def _convertible(self, node, schema):
        """Places and names of the inputs that were float32 and may be float16."""
        for place, name in enumerate(node.input):
            allowed = "tensor(float16)" in schema.inputs[min(place, len(schema.inputs) - 1)].types
            if allowed and self.types.get(name) == FLOAT and place not in _ALWAYS_FLOAT.get(node.op_type, ()):
                yield place, name

    def _make_half(self, node, schema):
        places = dict(self._convertible(node, schema))
        for place, name in enumerate(node.input):
            if place not in places:
                node.input[place] = self._as_float(name)
            elif name in self.editor.constants:
                node.input[place] = self._half_constant(name, node)
            else:
                node.input[place] = self._as_half(name)
        if node.op_type == "Cast":
            for attribute in node.attribute:
                attribute.i = HALF if attribute.i == FLOAT else attribute.i
        self.nodes.append(node)
        self.half |= {name for name in node.output if self.types.get(name) == FLOAT}

    def _keep_float(self, node):
        node.input[:] = [self._as_float(name) for name in node.input]
        self.nodes.append(node)
        if node.op_type in _BOUNDED:
            name = node.output[0]
            node.output[0] = self.editor.unique(f"{name}_float32")
            self.nodes.append(helper.make_node("Cast", [node.output[0]], [name], name=f"{name}_cast", to=HALF))
            self.half.add(name)

    def _as_float(self, name):
        return self._cast(name, FLOAT, "float32") if name in self.half else name

    def _as_half(self, name):
        return name if name in self.half else self._cast(name, HALF, "float16")

    def _cast(self, name, to, suffix):
        """The tensor in another type; cast once for all that read it."""
        if (name, to) not in self.converted:
            node = self.editor.make_node("Cast", [name], f"{name}_{suffix}", to=to)
            self.nodes.append(node)
            self.converted[name, to] = node.output[0]
        return self.converted[name, to]

    def _half_constant(self, name, node):
        limit = node.op_type in _LIMITS
        if (name, limit) not in self.converted:
            values = numpy_helper.to_array(self.editor.constants[name])
            halves = self._round(name, values, node.op_type if limit else None)
            self.converted[name, limit] = self.editor.add_constant(f"{name}_float16", halves)
        return self.converted[name, limit]

    def _round(self, name, values, limit_of):
        """Nearest float16; infinities stay, NaN and what would become infinite is refused unless it is a limit."""
        if numpy.isnan(values).any():
            raise ExportError(f"{self.editor.path}: constant '{name}' holds NaN")
        beyond = numpy.isfinite(values) & (numpy.abs(values) > LARGEST)
        if beyond.any():
            worst = float(values[beyond].flat[numpy.abs(values[beyond]).argmax()])
            if limit_of is None:
                raise ExportError(
                    f"{self.editor.path}: constant '{name}' holds {worst:g}, float16 ends at {LARGEST:g}: "
                    "the package cannot compute in float16 (--storage float16 halves its files all the same)")
            cut = numpy.copysign(LARGEST, worst)
            self.remarks.append(f"constant '{name}' of {limit_of}: {worst:g} becomes {cut:g}")
            values = numpy.where(beyond, numpy.copysign(numpy.float32(LARGEST), values), values)
        halves = values.astype(numpy.float16)
        if values.size == 1 and values.any() and not halves.any():  # an epsilon: 0 would divide by zero
            epsilon = float(values.flat[0])
            self.remarks.append(f"constant '{name}': {epsilon:g} becomes the smallest float16, {SMALLEST:.2g}")
            halves = numpy.copysign(numpy.float16(SMALLEST), values).astype(numpy.float16).reshape(values.shape)
        return halves
