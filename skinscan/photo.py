"""Bytes to Photo: the only place that decodes an image.

What is decided here
--------------------
Formats
    JPEG (also MPO, Ultra HDR and motion photos: the base picture), PNG, WebP and
    HEIC/HEIF. Everything else, and every animation, is refused by name. The format
    is told from the bytes, never from the file's name.
Headers first
    Sizes, colour mode, profile and metadata are read from the headers by this
    module; nothing is allocated for pixels before the limits are checked, so a
    small file that would expand to gigabytes costs nothing.
Colour
    Pixels are 8-bit sRGB. An embedded ICC profile (or PNG/HEIF colour code points)
    is converted with relative colorimetric intent; colours outside sRGB clip. A
    profile that cannot be read is an error, not a guess: an ignored Display-P3
    profile shifts a* of skin by 5 to 10. Without a profile, sRGB is assumed.
Colour modes
    Grey and CMYK carry no measurable skin colour, a palette breaks skin into
    blotches, and 16-bit files have no agreed rendering: BadColourModeError. An
    alpha channel is accepted when every pixel is opaque. 10-bit HEIF is rounded to
    8 bits unless it is HDR (PQ or HLG), which is refused.
Orientation
    All eight EXIF orientations are applied. In HEIF the container's own rotation
    (``irot``, ``imir``) wins and EXIF counts only where there is none.
Metadata
    Capture time, camera, lens, focal length and software are kept. Position,
    names and serial numbers are never read.
Damage
    A JPEG must be complete up to its end marker (anything may follow it) and must
    decode without libjpeg's damage warnings; every PNG chunk's checksum must
    match; WebP and HEIF must be as long as their headers say. What cannot be
    detected: damage after which a JPEG's entropy code falls into step again (of
    single changed bits about a quarter is found, most of the rest are invisible; of
    512 zeroed bytes a quarter to nearly all, by kind of JPEG), and changed bytes in
    lossy WebP or in HEIF, which carry no checksums.
Privacy
    No error names a file, and codec messages do not reach standard error.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import stat
import struct
import sys
import tempfile
import threading
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias, cast, get_args

import cv2
import numpy as np
import pillow_heif
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageCms

from skinscan.errors import (
    BadAspectError,
    BadColourModeError,
    BadOptionError,
    NotAnImageError,
    PhotoError,
    PhotoTooLargeError,
    PhotoTooSmallError,
    TruncatedImageError,
    UnreadableFileError,
    UnsupportedFormatError,
    UnsupportedSourceError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Photo",
    "PhotoFile",
    "PhotoFormat",
    "PhotoLimits",
    "Reduction",
    "Source",
    "captured_stderr",
    "load_photo",
    "open_photo",
]

Reduction: TypeAlias = Literal[1, 2, 4, 8]
PhotoFormat: TypeAlias = Literal["JPEG", "PNG", "WEBP", "HEIF", "ARRAY"]
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

_READABLE: Final = "a JPEG, PNG, WebP or HEIC photo"
_SAVE_AGAIN: Final = "Export the photo as JPEG or PNG and use that file"
_COPY_AGAIN: Final = "Copy the photo from the camera again"

# Real progressive photos have about ten scans; thousands make a small file that
# keeps libjpeg busy for minutes.
_MAX_JPEG_SCANS: Final = 100
_MAX_ICC_BYTES: Final = 8 * 2**20
_MAX_TEXT: Final = 128
_ICC_STRIP_ROWS: Final = 64


# ---------------------------------------------------------------------------
# Values
# ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PhotoLimits:
    """What a photo may measure at most and must measure at least.

    Parameters
    ----------
    max_bytes : int
        Largest encoded size, bytes.
    max_pixels : int
        Largest width times height, px.
    min_short_side_px : int
        Smallest shorter side, px: below it no face has the 2 px/mm that the
        coarsest metric needs.
    max_aspect : float
        Largest ratio of the longer to the shorter side.

    Raises
    ------
    BadOptionError
        If a limit is not positive, or ``max_aspect`` is below 1.
    """

    max_bytes: int = 25 * 2**20
    max_pixels: int = 50_000_000
    min_short_side_px: int = 200
    max_aspect: float = 4.0

    def __post_init__(self) -> None:
        for name, least in (
            ("max_bytes", 1),
            ("max_pixels", 1),
            ("min_short_side_px", 1),
            ("max_aspect", 1.0),
        ):
            value = getattr(self, name)
            # Written so that NaN fails too.
            if not value >= least:
                raise BadOptionError(
                    expected=f"{name} of at least {least}",
                    found=repr(value),
                    remedy="Correct the limit",
                )


@dataclass(frozen=True, kw_only=True)
class _CaptureInfo:
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
class _Header:
    """What the encoded bytes say before any pixel is decoded."""

    format: PhotoFormat
    #: (width, height) as stored, before orientation.
    size: tuple[int, int]
    icc: bytes | None = None
    exif: bytes | None = None
    #: Orientation still to be applied; None leaves it to EXIF.
    orientation: int | None = None
    jpeg_quality: int | None = None


# ---------------------------------------------------------------------------
# Errors that several places raise
# ---------------------------------------------------------------------------


def _damaged(what: str) -> TruncatedImageError:
    return TruncatedImageError(expected="a complete photo", found=what, remedy=_COPY_AGAIN)


def _bad_mode(found: str, remedy: str = "Use the camera's original colour photo") -> PhotoError:
    return BadColourModeError(expected="an opaque 8-bit colour photo", found=found, remedy=remedy)


def _unsupported(found: str) -> UnsupportedFormatError:
    return UnsupportedFormatError(expected=_READABLE, found=found, remedy=_SAVE_AGAIN)


def _bad_source(found: str) -> UnsupportedSourceError:
    return UnsupportedSourceError(
        expected="a path, bytes, a binary file, a PIL image or a uint8 array of shape (H, W, 3)",
        found=found,
        remedy="Convert the object to one of these",
    )


# ---------------------------------------------------------------------------
# Standard error of native libraries
# ---------------------------------------------------------------------------

_stderr_lock = threading.RLock()


@contextlib.contextmanager
def captured_stderr() -> Iterator[list[bytes]]:
    """Collect what native code writes to file descriptor 2 inside the block.

    libjpeg and libpng tell damage only there. File descriptors belong to the whole
    process, so blocks exclude each other: every module that redirects descriptor 2
    must do it through this function, or two threads could swap it for good.

    Yields
    ------
    list of bytes
        Empty inside the block; holds the text as its only item after it.
    """
    text: list[bytes] = []
    with _stderr_lock, tempfile.TemporaryFile(buffering=0) as sink:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        saved = -1
        # A service may run with descriptor 2 closed.
        with contextlib.suppress(OSError):
            saved = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield text
        finally:
            if saved >= 0:
                os.dup2(saved, 2)
                os.close(saved)
            else:
                os.close(2)
            sink.seek(0)
            text.append(sink.read())


_CODEC_LINE = re.compile(
    rb"^(?:Corrupt JPEG|Premature end of JPEG|Inconsistent progression|Unknown Adobe|"
    rb"Unsupported marker|Invalid SOS|Warning: unknown JFIF|Application transferred|"
    rb"libpng |\[ ?(?:WARN|ERROR|FATAL|INFO|DEBUG))"
)
_DAMAGE = re.compile(rb"Corrupt JPEG|Premature end of JPEG|Inconsistent progression|libpng error")


def _decode_natively(data: bytes, flags: int) -> tuple[NDArray[np.uint8] | None, bool]:
    """Decode with OpenCV; returns the picture and whether the codec saw damage."""
    with captured_stderr() as text:
        try:
            picture = cv2.imdecode(  # noqa: TID251
                np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION
            )
        except cv2.error:
            picture = None
    said = text[0]
    if said:
        # Other threads may have written to standard error meanwhile: give it back.
        foreign = b"".join(x for x in said.splitlines(keepends=True) if not _CODEC_LINE.match(x))
        if foreign:
            with contextlib.suppress(OSError):
                os.write(2, foreign)
    return cast("NDArray[np.uint8] | None", picture), bool(_DAMAGE.search(said))


# ---------------------------------------------------------------------------
# EXIF: a reader that looks at eleven tags and never warns
# ---------------------------------------------------------------------------

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


def _read_exif(data: bytes | None) -> _CaptureInfo:
    """Read what is kept of EXIF; damaged EXIF reads as absent."""
    if not data:
        return _CaptureInfo()
    tiff = data[6:] if data[:6] in (b"Exif\0\0", b"Exif\0\xff") else data
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return _CaptureInfo()
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
    return _CaptureInfo(
        captured_at=_taken_at(tags.get(_TAG_TAKEN), tags.get(_TAG_OFFSET)),
        camera=model or make,
        lens=text(_TAG_LENS),
        focal_length_35mm=float(focal) if isinstance(focal, int) and focal > 0 else None,
        software=text(_TAG_SOFTWARE),
        orientation=turned if isinstance(turned, int) and 1 <= turned <= 8 else 1,
    )


# ---------------------------------------------------------------------------
# Colour profiles
# ---------------------------------------------------------------------------

# CIE xy of red, green, blue and white (ITU-T H.273, table 2).
_PRIMARIES: Final[dict[int, tuple[float, ...]]] = {
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
}
_SRGB_XY: Final = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, 0.3127, 0.3290)
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50: Final = np.array([0.9642, 1.0, 0.8249])


def _matrix_profile(xy: tuple[float, ...], gamma: float | None) -> bytes:
    """Write an ICC v4 matrix profile; `gamma` None is the sRGB curve."""

    def xyz(x: float, y: float) -> NDArray[np.float64]:
        return np.array([x / y, 1.0, (1.0 - x - y) / y])

    primaries = np.column_stack([xyz(*xy[k : k + 2]) for k in (0, 2, 4)])
    white = xyz(*xy[6:8])
    primaries = primaries * np.linalg.solve(primaries, white)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    colorants = np.linalg.inv(_BRADFORD) @ (scale[:, None] * (_BRADFORD @ primaries))

    def s15(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))

    if gamma is None:
        curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
        curve += s15(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    else:
        curve = b"para" + bytes(4) + struct.pack(">HH", 0, 0) + s15(gamma)
    bodies = [b"XYZ " + bytes(4) + s15(*colorants[:, k]) for k in range(3)]
    bodies += [curve, b"XYZ " + bytes(4) + s15(*_D50)]
    tags = [(s, k) for k, s in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    tags += [(s, 3) for s in (b"rTRC", b"gTRC", b"bTRC")] + [(b"wtpt", 4)]
    at, offsets = 132 + 12 * len(tags), []
    for body in bodies:
        offsets.append(at)
        at += len(body)
    table = struct.pack(">I", len(tags)) + b"".join(
        s + struct.pack(">II", offsets[k], len(bodies[k])) for s, k in tags
    )
    header = struct.pack(">I4sI4s4s4s", at, bytes(4), 0x04000000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + s15(*_D50)
    return header.ljust(128, b"\0") + table + b"".join(bodies)


def _code_point_profile(primaries: int, transfer: int) -> bytes | None:
    """ICC profile for H.273 code points; None where they mean sRGB."""
    if transfer in (16, 18):
        raise _bad_mode("an HDR picture", "Turn HDR off, or export the photo as sRGB")
    if primaries not in _PRIMARIES and transfer != 8:
        return None
    # Video curves (1, 6, 14, 15) are shown with the display's, as sRGB is.
    return _matrix_profile(_PRIMARIES.get(primaries, _SRGB_XY), 1.0 if transfer == 8 else None)


@lru_cache(maxsize=32)
def _to_srgb_transform(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    """Transform from a profile to sRGB; None if the profile behaves as sRGB."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            "RGB",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
        shown = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    except Exception:  # noqa: BLE001 - lcms reports a bad profile in several types
        transform = None
    else:
        # sRGB profiles of different makers differ by one code.
        if np.abs(shown.astype(np.int16) - grid).max() <= 1:
            return None
    if transform is None:
        raise _bad_mode(
            "a colour profile that cannot be read as RGB", "Export the photo with an sRGB profile"
        )
    return transform


