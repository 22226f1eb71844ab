"""Turns a package of two graphs into another: float16 arithmetic, other image tensors, or smaller files.

    convert.py models/coco models/coco-fp16 --precision float16
    convert.py models/everyday models/everyday-small --storage float16

README.md beside this file has the rest.
"""
import argparse
import os
import re
import sys

import image_input
import precision
import storage
from errors import ExportError, exit_code
from graph_editor import GraphEditor
from package import check_destination, write_package
from package_reader import SourcePackage

# What a change is called in the version and in the description.
_CHANGES = {
    ("precision", "float16"): ("float16", "computes in float16"),
    ("images", "float16"): ("float16-images", "takes float16 images"),
    ("images", "uint8"): ("uint8-images", "takes images as bytes"),
    ("storage", "float16"): ("float16-weights", "stores its weights as float16"),
}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="convert.py", description=__doc__.splitlines()[0])
    parser.add_argument("package", help="the package to convert, such as models/blood-cells")
    parser.add_argument("out", help="the new package's folder; its name is the new model's")
    parser.add_argument("--precision", choices=["float16"], help="both graphs compute in it")
    parser.add_argument("--images", choices=["float16", "uint8"], help="what the backbone is given")
    parser.add_argument("--storage", choices=["float16"], help="what weights are stored as; computing stays float32")
    parser.add_argument("--force", action="store_true", help="replace an existing package")
    options = parser.parse_args(arguments)
    if not (options.precision or options.images or options.storage):
        parser.error("nothing to convert: give --precision, --images or --storage")
    if options.precision and options.storage:
        parser.error("--precision float16 stores the weights as float16 already")
    return options


def convert(options):
    """Writes the new package and returns its manifest."""
    name = os.path.basename(os.path.abspath(options.out))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ExportError(f"'{name}' is no package name: letters, digits, '.', '_', '-' only")
    source = SourcePackage(options.package)
    if os.path.realpath(options.out) == os.path.realpath(source.folder):
        raise ExportError(f"{options.out}: is the package to convert; a converted one needs a name of its own")
    check_destination(options.out, options.force)
    if options.images == "uint8" and source.resize != "bilinear-antialias":
        raise ExportError(
            f"--images uint8: '{source.name}' is resized on floats (input.resize is '{source.resize}'), and rounding "
            "the result to bytes would change its answers; --images float16 halves what is sent to the device")
    graphs, remarks = _convert_graphs(source, options)
    manifest = write_package(options.out, {**source.manifest, **_about(source, name, options)}, graphs, options.force)
    _summarise(options.out, source, manifest, graphs, remarks)
    return manifest


def _convert_graphs(source, options):
    """Bytes of both graphs by role, and remarks."""
    backbone, head = (GraphEditor(source.graph(role)) for role in ("backbone", "head"))
    interface = backbone.input_names(), backbone.output_names(), head.input_names(), head.output_names()
    remarks = []
    if options.precision:
        remarks += precision.convert(backbone, [image_input.IMAGES], half_outputs=source.pooled)
        # Logits and box deltas from float32 products: they are small, and 11 bits would move scores and edges.
        remarks += precision.convert(head, source.pooled, float_outputs=head.output_names())
    if options.storage:
        remarks += storage.store_half(backbone) + storage.store_half(head)
    if options.images == "uint8":
        image_input.take_bytes(backbone, source.normalization())
        interface[0].append(image_input.SIZES)
    elif options.images == "float16" and not options.precision:
        image_input.take_half(backbone)
    graphs = {"backbone": backbone.finish(), "head": head.finish()}
    if interface != (backbone.input_names(), backbone.output_names(), head.input_names(), head.output_names()):
        raise ExportError(f"{options.out}: the graphs came out with other inputs or outputs")
    return graphs, remarks


def _about(source, name, options):
    """What the manifest says about the new package: its name, its version, and what was done."""
    given = [(flag, getattr(options, flag)) for flag in ("precision", "images", "storage")]
    if options.precision:  # it takes float16 images unless a flag says otherwise
        given = [change for change in given if change != ("images", "float16")]
    changes = [_CHANGES[change] for change in given if change in _CHANGES]
    done = f"{source.name} {source.version} converted: {', '.join(words for _, words in changes)}"
    described = source.manifest.get("description")
    return {
        "name": name,
        "version": "-".join([source.version, *(suffix for suffix, _ in changes)]),
        "description": f"{described} ({done})" if described else done,
    }


def _summarise(out, source, manifest, graphs, remarks):
    print(f"{out}: {manifest['name']} {manifest['version']}, made from {source.name} {source.version}")
    for role, data in graphs.items():
        entry, before = manifest["files"][role], os.path.getsize(source.graph(role))
        sizes = f"{len(data) / 1e6:.1f} MB (was {before / 1e6:.1f})"
        print(f"  {entry['path']} {sizes}, ONNX checked, sha256 {entry['sha256']}")
    for remark in remarks:
        print(f"  {remark}")
    others = source.other_files()
    if others:
        print(f"  not copied: {', '.join(others)} (what a model card says was measured on {source.name})")


def main(arguments=None):
    return exit_code("convert.py", lambda: convert(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main())
