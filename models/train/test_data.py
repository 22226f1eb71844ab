"""Tests of recipes and of the three data formats, on made data."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import data
import recipe as recipes
from made import Folder, made_recipe, picture


class LoaderTests(Folder):
    def options(self, format, **more):
        return recipes.DataOptions(format=format, train="train", test="val", **more)

    def voc(self, second="cat"):
        for name in ("ImageSets/Main", "Annotations", "JPEGImages"):
            (self.root / name).mkdir(parents=True)
        (self.root / "ImageSets/Main/train.txt").write_text("one\n")
        picture(20, 10, (2, 3, 12, 9)).save(self.root / "JPEGImages/one.png")
        objects = "".join(
            f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin>"
            f"<ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
            for name, difficult, x1, y1, x2, y2 in [("dog", 0, 3, 4, 12, 9), (second, 1, 5, 5, 9, 9),
                                                    ("dog", 0, 7, 2, 7, 9)])
        (self.root / "Annotations/one.xml").write_text(f"<annotation>{objects}</annotation>")

    def test_Voc_OneBasedPixels_GivesContinuousBoxesAndDifficultAsIgnored(self):
        self.voc()
        example, = data.load(self.root, "train", ["cat", "dog"], self.options("voc", one_based=True))
        # 1-based columns 3…12 cover [2, 12); the object one pixel wide is under 2 pixels and left out.
        self.assertEqual(example.boxes.tolist(), [[2, 3, 12, 9], [4, 4, 9, 9]])
        self.assertEqual(example.labels.tolist(), [2, 1])
        self.assertEqual(example.ignored.tolist(), [False, True])
        image = example.image.read()
        self.assertEqual(tuple(image.shape), (3, 10, 20))
        self.assertEqual(int(image[0].sum()) // 255, 60)  # the 10 × 6 box

    def test_Voc_UnknownClass_IsNamedOrSkipped(self):
        self.voc(second="newt")
        with self.assertRaisesRegex(data.DataError, "newt"):
            data.load(self.root, "train", ["cat", "dog"], self.options("voc"))
        example, = data.load(self.root, "train", ["cat", "dog"], self.options("voc", other_labels="skip"))
        self.assertEqual(example.labels.tolist(), [2])

    def test_Coco_BothLayouts_GiveXyxyBoxesAndCrowdAsIgnored(self):
        content = json.dumps({
            "images": [{"id": 7, "file_name": "x.png"}, {"id": 9, "file_name": "y.png"}],
            "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "cat"}],
            "annotations": [{"image_id": 7, "category_id": 18, "bbox": [1, 2, 3.5, 4], "iscrowd": 0},
                            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1}]})
        for images, listed in (("images/train", "annotations/instances_train.json"),
                               ("train", "train/_annotations.coco.json")):
            for file in (f"{images}/x.png", f"{images}/y.png", listed):
                (self.root / file).parent.mkdir(parents=True, exist_ok=True)
            picture(12, 12, (1, 1, 5, 5)).save(self.root / images / "x.png")
            picture(12, 12, (1, 1, 5, 5)).save(self.root / images / "y.png")
            (self.root / listed).write_text(content)
            first, second = data.load(self.root, "train", ["cat", "dog"], self.options("coco"))
            self.assertEqual(first.boxes.tolist(), [[1, 2, 4.5, 6], [0, 0, 9, 9]])
            self.assertEqual(first.labels.tolist(), [2, 1])
            self.assertEqual(first.ignored.tolist(), [False, True])
            self.assertEqual(tuple(second.boxes.shape), (0, 4))
            (self.root / listed).unlink()

    def test_Annotations_ImagesInTar_AreReadInPlace(self):
        first, second, third = self.examples()
        self.assertEqual([first.id, second.id, third.id], ["a", "b", "c"])
        self.assertEqual(second.labels.tolist(), [2])
        self.assertEqual(int(second.image.read()[0].sum()) // 255, 36 * 14)

    def test_MissingSplit_IsADataError(self):
        self.voc()
        for split in ("absent", "empty"):
            (self.root / "ImageSets/Main/empty.txt").write_text("\n")
            with self.assertRaises(data.DataError):
                data.load(self.root, split, ["cat", "dog"], self.options("voc"))


class RecipeTests(unittest.TestCase):
    def test_Recipes_OfTheProject_AreRead(self):
        folder = pathlib.Path(__file__).parent / "recipes"
        read = {p.stem: recipes.read(p) for p in sorted(folder.glob("*.toml"))}
        self.assertEqual(read["blood-cells"].labels, ["RBC", "WBC", "Platelets"])
        self.assertEqual(len(read["everyday"].labels), 20)
        changed = recipes.read(folder / "blood-cells.toml", ["train.steps=7", "name=\"mine\""])
        self.assertEqual((changed.train.steps, changed.name), (7, "mine"))

    def test_WrongKeysAndValues_AreNamed(self):
        for change, named in (({"stesp": 3}, "stesp"), ({"steps": "3"}, "steps"), ({"engine": "fast"}, "engine"),
                              ({"steps": True}, "steps"), ({"sizes": [1, "b"]}, "sizes"), ({"batch": 0}, "batch")):
            with self.assertRaisesRegex(recipes.RecipeError, named):
                made_recipe(**change)


if __name__ == "__main__":
    unittest.main()
