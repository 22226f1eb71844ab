"""Makes end-to-end/constant.onnx: an end-to-end graph whose answer is fixed, for the way boxes, labels and scores take
after a graph that does not resize (the layout of the ONNX zoo's Faster R-CNN).

    make_constant_detector.py        (python3-onnx 1.12)
"""
import os

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

BOXES = [[80, 80, 160, 160], [500, 300, 700, 420], [0, 0, 40, 40]]
LABELS = [2, 1, 3]
SCORES = [0.5, 0.9, 0.04]


def constant(name, values, kind):
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(values, kind), name))


graph = helper.make_graph(
    [constant("6379", BOXES, np.float32), constant("6381", LABELS, np.int64), constant("6383", SCORES, np.float32)],
    "constant",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [3, "h", "w"])],
    [
        helper.make_tensor_value_info("6379", TensorProto.FLOAT, ["n", 4]),
        helper.make_tensor_value_info("6381", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("6383", TensorProto.FLOAT, ["n"]),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
checker.check_model(model)
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "end-to-end")
os.makedirs(folder, exist_ok=True)
save(model, os.path.join(folder, "constant.onnx"))
