"""Tests of what training starts from, and of what it leaves as it is."""
import copy
import dataclasses
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import numpy
import onnx
import torch
import torchvision
from PIL import Image
from torch import nn

import featurizer
import model as models
import pretrained
from made import Folder, made_recipe
from recipe import RecipeError
from train import Trainer

EXPORT = pathlib.Path(__file__).resolve().parent.parent / "export"
REPOSITORY = EXPORT.parents[1]


def settle(network: nn.Module) -> nn.Module:
    """Gives batch norms the figures of a trained network, so that folding them changes something."""
    generator = torch.Generator().manual_seed(3)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.weight.data = 0.5 + torch.rand(norm.num_features, generator=generator)
            norm.bias.data = torch.rand(norm.num_features, generator=generator) - 0.5
            norm.running_mean.copy_(torch.rand(norm.num_features, generator=generator) - 0.5)
            norm.running_var.copy_(0.5 + torch.rand(norm.num_features, generator=generator))
    return network.eval()


def made_model(**changes):
    """Options of the made recipe's network, changed."""
    return dataclasses.replace(made_recipe().model, **changes)


class StartTests(Folder):
    def classifier(self):
        torch.manual_seed(1)
        network = settle(models.residual_network([1, 1, 1, 1], 4))
        torch.save(network.state_dict(), self.root / "body.pth")
        return network

    def features(self, detector, image):
        with torch.no_grad():
            return detector.eval().backbone.body(image)

    def test_Start_WeightsOfAClassifier_FillTheBodyAndNothingElse(self):
        network = self.classifier()
        detector = models.build(made_model(), 2)
        fresh = pretrained.start(detector, str(self.root / "body.pth"), made_model())
        self.assertTrue(fresh)
        self.assertFalse([name for name in fresh if name.startswith(pretrained.BODY)])
        torch.testing.assert_close(detector.backbone.body.conv1.weight, network.conv1.weight)
        torch.testing.assert_close(detector.backbone.body.layer4[0].bn2.running_var, network.layer4[0].bn2.running_var)

    def test_Start_Folded_ComputesTheSameWithNormsThatOnlyAdd(self):
        self.classifier()
        image = torch.rand(1, 3, 64, 64)
        plain, folded = models.build(made_model(), 2), models.build(made_model(norms="fold"), 2)
        pretrained.start(plain, str(self.root / "body.pth"), made_model())
        pretrained.start(folded, str(self.root / "body.pth"), made_model(norms="fold"))
        wanted, found = self.features(plain, image), self.features(folded, image)
        for level in wanted:
            torch.testing.assert_close(found[level], wanted[level], rtol=1e-4, atol=1e-5)
        for norm in models.norms_of(folded.backbone.body).values():
            self.assertEqual((norm.weight.min(), norm.weight.max(), norm.running_mean.abs().max()), (1, 1, 0))
            self.assertEqual(norm.running_var.tolist(), torch.full_like(norm.running_var, 1 - norm.eps).tolist())
        changed = folded.backbone.body.layer2[0].conv2.weight - plain.backbone.body.layer2[0].conv2.weight
        self.assertGreater(changed.abs().max(), 0.01)

    def test_Start_TorchvisionsName_TakesItsFile(self):
        # As if torchvision had downloaded it before.
        folder = self.root / "hub" / "checkpoints"
        folder.mkdir(parents=True)
        url = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url
        network = torchvision.models.resnet18()
        torch.save(network.state_dict(), folder / url.rsplit("/", 1)[1])
        options = made_model(blocks=[2, 2, 2, 2], width=64)
        detector = models.build(options, 2)
        with mock.patch.dict("os.environ", {"TORCH_HOME": str(self.root)}):
            fresh = pretrained.start(detector, "ResNet18_Weights.IMAGENET1K_V1", options)
        self.assertFalse([name for name in fresh if name.startswith(pretrained.BODY)])
        torch.testing.assert_close(detector.backbone.body.layer3[1].conv1.weight, network.layer3[1].conv1.weight)

    def test_Start_PackageOfOurs_ComputesAsTheCheckpointDid(self):
        torch.manual_seed(2)
        trained = settle(models.build(made_model(), 2))
        torch.save(trained.state_dict(), self.root / "trained.pth")
        run = subprocess.run(
            [sys.executable, EXPORT / "export.py", "--checkpoint", self.root / "trained.pth", "--labels", "square,bar",
             "--min-size", "64", "--max-size", "96", self.root / "package"],
            capture_output=True, text=True, check=False)
        self.assertEqual(0, run.returncode, run.stderr)
        detector = models.build(made_model(norms="fold"), 2)
        self.assertEqual([], pretrained.start(detector, str(self.root / "package"), made_model(norms="fold")))
        image = torch.rand(1, 3, 64, 96)
        with torch.no_grad():
            wanted, found = trained.backbone(image), detector.eval().backbone(image)
        for level in wanted:
            torch.testing.assert_close(found[level], wanted[level], rtol=1e-4, atol=1e-5)
        for name in ("rpn.head.bbox_pred.weight", "roi_heads.box_head.fc6.weight",
                     "roi_heads.box_predictor.cls_score.bias"):
            torch.testing.assert_close(detector.state_dict()[name], trained.state_dict()[name])

    def test_Start_PackagesOfTheRepository_FillTheirRecipes(self):
        everyday = made_model(blocks=[2, 2, 2, 3], width=64, fpn_channels=128, head_channels=512)
        blood_cells = made_model(blocks=[2, 2, 2, 2], width=32, fpn_channels=64, head_channels=256)
        for name, options, labels in (("everyday", everyday, 20), ("blood-cells", blood_cells, 3)):
            detector = models.build(options, labels)
            self.assertEqual([], pretrained.start(detector, str(REPOSITORY / "models" / name), options))

    def test_Start_WhatDoesNotFitOrIsNotThere_IsRefused(self):
        torch.save({"layer9.weight": torch.ones(3)}, self.root / "other.pth")
        (self.root / "text.pth").write_text("weights")
        (self.root / "empty").mkdir()
        for source, named in (("other.pth", "none of its 1 tensors fits"), ("text.pth", "text.pth"),
                              ("empty", "model.json")):
            with self.assertRaisesRegex(RecipeError, named):
                pretrained.start(models.build(made_model(), 2), str(self.root / source), made_model())
        with self.assertRaisesRegex(RecipeError, "neither a file"):
            pretrained.start(models.build(made_model(), 2), "ResNet18_Weights.NO_SUCH", made_model())

    def test_Load_OtherLabels_KeepsOnlyThePredictorFresh(self):
        torch.save(models.build(made_model(), 2).state_dict(), self.root / "two.pth")
        other = models.build(made_model(), 5)
        fresh = pretrained.start(other, str(self.root / "two.pth"), made_model())
        self.assertTrue(fresh and all(name.startswith("roi_heads.box_predictor.") for name in fresh))
        with self.assertRaises(RuntimeError):
            pretrained.load(other, self.root / "two.pth")


