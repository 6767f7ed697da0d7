"""Words on pictures: OpenCV's own letters know neither − nor ²."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from skinscan.plots.style import INK
from skinscan.resources import font_path

RGB = NDArray[np.uint8]


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_path("Regular"), size_px)


def lettered(
    picture: RGB, texts: list[tuple[tuple[float, float], str, str]], *, size_px: int = 22
) -> RGB:
    """Write on a copy of a picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        sRGB.
    texts : list of (position, anchor, text)
        Position as (column, row), anchor as Pillow names it: ``"lm"`` is left and middle.
    size_px : int

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    for position, anchor, text in texts:
        draw.text(position, text, fill=INK, font=_font(size_px), anchor=anchor)
    return np.asarray(canvas, dtype=np.uint8)


def encoded(picture: RGB, suffix: str) -> bytes:
    """Encode a picture as ``.png`` or ``.jpg``.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        sRGB.
    suffix : str
    """
    _, data = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return data.tobytes()
