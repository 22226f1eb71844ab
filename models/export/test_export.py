"""Tests of the exporter: python3 models/export/test_export.py"""
import argparse
import codecs
import collections
import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest

import numpy
import onnx
import torch
from torch import nn
from torchvision.models.detection import FasterRCNN, fasterrcnn_mobilenet_v3_large_320_fpn, fasterrcnn_resnet50_fpn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.resnet import BasicBlock, ResNet

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import checkpoints
import export
import graphs
import named_weights
from errors import ExportError
from manifest_check import check_manifest
from package import format_manifest


def small_detector(width=8, channels=16, hidden=24, classes=3):
    """An FPN Faster R-CNN on ResNet-18's layout, small enough to export in a second."""
    torch.manual_seed(0)
    net = ResNet(BasicBlock, [2, 1, 1, 1])
    net.inplanes = width
    net.conv1, net.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
    for i, blocks in enumerate((2, 1, 1, 1)):
        setattr(net, f"layer{i + 1}", net._make_layer(BasicBlock, width * 2**i, blocks, 1 if i == 0 else 2))
    outputs = [width * 2**i for i in range(4)]
    backbone = BackboneWithFPN(net, {f"layer{i + 1}": str(i) for i in range(4)}, outputs, channels)
    return FasterRCNN(
        backbone,
        box_head=TwoMLPHead(channels * 49, hidden),
        box_predictor=FastRCNNPredictor(hidden, classes + 1),
    ).eval()


_DETECTION = {"scoreThreshold": 0.05, "nmsThreshold": 0.5, "maxDetections": 100}


