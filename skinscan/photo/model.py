"""The values: a decoded photo, and what its bytes say before they are decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reduction: TypeAlias = Literal[1, 2, 4, 8]
PhotoFormat: TypeAlias = Literal["JPEG", "PNG", "WEBP", "HEIF", "ARRAY"]


@dataclass(frozen=True, kw_only=True)
class CaptureInfo:
    """What EXIF tells about the capture, without anything that names a person or place."""

    captured_at: datetime | None = None
    camera: str | None = None
    lens: str | None = None
    focal_length_35mm: float | None = None
    software: str | None = None
    orientation: int = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Photo:
    """One decoded picture in sRGB, upright.

    Pixel coordinates are (x, y) with the origin at the centre of the top-left pixel,
    after EXIF orientation.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
        sRGB codes, C-contiguous and read-only.
    sha256 : str
        Hexadecimal digest of the encoded bytes; for arrays and PIL images, of the
        shape and the pixels.
    format : {"JPEG", "PNG", "WEBP", "HEIF", "ARRAY"}
        What the pixels came from.
    full_size_px : tuple of int
        (width, height) of the upright photo before reduction.
    reduction : {1, 2, 4, 8}
        One pixel of `rgb` covers this many full-size pixels along each axis; the last
        ones along an axis may reach beyond the photo's edge.
    grid_offset_px : tuple of float
        (x, y) of the full-size position of the outer top-left corner of `rgb`, relative
        to that of the photo, px. Zero unless a reduced photo was turned or mirrored
        and its size is no multiple of `reduction`.
    captured_at : datetime or None
        EXIF DateTimeOriginal; aware if the camera stored its time zone, else local.
    camera, lens : str or None
        Maker and model, and lens model.
    focal_length_35mm : float or None
        Focal length equivalent to 35 mm film, mm.
    software : str or None
        EXIF Software.
    jpeg_quality : int or None
        The quality 1..100 whose IJG luminance table comes nearest to the file's; None
        for other formats.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    sha256: str
    format: PhotoFormat
    full_size_px: tuple[int, int]
    reduction: Reduction = 1
    grid_offset_px: tuple[float, float] = (0.0, 0.0)
    captured_at: datetime | None = None
    camera: str | None = None
    lens: str | None = None
    focal_length_35mm: float | None = None
    software: str | None = None
    jpeg_quality: int | None = None

    def to_full_px(self, points: ArrayLike) -> NDArray[np.float64]:
        """Convert positions in `rgb` to positions in the full-size photo.

        Parameters
        ----------
        points : array_like of float, shape (..., 2)
            (x, y) in pixels of `rgb`.

        Returns
        -------
        ndarray of float64, shape (..., 2)
            (x, y) in pixels of the full-size photo.
        """
        p = np.asarray(points, dtype=np.float64)
        full: NDArray[np.float64] = (p + 0.5) * self.reduction + self.grid_offset_px - 0.5
        return full

    def from_full_px(self, points: ArrayLike) -> NDArray[np.float64]:
        """Convert positions in the full-size photo to positions in `rgb`.

        Parameters
        ----------
        points : array_like of float, shape (..., 2)
            (x, y) in pixels of the full-size photo.

        Returns
        -------
        ndarray of float64, shape (..., 2)
            (x, y) in pixels of `rgb`.
        """
        p = np.asarray(points, dtype=np.float64)
        here: NDArray[np.float64] = (p + 0.5 - self.grid_offset_px) / self.reduction - 0.5
        return here


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the encoded bytes say before any pixel is decoded."""

    format: PhotoFormat
    #: (width, height) as stored, before orientation.
    size: tuple[int, int]
    icc: bytes | None = None
    exif: bytes | None = None
    #: Orientation still to be applied; None leaves it to EXIF.
    orientation: int | None = None
    jpeg_quality: int | None = None
