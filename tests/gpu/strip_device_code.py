#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Replaces device code in CUDA's execution provider with zeros, which compress to nothing.

    strip_device_code.py LIBRARY RESULT ARCHITECTURE

Keeps the code for one architecture, such as 90, of all kernels except those of language models. Offsets do not
change, so that the library still loads; a kernel whose code was replaced fails when it is launched.
"""

import re
import struct
import sys
from pathlib import Path

import zstandard

FATBIN_MAGIC = 0xBA55ED50
CUBIN = 2
COMPRESSED = 0x8000
# Kernels that no network of images has.
UNUSED = re.compile(rb"flash|cutlass|attention|3llm|[mM]oe|mha|7contrib|MatMulNBits|GroupQuery")
KERNEL_NAME = re.compile(rb"\.text\.([A-Za-z0-9_$]+)")


def fatbin_section(elf):
    """Returns the start and the end of the section with the device code."""
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", elf, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, table + index * entry_size) for index in range(count)]
    names = sections[names_index][4]
    for name, _, _, _, offset, size, *_ in sections:
        start = names + name
        if elf[start : elf.index(0, start)] == b".nv_fatbin":
            return offset, offset + size
    sys.exit("the library has no device code")


def entries(elf, start, end):
    """Yields kind, architecture, flags, offset and size of each piece of device code."""
    position = start
    while position < end - 16:
        magic, _, header_size, size = struct.unpack_from("<IHHQ", elf, position)
        if magic != FATBIN_MAGIC:
            position += 8
            continue
        entry = position + header_size
        position = entry + size
        while entry < position - 64:
            kind, _, entry_header, body_size = struct.unpack_from("<HHIQ", elf, entry)
            (architecture,) = struct.unpack_from("<I", elf, entry + 28)
            (flags,) = struct.unpack_from("<Q", elf, entry + 40)
            yield kind, architecture, flags, entry + entry_header, body_size
            entry += entry_header + body_size


def is_used(code, flags):
    """Returns True if a piece of device code has a kernel that networks of images may run."""
    if flags & COMPRESSED:
        code = zstandard.ZstdDecompressor().decompressobj().decompress(code)
    kernels = set(KERNEL_NAME.findall(code))
    return not kernels or any(not UNUSED.search(kernel) for kernel in kernels)


def main():
    source, result, architecture = sys.argv[1:]
    elf = Path(source).read_bytes()
    stripped = bytearray(elf)
    kept = total = 0
    for kind, found, flags, offset, size in entries(elf, *fatbin_section(elf)):
        total += size
        if kind == CUBIN and found == int(architecture) and is_used(elf[offset : offset + size], flags):
            kept += size
        else:
            stripped[offset : offset + size] = bytes(size)
    Path(result).write_bytes(stripped)
    print(f"kept {kept / 1e6:.0f} MB of {total / 1e6:.0f} MB of device code")


if __name__ == "__main__":
    main()
