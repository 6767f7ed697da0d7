"""Pixels as they are stored: not turned, and in the file's own colours."""

from __future__ import annotations

import contextlib
from typing import Final, cast

import cv2
import numpy as np
import simplejpeg  # noqa: TID251
from numpy.typing import NDArray

from skinscan.photo.heif import open_heif
from skinscan.photo.model import Header
from skinscan.photo.native import decode_natively
from skinscan.photo.refusals import bad_mode, damaged

_JPEG_FLAGS: Final[dict[int, int]] = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def opaque(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop an alpha channel after checking that it hides nothing."""
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint8:
        raise bad_mode("a picture that is not 8-bit colour")
    if pixels.shape[2] == 3:
        return pixels
    if pixels[..., 3].min() < 255:
        raise bad_mode("a picture with transparent parts")
    return np.ascontiguousarray(pixels[..., :3])


def decode_jpeg(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    """Decode JPEG, reduced while decoding, to stored-order RGB.

    The same library as OpenCV's (libjpeg-turbo) and the same pixels, straight into the array that
    is returned. It refuses every file about which the library has something to remark; whether that
    is damage is for `decode_cv2` to say.
    """
    rows, columns = (-(-side // reduction) for side in header.size[::-1])
    picture = None
    with contextlib.suppress(ValueError):
        picture = simplejpeg.decode_jpeg(
            data, "RGB", min_height=rows, min_width=columns, min_factor=reduction
        )
    if picture is None or picture.shape != (rows, columns, 3):
        return decode_cv2(data, header, reduction)
    return np.asarray(picture, dtype=np.uint8)


def decode_cv2(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    """Decode JPEG (reduced while decoding), PNG or WebP (full size) to stored-order RGB."""
    jpeg = header.format == "JPEG"
    flags = _JPEG_FLAGS[reduction] if jpeg else cv2.IMREAD_UNCHANGED
    picture, broken = decode_natively(data, flags)
    k = reduction if jpeg else 1
    expected = (-(-header.size[1] // k), -(-header.size[0] // k))
    if picture is None or broken or picture.shape[:2] != expected:
        raise damaged(f"a {header.format} that is damaged inside")
    bgr = opaque(picture)
    if flags == cv2.IMREAD_COLOR_RGB:
        return bgr
    return cast("NDArray[np.uint8]", cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def decode_heif(data: bytes, header: Header) -> NDArray[np.uint8]:
    """Decode HEIF, full size, to stored-order RGB."""
    opened = open_heif(data)
    try:
        pixels: NDArray[np.uint8] | None = np.array(opened)
    except Exception:  # noqa: BLE001 - many types were seen under fuzzing
        pixels = None
    if pixels is None or pixels.shape[1::-1] != header.size:
        raise damaged("a HEIF that is damaged inside")
    return opaque(pixels)
