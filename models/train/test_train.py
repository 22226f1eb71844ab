"""Tests of augmentation, losses, average precision and resuming, on made data."""
import contextlib
import dataclasses
import io
import json
import math
import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import torch
from torchvision.models.detection.roi_heads import fastrcnn_loss

import augment
import batched
import collage
import data
import evaluate
import model as models
import recipe as recipes
import train
from made import Folder, made_recipe
from train import Trainer


class PrecisionTests(unittest.TestCase):
    def test_AveragePrecision_WorkedByHand(self):
        # 4 objects; hits at ranks 1, 3, 4. Recall 1/4, 2/4, 3/4 with precision 1, 2/3 → 3/4, 3/4.
        # Recalls 0…0.25 (26 points) read 1, 0.26…0.75 (50 points) read 3/4, the other 25 read 0.
        outcomes = [(0.9, True), (0.8, False), (0.7, True), (0.6, True), (0.5, False)]
        self.assertAlmostEqual(evaluate.average_precision(outcomes, 4), (26 + 50 * 0.75) / 101)
        self.assertAlmostEqual(evaluate.average_precision(outcomes[::-1], 4), (26 + 50 * 0.75) / 101)
        self.assertEqual(evaluate.average_precision([], 4), 0.0)
        self.assertAlmostEqual(evaluate.average_precision([(0.1, True)], 1), 1.0)

    def test_Match_SecondOnSameObjectMissesAndIgnoredIsLeftOut(self):
        objects = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
        found = torch.tensor([[0.0, 0, 10, 8], [0, 0, 10, 10], [20, 0, 30, 9], [50, 0, 60, 10]])
        scores = torch.tensor([0.6, 0.9, 0.8, 0.7])
        ignored = torch.tensor([False, True])
        outcomes = evaluate.match(found, scores, objects, ignored, 0.5)
        self.assertEqual([hit for _, hit in outcomes], [True, False, False])
        self.assertEqual([round(score, 3) for score, _ in outcomes], [0.9, 0.7, 0.6])
        # IoU of the first is 80/100: equality keeps.
        self.assertEqual([h for _, h in evaluate.match(found[:1], scores[:1], objects, ignored, 0.8)], [True])

    def test_Summarize_PerfectAnswerAndAbsentLabel(self):
        example = data.Example("a", None, torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([1]),
                               torch.tensor([False]))
        answer = {"boxes": example.boxes, "labels": example.labels, "scores": torch.tensor([0.9])}
        result = evaluate.summarize([answer], [example], ["square", "bar"])
        self.assertAlmostEqual(result["mAP"], 1.0)
        self.assertIsNone(result["bar"]["AP"])
        self.assertIn("square", evaluate.table(result))


    def test_AtScores_HitsMissesAndIgnored_WorkedByHand(self):
        boxes = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
        example = data.Example("a", None, boxes, torch.tensor([1, 1, 1]), torch.tensor([False, False, True]))
        found = {"boxes": torch.tensor([[0.0, 0, 10, 10], [60, 0, 70, 10], [40, 0, 50, 10], [20, 0, 30, 10]]),
                 "labels": torch.tensor([1, 1, 1, 2]), "scores": torch.tensor([0.95, 0.6, 0.8, 0.4])}
        result = evaluate.at_scores([found], [example], ["square", "bar"])
        # Two squares to find: one is found; one detection is wrong, that on the ignored one does not count; no bar.
        self.assertEqual(list(result), ["all", "square"])
        self.assertEqual(result["square"], {0.3: (0.5, 0.5), 0.5: (0.5, 0.5), 0.7: (1.0, 0.5), 0.9: (1.0, 0.5)})
        self.assertEqual(result["all"][0.3], (1 / 3, 0.5))
        self.assertIn("0.33 / 0.50", evaluate.scores_table(result))
        nothing = {key: value[:0] for key, value in found.items()}
        self.assertEqual(evaluate.at_scores([nothing], [example], ["square"])["all"][0.9], (None, 0.0))


