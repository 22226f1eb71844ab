"""Opens a package's ONNX graph, changes it in place and gives it back checked."""
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from errors import ExportError

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
_FIRST_OPSET = 11  # Range; RoiAlign came one earlier
_VALUES = ("value", "value_float", "value_floats")


class GraphEditor:
    """One graph, whose float constants are initializers, all of them, whatever the file had them as.

    `graph` is ONNX's own and may be changed freely; `constants` are its initializers by name.
    """

    def __init__(self, path):
        try:
            self._model = onnx.load(path)
        except Exception as error:  # protobuf's own, and what external data adds
            raise ExportError(f"{path}: cannot be read as ONNX ({type(error).__name__})") from None
        self.path, self.graph = path, self._model.graph
        self.opset = max((entry.version for entry in self._model.opset_import if not entry.domain), default=0)
        last = onnx.defs.onnx_opset_version()
        if not _FIRST_OPSET <= self.opset <= last:
            raise ExportError(f"{path}: is of opset {self.opset}; from {_FIRST_OPSET} on, and up to the {last} that "
                              "this version of onnx knows, it can be converted")
        self._initializers_are_no_inputs()
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self._lift_constants()
        self._fold_constants()
        self._drop_unused_constants()
        self._names = {name for node in self._all_nodes(self.graph) for name in (*node.input, *node.output)}
        self._names |= set(self.constants) | {value.name for value in (*self.graph.input, *self.graph.output)}

    def input(self, name):
        """The graph's input of this name."""
        for value in self.graph.input:
            if value.name == name:
                return value
        raise ExportError(f"{self.path}: input '{name}' is missing")

    def input_names(self):
        """Names of the graph's inputs, in its order."""
        return [value.name for value in self.graph.input]

    def output_names(self):
        """Names of the graph's outputs, in its order."""
        return [value.name for value in self.graph.output]

    def types(self):
        """Element type of every tensor by name; of those that inference cannot tell, none."""
        try:
            inferred = onnx.shape_inference.infer_shapes(self._model, strict_mode=True).graph
        except onnx.shape_inference.InferenceError as error:
            raise ExportError(f"{self.path}: is not valid ONNX ({str(error).strip().splitlines()[0]})") from None
        values = (*inferred.input, *inferred.value_info, *inferred.output)
        types = {value.name: value.type.tensor_type.elem_type for value in values}
        return {**types, **{name: tensor.data_type for name, tensor in self.constants.items()}}

    def schema(self, node):
        """What ONNX says about a node's operator, or None if it is not one of ONNX's own."""
        if node.domain not in ("", "ai.onnx"):
            return None
        return onnx.defs.get_schema(node.op_type, self.opset)

    def reads(self, node):
        """Names of the tensors that a node reads, those that only a graph within it reads included."""
        return [*node.input, *(name for inner in self._nodes_within(node) for name in inner.input)]

    def unique(self, hint):
        """A name that no tensor has: the hint, with a number where that is taken."""
        name, count = hint, 1
        while name in self._names:
            count += 1
            name = f"{hint}_{count}"
        self._names.add(name)
        return name

    def add_constant(self, hint, values):
        """Adds an initializer and returns its name."""
        name = self.unique(hint)
        self._add_initializer(numpy_helper.from_array(values, name))
        return name

    def remove_constant(self, name):
        """Drops an initializer, so that a node may give a tensor of its name."""
        del self.constants[name]
        place = next(i for i, tensor in enumerate(self.graph.initializer) if tensor.name == name)
        del self.graph.initializer[place]

    def make_node(self, operator, inputs, hint, **attributes):
        """A node of one output, named as the hint says; the caller puts it into its place."""
        name = self.unique(hint)
        return helper.make_node(operator, inputs, [name], name=name, **attributes)

    def replace_nodes(self, nodes):
        """Sets the nodes, in the order in which they run."""
        nodes = list(nodes)
        del self.graph.node[:]
        self.graph.node.extend(nodes)

    def rename(self, old, new):
        """Renames a tensor wherever a node writes or reads it, but not among the graph's inputs and outputs."""
        self.rename_reads(old, new)
        for node in self.graph.node:
            node.output[:] = [new if name == old else name for name in node.output]

    def rename_reads(self, old, new):
        """Makes every reader of one tensor read another."""
        for node in self._all_nodes(self.graph):
            node.input[:] = [new if name == old else name for name in node.input]

    def finish(self):
        """The file's bytes, after unused constants were dropped and ONNX's checker found nothing."""
        self._drop_unused_constants()
        del self.graph.value_info[:]  # of the graph as it was
        try:
            onnx.checker.check_model(self._model, full_check=True)
            onnx.shape_inference.infer_shapes(self._model, check_type=True, strict_mode=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ExportError(f"{self.path}: the converted graph is not valid ONNX ({reason})") from None
        return self._model.SerializeToString(deterministic=True)

    def _all_nodes(self, graph):
        for node in graph.node:
            yield node
            yield from self._nodes_within(node)

    def _nodes_within(self, node):
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from self._all_nodes(inner)

    def _drop_unused_constants(self):
        used = {name for node in self._all_nodes(self.graph) for name in node.input} | set(self.output_names())
        for name in [name for name in self.constants if name not in used]:
            self.remove_constant(name)

    def _initializers_are_no_inputs(self):
        """Before IR version 4 every initializer had to be listed among the inputs."""
        names = {tensor.name for tensor in self.graph.initializer}
        inputs = [value for value in self.graph.input if value.name not in names]
        del self.graph.input[:]
        self.graph.input.extend(inputs)
        self._model.ir_version = max(self._model.ir_version, 4)

    def _lift_constants(self):
        """Nodes that give a float constant become initializers."""
        kept = []
        for node in self.graph.node:
            values = _float_value(node) if node.op_type == "Constant" else None
            if values is None:
                kept.append(node)
            else:
                self._add_initializer(numpy_helper.from_array(values, node.output[0]))
        self.replace_nodes(kept)

    def _fold_constants(self):
        """Weights that two nodes share are one constant, and those that are stored as float16 become float32."""
        kept, shared, outputs = [], {}, set(self.output_names())
        for node in self.graph.node:
            node.input[:] = [shared.get(name, name) for name in node.input]
            constant = self.constants.get(node.input[0]) if node.input else None
            if constant is None or node.output[0] in outputs:
                kept.append(node)
            elif node.op_type == "Identity":
                shared[node.output[0]] = constant.name
            elif node.op_type == "Cast" and (constant.data_type, node.attribute[0].i) == (HALF, FLOAT):
                values = numpy_helper.to_array(constant).astype(numpy.float32)
                self._add_initializer(numpy_helper.from_array(values, node.output[0]))
            else:
                kept.append(node)
        self.replace_nodes(kept)

    def _add_initializer(self, tensor):
        self.graph.initializer.append(tensor)
        self.constants[tensor.name] = tensor


def _float_value(node):
    """The float32 value of a Constant node, or None."""
    for attribute in node.attribute:
        if attribute.name not in _VALUES:
            continue
        value = helper.get_attribute_value(attribute)
        if attribute.name != "value":
            return numpy.array(value, dtype=numpy.float32)
        if value.data_type == FLOAT:
            return numpy_helper.to_array(value)
    return None
