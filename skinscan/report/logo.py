"""A practice's logo: PNG, JPEG or WebP of any colour mode, on white.

A logo is no photo: it may be grey, transparent or small, and nothing is measured in it, so that the
intake of photos (`skinscan.photo`) would refuse most of them.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

from skinscan.errors import LogoError
from skinscan.plots.lettering import RGB

_MAX_BYTES = 2 * 2**20
_MAX_SIDE_PX = 5000
_MAX_PIXELS = 16_000_000
_LEAST_SIDE_PX = 8
#: Enough for 300 dpi at the largest size it is printed at.
_KEPT_PX = 600
#: Twice the size on the screen, for fine screens.
_SCREEN_PX = (400, 96)
_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"})
_SAVE_AGAIN = "Save the logo as PNG, JPEG or WebP, at most 2 MB"
#: What Pillow raises on damaged files, by experience and by its own tests.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error)


def _refuse(found: str) -> LogoError:
    return LogoError(expected="a logo as PNG, JPEG or WebP", found=found, remedy=_SAVE_AGAIN)


def read_logo(data: bytes) -> RGB:
    """Decode a logo.

    Parameters
    ----------
    data : bytes
        A PNG, JPEG or WebP file.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB on white, upright, at most 600 px a side.

    Raises
    ------
    LogoError
        If it is none, is damaged, or is larger than any logo.
    """
    if len(data) > _MAX_BYTES:
        raise _refuse(f"{len(data) / 2**20:.1f} MB")
    try:
        with warnings.catch_warnings():
            # Odd metadata is no reason to refuse a logo; large sizes are refused below.
            warnings.simplefilter("ignore")
            with Image.open(  # noqa: TID251 - see above
                io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")
            ) as opened:
                _check(opened)
                upright = ImageOps.exif_transpose(opened)
                return _on_white(upright)
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise _refuse("a file that cannot be read") from error


def _check(opened: Image.Image) -> None:
    """Refuse by the header alone: nothing is allocated for pixels yet."""
    width, height = opened.size
    if max(opened.size) > _MAX_SIDE_PX or width * height > _MAX_PIXELS:
        raise _refuse(f"{width} x {height} px")
    if min(opened.size) < _LEAST_SIDE_PX:
        raise _refuse(f"{width} x {height} px, too small to print")
    if opened.mode not in _MODES:
        raise _refuse(f"a file of the kind {opened.mode}")


def _on_white(picture: Image.Image) -> RGB:
    if picture.mode == "CMYK":
        whole = picture.convert("RGB")
    else:
        seen = picture.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        whole = Image.alpha_composite(paper, seen).convert("RGB")
    whole.thumbnail((_KEPT_PX, _KEPT_PX), Image.Resampling.LANCZOS)
    return np.asarray(whole, dtype=np.uint8)


def kept_logo(data: bytes) -> bytes:
    """Bring a logo into the form in which it is kept: decoded, reduced, encoded anew.

    Nothing of the file survives but what is seen of it.

    Parameters
    ----------
    data : bytes
        A PNG, JPEG or WebP file.

    Returns
    -------
    bytes
        PNG.

    Raises
    ------
    LogoError
    """
    return _png(Image.fromarray(read_logo(data)))


def screen_logo(data: bytes) -> bytes:
    """Reduce a kept logo to what the top of a page shows, PNG.

    Raises
    ------
    LogoError
    """
    picture = Image.fromarray(read_logo(data))
    picture.thumbnail(_SCREEN_PX, Image.Resampling.LANCZOS)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "PNG", optimize=True)
    return sink.getvalue()
