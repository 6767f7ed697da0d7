"""JPEG: its markers up to the end of the image, and the quality it was saved with."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from skinscan.photo.model import Header
from skinscan.photo.refusals import bad_mode, damaged, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

# Real progressive photos have about ten scans; thousands make a small file that
# keeps libjpeg busy for minutes.
_MAX_JPEG_SCANS: Final = 100

# The luminance table of ITU-T T.81, annex K.1, in zigzag order.
_IJG_LUMINANCE: Final = np.array(
    [
        *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40),
        *(26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51),
        *(56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87),
        *(95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
    ]
)
_QUALITIES: Final = np.arange(1, 101)
_SCALES: Final = np.where(_QUALITIES < 50, 5000 // _QUALITIES, 200 - 2 * _QUALITIES)
_IJG_TABLES: Final = np.clip((_IJG_LUMINANCE * _SCALES[:, None] + 50) // 100, 1, 255)


def _quality_of(segment: bytes) -> int | None:
    """Nearest IJG quality of the first 8-bit table of a DQT segment."""
    if len(segment) < 65 or segment[0] != 0:
        return None
    table = np.frombuffer(segment, np.uint8, 64, 1).astype(np.int64)
    return int(_QUALITIES[np.abs(_IJG_TABLES - table).sum(axis=1).argmin()])


def _jpeg_frame(marker: int, segment: bytes) -> tuple[int, int]:
    """Size in a start-of-frame segment, after checking that it is 8-bit YCC or RGB."""
    if marker not in (0xC0, 0xC1, 0xC2):
        raise unsupported("a JPEG of a rare kind (lossless, hierarchical or arithmetic)")
    if len(segment) < 6:
        raise damaged("a JPEG header that breaks off")
    precision, height, width, components = struct.unpack_from(">BHHB", segment)
    if precision != 8:
        raise bad_mode(f"a {precision}-bit JPEG")
    if components == 1:
        raise bad_mode("a greyscale JPEG")
    if components == 4:
        raise bad_mode("a CMYK JPEG")
    if components != 3 or not width or not height:
        raise damaged("a JPEG header that contradicts itself")
    return int(width), int(height)


def _join_icc(parts: dict[int, bytes], total: int) -> bytes | None:
    if not parts:
        return None
    if sorted(parts) != list(range(1, total + 1)):
        raise damaged("a colour profile with a part missing")
    return b"".join(parts[k] for k in sorted(parts))


def _marker_places(data: bytes) -> NDArray[np.intp]:
    """Where coded pixels may end: 0xFF before neither stuffing, fill nor a restart."""
    codes = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(codes[:-1] == 0xFF)
    following = codes[places + 1]
    ends = (following != 0) & (following != 0xFF) & ((following < 0xD0) | (following > 0xD7))
    found: NDArray[np.intp] = places[ends]
    return found


def _jpeg_segment_end(data: bytes, at: int) -> int:
    """End of the segment whose marker is at `at`."""
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    end = at + 2 + length
    if length < 2 or end > len(data):
        raise damaged("a JPEG that breaks off or is damaged")
    return end


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk a JPEG's markers up to the end-of-image marker, skipping coded pixels."""
    at, scans = 2, 0
    places = _marker_places(data)
    while data[at : at + 2] != b"\xff\xd9":
        if data[at : at + 1] != b"\xff" or at + 2 > len(data):
            raise damaged("a JPEG that breaks off or is damaged")
        marker = data[at + 1]
        if marker in (0xFF, 0x01):
            at += 1 if marker == 0xFF else 2
            continue
        end = _jpeg_segment_end(data, at)
        yield marker, data[at + 4 : end]
        at = end
        if marker == 0xDA:
            scans += 1
            if scans > _MAX_JPEG_SCANS:
                raise unsupported(f"a JPEG of more than {_MAX_JPEG_SCANS} scans")
            nearest = int(np.searchsorted(places, at))
            if nearest == len(places):
                raise damaged("a JPEG that breaks off")
            at = int(places[nearest])
    if not scans:
        raise damaged("a JPEG without pixels")


def jpeg_header(data: bytes) -> Header:
    """Read the header of a JPEG, after checking that it is complete."""
    frame: tuple[int, int] | None = None
    exif, quality = None, None
    icc: dict[int, bytes] = {}
    icc_total = 0
    for marker, segment in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if frame is not None:
                raise damaged("a JPEG with two headers")
            frame = _jpeg_frame(marker, segment)
        elif marker == 0xDA and frame is None:
            raise damaged("a JPEG without a header")
        elif marker == 0xE1 and exif is None and segment[:6] == b"Exif\0\0":
            exif = segment
        elif marker == 0xE2 and segment[:12] == b"ICC_PROFILE\0" and len(segment) > 14:
            icc[segment[12]] = segment[14:]
            icc_total = segment[13]
        elif marker == 0xDB and quality is None:
            quality = _quality_of(segment)
    if frame is None:
        raise damaged("a JPEG without a header")
    return Header(
        format="JPEG",
        size=frame,
        exif=exif,
        icc=_join_icc(icc, icc_total),
        jpeg_quality=quality,
    )
