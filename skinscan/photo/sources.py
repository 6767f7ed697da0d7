"""Where a photo may come from: a path, a file object, bytes, an array or a PIL image."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinscan.errors import PhotoError, UnreadableFileError
from skinscan.photo.decoding import opaque
from skinscan.photo.file import PhotoFile
from skinscan.photo.headers import read_header
from skinscan.photo.limits import PhotoLimits, check_bytes, check_size
from skinscan.photo.model import Header, Photo, PhotoFormat, Reduction
from skinscan.photo.refusals import bad_mode, bad_source, damaged

Source: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | Image.Image
    | NDArray[np.uint8]
)


def _unreadable(found: str) -> UnreadableFileError:
    return UnreadableFileError(
        expected="a file that can be read",
        found=found,
        remedy="Check that the file exists and that you may read it",
    )


def _read_path(path: str | os.PathLike[str], limits: PhotoLimits) -> bytes:
    problem: str | None = None
    data = b""
    size = 0
    # The system's messages hold the path, and chained errors reach logs: the error is
    # raised outside of the handlers so that it carries neither.
    try:
        status = os.stat(path)  # noqa: PTH116 - also takes os.PathLike
        size = status.st_size
        if stat.S_ISDIR(status.st_mode):
            problem = "a folder"
        elif not stat.S_ISREG(status.st_mode):
            problem = "a device, pipe or socket"
        elif size <= limits.max_bytes:
            with open(path, "rb") as file:  # noqa: PTH123 - as above
                data = file.read(limits.max_bytes + 1)
            size = len(data)
    except FileNotFoundError:
        problem = "no such file"
    except PermissionError:
        problem = "no permission"
    except (OSError, ValueError):
        problem = "a path that cannot be opened"
    if problem is not None:
        raise _unreadable(problem)
    check_bytes(size, limits)
    return data


def _read_file(file: Any, limits: PhotoLimits) -> bytes:  # noqa: ANN401 - any object with read
    data: object = None
    failed = False
    parts: list[bytes] = []
    room = limits.max_bytes + 1
    try:
        # Raw and network files may return less than asked for.
        while room > 0:
            data = file.read(room)
            if not isinstance(data, bytes | bytearray | memoryview) or not data:
                break
            parts.append(bytes(data))
            room -= len(parts[-1])
    except Exception:  # noqa: BLE001 - whatever a foreign file object raises
        failed = True
    if failed:
        raise _unreadable("a file object that failed to read")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise bad_source("a file opened in text mode" if isinstance(data, str) else "no bytes")
    return b"".join(parts)


def digest_of_pixels(pixels: NDArray[np.uint8]) -> str:
    """Identify pixels by their content: SHA-256 of shape and bytes, in hexadecimal."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _open_bytes(data: bytes, limits: PhotoLimits) -> PhotoFile:
    check_bytes(len(data), limits)
    header: Header | None = None
    try:
        header = read_header(data)
    except PhotoError:
        raise
    except Exception:  # noqa: BLE001, S110 - the boundary: bytes from strangers
        pass
    if header is None:
        raise damaged("a header that contradicts itself")
    check_size(header.size, limits)
    return PhotoFile(header=header, data=data, sha256=hashlib.sha256(data).hexdigest())


def _open_array(array: NDArray[Any], limits: PhotoLimits) -> PhotoFile:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise bad_source(f"an array of {array.dtype} with shape {array.shape}")
    height, width = array.shape[:2]
    check_size((width, height), limits)
    pixels = np.array(array, order="C", subok=False)
    return PhotoFile(
        header=Header(format="ARRAY", size=(width, height)),
        pixels=pixels,
        sha256=digest_of_pixels(pixels),
    )


_PIL_FORMATS: Final[dict[str | None, PhotoFormat]] = {
    "JPEG": "JPEG",
    "MPO": "JPEG",
    "PNG": "PNG",
    "WEBP": "WEBP",
    "HEIF": "HEIF",
}


def _open_pil(image: Image.Image, limits: PhotoLimits) -> PhotoFile:
    check_size(image.size, limits)
    if image.mode not in ("RGB", "RGBA", "RGBX"):
        raise bad_mode(f"a PIL image of mode {image.mode}")
    pixels: NDArray[np.uint8] | None = None
    try:
        # Loading first: PNG metadata may stand behind the pixels.
        image.load()
        pixels = np.array(image)
    except Exception:  # noqa: BLE001, S110 - a lazily opened file may be damaged in any way
        pass
    if pixels is None:
        raise damaged("a PIL image that cannot be loaded")
    pixels = np.ascontiguousarray(pixels[..., :3]) if image.mode == "RGBX" else opaque(pixels)
    icc, exif = image.info.get("icc_profile"), image.info.get("exif")
    header = Header(
        format=_PIL_FORMATS.get(image.format, "ARRAY"),
        size=(pixels.shape[1], pixels.shape[0]),
        icc=icc if isinstance(icc, bytes) and icc else None,
        exif=exif if isinstance(exif, bytes) else None,
    )
    return PhotoFile(header=header, pixels=pixels, sha256=digest_of_pixels(pixels))


def open_photo(source: Source, *, limits: PhotoLimits | None = None) -> PhotoFile:
    """Read and check a photo's header without decoding its pixels.

    Parameters
    ----------
    source : path, bytes, binary file object, PIL image or ndarray
        File objects are read from their current position and left open. PIL images
        are taken with the profile and EXIF that they carry. Arrays must be sRGB,
        upright, of dtype uint8 and shape (H, W, 3); they are copied.
    limits : PhotoLimits, optional
        Default limits if omitted.

    Returns
    -------
    PhotoFile

    Raises
    ------
    NotAnImageError, UnsupportedFormatError
        If the bytes are no picture, or one of a format that is not read.
    TruncatedImageError
        If the picture breaks off or its header is damaged.
    PhotoTooLargeError, PhotoTooSmallError, BadAspectError
        If it lies outside `limits`.
    BadColourModeError
        If it is grey, CMYK, 16-bit, HDR or has a palette.
    UnreadableFileError
        If the path cannot be read.
    UnsupportedSourceError
        If `source` is none of the kinds above.
    """
    limits = limits or PhotoLimits()
    if isinstance(source, str | os.PathLike):
        return _open_bytes(_read_path(source, limits), limits)
    if isinstance(source, bytes | bytearray | memoryview):
        check_bytes(memoryview(source).nbytes, limits)
        return _open_bytes(bytes(source), limits)
    if isinstance(source, np.ndarray):
        return _open_array(source, limits)
    if isinstance(source, Image.Image):
        return _open_pil(source, limits)
    if callable(getattr(source, "read", None)):
        return _open_bytes(_read_file(source, limits), limits)
    raise bad_source(f"an object of type {type(source).__name__}")


def load_photo(
    source: Source, *, limits: PhotoLimits | None = None, reduction: Reduction = 1
) -> Photo:
    """Decode a photo, upright and in sRGB.

    Parameters
    ----------
    source, limits
        See `open_photo`.
    reduction : {1, 2, 4, 8}
        How many times smaller the result is along each axis.

    Returns
    -------
    Photo

    Raises
    ------
    PhotoError
        One subclass per cause: see `open_photo` and `PhotoFile.decode`.
    """
    return open_photo(source, limits=limits).decode(reduction=reduction)
