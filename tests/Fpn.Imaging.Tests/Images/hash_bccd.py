#!/usr/bin/env python3
"""Prints the SHA-256 of all pixels of the BCCD photographs as Pillow decodes them, in the order of their names.

Usage: hash_bccd.py FOLDER_OF_JPEG_IMAGES. The value in BccdDecodingTests.cs is Pillow 9.4.0's.
"""
import hashlib
import sys
from pathlib import Path

from PIL import Image

pixels = hashlib.sha256()
for path in sorted(Path(sys.argv[1]).glob("*.jpg")):
    pixels.update(Image.open(path).convert("RGB").tobytes())
print(pixels.hexdigest())
