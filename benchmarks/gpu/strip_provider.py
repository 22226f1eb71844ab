"""Shrinks the CUDA provider for a machine whose architecture is known, so that it fits through a small pipe.

    strip_provider.py libonnxruntime_providers_cuda.so OUT [--architecture 90] [--keep-language-models]

The library holds the same device code once for each architecture, and four fifths of it are attention and quantized
products of language models. Both are blanked where they lie; language models' code is also renamed to an architecture
of old, so that CUDA, which looks for code of its own, finds none as in any library that was built for other GPUs, and
minds only if such a kernel is called. Addresses, lengths and headers stay; the holes pack to nothing. Kernels for other
work are kept, also where it is not known whether a detector needs them. For this benchmark only: what is served has the
whole library.
"""
import argparse
import collections
import re
import struct
import subprocess
import sys

FATBIN_SECTION = b".nv_fatbin"
FATBIN_MAGIC = 0xBA55ED50
OLD_ARCHITECTURE = 50  # cubins of 5.x run on nothing later
PLAIN_FLAGS = 0xFFFF  # those that code of every architecture has
# A piece of device code goes only where each of its kernels is one of these.
LANGUAGE_MODELS = re.compile(rb"cutlass|onnxruntime5flash|onnxruntime3llm|fused_moe|[Aa]ttention")
KERNEL_SECTION = re.compile(rb"\.text\.([A-Za-z0-9_$]{4,})")
# CUB puts an empty kernel into everything that includes it.
ANYWHERE = re.compile(rb"EmptyKernel")


class Code:
    """One piece of device code: a header and a compressed ELF file."""

    def __init__(self, library, at):
        self.library, self.at = library, at
        self.kind, _, self.header, self.length = struct.unpack_from("<HHIQ", library, at)
        (self.packed,) = struct.unpack_from("<I", library, at + 16)
        (self.architecture,) = struct.unpack_from("<I", library, at + 28)
        self.end = at + self.header + self.length

    def kernels(self):
        """Names of its kernels, mangled. Raises where it cannot be read, so that nothing is dropped unseen."""
        start = self.at + self.header
        payload = bytes(self.library[start : start + (self.packed or self.length)])
        if self.packed:
            payload = subprocess.run(["zstd", "-dcq"], input=payload, stdout=subprocess.PIPE, check=True).stdout
        if payload[:4] != b"\x7fELF":
            raise ValueError(f"the device code at {self.at} is no ELF file")
        return set(KERNEL_SECTION.findall(payload))

    def blank(self):
        self.library[self.at + self.header : self.end] = bytes(self.length)

    def rename(self):
        (flags,) = struct.unpack_from("<Q", self.library, self.at + 40)
        struct.pack_into("<I", self.library, self.at + 28, OLD_ARCHITECTURE)
        struct.pack_into("<Q", self.library, self.at + 40, flags & PLAIN_FLAGS)


def section(library, wanted):
    """Offset and size of a section of a 64-bit ELF file."""
    (table,) = struct.unpack_from("<Q", library, 0x28)
    size, count, names = struct.unpack_from("<HHH", library, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", library, table + index * size) for index in range(count)]
    for name, _, _, _, offset, length in headers:
        start = headers[names][4] + name
        if library[start : library.index(b"\0", start)] == wanted:
            return offset, length
    raise ValueError(f"there is no section {wanted.decode()}")


def pieces(library):
    """All device code of the library, in its order."""
    at, length = section(library, FATBIN_SECTION)
    end = at + length
    while at < end:
        magic, _, header, size = struct.unpack_from("<IHHQ", library, at)
        if magic != FATBIN_MAGIC:
            raise ValueError(f"no device code begins at {at}")
        inside, at = at + header, at + header + size
        while inside < at:
            code = Code(library, inside)
            yield code
            inside = code.end
        at = (at + 7) & ~7


def is_language_model(kernels):
    own = {kernel for kernel in kernels if not ANYWHERE.search(kernel)}
    return bool(own) and all(map(LANGUAGE_MODELS.search, own))


def strip(library, architecture, keep_language_models=False):
    """Blanks what is not needed, in place. Returns bytes by what became of them, and the kernels that are left."""
    sizes, kept = collections.Counter(), set()
    for code in pieces(library):
        if code.architecture != architecture:
            sizes["of other architectures"] += code.length
            code.blank()
            continue
        kernels = code.kernels()
        if not keep_language_models and is_language_model(kernels):
            sizes["of language models"] += code.length
            code.blank()
            code.rename()
            continue
        sizes["kept"] += code.length
        kept |= kernels
    return sizes, kept


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="strip_provider.py", description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("out")
    parser.add_argument("--architecture", type=int, default=90, help="90 for H100 and H200")
    parser.add_argument("--keep-language-models", action="store_true")
    options = parser.parse_args(arguments)
    with open(options.library, "rb") as file:
        library = bytearray(file.read())
    sizes, kept = strip(library, options.architecture, options.keep_language_models)
    if not kept:
        parser.error(f"{options.library} has no device code for sm_{options.architecture}")
    with open(options.out, "wb") as file:
        file.write(library)
    sections = ", ".join(f"{size / 1e6:.1f} MB {what}" for what, size in sizes.items())
    print(f"Device code for sm_{options.architecture}: {sections}; {len(kept)} kernels left.", file=sys.stderr)


if __name__ == "__main__":
    main()
