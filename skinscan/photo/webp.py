"""WebP: its chunks."""

from __future__ import annotations

import struct

from skinscan.photo.model import Header
from skinscan.photo.refusals import damaged, unsupported


def _webp_frame_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise damaged("a WebP header that contradicts itself")


def webp_header(data: bytes) -> Header:
    """Read the header of a WebP, after checking that it is complete."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise damaged("a WebP that breaks off")
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > end:
            raise damaged("a WebP that breaks off")
        if kind in (b"ANIM", b"ANMF"):
            raise unsupported("an animated WebP")
        chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    frame = next((k for k in (b"VP8 ", b"VP8L") if k in chunks), None)
    if frame is None:
        raise damaged("a WebP without pixels")
    size = _webp_frame_size(frame, chunks[frame])
    canvas = chunks.get(b"VP8X", b"")
    if len(canvas) >= 10:
        wide = int.from_bytes(canvas[4:7], "little") + 1
        high = int.from_bytes(canvas[7:10], "little") + 1
        if (wide, high) != size:
            raise damaged("a WebP header that contradicts itself")
    return Header(format="WEBP", size=size, icc=chunks.get(b"ICCP"), exif=chunks.get(b"EXIF"))
