"""HEIF: its boxes, and its picture opened by libheif."""

from __future__ import annotations

import contextlib
import io
import struct
from typing import TYPE_CHECKING, Any

import pillow_heif

from skinscan.photo.icc import code_point_profile
from skinscan.photo.model import Header
from skinscan.photo.refusals import bad_mode, damaged, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Walk ISO base media boxes: kind, start and end of the body."""
    at = start
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif size == 0:
            size = end - at
        if size < head:
            return
        yield kind, at + head, at + size
        at += size


def _container_turns(data: bytes, meta: tuple[int, int]) -> bool:
    """Whether a HEIF's primary item has a rotation or mirror property of its own."""
    parts = {k: (a, b) for k, a, b in _boxes(data, meta[0] + 4, meta[1])}
    if not {b"pitm", b"iprp"} <= parts.keys():
        return False
    at = parts[b"pitm"][0]
    primary = struct.unpack_from(">H" if data[at] == 0 else ">I", data, at + 4)[0]
    properties = {k: (a, b) for k, a, b in _boxes(data, *parts[b"iprp"])}
    if not {b"ipco", b"ipma"} <= properties.keys():
        return False
    kinds = [k for k, _, _ in _boxes(data, *properties[b"ipco"])]
    at, end = properties[b"ipma"]
    version, wide = data[at], data[at + 3] & 1
    (entries,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(entries):
        if at >= end:
            break
        item = struct.unpack_from(">I" if version else ">H", data, at)[0]
        at += 4 if version else 2
        count = data[at]
        at += 1
        for _ in range(count):
            index = struct.unpack_from(">H", data, at)[0] & 0x7FFF if wide else data[at] & 0x7F
            at += 2 if wide else 1
            if item == primary and kinds[index - 1 : index] in ([b"irot"], [b"imir"]):
                return True
    return False


def open_heif(data: bytes) -> Any:  # noqa: ANN401 - pillow_heif has no types
    """Open a HEIF with libheif, its pixels still coded."""
    opened = None
    with contextlib.suppress(Exception):  # many types were seen under fuzzing
        opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    if opened is None:
        raise damaged("a HEIF file that cannot be opened")
    return opened


def _heif_meta(data: bytes) -> tuple[int, int]:
    """Place of the meta box, after checking that the file reaches as far as its boxes."""
    meta: tuple[int, int] | None = None
    complete = False
    for kind, start, end in _boxes(data, 0, len(data)):
        if end > len(data):
            # Phones append blocks of their own, which may be no boxes at all.
            if meta is not None and complete:
                break
            raise damaged("a HEIF file that breaks off")
        if kind == b"meta":
            meta = (start, end)
        complete = complete or kind == b"mdat"
    if meta is None:
        if data[8:12] in (b"msf1", b"hevc", b"hevx"):
            raise unsupported("a HEIF image sequence")
        raise damaged("a HEIF file without a picture")
    return meta


def heif_header(data: bytes) -> Header:
    """Read the header of a HEIF, after checking that it is complete."""
    meta = _heif_meta(data)
    opened = open_heif(data)
    width, height = opened.size
    if opened.mode not in ("RGB", "RGBA"):
        raise bad_mode("a HEIF picture without colour")
    info = opened.info
    icc, nclx = info.get("icc_profile"), info.get("nclx_profile")
    if not icc and nclx:
        icc = code_point_profile(
            int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
        )
    return Header(
        format="HEIF",
        size=(int(width), int(height)),
        icc=icc or None,
        exif=info.get("exif"),
        orientation=1 if _container_turns(data, meta) else None,
    )
