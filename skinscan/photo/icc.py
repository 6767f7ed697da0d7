"""Colour profiles: those that code points mean, and pixels from a profile to sRGB."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from skinscan.photo.refusals import bad_mode

_ICC_STRIP_ROWS: Final = 64

# CIE xy of red, green, blue and white (ITU-T H.273, table 2).
_PRIMARIES: Final[dict[int, tuple[float, ...]]] = {
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
}
SRGB_XY: Final = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, 0.3127, 0.3290)
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50: Final = np.array([0.9642, 1.0, 0.8249])


def matrix_profile(xy: tuple[float, ...], gamma: float | None) -> bytes:
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


def code_point_profile(primaries: int, transfer: int) -> bytes | None:
    """ICC profile for H.273 code points; None where they mean sRGB."""
    if transfer in (16, 18):
        raise bad_mode("an HDR picture", "Turn HDR off, or export the photo as sRGB")
    if primaries not in _PRIMARIES and transfer != 8:
        return None
    # Video curves (1, 6, 14, 15) are shown with the display's, as sRGB is.
    return matrix_profile(_PRIMARIES.get(primaries, SRGB_XY), 1.0 if transfer == 8 else None)


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
        raise bad_mode(
            "a colour profile that cannot be read as RGB", "Export the photo with an sRGB profile"
        )
    return transform


def to_srgb(rgb: NDArray[np.uint8], icc: bytes | None) -> NDArray[np.uint8]:
    """Convert pixels from a profile to sRGB; the same array if nothing changes."""
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
