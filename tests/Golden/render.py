"""Renders the made images of the goldens: synthetic blood smears on which the blood-cells model finds cells.

usage: render.py [--out blood-cells/images]      (numpy 1.24, Pillow 9.4)

Everything is drawn here from seeded random numbers, so the project may ship the pictures. The encoded files are
committed: another Pillow or libjpeg writes other bytes, and the goldens pin the bytes that are there. Sizes are
height x width, as in the contract.
"""
import argparse
import io
import math
import pathlib

import numpy as np
from PIL import Image

BACKGROUND = (221.0, 229.0, 222.0)
RED, RED_PALE = (190.0, 141.0, 126.0), (214.0, 192.0, 180.0)
CYTOPLASM, NUCLEUS = (204.0, 178.0, 208.0), (88.0, 76.0, 196.0)
PLATELET = (166.0, 130.0, 210.0)


def smooth_noise(rng, height, width, cell):
    """Low-frequency noise in about -1..1: random values on a coarse grid, enlarged smoothly."""
    coarse = rng.uniform(-1, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse, "F").resize((width, height), Image.Resampling.BICUBIC))


class Smear:
    """A canvas on which cells are laid, later ones over earlier ones."""

    def __init__(self, height, width, seed, noise):
        self.rng = np.random.default_rng(seed)
        self.height, self.width, self.noise = height, width, noise
        self.canvas = np.empty((height, width, 3), np.float32)
        self.canvas[:] = BACKGROUND
        self.canvas += 5 * smooth_noise(self.rng, height, width, 80)[:, :, None]

    def blob(self, cx, cy, rx, ry, color, opacity=1.0, soft=2.5, wobble=0.03, hole=None):
        """A soft disc with an uneven outline; hole = (relative radius, color) pales its center."""
        x0, x1 = max(0, int(cx - 1.2 * rx - 4)), min(self.width, int(cx + 1.2 * rx + 5))
        y0, y1 = max(0, int(cy - 1.2 * ry - 4)), min(self.height, int(cy + 1.2 * ry + 5))
        phases, turn = self.rng.uniform(0, 2 * math.pi, 2), self.rng.uniform(0, math.pi)
        if x0 >= x1 or y0 >= y1:
            return
        dy, dx = np.mgrid[y0:y1, x0:x1].astype(np.float32) + 0.5
        dx, dy = dx - cx, dy - cy
        u = (dx * math.cos(turn) + dy * math.sin(turn)) / rx
        v = (dy * math.cos(turn) - dx * math.sin(turn)) / ry
        angle = np.arctan2(v, u)
        outline = 1 + wobble * (np.sin(2 * angle + phases[0]) + 0.6 * np.sin(3 * angle + phases[1]))
        distance = np.sqrt(u * u + v * v) / outline
        scale = math.sqrt(rx * ry)
        cover = np.clip((1 - distance) * scale / soft + 0.5, 0, 1)[:, :, None] * opacity
        fill = np.empty((y1 - y0, x1 - x0, 3), np.float32)
        fill[:] = color
        if hole is not None:
            pale = np.exp(-((distance / hole[0]) ** 4))[:, :, None]
            fill += pale * (np.float32(hole[1]) - fill)
        fill -= 14 * np.exp(-(((1 - distance) * scale / 3.5) ** 2))[:, :, None]
        patch = self.canvas[y0:y1, x0:x1]
        patch += cover * (fill - patch)

    def red(self, cx, cy, r):
        aspect = self.rng.uniform(0.86, 1.14)
        shade = self.rng.uniform(-9, 9)
        hole = (self.rng.uniform(0.38, 0.55), tuple(c + shade for c in RED_PALE)) if self.rng.random() < 0.7 else None
        self.blob(cx, cy, r * aspect, r / aspect, tuple(c + shade for c in RED), 0.9, hole=hole)

    def white(self, cx, cy, r):
        self.blob(cx, cy, r, r * self.rng.uniform(0.9, 1.1), CYTOPLASM, 0.95, soft=4)
        start = self.rng.uniform(0, 2 * math.pi)
        for k in range(4):
            a = start + k * 1.25
            self.blob(cx + 0.42 * r * math.cos(a), cy + 0.42 * r * math.sin(a), 0.38 * r, 0.31 * r, NUCLEUS, 0.95,
                      soft=4)

    def platelet(self, cx, cy, r):
        self.blob(cx, cy, r, r * self.rng.uniform(0.8, 1.2), PLATELET, 0.95, soft=3, wobble=0.07)

    def populate(self, r, whites=1, platelets=3, gap=1.75, cells=1000):
        """Lays cells in random free places: centers of neighbors are at least `gap` mean radii apart."""
        placed = []

        def place(radius, draw, tries=60):
            for _ in range(tries):
                cx, cy = self.rng.uniform(0, self.width), self.rng.uniform(0, self.height)
                if all(math.hypot(cx - x, cy - y) > gap * (radius + q) / 2 for x, y, q in placed):
                    placed.append((cx, cy, radius))
                    draw(cx, cy, radius)
                    return True
            return False

        for _ in range(whites):
            place(1.55 * r, self.white)
        for _ in range(platelets):
            place(0.28 * r, self.platelet)
        for _ in range(cells):
            if not place(r * self.rng.uniform(0.9, 1.12), self.red):
                break
        return self

    def image(self):
        grain = self.rng.normal(0, self.noise, self.canvas.shape).astype(np.float32) if self.noise else 0
        return Image.fromarray(np.clip(self.canvas + grain + 0.5, 0, 255).astype(np.uint8))


