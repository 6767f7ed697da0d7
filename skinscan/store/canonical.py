"""The form in which a photo is kept: upright sRGB as lossless WebP, and what its file told.

A photo is measured in this form from the first time on, so that measuring it again from the vault
gives the same numbers. Nothing of the file's metadata is kept but what measuring uses.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from PIL import Image

from skinscan.photo import PhotoFile, PhotoLimits, digest_of_pixels, open_photo

#: Lossless WebP is larger than the JPEG it came from: 50 megapixels of noise at most.
_LIMITS: Final = PhotoLimits(max_bytes=400 * 2**20)

#: Effort of the WebP encoder, 0 to 6. Effort 1 doubles the time and saves a sixth; this is what a
#: practitioner waits for.
_EFFORT: Final = 0


@dataclass(frozen=True, eq=False)
class Canonical:
    """A photo in the form in which it is kept.

    Attributes
    ----------
    webp : bytes
        Lossless; pixels only.
    capture : dict
        What the file told of its capture, for JSON.
    pixels_sha256 : bytes
        Of shape and pixels.
    size_px : tuple of int
        Width and height.
    """

    webp: bytes = field(repr=False)
    capture: dict[str, Any] = field(repr=False)
    pixels_sha256: bytes
    size_px: tuple[int, int]

    def open(self) -> PhotoFile:
        """Open it for measuring."""
        return open_canonical(self.webp, self.capture)


def canonical(file: PhotoFile) -> Canonical:
    """Bring a photo into the form in which it is kept.

    Parameters
    ----------
    file : PhotoFile

    Raises
    ------
    PhotoError
        It cannot be decoded.
    """
    rgb = file.decode().rgb
    encoded = io.BytesIO()
    Image.fromarray(rgb).save(encoded, "WEBP", lossless=True, exact=True, quality=0, method=_EFFORT)
    return Canonical(
        webp=encoded.getvalue(),
        capture={
            "captured_at": file.captured_at.isoformat() if file.captured_at else None,
            "camera": file.camera,
            "lens": file.lens,
            "focal_length_35mm": file.focal_length_35mm,
            "software": file.software,
            "jpeg_quality": file.jpeg_quality,
            "format": file.format,
        },
        pixels_sha256=bytes.fromhex(digest_of_pixels(rgb)),
        size_px=(rgb.shape[1], rgb.shape[0]),
    )


def open_pixels(webp: bytes) -> PhotoFile:
    """Open a kept photo for its pixels alone."""
    return open_photo(webp, limits=_LIMITS)


def open_canonical(webp: bytes, capture: dict[str, Any]) -> PhotoFile:
    """Open a kept photo as the file it came from, to be measured.

    Parameters
    ----------
    webp : bytes
    capture : dict
        See `Canonical`.
    """
    file = open_pixels(webp)
    taken = capture["captured_at"]
    file.captured_at = datetime.fromisoformat(taken) if taken else None
    file.camera = capture["camera"]
    file.lens = capture["lens"]
    file.focal_length_35mm = capture["focal_length_35mm"]
    file.software = capture["software"]
    file.jpeg_quality = capture["jpeg_quality"]
    return file