class FixedTests(Folder):
    """One training step, and what it must not change."""

    def step(self, **changes):
        """State of the body before and after a step."""
        recipe = made_recipe()
        recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, **changes))
        trainer = Trainer(recipe, self.examples())
        settle(trainer.model)
        before = copy.deepcopy(trainer.model.backbone.body.state_dict())
        trainer.step()
        return before, trainer.model.backbone.body.state_dict()

    def changed(self, before, after):
        return {name for name in before
                if not name.endswith("num_batches_tracked") and not torch.equal(before[name], after[name])}

    def test_FrozenStages_OfTheBody_StayAsTheyAre(self):
        changed = self.changed(*self.step(frozen_stages=2))
        self.assertFalse([name for name in changed if name.split(".")[0] in ("conv1", "bn1", "layer1")])
        for name in ("layer2.0.conv1.weight", "layer2.0.bn1.running_mean", "layer2.0.bn1.weight",
                     "layer4.0.conv2.weight"):
            self.assertIn(name, changed)

    def test_Norms_Frozen_StayAsTheyAre(self):
        changed = self.changed(*self.step(norms="freeze"))
        self.assertTrue(changed)
        weights = ("conv1.weight", "conv2.weight", "downsample.0.weight")
        self.assertTrue(all(name.endswith(weights) for name in changed), changed)

    def test_Norms_Folded_TrainTheirBiasAlone(self):
        changed = self.changed(*self.step(norms="fold"))
        self.assertIn("layer1.0.bn1.bias", changed)
        self.assertIn("layer1.0.conv1.weight", changed)
        self.assertFalse([name for name in changed if "running" in name or name.endswith(("bn1.weight", "bn2.weight"))])

    def test_Norms_AsUsual_Train(self):
        changed = self.changed(*self.step())
        for name in ("bn1.running_mean", "bn1.weight", "layer1.0.conv1.weight"):
            self.assertIn(name, changed)

    def test_BodyRate_OfTheRecipe_ActsInTheBody(self):
        trainer = Trainer(made_recipe(body_rate=0.25, rate=1.0, decay_norms=False, warmup=1), self.examples())
        trainer.step()
        rates = {}
        for group in trainer.optimizer.param_groups:
            rates.update({id(parameter): group["lr"] for parameter in group["params"]})
        named = dict(trainer.model.named_parameters())
        self.assertEqual(len(rates), len(named))
        body, head = named["backbone.body.layer1.0.conv1.weight"], named["rpn.head.bbox_pred.weight"]
        self.assertAlmostEqual(rates[id(body)], 0.25 * rates[id(head)])

    def test_Proposals_OfTheRecipe_ActAtInference(self):
        self.assertEqual(models.build(made_model(proposals=7), 2).eval().rpn.post_nms_top_n(), 7)


