"""Makes a float16 twin of a committed package: images go in and objectness, deltas, features and answers come out as
float16, cast inside the graphs; the weights stay as they are.

    half_package.py models/blood-cells OUT/blood-cells-half
"""
import hashlib
import json
import os
import sys

import onnx
from onnx import TensorProto, helper


def cast_outputs(graph):
    """Every output is computed under another name and cast at the end."""
    for output in graph.output:
        inner = f"{output.name}_float32"
        for node in graph.node:
            node.output[:] = [inner if name == output.name else name for name in node.output]
            node.input[:] = [inner if name == output.name else name for name in node.input]
        graph.node.append(helper.make_node("Cast", [inner], [output.name], to=TensorProto.FLOAT16))
        output.type.tensor_type.elem_type = TensorProto.FLOAT16


def cast_inputs(graph, keep=()):
    """Every input but those kept is cast first."""
    casts = []
    for value in graph.input:
        if not value.name.startswith(tuple(keep)):
            inner = f"{value.name}_float32"
            for node in graph.node:
                node.input[:] = [inner if name == value.name else name for name in node.input]
            casts.append(helper.make_node("Cast", [value.name], [inner], to=TensorProto.FLOAT))
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def main(source, target):
    os.makedirs(target)
    with open(os.path.join(source, "model.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    manifest["name"] = os.path.basename(target)
    for role, keep in (("backbone", ()), ("head", ("rois_",))):
        entry = manifest["files"][role]
        model = onnx.load(os.path.join(source, entry["path"]))
        cast_inputs(model.graph, keep)
        cast_outputs(model.graph)
        onnx.checker.check_model(model)
        content = model.SerializeToString()
        with open(os.path.join(target, entry["path"]), "wb") as file:
            file.write(content)
        entry["sha256"] = hashlib.sha256(content).hexdigest()
    with open(os.path.join(target, "model.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
