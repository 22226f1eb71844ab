"""Draws the sample images: made-up blood smears on which the blood-cells model finds what was drawn.

python3 docs/sample/make_sample.py docs/sample

Every pixel comes from the numbers below and a fixed seed; nothing is taken from a photograph, so the
pictures are free for any use (public domain, CC0). Needs numpy and Pillow.
"""
import argparse
import pathlib

import numpy
from PIL import Image

BACKGROUND = (0.79, 0.77, 0.80)
RED_RIM, RED_CENTRE = (0.78, 0.57, 0.58), (0.85, 0.76, 0.77)
CYTOPLASM, NUCLEUS = (0.72, 0.66, 0.80), (0.42, 0.26, 0.60)
PLATELET = (0.55, 0.40, 0.67)


def noise(random, height: int, width: int, cell: float) -> numpy.ndarray:
    """Smooth noise [height, width] of mean 0 and deviation 1 with bumps of about ``cell`` pixels."""
    small = random.standard_normal((int(height / cell) + 4, int(width / cell) + 4)).astype(numpy.float32)
    image = Image.fromarray(small).resize((width, height), Image.BICUBIC)
    values = numpy.asarray(image)
    return (values - values.mean()) / values.std()


def smooth_step(value, low, high):
    """0 below ``low``, 1 above ``high``, smooth between (cubic)."""
    t = numpy.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


class Smear:
    """A picture [height, width, 3] in 0…1 that cells are drawn on, and the boxes of what was drawn."""

    def __init__(self, width: int, height: int, seed: int):
        self.random = numpy.random.default_rng(seed)
        self.width, self.height = width, height
        self.y, self.x = numpy.mgrid[0:height, 0:width].astype(numpy.float32) + 0.5
        self.pixels = numpy.ones((height, width, 3), numpy.float32) * numpy.float32(BACKGROUND)
        self.objects: list[tuple[str, float, float, float, float]] = []

    def blend(self, colour, alpha) -> None:
        """Lays a colour ([3] or [H, W, 3]) over the picture with opacity ``alpha`` [H, W]."""
        self.pixels += (numpy.float32(colour) - self.pixels) * alpha[..., None].astype(numpy.float32)

    def distance(self, cx, cy, rx, ry, wobble=0.03):
        """[H, W]: 0 in the middle, 1 on a slightly irregular, turned ellipse, more outside."""
        turn = self.random.uniform(0, numpy.pi)
        dx, dy = self.x - cx, self.y - cy
        u = (dx * numpy.cos(turn) + dy * numpy.sin(turn)) / rx
        v = (dy * numpy.cos(turn) - dx * numpy.sin(turn)) / ry
        angle = numpy.arctan2(v, u)
        edge = 1 + sum(wobble / k * numpy.cos(k * angle + self.random.uniform(0, 2 * numpy.pi)) for k in (2, 3, 5))
        return numpy.hypot(u, v) / edge

    def record(self, label, inside) -> None:
        """Notes the box of the pixels where ``inside`` [H, W] is true."""
        ys, xs = numpy.nonzero(inside)
        self.objects.append((label, int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1))

    def red_cell(self, cx, cy, radius) -> None:
        """A disc with a darker rim and a paler middle; what lies under it shines through."""
        stretch = self.random.uniform(0.93, 1.07)
        d = self.distance(cx, cy, radius * stretch, radius / stretch)
        soft = 1.6 / radius
        inside = 1 - smooth_step(d, 1 - soft, 1 + soft)
        pale = 1 - smooth_step(d, 0.12, self.random.uniform(0.62, 0.78))
        shade = self.random.normal(0, 0.014)
        colour = (numpy.float32(RED_RIM) + shade) * (1 - 0.85 * pale[..., None])
        colour = colour + (numpy.float32(RED_CENTRE) + shade) * (0.85 * pale[..., None])
        rim = numpy.exp(-((d - 0.93) / 0.06) ** 2)
        self.blend(colour * (1 - 0.10 * rim[..., None]), 0.88 * inside)
        halo = numpy.exp(-((d - 1 - 2.2 * soft) / (1.4 * soft)) ** 2)
        self.blend((0.86, 0.85, 0.87), 0.35 * halo)
        self.record("RBC", d < 1)

    def white_cell(self, cx, cy, radius, lobes: int) -> None:
        """A large pale body around a dark nucleus of so many overlapping lobes."""
        d = self.distance(cx, cy, radius, radius * 0.95, 0.05)
        body = 1 - smooth_step(d, 0.95, 1.03)
        grain = noise(self.random, self.height, self.width, 3.0)[..., None]
        self.blend(numpy.float32(CYTOPLASM) + 0.02 * grain, 0.95 * body)
        nucleus = numpy.zeros_like(d)
        start = self.random.uniform(0, 2 * numpy.pi)
        for lobe in range(lobes):
            angle = start + lobe * 1.25
            reach = 0.40 * radius if lobes > 1 else 0.08 * radius
            size = radius * (self.random.uniform(0.40, 0.48) if lobes > 1 else 0.78)
            part = self.distance(cx + reach * numpy.cos(angle), cy + reach * numpy.sin(angle), size, size * 0.85, 0.06)
            nucleus = numpy.maximum(nucleus, 1 - smooth_step(part, 0.90, 1.06))
        chromatin = noise(self.random, self.height, self.width, 6.0)[..., None]
        self.blend(numpy.float32(NUCLEUS) + 0.035 * chromatin + 0.012 * grain, 0.96 * nucleus)
        self.record("WBC", d < 1)

    def platelet(self, cx, cy, radius) -> None:
        """A small violet grain with a soft border."""
        d = self.distance(cx, cy, radius, radius * self.random.uniform(0.85, 1.0), 0.12)
        grain = noise(self.random, self.height, self.width, 2.5)[..., None]
        self.blend(numpy.float32(CYTOPLASM), 0.55 * (1 - smooth_step(d, 0.85, 1.15)))
        self.blend(numpy.float32(PLATELET) + 0.03 * grain, 0.9 * (1 - smooth_step(d, 0.45, 0.95)))
        self.record("Platelets", d < 1)

    def scatter(self, count, radius, taken, gap) -> list[tuple[float, float, float]]:
        """Up to ``count`` places (x, y, r) at least ``gap`` × the summed radii from all that are taken."""
        found = []
        for _ in range(count * 60):
            if len(found) == count:
                break
            r = radius * self.random.uniform(0.92, 1.08)
            x = self.random.uniform(0.15 * r, self.width - 0.15 * r)
            y = self.random.uniform(0.15 * r, self.height - 0.15 * r)
            if all(numpy.hypot(x - px, y - py) >= gap * (r + pr) for px, py, pr in taken + found):
                found.append((x, y, r))
        return found

    def finish(self) -> Image.Image:
        """Uneven light, darker corners and the sensor's noise; 8 bits."""
        light = 1 + 0.012 * noise(self.random, self.height, self.width, 160)
        corner = numpy.hypot((self.x / self.width - 0.5) * 2, (self.y / self.height - 0.5) * 2)
        light *= 1 - 0.10 * smooth_step(corner, 0.6, 1.5)
        fine = noise(self.random, self.height, self.width, 1.6)[..., None]
        pixels = self.pixels * light[..., None] + 0.008 * fine
        return Image.fromarray((numpy.clip(pixels, 0, 1) * 255 + 0.5).astype(numpy.uint8))


