"""Turns three free photographs of Debian's python3-skimage into the sample JPEGs; README.md names their sources.

    make_photographs.py docs/sample     (Pillow; apt-get install python3-skimage)
"""
import argparse
import pathlib

from PIL import Image

SOURCE = pathlib.Path("/usr/lib/python3/dist-packages/skimage/data")
PHOTOGRAPHS = {"astronaut.jpg": "astronaut.png", "cat.jpg": "chelsea.png", "cameraman.jpg": "camera.png"}
LONGEST_SIDE = 512
MOST_BYTES = 120_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the sample photographs.")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    for name, source in PHOTOGRAPHS.items():
        photograph = Image.open(SOURCE / source)
        photograph.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        path = arguments.folder / name
        photograph.save(path, quality=90, optimize=True)
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise SystemExit(f"{path}: {size} bytes, more than {MOST_BYTES}")
        print(f"{path}: {photograph.width}x{photograph.height}, {size // 1000} kB")


if __name__ == "__main__":
    main()
