"""Makes tensors/: small made inputs and what torchvision and detectron2's rules make of them.

usage: make_tensors.py [--out tensors]      (torch 1.13, torchvision 0.14, Pillow 9.4); needs no model and no data
"""
import argparse
import pathlib

import torch

import golden_detections
import golden_inputs
import golden_proposals
from golden_files import HERE, versions, write_json


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "tensors")
    out = parser.parse_args().out
    torch.manual_seed(0)
    torch.set_num_threads(2)
    golden_inputs.make(out)
    golden_proposals.make_anchors(out)
    golden_proposals.make_levels(out)
    golden_proposals.make_proposals(out)
    golden_detections.make(out)
    write_json(out / "meta.json", {
        "command": "tests/Golden/make_tensors.py", "versions": versions(), "threads": torch.get_num_threads(),
        "tolerance": {"proposalBox": 1e-3, "detectionBox": 1e-3, "score": 1e-5, "anchor": 1e-4, "bilinear": 1e-5,
                      "pillow": 1}})


if __name__ == "__main__":
    main()