def _to_srgb(rgb: NDArray[np.uint8], icc: bytes | None) -> NDArray[np.uint8]:
    transform = _to_srgb_transform(icc) if icc else None
    if transform is None:
        return rgb
    shown = np.empty_like(rgb)
    # In strips: a third of the memory, and faster because they stay in the cache.
    for top in range(0, len(rgb), _ICC_STRIP_ROWS):
        strip = Image.fromarray(rgb[top : top + _ICC_STRIP_ROWS])
        ImageCms.applyTransform(strip, transform, inPlace=True)
        shown[top : top + _ICC_STRIP_ROWS] = np.asarray(strip)
    return shown


def _inflate_icc(packed: bytes) -> bytes:
    engine = zlib.decompressobj()
    try:
        icc = engine.decompress(packed, _MAX_ICC_BYTES)
    except zlib.error:
        icc = b""
    if not engine.eof:
        raise _damaged("a colour profile that breaks off")
    return icc


# ---------------------------------------------------------------------------
# Headers
# ---------------------------------------------------------------------------

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
        raise _unsupported("a JPEG of a rare kind (lossless, hierarchical or arithmetic)")
    if len(segment) < 6:
        raise _damaged("a JPEG header that breaks off")
    precision, height, width, components = struct.unpack_from(">BHHB", segment)
    if precision != 8:
        raise _bad_mode(f"a {precision}-bit JPEG")
    if components == 1:
        raise _bad_mode("a greyscale JPEG")
    if components == 4:
        raise _bad_mode("a CMYK JPEG")
    if components != 3 or not width or not height:
        raise _damaged("a JPEG header that contradicts itself")
    return int(width), int(height)