def draw(width: int, height: int, seed: int, red: int, white, platelets, radius=50) -> Smear:
    """A smear with up to ``red`` red cells of about ``radius`` pixels at random places.

    ``white``: white cells (x, y, radius, lobes of the nucleus); ``platelets``: (x, y, radius).
    """
    smear = Smear(width, height, seed)
    smear.pixels += 0.012 * noise(smear.random, height, width, 40)[..., None]
    taken = [(x, y, r) for x, y, r, _ in white] + [(x, y, 2.0 * r) for x, y, r in platelets]
    for place in smear.scatter(red, radius, taken, 0.88):
        smear.red_cell(*place)
    for place in white:
        smear.white_cell(*place)
    for place in platelets:
        smear.platelet(*place)
    return smear


SAMPLES = {
    "smear.jpg": dict(width=640, height=480, seed=11, red=16, white=[(430, 190, 82, 3)],
                      platelets=[(150, 250, 20), (300, 400, 19), (560, 400, 20)]),
    "smear-wide.jpg": dict(width=900, height=600, seed=7, red=24, radius=58,
                           white=[(250, 210, 98, 4), (650, 400, 92, 1)],
                           platelets=[(450, 130, 25), (120, 470, 24), (790, 160, 25), (430, 480, 24)]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the sample smears.")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    for name, settings in SAMPLES.items():
        smear = draw(**settings)
        path = arguments.folder / name
        smear.finish().save(path, quality=90, optimize=True)
        counts = {label: sum(o[0] == label for o in smear.objects) for label in ("RBC", "WBC", "Platelets")}
        print(f"{path}: {path.stat().st_size // 1024} KB, {counts}")


if __name__ == "__main__":
    main()
