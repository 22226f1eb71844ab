"""Tests of the converter: python3 models/export/test_convert.py"""
import contextlib
import hashlib
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import convert
from converter_case import BYTES, ConverterCase, small_backbone, small_head, small_manifest
from errors import ExportError
from package import write_package


class ConvertTests(ConverterCase):
    def test_manifest_is_carried_over_but_for_name_version_description_and_checksums(self):
        self.make(input={**BYTES, "mean": [0.1, 0.25, 0.5]})
        self.convert("--precision", "float16", "--images", "uint8")
        before, after = self.manifest("small"), self.manifest()
        self.assertEqual(list(before), list(after))
        changed = {key for key in before if before[key] != after[key]}
        self.assertEqual(changed, {"name", "version", "description", "files"})
        self.assertEqual((after["name"], after["version"]), ("new", "7-float16-uint8-images"))
        self.assertEqual(after["description"], "A test (small 7 converted: computes in float16, takes images as bytes)")
        for role, entry in after["files"].items():
            with open(self.path("new", entry["path"]), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), entry["sha256"], role)

    def test_manifest_with_comments_and_last_commas_is_read(self):
        self.make()
        with open(self.path("small", "model.json"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace('"MIT"', '"MIT, see https://example.org/*x*/ \\"//\\" ,]", // a comment')
        text = "/* more\n of them */" + text.replace('"b"]', '"b",]').replace(",\n  \"files\"", "\n  \"files\"")
        with open(self.path("small", "model.json"), "w", encoding="utf-8") as file:
            file.write(text)
        self.convert("--images", "float16")
        self.assertEqual(self.manifest()["license"], 'MIT, see https://example.org/*x*/ "//" ,]')
        self.assertEqual(self.manifest()["labels"], ["a", "b"])

    def test_model_card_is_not_copied_and_that_is_said(self):
        self.make()
        with open(self.path("small", "MODEL_CARD.md"), "w", encoding="utf-8") as file:
            file.write("AP 1.0")
        _, _, printed = self.convert("--storage", "float16")
        self.assertEqual(sorted(os.listdir(self.path("new"))), ["backbone.onnx", "head.onnx", "model.json"])
        self.assertIn("not copied: MODEL_CARD.md", printed)

    def test_convert_twice_gives_the_same_bytes(self):
        self.make(input=BYTES)
        files = []
        for _ in range(2):
            self.convert("--precision", "float16", "--images", "uint8", "--force")
            files.append(self.manifest()["files"])
        self.assertEqual(*files)

    def test_existing_package_needs_force_and_the_source_is_never_replaced(self):
        self.make()
        self.convert("--storage", "float16")
        with self.assertRaisesRegex(ExportError, "--force"):
            self.convert("--storage", "float16")
        with self.assertRaisesRegex(ExportError, "needs a name of its own"):
            self.convert("--storage", "float16", "--force", out="small")

    def test_wrong_package_says_what_is_wrong(self):
        self.assert_error("model.json: No such file", "--storage", "float16", source="none")
        self.make(layout="end-to-end")
        self.assert_error("this one's layout is 'end-to-end'", "--storage", "float16")
        self.make()
        self.assert_error("no package name", "--storage", "float16", out="two words")
        for opset, text in ((10, "from 11 on"), (99, "is of opset 99")):
            backbone = small_backbone()
            backbone.opset_import[0].version = opset
            data = {"backbone": backbone.SerializeToString(), "head": small_head().SerializeToString()}
            write_package(self.path("small"), small_manifest(), data, force=True)
            self.assert_error(text, "--storage", "float16")
        self.make()
        with open(self.path("small", "head.onnx"), "ab") as file:
            file.write(b"x")
        self.assert_error("but model.json says", "--storage", "float16")

    def test_already_converted_package_is_refused(self):
        self.make(input=BYTES)
        self.convert("--precision", "float16", out="half")
        self.convert("--images", "uint8", out="bytes")
        self.assert_error("is not float32", "--precision", "float16", source="half")
        self.assert_error("is not float32", "--images", "float16", source="half")
        self.assert_error("is not float32", "--precision", "float16", source="bytes")
        self.assert_error("neither float32 nor float16", "--images", "uint8", source="bytes")

    def test_parse_needs_something_to_do_and_one_kind_of_weights(self):
        for arguments in ((), ("--precision", "float16", "--storage", "float16"), ("--images", "int8")):
            with self.subTest(arguments), contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                convert.parse(["a", "b", *arguments])


if __name__ == "__main__":
    unittest.main()
