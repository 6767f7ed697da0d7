"""PNG: its chunks, and the colour that they ask for."""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np

from skinscan.photo.icc import SRGB_XY, code_point_profile, matrix_profile
from skinscan.photo.model import Header
from skinscan.photo.refusals import bad_mode, damaged, unsupported

_MAX_ICC_BYTES: Final = 8 * 2**20


def _png_chunks(data: bytes) -> dict[bytes, bytes]:
    """First chunk of each kind but the pixels, every checksum verified."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while b"IEND" not in chunks:
        if at + 12 > len(data):
            raise damaged("a PNG that breaks off")
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            raise damaged("a PNG that breaks off")
        if zlib.crc32(memoryview(data)[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise damaged("a PNG with a wrong checksum")
        if kind not in chunks:
            chunks[kind] = b"" if kind == b"IDAT" else data[at + 8 : end]
        at = end + 4
    if len(chunks.get(b"IHDR", b"")) != 13 or b"IDAT" not in chunks:
        raise damaged("a PNG without header or pixels")
    return chunks


def _inflate_icc(packed: bytes) -> bytes:
    engine = zlib.decompressobj()
    try:
        icc = engine.decompress(packed, _MAX_ICC_BYTES)
    except zlib.error:
        icc = b""
    if not engine.eof:
        raise damaged("a colour profile that breaks off")
    return icc


def _gamma_profile(gama: bytes, chrm: bytes) -> bytes | None:
    """ICC profile for a PNG's gAMA and cHRM chunks; None if they mean sRGB or nothing."""
    gamma = int(struct.unpack(">I", gama)[0]) / 1e5
    xy: tuple[float, ...] = SRGB_XY
    if len(chrm) == 32:
        white_first = tuple(v / 1e5 for v in struct.unpack(">8I", chrm))
        if min(white_first[1::2]) > 0:
            xy = (*white_first[2:], *white_first[:2])
    plain = abs(gamma - 0.45455) < 0.01
    if not 0.1 <= gamma <= 2.0 or (plain and np.allclose(xy, SRGB_XY, atol=0.002)):
        return None
    try:
        return matrix_profile(xy, None if plain else 1 / gamma)
    except (np.linalg.LinAlgError, struct.error, ValueError, OverflowError):
        return None


def _png_profile(chunks: dict[bytes, bytes]) -> bytes | None:
    """Colour of a PNG, by the precedence of the PNG specification, third edition."""
    if len(chunks.get(b"cICP", b"")) == 4:
        return code_point_profile(*chunks[b"cICP"][:2])
    if b"iCCP" in chunks:
        _, _, packed = chunks[b"iCCP"].partition(b"\0")
        return _inflate_icc(packed[1:])
    if b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return None
    return _gamma_profile(chunks[b"gAMA"], chunks.get(b"cHRM", b""))


def png_header(data: bytes) -> Header:
    """Read the header of a PNG, after checking that it is complete."""
    chunks = _png_chunks(data)
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    if b"acTL" in chunks:
        raise unsupported("an animated PNG")
    if kind == 3:
        raise bad_mode("a PNG with a colour palette")
    if kind in (0, 4):
        raise bad_mode("a greyscale PNG")
    if kind not in (2, 6) or not width or not height:
        raise damaged("a PNG header that contradicts itself")
    if depth != 8:
        raise bad_mode(f"a {depth}-bit PNG")
    return Header(
        format="PNG",
        size=(width, height),
        icc=_png_profile(chunks),
        exif=chunks.get(b"eXIf"),
    )
