#!/usr/bin/env python3
"""Makes the images of the decoder's tests, and beside each what Pillow decodes it to (`<image>.ppm`).

Usage: make_images.py [path of libvips-cpp.so.*]
Committed files were made with Pillow 9.4.0, NumPy 1.24.2 and libvips 8.18.7 (for AVIF only, which this Pillow
cannot write). Every picture is the same 24 x 17 pattern, so that a turned, mirrored or swapped one is told apart.
Where Pillow and libvips differ by design, no .ppm is written or it holds the rule of docs instead: see `expected`.
"""
import ctypes
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

HERE = Path(__file__).resolve().parent
H, W = 17, 24


def pattern():
    """[H, W, 3] bytes: three gradients, and a dark corner at the top left."""
    y, x = np.mgrid[0:H, 0:W]
    rgb = np.stack([x * 255 // (W - 1), y * 255 // (H - 1), (x * 7 + y * 11) % 256], axis=-1)
    rgb[:4, :6] = (10, 20, 30)
    return rgb.astype(np.uint8)


RGB = pattern()
GREY = RGB[..., 0] // 2 + RGB[..., 1] // 2
INKS = np.dstack([RGB, GREY // 2])
ALPHA = ((np.mgrid[0:H, 0:W][1] * 37) % 256).astype(np.uint8)


def expected(name, rgb):
    rgb = np.ascontiguousarray(rgb, dtype=np.uint8)
    header = b"P6\n%d %d\n255\n" % (rgb.shape[1], rgb.shape[0])
    (HERE / f"{name}.ppm").write_bytes(header + rgb.tobytes())


def save(name, image, rgb=None, **options):
    """Writes an image; what is expected of it is Pillow's reading unless `rgb` says otherwise."""
    image.save(HERE / name, **options)
    if rgb is None:
        read = Image.open(HERE / name)
        rgb = np.asarray(ImageOps.exif_transpose(read).convert("RGB"))
    expected(name, rgb)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, samples, depth, color_type, interlaced, rgb, extra=b""):
    """A PNG with filter 0, written by hand: Pillow writes neither 16-bit color nor Adam7.

    `samples` is [H, W, C] in the depth's range.
    """
    def rows(part):
        out = b""
        for row in part:
            if depth == 16:
                out += b"\0" + row.astype(">u2").tobytes()
            elif depth == 8:
                out += b"\0" + row.astype(np.uint8).tobytes()
            else:
                bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth:]
                out += b"\0" + np.packbits(bits.reshape(-1)).tobytes()
        return out

    adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    passes = adam7 if interlaced else [(0, 0, 1, 1)]
    parts = [samples[y::dy, x::dx] for y, x, dy, dx in passes]
    data = b"".join(rows(part) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, color_type, 0, 0, int(interlaced))
    (HERE / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
                              + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))
    expected(name, rgb)


def three(grey):
    return np.repeat(grey[..., None], 3, axis=-1)


def swapped_profile():
    """sRGB with the primaries of red and green exchanged: applying it shows."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red:red + 4], profile[green:green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def jpegs():
    image = Image.fromarray(RGB)
    save("rgb.jpg", image, quality=95, subsampling=0)
    save("subsampled.jpg", image, quality=90, subsampling=2)
    save("progressive.jpg", image, quality=90, progressive=True)
    save("grey.jpg", Image.fromarray(GREY), quality=90)
    save("profile.jpg", image, quality=95, icc_profile=swapped_profile())
    save("one-pixel.jpg", image.crop((12, 8, 13, 9)), quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation-{orientation}.jpg", image, quality=90, subsampling=0, exif=exif)
    # The test knows four inks: none, cyan, yellow and black.
    inks = np.zeros((16, 64, 4), np.uint8)
    inks[:, 16:32, 0] = inks[:, 32:48, 2] = inks[:, 48:, 3] = 255
    save("cmyk.jpg", Image.fromarray(inks, "CMYK"), quality=100)
    save("inks.jpg", Image.fromarray(INKS, "CMYK"), quality=95, subsampling=0)
    # Adobe's marker, by which some decoders tell whether inks are inverted, is an APP14 of 14 bytes.
    marked = (HERE / "inks.jpg").read_bytes()
    at = marked.index(b"\xFF\xEE\x00\x0EAdobe")
    (HERE / "inks-unmarked.jpg").write_bytes(marked[:at] + marked[at + 16:])
    expected("inks-unmarked.jpg", np.asarray(Image.open(HERE / "inks-unmarked.jpg").convert("RGB")))


def pngs():
    image = Image.fromarray(RGB)
    save("rgb.png", image)
    save("profile.png", image, icc_profile=swapped_profile())
    save("grey.png", Image.fromarray(GREY))
    save("palette.png", image.quantize(32))
    save("palette-transparent.png", image.quantize(32), transparency=3)
    save("rgba.png", Image.fromarray(np.dstack([RGB, ALPHA])))
    save("grey-alpha.png", Image.fromarray(np.dstack([GREY, ALPHA]), "LA"))
    save("grey-transparent.png", Image.fromarray(GREY), transparency=int(GREY[9, 9]))
    save("one-pixel.png", image.crop((12, 8, 13, 9)))
    exif = Image.Exif()
    exif[0x0112] = 6
    save("orientation-6.png", image, exif=exif)
    # 16 bits lose the low byte, which is arbitrary here.
    low = (np.arange(H * W * 3).reshape(H, W, 3) * 97 % 256).astype(np.uint16)
    png("rgb16.png", RGB.astype(np.uint16) * 256 + low, 16, 2, False, RGB)
    png("rgba16.png", np.dstack([RGB.astype(np.uint16) * 256 + low, ALPHA.astype(np.uint16) * 257]), 16, 6, False, RGB)
    png("grey16.png", (GREY.astype(np.uint16) * 256 + low[..., 0])[..., None], 16, 0, False, three(GREY))
    png("interlaced.png", RGB, 8, 2, True, RGB)
    png("interlaced-rgb16.png", RGB.astype(np.uint16) * 256 + low, 16, 2, True, RGB)
    png("grey1.png", (GREY[..., None] > 127), 1, 0, False, three((GREY > 127) * np.uint8(255)))
    png("grey2.png", (GREY[..., None] >> 6), 2, 0, False, three((GREY >> 6) * np.uint8(85)))
    png("interlaced-grey4.png", (GREY[..., None] >> 4), 4, 0, True, three((GREY >> 4) * np.uint8(17)))


def webps():
    image = Image.fromarray(RGB)
    rgba = Image.fromarray(np.dstack([RGB, ALPHA]))
    save("lossless.webp", image, lossless=True)
    save("lossy.webp", image, quality=80)
    save("rgba.webp", rgba, lossless=True, exact=True)
    save("rgba-lossy.webp", rgba, quality=80, exact=True)
    save("animated.webp", image, save_all=True, lossless=True, append_images=[ImageOps.invert(image)])
    exif = Image.Exif()
    exif[0x0112] = 3
    save("orientation-3.webp", image, lossless=True, exif=exif)


def gif(name, canvas, frame, left, top, transparent, background=0):
    """A GIF of one frame that need not fill the canvas; eight colors in the global palette."""
    def lzw(indices, bits):
        # A clear code before every two pixels keeps the code size constant: long, but simple.
        codes = []
        for i in range(0, len(indices), 2):
            codes += [1 << bits, *indices[i:i + 2]]
        codes.append((1 << bits) + 1)
        packed = 0
        for position, code in enumerate(codes):
            packed |= int(code) << (position * (bits + 1))
        return packed.to_bytes((len(codes) * (bits + 1) + 7) // 8, "little")

    palette = bytes(value for i in range(8) for value in (i * 30 + 5, 250 - i * 30, i * 11 + 40))
    data = b"GIF89a" + struct.pack("<HHBBB", canvas[1], canvas[0], 0xF2, background, 0) + palette
    if transparent is not None:
        data += b"\x21\xF9\x04" + struct.pack("<BHB", 1, 0, transparent) + b"\0"
    data += b"\x2C" + struct.pack("<HHHHB", left, top, frame.shape[1], frame.shape[0], 0) + b"\x03"
    packed = lzw(frame.reshape(-1), 3)
    for i in range(0, len(packed), 255):
        data += bytes([len(packed[i:i + 255])]) + packed[i:i + 255]
    (HERE / name).write_bytes(data + b"\0\x3B")
    expected(name, np.asarray(Image.open(HERE / name).convert("RGB")))


def gifs():
    image = Image.fromarray(RGB)
    save("palette.gif", image.quantize(32))
    save("interlaced.gif", image.quantize(32), interlace=1)
    save("animated.gif", image.quantize(32), save_all=True, append_images=[ImageOps.invert(image).quantize(32)])
    indices = np.mgrid[0:H, 0:W][1] // 3
    gif("transparent.gif", (H, W), indices, 0, 0, 5)
    gif("small-frame.gif", (H, W), indices[:9, :12], 4, 3, None, background=2)
    gif("small-frame-transparent.gif", (H, W), indices[:9, :12], 4, 3, 2)


def tiffs():
    image = Image.fromarray(RGB)
    save("rgb.tif", image)
    save("lzw.tif", image, compression="tiff_lzw")
    save("deflate.tif", image, compression="tiff_adobe_deflate")
    save("jpeg.tif", image, compression="jpeg", quality=90)
    save("grey.tif", Image.fromarray(GREY))
    save("bilevel.tif", Image.fromarray(GREY > 127))
    save("palette.tif", image.quantize(32))
    save("rgba.tif", Image.fromarray(np.dstack([RGB, ALPHA])))
    save("pages.tif", image, save_all=True, append_images=[ImageOps.invert(image)])
    save("orientation-8.tif", image, tiffinfo={274: 8}, rgb=np.rot90(RGB, 1))
    save("inks.tif", Image.fromarray(INKS, "CMYK"))
    save("grey16.tif", Image.fromarray(GREY.astype(np.uint16) * 256 + 77), rgb=three(GREY))


def bmps():
    image = Image.fromarray(RGB)
    save("rgb.bmp", image)
    save("grey.bmp", Image.fromarray(GREY))
    save("palette.bmp", image.quantize(32))
    save("rgbx.bmp", Image.fromarray(np.dstack([RGB, ALPHA])), rgb=RGB)
    # Four bits a pixel, and the first row on top: Pillow writes neither.
    colors = [(i * 15, 255 - i * 9, i * 3 + 20) for i in range(16)]
    indices = np.mgrid[0:H, 0:W][1] * 2 // 3
    rows = b"".join(bytes(row[::2] << 4 | row[1::2]) for row in indices.astype(np.uint8))
    palette = b"".join(bytes((b, g, r, 0)) for r, g, b in colors)
    start = 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, W, -H, 1, 4, 0, len(rows), 2835, 2835, 16, 0)
    file = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start)
    (HERE / "palette4.bmp").write_bytes(file + header + palette + rows)
    expected("palette4.bmp", np.asarray(colors, np.uint8)[indices])


def avifs(library):
    """Written by libvips, lossless: what was put in must come out."""
    vips = ctypes.CDLL(library)
    vips.vips_image_new_from_memory_copy.restype = ctypes.c_void_p
    vips.vips_error_buffer.restype = ctypes.c_char_p
    vips.vips_init(b"make_images")
    data = RGB.tobytes()
    image = ctypes.c_void_p(vips.vips_image_new_from_memory_copy(data, ctypes.c_size_t(len(data)), W, H, 3, 0))
    out = str(HERE / "rgb.avif") + "[lossless=true,compression=av1,subsample-mode=off]"
    if vips.vips_image_write_to_file(image, out.encode(), None) != 0:
        sys.exit(vips.vips_error_buffer().decode())
    expected("rgb.avif", RGB)


def main():
    jpegs()
    pngs()
    webps()
    gifs()
    tiffs()
    bmps()
    if len(sys.argv) > 1:
        avifs(sys.argv[1])


if __name__ == "__main__":
    main()