def _join_icc(parts: dict[int, bytes], total: int) -> bytes | None:
    if not parts:
        return None
    if sorted(parts) != list(range(1, total + 1)):
        raise _damaged("a colour profile with a part missing")
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
        raise _damaged("a JPEG that breaks off or is damaged")
    return end


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk a JPEG's markers up to the end-of-image marker, skipping coded pixels."""
    at, scans = 2, 0
    places = _marker_places(data)
    while data[at : at + 2] != b"\xff\xd9":
        if data[at : at + 1] != b"\xff" or at + 2 > len(data):
            raise _damaged("a JPEG that breaks off or is damaged")
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
                raise _unsupported(f"a JPEG of more than {_MAX_JPEG_SCANS} scans")
            nearest = int(np.searchsorted(places, at))
            if nearest == len(places):
                raise _damaged("a JPEG that breaks off")
            at = int(places[nearest])
    if not scans:
        raise _damaged("a JPEG without pixels")


def _jpeg_header(data: bytes) -> _Header:
    frame: tuple[int, int] | None = None
    exif, quality = None, None
    icc: dict[int, bytes] = {}
    icc_total = 0
    for marker, segment in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if frame is not None:
                raise _damaged("a JPEG with two headers")
            frame = _jpeg_frame(marker, segment)
        elif marker == 0xDA and frame is None:
            raise _damaged("a JPEG without a header")
        elif marker == 0xE1 and exif is None and segment[:6] == b"Exif\0\0":
            exif = segment
        elif marker == 0xE2 and segment[:12] == b"ICC_PROFILE\0" and len(segment) > 14:
            icc[segment[12]] = segment[14:]
            icc_total = segment[13]
        elif marker == 0xDB and quality is None:
            quality = _quality_of(segment)
    if frame is None:
        raise _damaged("a JPEG without a header")
    return _Header(
        format="JPEG",
        size=frame,
        exif=exif,
        icc=_join_icc(icc, icc_total),
        jpeg_quality=quality,
    )