class Trap:
    """Makes a file when it is unpickled without a check."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


class ExportTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.checkpoint = os.path.join(self.folder, "small.pth")
        self.detector = small_detector()
        torch.save(self.detector.state_dict(), self.checkpoint)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_export(self, out, *arguments, checkpoint=None):
        arguments = ["--checkpoint", checkpoint or self.checkpoint, *arguments]
        with contextlib.redirect_stdout(io.StringIO()):
            return export.export(export.parse([*arguments, self.path(out)]))

    def assert_error(self, text, call):
        with self.assertRaises(ExportError) as caught:
            call()
        self.assertIn(text, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_build_small_checkpoint_infers_every_shape(self):
        state = checkpoints.read_state_dict(self.checkpoint)
        rebuilt = checkpoints.build_detector(state, 1e-5, None, (0.5, 1.0, 2.0))
        images = [torch.rand(3, 64, 96)]
        with torch.no_grad():
            features, expected = rebuilt.backbone(images[0][None]), self.detector.backbone(images[0][None])
        self.assertEqual([f.shape for f in features.values()], [f.shape for f in expected.values()])
        self.assertTrue(all(torch.equal(features[k], expected[k]) for k in expected))
        self.assertEqual(rebuilt.roi_heads.box_predictor.cls_score.out_features, 4)

    def test_build_data_parallel_and_old_names_loads(self):
        state = {}
        for key, value in self.detector.state_dict().items():
            old = key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
            if "_blocks." in old and ".fpn." in old:
                old = old.replace(".0.weight", ".weight").replace(".0.bias", ".bias") if old.count(".0.") else old
            state["module." + old] = value
        torch.save({"model": state}, self.path("old.pth"))
        read = checkpoints.read_state_dict(self.path("old.pth"))
        self.assertEqual(set(read), set(self.detector.state_dict()))

    def test_export_two_stage_names_follow_the_contract(self):
        self.run_export("small", "--labels", "a,b,c")
        backbone, head = (onnx.load(os.path.join(self.path("small"), f"{n}.onnx")) for n in ("backbone", "head"))
        pooled, levels = ["p2", "p3", "p4", "p5"], ["p2", "p3", "p4", "p5", "p6"]
        self.assertEqual([v.name for v in backbone.graph.input], ["images"])
        self.assertEqual([v.name for v in backbone.graph.output],
                         pooled + [f"objectness_{n}" for n in levels] + [f"deltas_{n}" for n in levels])
        self.assertEqual([v.name for v in head.graph.input], pooled + [f"rois_{n}" for n in pooled])
        self.assertEqual([v.name for v in head.graph.output], ["class_logits", "box_deltas"])
        dims = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
                for v in [*backbone.graph.input, *backbone.graph.output, *head.graph.input, *head.graph.output]}
        self.assertEqual(dims["images"], [0, 3, 0, 0])  # 0: dynamic
        self.assertEqual(dims["p3"], [0, 16, 0, 0])
        self.assertEqual(dims["objectness_p6"], [0, 3, 0, 0])
        self.assertEqual(dims["deltas_p6"], [0, 12, 0, 0])
        self.assertEqual(dims["rois_p5"], [0, 5])
        self.assertEqual((dims["class_logits"], dims["box_deltas"]), ([0, 4], [0, 16]))
        self.assertEqual([entry.version for entry in backbone.opset_import], [16])

    def test_export_roi_align_states_scale_and_mode(self):
        self.run_export("small", "--labels", "a,b,c")
        head = onnx.load(os.path.join(self.path("small"), "head.onnx"))
        nodes = [{a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}
                 for n in head.graph.node if n.op_type == "RoiAlign"]
        self.assertEqual([n["spatial_scale"] for n in nodes], [1 / 4, 1 / 8, 1 / 16, 1 / 32])
        self.assertEqual({n["coordinate_transformation_mode"] for n in nodes}, {b"output_half_pixel"})
        self.assertEqual({n["sampling_ratio"] for n in nodes}, {2})

    def test_export_twice_gives_the_same_bytes(self):
        first, second = (self.run_export(out, "--labels", "a,b,c") for out in ("one", "two"))
        self.assertEqual(first["files"], second["files"])

    def test_export_manifest_has_what_differs_from_the_convention(self):
        self.run_export("small", "--labels", "a,b,c", "--min-size", "384", "--max-size", "640", "--license", "MIT")
        with open(os.path.join(self.path("small"), "model.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        self.assertEqual(list(manifest), ["name", "version", "layout", "convention", "license", "files", "input",
                                          "levels", "aspectRatios", "rpn", "detection", "labels"])
        self.assertEqual(manifest["input"], {"minSize": 384, "maxSize": 640, "sizeDivisor": 32})
        self.assertEqual(manifest["levels"][4], {"name": "p6", "anchorSizes": [512], "pooled": False})
        self.assertEqual(manifest["rpn"], {
            "preNmsTopN": 1000, "postNmsTopN": 1000, "nmsThreshold": 0.7, "scoreThreshold": 0})
        self.assertEqual(manifest["detection"], {"scoreThreshold": 0.05, "nmsThreshold": 0.5, "maxDetections": 100,
                                                 "boxWeights": [10, 10, 5, 5]})

    def test_export_end_to_end_describes_its_outputs(self):
        self.run_export("one-file", "--labels", "a,b,c", "--layout", "end-to-end",
                        "--min-size", "96", "--max-size", "128")
        with open(os.path.join(self.path("one-file"), "model.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        self.assertEqual(manifest["endToEnd"], {"input": "image", "rank": 3, "resizeInside": False, "boxes": "boxes",
                                                "labels": "labels", "scores": "scores", "boxSpace": "resized"})
        self.assertEqual(manifest["input"], {"minSize": 96, "maxSize": 128, "sizeDivisor": 1})
        model = onnx.load(os.path.join(self.path("one-file"), "model.onnx"))
        self.assertEqual([v.name for v in model.graph.output], ["boxes", "labels", "scores"])
        operators = {node.op_type for node in model.graph.node}
        self.assertIn("Exp", operators)
        self.assertNotIn("Sigmoid", operators)  # its error reorders proposals

    def test_export_existing_package_needs_force_and_keeps_the_model_card(self):
        self.run_export("small", "--labels", "a,b,c")
        card = os.path.join(self.path("small"), "MODEL_CARD.md")
        with open(card, "w", encoding="utf-8") as file:
            file.write("card")
        self.assert_error("--force", lambda: self.run_export("small", "--labels", "a,b,c"))
        self.run_export("small", "--labels", "x,y,z", "--force")
        self.assertTrue(os.path.exists(card))
        self.assertEqual(sorted(os.listdir(self.path("small"))),
                         ["MODEL_CARD.md", "backbone.onnx", "head.onnx", "model.json"])

    def test_export_wrong_input_says_what_to_change(self):
        self.assert_error("no such file",
                          lambda: self.run_export("x", "--labels", "a", checkpoint=self.path("none.pth")))
        self.assert_error("2 labels for 3 classes", lambda: self.run_export("x", "--labels", "a,b"))
        self.assert_error("--labels is missing", lambda: self.run_export("x"))
        self.assert_error("3 anchors a cell", lambda: self.run_export("x", "--labels", "a,b,c", "--aspect-ratios", "1"))
        self.assert_error("names 1", lambda: self.run_export("x", "--labels", "a,b,c", "--anchor-sizes", "32"))
        self.assert_error("no package name", lambda: self.run_export("two words", "--labels", "a,b,c"))
        torch.save(ResNet(BasicBlock, [1, 1, 1, 1]).state_dict(), self.path("resnet.pth"))
        self.assert_error("no backbone.fpn.*",
                          lambda: self.run_export("x", "--labels", "a", checkpoint=self.path("resnet.pth")))
        with open(self.path("text.pth"), "w", encoding="utf-8") as file:
            file.write("not a checkpoint")
        self.assert_error("not a file of tensors",
                          lambda: self.run_export("x", "--labels", "a", checkpoint=self.path("text.pth")))
        self.assertFalse(os.path.exists(self.path("x")))

    def test_named_weights_from_the_cache_keep_the_architecture_s_figures(self):
        cache = os.path.join(self.folder, "hub", "checkpoints")
        os.makedirs(cache)
        self.addCleanup(torch.hub.set_dir, torch.hub.get_dir())
        torch.hub.set_dir(os.path.join(self.folder, "hub"))
        for name, builder, eps in (
            ("FasterRCNN_ResNet50_FPN_Weights", fasterrcnn_resnet50_fpn, 0.0),
            ("FasterRCNN_MobileNet_V3_Large_320_FPN_Weights", fasterrcnn_mobilenet_v3_large_320_fpn, 1e-5),
        ):
            with self.subTest(name):
                state = builder(weights=None, weights_backbone=None).state_dict()
                state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
                url = getattr(named_weights.detection, name).COCO_V1.url
                torch.save(state, os.path.join(cache, os.path.basename(url)))
                detector, labels = named_weights.build(name + ".COCO_V1")
                graphs.thaw_batch_norms(detector)
                self.assertEqual({m.eps for m in detector.modules() if isinstance(m, nn.BatchNorm2d)}, {eps})
                self.assertEqual((len(labels), labels[0], labels[12], labels[89]),
                                 (90, "person", "stop sign", "toothbrush"))
        self.assertEqual((detector.rpn.pre_nms_top_n(), detector.rpn.score_thresh, detector.transform.min_size),
                         (150, 0.05, (320,)))
        self.assertEqual([level.name for level in graphs.levels_of(detector)], ["p5a", "p5b", "p6"])
        self.assert_error("known: FasterRCNN", lambda: named_weights.build("YOLO.V1"))

    def write_labels(self, data):
        with open(self.path("labels.txt"), "wb") as file:
            file.write(data)
        return self.path("labels.txt")

    def test_labels_of_a_file_are_read_in_the_encodings_that_name_themselves(self):
        names = ["Zelle", "größer", "赤血球"]
        text = "\r\n".join(names)
        for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"),
                     codecs.BOM_UTF16_BE + text.encode("utf-16-be")):
            self.assertEqual(export._labels(self.write_labels(data)), names)

    def test_labels_that_cannot_be_read_say_where(self):
        export_with = lambda labels: lambda: self.run_export("x", "--labels", labels)
        self.assert_error("line 2 is not UTF-8: save the file as UTF-8",
                          export_with(self.write_labels("Zelle\ngrößer\n".encode("cp1252"))))
        self.assert_error("save the file as UTF-8", export_with(self.write_labels("a\nb\nc".encode("utf-16-le"))))
        for name in (self.path("none.txt"), "labels.txt", "classes.names", "folder/labels"):
            self.assert_error("no such file", export_with(name))
        self.assertFalse(os.path.exists(self.path("x")))

    def test_settings_that_the_service_refuses_are_refused_before_anything_is_written(self):
        for arguments, reason in (
            (("--min-size", "800", "--max-size", "600"), "input.maxSize must be from 800 to 16384; it is 600"),
            (("--min-size", "0"), "input.minSize must be from 1 to 8192; it is 0"),
            (("--mean", "0.5,0.5"), "input.mean must hold three numbers"),
            (("--mean", "0.5,nan,0.5"), "input.mean must hold three numbers"),
            (("--std", "0.2,0,0.2"), "input.std must hold three numbers greater than 0"),
            (("--anchor-sizes", "32/64/128/256/0"), "levels[4].anchorSizes must hold 1 to 64 sizes greater than 0"),
            (("--aspect-ratios", "0.5,1,2000"), "aspectRatios must hold 1 to 64 ratios"),
            (("--pre-nms-top-n", "0"), "rpn.preNmsTopN must be from 1 to 100000; it is 0"),
            (("--post-nms-top-n", "100001"), "rpn.postNmsTopN must be from 1 to 100000; it is 100001"),
            (("--rpn-nms-threshold", "1.5"), "rpn.nmsThreshold must be from 0 to 1; it is 1.5"),
            (("--rpn-score-threshold", "-1"), "rpn.scoreThreshold must be from 0 to 1; it is -1"),
            (("--score-threshold", "nan"), "detection.scoreThreshold must be from 0 to 1; it is nan"),
            (("--nms-threshold", "2"), "detection.nmsThreshold must be from 0 to 1; it is 2"),
            (("--max-detections", "0"), "detection.maxDetections must be from 1 to 100000; it is 0"),
            (("--version", ""), "version is empty"),
            (("--labels", "a,b,a"), "the label 'a' is given twice"),
            (("--labels", "a,,b"), "a label is empty"),
            (("--sampling-ratio", "-1"), "--sampling-ratio must be 0"),
        ):
            for layout in ("two-stage", "end-to-end"):
                if layout == "end-to-end" and reason.startswith(("rpn.", "levels", "aspectRatios")):
                    continue
                with self.subTest(reason, layout=layout):
                    self.assert_error(
                        reason,
                        lambda: self.run_export("x", "--labels", "a,b,c", "--layout", layout, *arguments))
        self.assertFalse(os.path.exists(self.path("x")))
        self.assertEqual(check_manifest({"version": "1", "labels": ["a", "N/A", "N/A"], "detection": _DETECTION,
                                         "input": {"minSize": 1, "maxSize": 1, "sizeDivisor": 1}}), None)

    def test_sampling_ratio_is_the_given_one_and_said_where_it_was_not(self):
        for given, written in ((("--sampling-ratio", "0"), 0), (("--sampling-ratio", "4"), 4), ((), 2)):
            self.run_export("ratio", "--labels", "a,b,c", "--force", *given)
            head = onnx.load(os.path.join(self.path("ratio"), "head.onnx"))
            ratios = {onnx.helper.get_attribute_value(a) for n in head.graph.node if n.op_type == "RoiAlign"
                      for a in n.attribute if a.name == "sampling_ratio"}
            self.assertEqual(ratios, {written})
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            export.export(export.parse(
                ["--checkpoint", self.checkpoint, "--labels", "a,b,c", "--force", self.path("ratio")]))
        self.assertIn("sampling ratio 2 (--sampling-ratio)", said.getvalue())

    def test_checkpoints_of_trainings_are_read_without_running_anything(self):
        state = self.detector.state_dict()
        optimizer = torch.optim.SGD(self.detector.parameters(), lr=0.02, momentum=0.9)
        arguments = argparse.Namespace(lr=0.02, model="fasterrcnn", path=pathlib.PurePosixPath("/data"))
        for name, saved in (
            ("tutorial", {"epoch": 5, "model_state_dict": state, "optimizer_state_dict": optimizer.state_dict(),
                          "loss": 0.4}),
            ("reference", {"model": state, "optimizer": optimizer.state_dict(),
                           "lr_scheduler": {"milestones": collections.Counter([16, 22])},
                           "args": arguments, "epoch": 25}),
            ("numpy", {"state_dict": state, "best": numpy.float64(0.61)}),
        ):
            for zipped in (True, False):
                with self.subTest(name, zipped=zipped):
                    torch.save(saved, self.path("training.pth"), _use_new_zipfile_serialization=zipped)
                    read = checkpoints.read_state_dict(self.path("training.pth"))
                    self.assertEqual(set(read), set(state))
                    self.assertTrue(all(torch.equal(read[key], state[key]) for key in state))

    def test_checkpoint_that_would_run_something_does_not(self):
        trap = Trap(self.path("sprung"))
        for saved in ({"model": self.detector.state_dict(), "trap": trap}, trap, {"model": trap}):
            for zipped in (True, False):
                torch.save(saved, self.path("trap.pth"), _use_new_zipfile_serialization=zipped)
                with contextlib.suppress(ExportError):
                    checkpoints.read_state_dict(self.path("trap.pth"))
        self.assertFalse(os.path.exists(self.path("sprung")))

    def test_whole_model_says_the_line_that_saves_its_weights(self):
        torch.save(self.detector, self.path("whole.pth"))
        self.assert_error('torch.save(model.state_dict(), "weights.pth")',
                          lambda: checkpoints.read_state_dict(self.path("whole.pth")))

    def test_pooled_levels_with_a_gap_are_refused(self):
        self.detector.roi_heads.box_roi_pool.featmap_names = ["0", "3"]
        self.assert_error("between which levels are missing", lambda: graphs.levels_of(self.detector))

    def test_format_manifest_reads_back(self):
        manifest = {"a": 1.0, "list": [{"x": [0.5, 2.0]}], "empty": [], "labels": ["long name"] * 40}
        self.assertEqual(json.loads(format_manifest(manifest)), manifest)


if __name__ == "__main__":
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    unittest.main()
