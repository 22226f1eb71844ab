"""Tests that what the recipe for everyday photographs trains becomes a package, of which models/everyday is one."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import torch

import model as models
import pretrained
import recipe as recipes
from made import Folder

HERE = pathlib.Path(__file__).resolve().parent
EXPORT = HERE.parent / "export"
LARGEST_PACKAGE = 45_000_000  # bytes: the repository has to carry it


class EverydayTests(Folder):
    def test_Package_OfTheRecipesNetwork_StaysSmallAndKeepsItsSettings(self):
        recipe = recipes.read(HERE / "recipes" / "everyday.toml")
        torch.manual_seed(0)
        network = models.build(recipe.model, len(recipe.labels))
        checkpoint = self.root / "everyday.pth"
        torch.save({key: value.half() if value.is_floating_point() else value
                    for key, value in network.state_dict().items()}, checkpoint)

        self.run_tool("export.py", "--checkpoint", checkpoint, "--labels", ",".join(recipe.labels),
                      "--min-size", recipe.model.min_size, "--max-size", recipe.model.max_size,
                      self.root / "everyday-full")
        self.run_tool("convert.py", self.root / "everyday-full", self.root / "everyday",
                      "--storage", "float16")

        package = self.root / "everyday"
        manifest = json.loads((package / "model.json").read_text(encoding="utf-8"))
        self.assertEqual(recipe.labels, manifest["labels"])
        self.assertEqual((384, 640), (manifest["input"]["minSize"], manifest["input"]["maxSize"]))
        sizes = sum(file.stat().st_size for file in package.iterdir())
        self.assertLess(sizes, LARGEST_PACKAGE)
        # Not the empty shell of a package either: 20.3 million weights of two bytes.
        self.assertGreater(sizes, 40_000_000)

    def test_Checkpoint_OfThePackage_IsOfTheRecipesNetwork(self):
        shared = pathlib.Path(os.environ.get("FPN_SHARED") or HERE.parents[2] / "shared")
        checkpoint = shared / "models" / "everyday" / "everyday.pth"
        if not checkpoint.exists():
            self.skipTest(f"The shared data is absent: {checkpoint} does not exist (FPN_SHARED names the folder).")
        recipe = recipes.read(HERE / "recipes" / "everyday.toml")
        network = models.build(recipe.model, len(recipe.labels))
        pretrained.load(network, checkpoint)

        # What the package holds, read back, is the same to the bit; norms that only add a bias on both sides.
        package = pretrained.read_package(HERE.parent / "everyday")
        own = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
        self.assertEqual(own.keys(), package.keys())
        for name, value in own.items():
            torch.testing.assert_close(package[name], value, rtol=0, atol=1.1e-5 if name.endswith("running_var") else 0)

    def run_tool(self, tool, *arguments):
        run = subprocess.run([sys.executable, EXPORT / tool, *map(str, arguments)],
                             capture_output=True, text=True, check=False)
        self.assertEqual(0, run.returncode, run.stderr)


if __name__ == "__main__":
    unittest.main()
