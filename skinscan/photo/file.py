"""A photo whose header is known: its pixels upright, in sRGB and reduced."""

from __future__ import annotations

from typing import Any, Final, cast, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.errors import BadOptionError, PhotoTooLargeError
from skinscan.photo.decoding import decode_cv2, decode_heif, decode_jpeg
from skinscan.photo.exif import read_exif
from skinscan.photo.icc import to_srgb
from skinscan.photo.model import Header, Photo, PhotoFormat, Reduction
from skinscan.photo.refusals import bad_source


def _reduce(rgb: NDArray[np.uint8], reduction: int) -> NDArray[np.uint8]:
    """Mean of square blocks; blocks over the edge repeat it, as JPEG does."""
    if reduction == 1:
        return rgb
    height, width = rgb.shape[:2]
    down, right = -height % reduction, -width % reduction
    if down or right:
        rgb = cast(
            "NDArray[np.uint8]",
            cv2.copyMakeBorder(rgb, 0, down, 0, right, cv2.BORDER_REPLICATE),
        )
    size = (rgb.shape[1] // reduction, rgb.shape[0] // reduction)
    return cast("NDArray[np.uint8]", cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


# Each orientation is a transposition (5 to 8) followed by flips of x and y.
_FLIPS_X: Final = frozenset({2, 3, 6, 7})
_FLIPS_Y: Final = frozenset({3, 4, 7, 8})


def _orient(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    turned: Any = rgb
    if orientation >= 5:
        turned = cv2.transpose(turned)
    x, y = orientation in _FLIPS_X, orientation in _FLIPS_Y
    if x or y:
        turned = cv2.flip(turned, -1 if x and y else int(x))
    return cast("NDArray[np.uint8]", turned)


class PhotoFile:
    """A source whose header was read and checked, and whose pixels were not decoded yet.

    Made by `open_photo`. JPEG is decoded anew at each call of `decode`, because
    decoding it small is several times cheaper; other formats are decoded once and
    kept as long as this object lives.

    Attributes
    ----------
    format : {"JPEG", "PNG", "WEBP", "HEIF", "ARRAY"}
        What the bytes are.
    sha256 : str
        See `Photo`.
    full_size_px : tuple of int
        (width, height) of the upright photo, px.
    captured_at, camera, lens, focal_length_35mm, software, jpeg_quality
        See `Photo`.
    """

    def __init__(
        self,
        *,
        header: Header,
        sha256: str,
        data: bytes | None = None,
        pixels: NDArray[np.uint8] | None = None,
    ) -> None:
        self._header = header
        self._data = data
        self._pixels = pixels
        info = read_exif(header.exif)
        self._orientation = info.orientation if header.orientation is None else header.orientation
        self.format: PhotoFormat = header.format
        self.sha256 = sha256
        width, height = header.size
        self.full_size_px = (height, width) if self._orientation >= 5 else (width, height)
        self.captured_at = info.captured_at
        self.camera = info.camera
        self.lens = info.lens
        self.focal_length_35mm = info.focal_length_35mm
        self.software = info.software
        self.jpeg_quality = header.jpeg_quality

    def __repr__(self) -> str:
        width, height = self.full_size_px
        return f"PhotoFile({self.format}, {width} × {height} px)"

    def _stored_pixels(self, reduction: int) -> NDArray[np.uint8]:
        if self._pixels is None:
            if self._data is None:
                raise bad_source("nothing")
            if self.format == "JPEG":
                return decode_jpeg(self._data, self._header, reduction)
            if self.format == "HEIF":
                self._pixels = decode_heif(self._data, self._header)
            else:
                self._pixels = decode_cv2(self._data, self._header, 1)
        return _reduce(self._pixels, reduction)

    def decode(self, *, reduction: Reduction = 1) -> Photo:
        """Decode the pixels, upright and in sRGB.

        Parameters
        ----------
        reduction : {1, 2, 4, 8}
            How many times smaller the result is along each axis.

        Returns
        -------
        Photo

        Raises
        ------
        TruncatedImageError
            If the coded pixels are damaged.
        BadColourModeError
            If parts are transparent or the colour profile cannot be used.
        PhotoTooLargeError
            If there is not enough memory.
        BadOptionError
            If `reduction` is none of the four.
        """
        if reduction not in get_args(Reduction):
            raise BadOptionError(
                expected="a reduction of 1, 2, 4 or 8",
                found=repr(reduction),
                remedy="Choose one of these",
            )
        try:
            stored = self._stored_pixels(reduction)
            rgb = _orient(to_srgb(stored, self._header.icc), self._orientation)
        except MemoryError:
            rgb = None
        if rgb is None:
            raise PhotoTooLargeError(
                expected="a photo that fits into memory",
                found="{} × {} px".format(*self.full_size_px),
                remedy="Close other programs or scale the photo down",
            )
        if rgb is self._pixels:
            # A view, so that locking it does not lock what is kept.
            rgb = rgb.view()
        rgb = np.ascontiguousarray(rgb)
        rgb.flags.writeable = False
        spare_x = self.full_size_px[0] - rgb.shape[1] * reduction
        spare_y = self.full_size_px[1] - rgb.shape[0] * reduction
        return Photo(
            rgb=rgb,
            sha256=self.sha256,
            format=self.format,
            full_size_px=self.full_size_px,
            reduction=reduction,
            grid_offset_px=(
                float(spare_x) if self._orientation in _FLIPS_X else 0.0,
                float(spare_y) if self._orientation in _FLIPS_Y else 0.0,
            ),
            captured_at=self.captured_at,
            camera=self.camera,
            lens=self.lens,
            focal_length_35mm=self.focal_length_35mm,
            software=self.software,
            jpeg_quality=self.jpeg_quality,
        )
