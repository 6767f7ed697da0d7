"""Which format bytes are, and their header."""

from __future__ import annotations

import re
from typing import Final

from skinscan.errors import NotAnImageError
from skinscan.photo.heif import heif_header
from skinscan.photo.jpeg import jpeg_header
from skinscan.photo.model import Header
from skinscan.photo.png import png_header
from skinscan.photo.refusals import READABLE, unsupported
from skinscan.photo.webp import webp_header

_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
# Signatures of what people upload by mistake, so that the message can name it.
_KNOWN: Final = (
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF or raw photo"),
    (b"MM\0*", "a TIFF or raw photo"),
    (b"II+\0", "a TIFF"),
    (b"MM\0+", "a TIFF"),
    (b"IIRO", "a raw photo"),
    (b"IIRS", "a raw photo"),
    (b"IIU\0", "a raw photo"),
    (b"FUJIFILMCCD-RAW", "a raw photo"),
    (b"FOVb", "a raw photo"),
    (b"%PDF-", "a PDF document"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\1\0", "an icon"),
    (b"v/1\1", "an OpenEXR"),
    (b"#?RADIANCE", "a Radiance HDR"),
    (b"qoif", "a QOI"),
    (b"<svg", "an SVG"),
    (b"\x1aE\xdf\xa3", "a video"),
)


def _name_of_other(data: bytes) -> str | None:
    """Name a picture format that is not read; None if the bytes are no picture."""
    name = next((name for start, name in _KNOWN if data.startswith(start)), None)
    if name is None and data[4:8] == b"ftyp":
        kinds = {b"avif": "an AVIF", b"avis": "an AVIF", b"crx ": "a raw photo"}
        return kinds.get(data[8:12], "a video")
    if data[:2] == b"BM" and len(data) >= 26 and data[6:10] == bytes(4):
        name = "a BMP"
    elif data[128:132] == b"DICM":
        name = "a DICOM file"
    elif re.match(rb"P[1-7]\s", data):
        name = "a PNM"
    return name


def read_header(data: bytes) -> Header:
    """Tell the format from the bytes and read its header; refuse by name what is not read."""
    if data[:2] == b"\xff\xd8":
        return jpeg_header(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return png_header(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp_header(data)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        # mif1 is shared with AVIF, which names itself among the compatible brands.
        listed = data[16 : int.from_bytes(data[:4], "big")]
        if b"avif" not in listed:
            return heif_header(data)
        raise unsupported("an AVIF")
    other = _name_of_other(data)
    if other is not None:
        raise unsupported(other)
    raise NotAnImageError(
        expected=READABLE,
        found="an empty file" if not data else "bytes that are no picture",
        remedy="Choose the photo itself",
    )
