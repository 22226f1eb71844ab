"""Composes the made images of the everyday goldens from the sample photographs: people and a cat, which are found.

usage: compose.py [--out everyday/images]      (Pillow 9.4)

Sizes in the names are height x width, as displayed.
"""
import argparse
import pathlib

from PIL import Image, ImageOps

from golden_files import HERE
from render import stored_turned, with_alpha

SAMPLES = HERE.parents[1] / "docs" / "sample"


def read(name):
    return Image.open(SAMPLES / f"{name}.jpg").convert("RGB")


def fitted(name, height, width):
    """A sample cut and scaled to fill height x width."""
    return ImageOps.fit(read(name), (width, height), Image.LANCZOS)


def grid(rows, height, width):
    """Samples side by side, each in a cell of height x width."""
    sheet = Image.new("RGB", (width * len(rows[0]), height * len(rows)))
    for y, row in enumerate(rows):
        for x, name in enumerate(row):
            tile = fitted(name.removeprefix("-"), height, width)
            sheet.paste(ImageOps.mirror(tile) if name.startswith("-") else tile, (x * width, y * height))
    return sheet


def images():
    """File name, picture, options of Pillow's save."""
    jpeg, png = {"quality": 92}, {"optimize": True}
    a, c, m = "astronaut", "cat", "cameraman"
    yield "person-400x400.jpg", fitted(a, 400, 400), jpeg
    yield "cat-300x451.jpg", read(c), {"quality": 95, "subsampling": 0}
    yield "grey-420x360.jpg", fitted(m, 420, 360).convert("L"), jpeg
    yield "odd-333x501.jpg", fitted(c, 333, 501), jpeg
    turned, exif = stored_turned(fitted(a, 480, 320), 6)
    yield "exif6-480x320.jpg", turned, jpeg | exif
    yield "alpha-220x300.png", with_alpha(fitted(c, 220, 300)), png
    yield "palette-256x256.png", fitted(a, 256, 256).quantize(48), png
    yield "strip-160x1200.jpg", grid([[a, m, c, f"-{a}", f"-{m}", f"-{c}"]], 160, 200), jpeg
    yield "narrow-900x120.jpg", grid([[m], [a], [c], [f"-{m}"], [f"-{a}"], [f"-{c}"]], 150, 120), jpeg
    crowd = [[a, c, m, f"-{a}", f"-{m}"], [f"-{c}", f"-{m}", a, m, c], [m, a, f"-{a}", c, f"-{c}"]]
    yield "crowd-480x800.jpg", grid(crowd, 160, 160), {"quality": 88}
    yield "large-1200x1600.jpg", grid([[m, a], [c, f"-{m}"]], 600, 800), {"quality": 80, "progressive": True}
    yield "blank-256x256.png", Image.new("RGB", (256, 256), (128, 140, 160)), png


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "everyday" / "images")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, image, options in images():
        image.save(arguments.out / name, **options)
        print(f"{name}: {(arguments.out / name).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