class AugmentTests(Folder):
    def test_Flip_AnyWay_KeepsTheBoxOnItsObject(self):
        torch.manual_seed(0)
        seen = set()
        for _ in range(20):
            image = torch.zeros(3, 20, 30)
            image[:, 4:9, 3:11] = 1
            flipped, boxes = augment.flip(image, torch.tensor([[3.0, 4, 11, 9]]), True, True)
            x1, y1, x2, y2 = (int(v) for v in boxes[0])
            self.assertEqual(flipped[0, y1:y2, x1:x2].sum(), 40)
            seen.add((x1, y1))
        self.assertEqual(len(seen), 4)

    def test_Recolor_EveryChange_StaysInRangeAndDiffersPerImage(self):
        torch.manual_seed(0)
        options = dataclasses.replace(made_recipe().train, offset=0.1, contrast=0.3, saturation=0.5)
        images = augment.recolor(torch.rand(1, 3, 8, 8).expand(2, -1, -1, -1), options)
        self.assertTrue(((images >= 0) & (images <= 1)).all())
        self.assertFalse(torch.equal(images[0], images[1]))

    def test_Collage_CropsAndMosaics_KeepBoxesOnTheirObjects(self):
        torch.manual_seed(1)
        options = dataclasses.replace(made_recipe().train, side=96, brightness=0.0, tint=0.0)
        drawn = collage.Collage(collage.StoredImages(self.examples(), 64, "cpu"), options)
        checked = {True: 0, False: 0}
        for _ in range(6):
            images, boxes, labels = drawn.draw(8, 4)
            for index, (image, objects, names) in enumerate(zip(images, boxes, labels)):
                white = (image[0] > 0.6).float()
                for box in objects[names > 0]:
                    x1, y1, x2, y2 = (round(v) for v in box.tolist())
                    self.assertEqual(white[y1 + 2:y2 - 2, x1 + 2:x2 - 2].mean(), 1)  # 2 pixels for soft borders
                    white[max(0, y1 - 2):y2 + 2, max(0, x1 - 2):x2 + 2] = 0
                    checked[index < 4] += 1
                if not (names < 0).any():
                    self.assertEqual(white.sum(), 0)  # no object without its box
        self.assertGreater(min(checked.values()), 10)


class BatchedTests(unittest.TestCase):
    """With samples enough for all anchors and RoIs the losses must be torchvision's."""

    def setUp(self):
        torch.manual_seed(2)
        self.model = models.build(made_recipe().model, 2, 20, 10**6, 10**6).train()
        self.boxes = torch.tensor([[[4.0, 6, 30, 40], [33, 10, 60, 55]], [[10, 10, 44, 30], [0, 0, 0, 0]]])
        self.labels = torch.tensor([[1, 2], [2, 0]])
        self.targets = [{"boxes": b[n > 0], "labels": n[n > 0]} for b, n in zip(self.boxes, self.labels)]

    def test_RpnLosses_AllSampled_EqualTorchvisions(self):
        rpn = self.model.rpn
        images = torch.rand(2, 3, 64, 64)
        levels = list(self.model.backbone(images).values())
        anchors = rpn.anchor_generator(batched.ImageList(images, [(64, 64)] * 2), levels)
        logits, deltas = batched.concat_box_prediction_layers(*rpn.head(levels))
        rpn.fg_bg_sampler.positive_fraction = 1.0
        matched = rpn.assign_targets_to_anchors(anchors, self.targets)
        wanted = rpn.compute_loss(logits, deltas, matched[0],
                                  rpn.box_coder.encode(matched[1], anchors))
        losses = batched.rpn_losses(self.model, logits.reshape(2, -1), deltas.reshape(2, -1, 4), anchors[0],
                                    self.boxes, self.labels, 10**6)
        torch.testing.assert_close(losses["loss_objectness"], wanted[0])
        torch.testing.assert_close(losses["loss_rpn_box_reg"], wanted[1])

    def test_HeadLosses_AllSampled_EqualTorchvisions(self):
        heads = self.model.roi_heads
        corner = torch.rand(2, 15, 2) * 40
        proposals = torch.cat([corner, corner + torch.rand(2, 15, 2) * 30 + 5], -1).clamp(max=64)
        features = {k: v.detach() for k, v in self.model.backbone(torch.rand(2, 3, 64, 64)).items()}

        def loss(rois, classes, targets):
            pooled = heads.box_roi_pool(features, rois, [(64, 64)] * 2)
            return torch.stack(fastrcnn_loss(*heads.box_predictor(heads.box_head(pooled)), classes, targets))
        rois, _, classes, targets = heads.select_training_samples(list(proposals), self.targets)
        mine = batched.sample_rois(self.model, proposals, torch.ones(2, 15, dtype=torch.bool), self.boxes,
                                   self.labels, 10**6)
        self.assertEqual([len(r) for r in mine[0]], [17, 16])
        torch.testing.assert_close(loss(*mine), loss(rois, classes, targets))

    def test_Ignored_AnchorsInside_AreNeitherPositiveNorNegative(self):
        boxes, labels = torch.tensor([[[0.0, 0, 20, 20], [40, 40, 60, 60]]]), torch.tensor([[1, -1]])
        candidates = torch.tensor([[[0.0, 0, 20, 20], [42, 42, 58, 58], [20, 0, 40, 20]]])
        best, slot, forced, ignored = batched.match(candidates, boxes, labels)
        self.assertEqual(best.tolist(), [[1, 0, 0]])
        self.assertEqual(forced.tolist(), [[True, False, False]])
        self.assertEqual(ignored.tolist(), [[False, True, False]])

    def test_Choose_Limits_AreKeptPerImage(self):
        mask = torch.tensor([[True] * 6, [True, False, True, False, False, False], [False] * 6])
        chosen = batched.choose(mask, torch.tensor([4, 4, 4]))
        self.assertEqual(chosen.sum(1).tolist(), [4, 2, 0])
        self.assertFalse((chosen & ~mask).any())


