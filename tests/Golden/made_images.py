"""Pictures made from a seed: the golden cases need no photographs."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def shapes(width, height, seed):
    """Coloured ellipses and bars over a smooth background with grain; content for networks with random weights."""
    random = np.random.RandomState(seed)
    coarse = Image.fromarray(random.randint(0, 256, (6, 8, 3), dtype=np.uint8))
    image = coarse.resize((width, height), Image.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = random.randint(0, width), random.randint(0, height)
        w, h = random.randint(8, width // 2), random.randint(8, height // 2)
        colour = tuple(int(c) for c in random.randint(0, 256, 3))
        (draw.ellipse if random.rand() < 0.6 else draw.rectangle)((x - w // 2, y - h // 2, x + w // 2, y + h // 2), fill=colour)
    return _grain(image, random, 12)


def smear(width, height, seed, cells=48):
    """Discs that the blood-cells model takes for cells: pale red ones with a lighter middle, purple ones, specks."""
    random = np.random.RandomState(seed)
    image = Image.new("RGB", (width, height), (232, 226, 228))
    draw = ImageDraw.Draw(image)
    unit = min(width, height) / 10.0
    for index in range(cells):
        x, y, r = random.rand() * width, random.rand() * height, unit * (0.85 + 0.3 * random.rand())
        if index % 8 == 7:
            _disc(draw, x, y, 1.5 * r, (206, 186, 214))
            for _ in range(4):
                _disc(draw, x + unit * 0.6 * random.randn(), y + unit * 0.6 * random.randn(), 0.75 * r, (112, 72, 150))
        elif index % 8 == 6:
            _disc(draw, x, y, 0.22 * r, (140, 100, 165))
        else:
            _disc(draw, x, y, r, (204, 150, 158))
            _disc(draw, x, y, 0.45 * r, (218, 178, 182))
    image = image.filter(ImageFilter.GaussianBlur(unit / 24))
    return _grain(image, random, 4)


def _disc(draw, x, y, radius, colour):
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _grain(image, random, strength):
    pixels = np.asarray(image).astype(np.float64)
    pixels += strength * random.randn(*pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))
