"""Two photos of one face, laid over each other and shown side by side."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.errors import ScanFileError
from skinscan.metrics import Wrinkle
from skinscan.plots.alignment import chained, frame, framed, similarity_map
from skinscan.plots.lettering import RGB, lettered
from skinscan.progress import words
from skinscan.scan import Scan

F64 = NDArray[np.float64]

#: Width of each picture.
_WIDTH_PX = 640
_TOP_PX, _GAP_PX = 56, 16
_PAPER = 255
#: Okabe & Ito's vermilion and yellow, as `skinscan.overlay` draws wider and finer lines.
_LINE_COLOUR, _FINE_COLOUR, _FINE_BELOW_MM = (213, 94, 0), (240, 228, 66), 0.5
_SHIFT = 4


def _drawn(picture: RGB, lines: Sequence[Wrinkle], to_canvas: F64) -> RGB:
    """Draw the lines of a photo on its picture."""
    canvas = picture.copy()
    for line in lines:
        at = line.points_px @ to_canvas[:, :2].T + to_canvas[:, 2]
        colour = _FINE_COLOUR if line.width_mm < _FINE_BELOW_MM else _LINE_COLOUR
        placed = [np.asarray(np.round(at * 2**_SHIFT), dtype=np.int32)]
        cv2.polylines(canvas, placed, False, colour, 2, cv2.LINE_AA, _SHIFT)
    return canvas


def _beside(pictures: Sequence[RGB], titles: Sequence[str]) -> RGB:
    height, width = pictures[0].shape[:2]
    whole = (_TOP_PX + height, 2 * width + _GAP_PX, 3)
    canvas = np.full(whole, _PAPER, dtype=np.uint8)
    for k, picture in enumerate(pictures):
        left = k * (width + _GAP_PX)
        canvas[_TOP_PX:, left : left + width] = picture
    texts = [
        ((k * (width + _GAP_PX) + width / 2, _TOP_PX / 2), "mm", title)
        for k, title in enumerate(titles)
    ]
    return lettered(canvas, texts, size_px=28)


def laid_over(
    before: Scan, after: Scan, *, width_px: int = _WIDTH_PX
) -> tuple[tuple[RGB, RGB], tuple[F64, F64]]:
    """Show two photos of one view in the frame of the first, their colours untouched.

    Parameters
    ----------
    before, after : Scan
        Fresh from `analyze`, with their pixels.
    width_px : int
        Of each picture.

    Returns
    -------
    pictures : tuple of ndarray of uint8, shape (H, W, 3)
        sRGB, of one size.
    maps : tuple of ndarray of float64, shape (2, 3)
        From full-size px of each photo to px of its picture.

    Raises
    ------
    ScanFileError
        If a Scan has no pixels.
    """
    first, second = before.pixels, after.pixels
    if first is None or second is None:
        raise ScanFileError(
            expected="two scans with their photos, because a saved scan holds no pixels",
            found="a scan without",
            remedy="Analyze the photos again",
        )
    here, size = frame(first, width_px)
    there = chained(here, similarity_map(first, second))
    pictures = framed(first.photo, here, size), framed(second.photo, there, size)
    return pictures, (here, there)


def before_after(
    before: Scan, after: Scan, *, titles: tuple[str, str] = (words.BEFORE, words.AFTER)
) -> tuple[RGB, RGB]:
    """Show two photos of one view side by side, in the frame of the first.

    Parameters
    ----------
    before, after : Scan
        Fresh from `analyze`, with their pixels.
    titles : tuple of str
        Above each.

    Returns
    -------
    tuple of ndarray of uint8, shape (H, W, 3)
        sRGB: the photos, their colours untouched; and the same with the lines found in each, fine
        ones yellow, wider ones vermilion.

    Raises
    ------
    ScanFileError
        If a Scan has no pixels.
    """
    pictures, both = laid_over(before, after)
    lines = (before.wrinkles, after.wrinkles)
    drawn = [_drawn(p, w, m) for p, w, m in zip(pictures, lines, both, strict=True)]
    return _beside(pictures, titles), _beside(drawn, titles)