class FeaturizerTests(Folder):
    """A made package: a network of the same kind, that takes B, G, R from 0 to 255."""

    def graph(self, blocks):
        torch.manual_seed(4)
        network = models.residual_network(blocks, 4)
        network.fc = nn.Identity()
        settle(network)
        path = self.root / "made.onnx"
        torch.onnx.export(network, torch.zeros(1, 3, 64, 64), path, opset_version=11, do_constant_folding=False,
                          training=torch.onnx.TrainingMode.PRESERVE)
        return network, onnx.load(path)

    def test_StateDict_OfAMadeGraph_GivesItsFeatures(self):
        network, model = self.graph([2, 1, 2, 3])
        # The exporter folds nothing here, as CNTK's does not: 1 + 16 convolutions and 3 that shrink, each with a norm.
        self.assertEqual(20, sum(node.op_type == "BatchNormalization" for node in model.graph.node))
        state = featurizer.state_dict(model.graph)
        image = torch.randn(1, 3, 64, 96)
        with torch.no_grad():
            wanted = network((image * (255 * featurizer.STD)[None, :, None, None]).flip(1))
            found = featurizer.network_of(state)(image)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)

    def test_StateDict_Saved_StartsADetector(self):
        _, model = self.graph([1, 1, 1, 1])
        torch.save(featurizer.state_dict(model.graph), self.root / "resnet.pth")
        fresh = pretrained.start(models.build(made_model(), 2), str(self.root / "resnet.pth"), made_model())
        self.assertFalse([name for name in fresh if name.startswith(pretrained.BODY)])

    def test_StateDict_OfAnotherGraph_IsRefused(self):
        _, model = self.graph([1, 1, 1, 1])
        for node in model.graph.node:
            for attribute in node.attribute:
                if attribute.name == "epsilon":
                    attribute.f = 1e-3
        with self.assertRaisesRegex(RecipeError, "eps 1e-5"):
            featurizer.state_dict(model.graph)
        (self.root / "text.onnx").write_text("no graph")
        with self.assertRaisesRegex(RecipeError, "text.onnx"):
            featurizer.read_graph(self.root / "text.onnx")

    def test_Check_OnnxRuntimeGivesSomethingElse_Fails(self):
        _, model = self.graph([1, 1, 1, 1])
        Image.fromarray(numpy.full((50, 70, 3), 90, numpy.uint8)).save(self.root / "gray.png")
        state = featurizer.state_dict(model.graph)
        with torch.no_grad():
            features = featurizer.network_of(state)(featurizer.normalized(self.root / "gray.png")).numpy()
        for off, within in ((0, True), (1e-3, False)):
            session = mock.Mock()
            session.return_value.run.return_value = [features + numpy.float32(off)]
            session.return_value.get_inputs.return_value = [mock.Mock()]
            with mock.patch.dict(sys.modules, {"onnxruntime": mock.Mock(InferenceSession=session)}):
                difference = featurizer.largest_difference(model, state, self.root / "gray.png")
            self.assertEqual(within, difference <= featurizer.TOLERANCE)


if __name__ == "__main__":
    unittest.main()