def _png_chunks(data: bytes) -> dict[bytes, bytes]:
    """First chunk of each kind but the pixels, every checksum verified."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while b"IEND" not in chunks:
        if at + 12 > len(data):
            raise _damaged("a PNG that breaks off")
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            raise _damaged("a PNG that breaks off")
        if zlib.crc32(memoryview(data)[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise _damaged("a PNG with a wrong checksum")
        if kind not in chunks:
            chunks[kind] = b"" if kind == b"IDAT" else data[at + 8 : end]
        at = end + 4
    if len(chunks.get(b"IHDR", b"")) != 13 or b"IDAT" not in chunks:
        raise _damaged("a PNG without header or pixels")
    return chunks


def _png_profile(chunks: dict[bytes, bytes]) -> bytes | None:
    """Colour of a PNG, by the precedence of the PNG specification, third edition."""
    if len(chunks.get(b"cICP", b"")) == 4:
        return _code_point_profile(*chunks[b"cICP"][:2])
    if b"iCCP" in chunks:
        _, _, packed = chunks[b"iCCP"].partition(b"\0")
        return _inflate_icc(packed[1:])
    if b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return None
    return _gamma_profile(chunks[b"gAMA"], chunks.get(b"cHRM", b""))


def _gamma_profile(gama: bytes, chrm: bytes) -> bytes | None:
    """ICC profile for a PNG's gAMA and cHRM chunks; None if they mean sRGB or nothing."""
    gamma = int(struct.unpack(">I", gama)[0]) / 1e5
    xy: tuple[float, ...] = _SRGB_XY
    if len(chrm) == 32:
        white_first = tuple(v / 1e5 for v in struct.unpack(">8I", chrm))
        if min(white_first[1::2]) > 0:
            xy = (*white_first[2:], *white_first[:2])
    plain = abs(gamma - 0.45455) < 0.01
    if not 0.1 <= gamma <= 2.0 or (plain and np.allclose(xy, _SRGB_XY, atol=0.002)):
        return None
    try:
        return _matrix_profile(xy, None if plain else 1 / gamma)
    except (np.linalg.LinAlgError, struct.error, ValueError, OverflowError):
        return None