def smear(height, width, radius, seed, noise=1.5, **cells):
    return Smear(height, width, seed, noise).populate(radius, **cells).image()


def with_alpha(image):
    """Alpha fades out to the right, to 0; the color under it stays and must survive: convert("RGB") drops alpha."""
    ramp = np.linspace(255, 0, image.width).round().astype(np.uint8)
    rgba = np.dstack([np.asarray(image), np.broadcast_to(ramp, (image.height, image.width))])
    return Image.fromarray(rgba, "RGBA")


def stored_turned(image, orientation):
    """What a camera stores for a picture that is to be displayed as `image` with this EXIF orientation."""
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    return image.transpose(undo[orientation]), {"exif": exif.tobytes()}


def pictures():
    """Yields (file name, image, save options), in a fixed order."""
    jpeg, png = {"quality": 92}, {"optimize": True}
    yield "smear-480x640.jpg", smear(480, 640, 48, 1), jpeg
    yield "odd-333x500.jpg", smear(333, 500, 35, 2), {"quality": 95, "subsampling": 0}
    yield "odd-501x333.png", smear(501, 333, 35, 3, noise=0), png
    yield "pixel-1x1.png", Image.new("RGB", (1, 1), (190, 141, 126)), png
    yield "tall-3000x40.jpg", smear(3000, 40, 30, 5, whites=3, platelets=12), jpeg
    yield "wide-40x3000.png", smear(40, 3000, 30, 6, noise=0, whites=3, platelets=12), png
    yield "sliver-3000x2.png", smear(3000, 2, 30, 7, noise=0), png
    yield "grey-360x480.jpg", smear(360, 480, 36, 8).convert("L"), jpeg
    turned, exif = stored_turned(smear(480, 360, 36, 9), 6)
    yield "exif6-480x360.jpg", turned, jpeg | exif
    turned, exif = stored_turned(smear(300, 420, 32, 10), 3)
    yield "exif3-300x420.jpg", turned, jpeg | exif
    yield "alpha-300x400.png", with_alpha(smear(300, 400, 32, 11, noise=0)), png
    yield "palette-300x400.png", smear(300, 400, 32, 12, noise=0).quantize(64), png
    yield "large-900x1200.jpg", smear(900, 1200, 95, 13), {"quality": 88, "progressive": True}
    yield "crowded-480x800.jpg", smear(480, 800, 30, 3, whites=3, platelets=30, gap=1.15), {"quality": 88}
    yield "strip-240x1600.jpg", smear(240, 1600, 95, 14, platelets=6), jpeg
    yield "blank-256x256.png", smear(256, 256, 30, 15, noise=0, whites=0, platelets=0, cells=0), png


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "blood-cells" / "images")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, image, options in pictures():
        buffer = io.BytesIO()
        image.save(buffer, "JPEG" if name.endswith(".jpg") else "PNG", **options)
        (out / name).write_bytes(buffer.getvalue())
        print(f"{name}: {image.mode} {image.height}x{image.width}, {len(buffer.getvalue())} bytes")


if __name__ == "__main__":
    main()
