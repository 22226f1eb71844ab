"""Tests of the package models/everyday, as it is committed."""
import hashlib
import json
import os
import unittest

import numpy
import onnx
from onnx import numpy_helper

EVERYDAY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "everyday")
MOST_BYTES = 45_000_000  # a clone carries it


class EverydayTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(EVERYDAY, "model.json"), encoding="utf-8") as file:
            cls.manifest = json.load(file)
        cls.graphs = {role: onnx.load(cls.path(role)).graph for role in ("backbone", "head")}

    @classmethod
    def path(cls, role):
        return os.path.join(EVERYDAY, cls.manifest["files"][role]["path"])

    def test_Files_AreThoseOfTheManifestAndSmall(self):
        own = {"model.json", "MODEL_CARD.md", *(entry["path"] for entry in self.manifest["files"].values())}
        self.assertEqual(own, set(os.listdir(EVERYDAY)))
        self.assertLess(sum(os.path.getsize(os.path.join(EVERYDAY, name)) for name in own), MOST_BYTES)
        for role, entry in self.manifest["files"].items():
            with open(self.path(role), "rb") as file:
                self.assertEqual(entry["sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_Manifest_SaysWhereItComesFromAndHowItWasMeasured(self):
        self.assertEqual("MIT", self.manifest["license"])
        self.assertIn("Microsoft.ML.DnnImageFeaturizer.ResNet18", self.manifest["source"])
        self.assertEqual(300, self.manifest["rpn"]["postNmsTopN"])
        self.assertEqual(20, len(self.manifest["labels"]))

    def test_Graphs_HaveNoNormsButConvolutionsWithBias(self):
        convolutions = [node for graph in self.graphs.values() for node in graph.node if node.op_type == "Conv"]
        self.assertGreater(len(convolutions), 30)
        self.assertTrue(all(len(node.input) == 3 for node in convolutions))
        others = {node.op_type for graph in self.graphs.values() for node in graph.node}
        self.assertFalse(others & {"BatchNormalization", "Mul", "Sub", "Div"})

    def test_Weights_AreStoredAsFloat16AndCastForComputing(self):
        for graph in self.graphs.values():
            casts = {node.input[0] for node in graph.node if node.op_type == "Cast"}
            weights = [tensor for tensor in graph.initializer if len(tensor.dims) >= 2]
            self.assertTrue(weights)
            for tensor in weights:
                self.assertEqual(numpy.float16, numpy_helper.to_array(tensor).dtype)
                self.assertIn(tensor.name, casts)


if __name__ == "__main__":
    unittest.main()