def _png_header(data: bytes) -> _Header:
    chunks = _png_chunks(data)
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    if b"acTL" in chunks:
        raise _unsupported("an animated PNG")
    if kind == 3:
        raise _bad_mode("a PNG with a colour palette")
    if kind in (0, 4):
        raise _bad_mode("a greyscale PNG")
    if kind not in (2, 6) or not width or not height:
        raise _damaged("a PNG header that contradicts itself")
    if depth != 8:
        raise _bad_mode(f"a {depth}-bit PNG")
    return _Header(
        format="PNG",
        size=(width, height),
        icc=_png_profile(chunks),
        exif=chunks.get(b"eXIf"),
    )


def _webp_frame_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise _damaged("a WebP header that contradicts itself")


def _webp_header(data: bytes) -> _Header:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _damaged("a WebP that breaks off")
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > end:
            raise _damaged("a WebP that breaks off")
        if kind in (b"ANIM", b"ANMF"):
            raise _unsupported("an animated WebP")
        chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    frame = next((k for k in (b"VP8 ", b"VP8L") if k in chunks), None)
    if frame is None:
        raise _damaged("a WebP without pixels")
    size = _webp_frame_size(frame, chunks[frame])
    canvas = chunks.get(b"VP8X", b"")
    if len(canvas) >= 10:
        wide = int.from_bytes(canvas[4:7], "little") + 1
        high = int.from_bytes(canvas[7:10], "little") + 1
        if (wide, high) != size:
            raise _damaged("a WebP header that contradicts itself")
    return _Header(format="WEBP", size=size, icc=chunks.get(b"ICCP"), exif=chunks.get(b"EXIF"))


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


