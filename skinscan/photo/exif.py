"""EXIF: a reader that looks at nine tags and never warns."""

from __future__ import annotations

import contextlib
import struct
from datetime import datetime
from typing import Final

from skinscan.photo.model import CaptureInfo

_MAX_TEXT: Final = 128

_TAG_ORIENTATION, _TAG_EXIF_IFD = 0x0112, 0x8769
_TAG_MAKE, _TAG_MODEL, _TAG_SOFTWARE = 0x010F, 0x0110, 0x0131
_TAG_TAKEN, _TAG_OFFSET, _TAG_FOCAL_35, _TAG_LENS = 0x9003, 0x9011, 0xA405, 0xA434
_WANTED: Final = frozenset(
    {
        _TAG_ORIENTATION,
        _TAG_EXIF_IFD,
        _TAG_MAKE,
        _TAG_MODEL,
        _TAG_SOFTWARE,
        _TAG_TAKEN,
        _TAG_OFFSET,
        _TAG_FOCAL_35,
        _TAG_LENS,
    }
)


def _read_ifd(tiff: bytes, order: str, start: int) -> dict[int, int | str]:
    """Read the wanted entries of one EXIF directory; unreadable ones are left out."""
    found: dict[int, int | str] = {}
    if start < 8 or start + 2 > len(tiff):
        return found
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for k in range(min(count, 512)):
        at = start + 2 + 12 * k
        if at + 12 > len(tiff):
            break
        tag, kind, n = struct.unpack_from(order + "HHI", tiff, at)
        if tag not in _WANTED:
            continue
        if kind == 3 and n == 1:
            found[tag] = struct.unpack_from(order + "H", tiff, at + 8)[0]
        elif kind == 4 and n == 1:
            found[tag] = struct.unpack_from(order + "I", tiff, at + 8)[0]
        elif kind in (2, 129) and 0 < n <= 4096:
            where = at + 8 if n <= 4 else struct.unpack_from(order + "I", tiff, at + 8)[0]
            raw = tiff[where : where + n].split(b"\0")[0].decode("utf-8", "replace")
            text = "".join(c for c in raw if c.isprintable()).strip()[:_MAX_TEXT]
            if text:
                found[tag] = text
    return found


def _taken_at(taken: object, offset: object) -> datetime | None:
    if not isinstance(taken, str):
        return None
    if isinstance(offset, str):
        with contextlib.suppress(ValueError):
            return datetime.strptime(taken + offset, "%Y:%m:%d %H:%M:%S%z")
    with contextlib.suppress(ValueError):
        # Cameras without a time zone store local time: naive is the truth.
        return datetime.strptime(taken, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    return None


def read_exif(data: bytes | None) -> CaptureInfo:
    """Read what is kept of EXIF; damaged EXIF reads as absent."""
    if not data:
        return CaptureInfo()
    tiff = data[6:] if data[:6] in (b"Exif\0\0", b"Exif\0\xff") else data
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return CaptureInfo()
    tags = _read_ifd(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0])
    exif_ifd = tags.get(_TAG_EXIF_IFD)
    if isinstance(exif_ifd, int):
        tags |= _read_ifd(tiff, order, exif_ifd)

    def text(tag: int) -> str | None:
        value = tags.get(tag)
        return value if isinstance(value, str) else None

    make, model = text(_TAG_MAKE), text(_TAG_MODEL)
    if make and model and not model.lower().startswith(make.lower()):
        model = f"{make} {model}"
    focal, turned = tags.get(_TAG_FOCAL_35), tags.get(_TAG_ORIENTATION)
    return CaptureInfo(
        captured_at=_taken_at(tags.get(_TAG_TAKEN), tags.get(_TAG_OFFSET)),
        camera=model or make,
        lens=text(_TAG_LENS),
        focal_length_35mm=float(focal) if isinstance(focal, int) and focal > 0 else None,
        software=text(_TAG_SOFTWARE),
        orientation=turned if isinstance(turned, int) and 1 <= turned <= 8 else 1,
    )
