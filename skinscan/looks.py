"""What is shown of a photo: small pictures with and without what was found, drawn once."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinscan.errors import LookError
from skinscan.scan import Scan

#: Width to which pictures are reduced for the screen, px.
PICTURE_PX: Final = 1100
THUMB_PX: Final = 220

_QUALITY: Final = 86
_FORMAT: Final = 1
#: (regions drawn, lines drawn), as they follow each other in an object.
_ORDER: Final = ((False, False), (False, True), (True, False), (True, True))
#: Room left around the landmarks in a thumbnail, as a share of their extent.
_THUMB_MARGIN: Final = 0.12


def encode(rgb: NDArray[np.uint8], longest_px: int) -> bytes:
    """Encode a picture as JPEG, reduced so that its longer side fits.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    longest_px : int
        Longest side of the result; smaller pictures keep their size.
    """
    rows, columns = rgb.shape[:2]
    size = reduced_size(columns, rows, longest_px)
    if size != (columns, rows):
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    sink = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(sink, "JPEG", quality=_QUALITY)
    return sink.getvalue()


def reduced_size(width: int, height: int, longest_px: int) -> tuple[int, int]:
    """Return the size at which the longer side fits; smaller pictures keep theirs."""
    factor = min(1.0, longest_px / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What the page shows of one photo; the photo itself need not be kept.

    Attributes
    ----------
    thumbnail : bytes
        JPEG of the face.
    overlays : mapping of (bool, bool) to bytes
        JPEG by (regions drawn, lines drawn).
    width_px : int
        Of the overlays.
    """

    thumbnail: bytes
    overlays: Mapping[tuple[bool, bool], bytes]
    width_px: int

    def to_bytes(self) -> bytes:
        """Write as one object: a line of JSON that says where each JPEG ends, then the JPEGs."""
        parts = [self.thumbnail, *(self.overlays[key] for key in _ORDER)]
        head = {"format": _FORMAT, "width_px": self.width_px, "sizes": [len(p) for p in parts]}
        return json.dumps(head).encode() + b"\n" + b"".join(parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> Pictures:
        """Read what `to_bytes` wrote.

        Raises
        ------
        LookError
            It is something else, or of another version.
        """
        line, _, rest = content.partition(b"\n")
        try:
            head = json.loads(line)
            sizes = [int(size) for size in head["sizes"]]
            whole = head["format"] == _FORMAT and len(sizes) == 1 + len(_ORDER)
            width_px = int(head["width_px"])
        except (ValueError, LookupError, TypeError):
            whole, sizes, width_px = False, [], 0
        if not whole or sum(sizes) != len(rest):
            raise LookError(
                expected="pictures of this version of skinscan",
                found="others",
                remedy="Measure the photo again",
            )
        parts, at = [], 0
        for size in sizes:
            parts.append(rest[at : at + size])
            at += size
        return cls(
            thumbnail=parts[0],
            overlays=MappingProxyType(dict(zip(_ORDER, parts[1:], strict=True))),
            width_px=width_px,
        )


def draw_all(scan: Scan) -> Pictures:
    """Draw a freshly measured photo in every way that the page offers."""
    drawn = {
        (regions, lines): scan.draw(regions=regions, lines=lines)
        for regions in (False, True)
        for lines in (False, True)
    }
    rows, columns = drawn[False, False].shape[:2]
    return Pictures(
        thumbnail=thumbnail(scan),
        overlays=MappingProxyType({k: encode(rgb, PICTURE_PX) for k, rgb in drawn.items()}),
        width_px=reduced_size(columns, rows, PICTURE_PX)[0],
    )


def thumbnail(scan: Scan) -> bytes:
    """Cut the face out of a photo, square, as JPEG."""
    rgb = scan.draw(regions=False, lines=False)
    scale = rgb.shape[1] / scan.photo_size_px[0]
    landmarks = np.asarray(scan.face.landmarks_px, dtype=np.float64)[:, :2] * scale
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = float((high - low).max()) * (1 + 2 * _THUMB_MARGIN)
    side = min(side, *rgb.shape[:2])
    corner = np.clip((low + high - side) / 2, 0, np.array(rgb.shape[1::-1]) - side)
    x, y = (int(v) for v in corner)
    return encode(rgb[y : y + int(side), x : x + int(side)], THUMB_PX)