def _open_heif(data: bytes) -> Any:  # noqa: ANN401 - pillow_heif has no types
    opened = None
    with contextlib.suppress(Exception):  # many types were seen under fuzzing
        opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    if opened is None:
        raise _damaged("a HEIF file that cannot be opened")
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
            raise _damaged("a HEIF file that breaks off")
        if kind == b"meta":
            meta = (start, end)
        complete = complete or kind == b"mdat"
    if meta is None:
        if data[8:12] in (b"msf1", b"hevc", b"hevx"):
            raise _unsupported("a HEIF image sequence")
        raise _damaged("a HEIF file without a picture")
    return meta


def _heif_header(data: bytes) -> _Header:
    meta = _heif_meta(data)
    opened = _open_heif(data)
    width, height = opened.size
    if opened.mode not in ("RGB", "RGBA"):
        raise _bad_mode("a HEIF picture without colour")
    info = opened.info
    icc, nclx = info.get("icc_profile"), info.get("nclx_profile")
    if not icc and nclx:
        icc = _code_point_profile(
            int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
        )
    return _Header(
        format="HEIF",
        size=(int(width), int(height)),
        icc=icc or None,
        exif=info.get("exif"),
        orientation=1 if _container_turns(data, meta) else None,
    )


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


def _read_header(data: bytes) -> _Header:
    if data[:2] == b"\xff\xd8":
        return _jpeg_header(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_header(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_header(data)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        # mif1 is shared with AVIF, which names itself among the compatible brands.
        listed = data[16 : int.from_bytes(data[:4], "big")]
        if b"avif" not in listed:
            return _heif_header(data)
        raise _unsupported("an AVIF")
    other = _name_of_other(data)
    if other is not None:
        raise _unsupported(other)
    raise NotAnImageError(
        expected=_READABLE,
        found="an empty file" if not data else "bytes that are no picture",
        remedy="Choose the photo itself",
    )


def _check_size(size: tuple[int, int], limits: PhotoLimits) -> None:
    width, height = size
    shape = f"{width} × {height} px"
    if width * height > limits.max_pixels:
        raise PhotoTooLargeError(
            expected=f"at most {limits.max_pixels / 1e6:g} million pixels",
            found=shape,
            remedy="Scale the photo down, or raise max_pixels",
        )
    short, long = min(size), max(size)
    if short < limits.min_short_side_px:
        raise PhotoTooSmallError(
            expected=f"a shorter side of at least {limits.min_short_side_px} px",
            found=shape,
            remedy="Use the camera's original photo, not a thumbnail",
        )
    if long > limits.max_aspect * short:
        raise BadAspectError(
            expected=f"sides in a ratio of at most {limits.max_aspect:g}",
            found=shape,
            remedy="Use a photo that shows the whole face, not a strip or panorama",
        )


# ---------------------------------------------------------------------------
# Pixels
# ---------------------------------------------------------------------------

_JPEG_FLAGS: Final[dict[int, int]] = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def _opaque(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop an alpha channel after checking that it hides nothing."""
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint8:
        raise _bad_mode("a picture that is not 8-bit colour")
    if pixels.shape[2] == 3:
        return pixels
    if pixels[..., 3].min() < 255:
        raise _bad_mode("a picture with transparent parts")
    return np.ascontiguousarray(pixels[..., :3])


def _decode_cv2(data: bytes, header: _Header, reduction: int) -> NDArray[np.uint8]:
    """Decode JPEG (reduced while decoding), PNG or WebP (full size) to stored-order RGB."""
    jpeg = header.format == "JPEG"
    flags = _JPEG_FLAGS[reduction] if jpeg else cv2.IMREAD_UNCHANGED
    picture, damaged = _decode_natively(data, flags)
    k = reduction if jpeg else 1
    expected = (-(-header.size[1] // k), -(-header.size[0] // k))
    if picture is None or damaged or picture.shape[:2] != expected:
        raise _damaged(f"a {header.format} that is damaged inside")
    bgr = _opaque(picture)
    if flags == cv2.IMREAD_COLOR_RGB:
        return bgr
    return cast("NDArray[np.uint8]", cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _decode_heif(data: bytes, header: _Header) -> NDArray[np.uint8]:
    opened = _open_heif(data)
    try:
        pixels: NDArray[np.uint8] | None = np.array(opened)
    except Exception:  # noqa: BLE001 - many types were seen under fuzzing
        pixels = None
    if pixels is None or pixels.shape[1::-1] != header.size:
        raise _damaged("a HEIF that is damaged inside")
    return _opaque(pixels)


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
        header: _Header,
        sha256: str,
        data: bytes | None = None,
        pixels: NDArray[np.uint8] | None = None,
    ) -> None:
        self._header = header
        self._data = data
        self._pixels = pixels
        info = _read_exif(header.exif)
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
                raise _bad_source("nothing")
            if self.format == "JPEG":
                return _decode_cv2(self._data, self._header, reduction)
            if self.format == "HEIF":
                self._pixels = _decode_heif(self._data, self._header)
            else:
                self._pixels = _decode_cv2(self._data, self._header, 1)
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
            rgb = _orient(_to_srgb(stored, self._header.icc), self._orientation)
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


# ---------------------------------------------------------------------------
# Sources
# ---------------------------------------------------------------------------


def _check_bytes(count: int, limits: PhotoLimits) -> None:
    if count > limits.max_bytes:
        raise PhotoTooLargeError(
            expected=f"at most {limits.max_bytes / 2**20:.3g} MB",
            found=f"more than that ({count / 2**20:.3g} MB read)",
            remedy="Scale the photo down, or raise max_bytes",
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
    _check_bytes(size, limits)
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
        raise _bad_source("a file opened in text mode" if isinstance(data, str) else "no bytes")
    return b"".join(parts)


def digest_of_pixels(pixels: NDArray[np.uint8]) -> str:
    """Identify pixels by their content: SHA-256 of shape and bytes, in hexadecimal."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _open_bytes(data: bytes, limits: PhotoLimits) -> PhotoFile:
    _check_bytes(len(data), limits)
    header: _Header | None = None
    try:
        header = _read_header(data)
    except PhotoError:
        raise
    except Exception:  # noqa: BLE001, S110 - the boundary: bytes from strangers
        pass
    if header is None:
        raise _damaged("a header that contradicts itself")
    _check_size(header.size, limits)
    return PhotoFile(header=header, data=data, sha256=hashlib.sha256(data).hexdigest())


def _open_array(array: NDArray[Any], limits: PhotoLimits) -> PhotoFile:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise _bad_source(f"an array of {array.dtype} with shape {array.shape}")
    height, width = array.shape[:2]
    _check_size((width, height), limits)
    pixels = np.array(array, order="C", subok=False)
    return PhotoFile(
        header=_Header(format="ARRAY", size=(width, height)),
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
    _check_size(image.size, limits)
    if image.mode not in ("RGB", "RGBA", "RGBX"):
        raise _bad_mode(f"a PIL image of mode {image.mode}")
    pixels: NDArray[np.uint8] | None = None
    try:
        # Loading first: PNG metadata may stand behind the pixels.
        image.load()
        pixels = np.array(image)
    except Exception:  # noqa: BLE001, S110 - a lazily opened file may be damaged in any way
        pass
    if pixels is None:
        raise _damaged("a PIL image that cannot be loaded")
    pixels = np.ascontiguousarray(pixels[..., :3]) if image.mode == "RGBX" else _opaque(pixels)
    icc, exif = image.info.get("icc_profile"), image.info.get("exif")
    header = _Header(
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
        _check_bytes(memoryview(source).nbytes, limits)
        return _open_bytes(bytes(source), limits)
    if isinstance(source, np.ndarray):
        return _open_array(source, limits)
    if isinstance(source, Image.Image):
        return _open_pil(source, limits)
    if callable(getattr(source, "read", None)):
        return _open_bytes(_read_file(source, limits), limits)
    raise _bad_source(f"an object of type {type(source).__name__}")


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