class TrainerTests(Folder):
    def resumed(self, **train):
        """Weights and losses of three steps at once, and of two, a checkpoint on disk, and a third."""
        recipe, examples = made_recipe(**train), self.examples()
        whole = Trainer(recipe, examples)
        for _ in range(3):
            straight = whole.step()
        first = Trainer(recipe, examples)
        first.step(), first.step()
        torch.save(first.state(), self.root / "made.checkpoint")
        torch.rand(5)  # another process would stand elsewhere
        second = Trainer(dataclasses.replace(recipe), examples)
        second.restore(torch.load(self.root / "made.checkpoint", weights_only=True))
        return whole, straight, second, second.step()

    def check_resumed(self, whole, straight, second, again):
        self.assertEqual(straight.keys(), again.keys())
        for name in straight:
            self.assertTrue(torch.equal(straight[name], again[name]), name)
        for name, value in whole.state()["average"].items():
            self.assertTrue(torch.equal(value, second.state()["average"][name]), name)
        self.assertEqual(second.done, 3)

    def test_Resume_ReferenceEngine_ContinuesIdentically(self):
        self.check_resumed(*self.resumed())

    def test_Resume_BatchedEngine_ContinuesIdentically(self):
        self.check_resumed(*self.resumed(engine="batched", decay_norms=False))

    def test_Restore_OtherRecipe_NamesTheKey(self):
        examples = self.examples()
        state = Trainer(made_recipe(), examples).state()
        with self.assertRaisesRegex(recipes.RecipeError, "train.rate"):
            Trainer(made_recipe(rate=2e-3), examples).restore(state)

    def train(self, trainer, **limits) -> bool:
        with contextlib.redirect_stdout(io.StringIO()):
            return train.run(trainer, self.root / "made.checkpoint",
                             **{"minutes": None, "fit_minutes": None, **limits})

    def test_Run_TimeLimit_SavesAndTheNextRunFinishes(self):
        examples = self.examples()
        trainer = Trainer(made_recipe(), examples)
        self.assertFalse(self.train(trainer, minutes=0.0))
        self.assertEqual(trainer.done, 1)
        again = Trainer(made_recipe(), examples)
        again.restore(torch.load(self.root / "made.checkpoint", weights_only=True))
        self.assertTrue(self.train(again))
        self.assertEqual(again.done, 3)

    def test_Run_Interrupted_FinishesTheStepAndSaves(self):
        trainer = Trainer(made_recipe(), self.examples())
        step = trainer.step

        def interrupted():
            os.kill(os.getpid(), signal.SIGINT)
            return step()
        trainer.step = interrupted
        before = signal.getsignal(signal.SIGINT)
        self.assertFalse(self.train(trainer))
        self.assertEqual(signal.getsignal(signal.SIGINT), before)
        state = torch.load(self.root / "made.checkpoint", weights_only=True)
        self.assertEqual(json.loads(state["run"])["done"], 1)

    def test_Run_FitMinutes_SetsTheStepsFromTheSpeed(self):
        trainer = Trainer(made_recipe(steps=1000), self.examples())

        def half_a_second():
            trainer.done += 1
            trainer.seconds += 0.5
            return {"loss": torch.tensor(1.0)}
        trainer.step = half_a_second
        self.assertTrue(self.train(trainer, fit_minutes=1.0))
        self.assertEqual((trainer.steps, trainer.done), (120, 120))

    def test_Step_LossNotFinite_SaysWhichStep(self):
        trainer = Trainer(made_recipe(), self.examples())
        trainer.engine.losses = lambda progress: {"loss": sum(p.sum() for p in trainer.model.parameters()) * math.inf}
        with self.assertRaisesRegex(FloatingPointError, "step 1"):
            trainer.step()

    def test_Rate_WarmsUpAndFallsToTheFloor(self):
        trainer = Trainer(made_recipe(steps=100, warmup=10, rate=1.0, floor=0.1), self.examples())
        rates = {}
        for trainer.done in (0, 9, 50, 100):
            rates[trainer.done] = trainer.rate()
        self.assertAlmostEqual(rates[0], 0.1, places=3)   # a tenth of the peak
        self.assertAlmostEqual(rates[50], 0.55)           # halfway between peak and floor
        self.assertAlmostEqual(rates[100], 0.1)


if __name__ == "__main__":
    unittest.main()
