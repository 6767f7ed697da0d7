"""Two photos of one face, laid over each other and shown side by side.

The later photo is turned, scaled and shifted as a whole: nothing in it is bent, so that no
difference between the two comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.errors import ScanFileError
from skinscan.frame import GRID_PX_MM, map_px_to_mm
from skinscan.metrics import Wrinkle
from skinscan.photo import Photo
from skinscan.plots.lettering import RGB, lettered
from skinscan.registration import register
from skinscan.scan import Pixels, Scan

F64 = NDArray[np.float64]

#: Width of each picture, and what is shown around the face, as a share of its size.
_WIDTH_PX, _MARGIN = 640, 0.15
#: One grid point in so many places the photos on each other.
_EVERY = 16
#: Photos are sampled so much more finely, then averaged: a sharp one would shimmer otherwise.
_OVERSAMPLED = 2
_TOP_PX, _GAP_PX = 56, 16
_PAPER = 255
#: Okabe & Ito's vermilion and yellow, as `skinscan.overlay` draws wider and finer lines.
_LINE_COLOUR, _FINE_COLOUR, _FINE_BELOW_MM = (213, 94, 0), (240, 228, 66), 0.5
_SHIFT = 4


def _similarity(first: Pixels, second: Pixels) -> F64:
    """Turn, scale and shift, shape (2, 3), that put full-size px of the second on the first's."""
    moved = register(first.facemap, second.facemap)
    rows, columns = np.nonzero(first.facemap.visible)
    skin_mm = map_px_to_mm(np.column_stack([columns, rows])[::_EVERY].astype(float), GRID_PX_MM)
    here = first.facemap.to_photo_px(skin_mm)
    there = second.facemap.to_photo_px(moved.to_second(skin_mm))
    # Complex numbers: here = turn · there + shift, by least squares.
    a, b = here @ [1, 1j], there @ [1, 1j]
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    spread = b - b.mean()
    turn = np.vdot(spread, a - a.mean()) / np.vdot(spread, spread)
    shift = a.mean() - turn * b.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _after(second: F64, first: F64) -> F64:
    """Chain two affine maps, shape (2, 3) each: first, then second."""
    whole = np.vstack([first, [0.0, 0.0, 1.0]])
    return np.asarray(second @ whole)


def _to_full(photo: Photo) -> F64:
    """Affine map from pixels of ``photo.rgb`` to those of the full-size photo."""
    origin, right, down = photo.to_full_px([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return np.column_stack([right - origin, down - origin, origin])


def _framed(photo: Photo, to_canvas: F64, size: tuple[int, int]) -> RGB:
    """Show a photo through an affine map from its full-size px to the canvas (width, height)."""
    fine = np.diag([_OVERSAMPLED, _OVERSAMPLED]) @ to_canvas
    fine[:, 2] += (_OVERSAMPLED - 1) / 2  # pixel coordinates are those of centres
    shown = cv2.warpAffine(
        photo.rgb,
        _after(fine, _to_full(photo)),
        (_OVERSAMPLED * size[0], _OVERSAMPLED * size[1]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(_PAPER, _PAPER, _PAPER),
    )
    return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _frame(pixels: Pixels) -> tuple[F64, tuple[int, int]]:
    """Affine map from full-size px to a canvas around the face, and its (width, height)."""
    face = pixels.facemap.grid_px[pixels.facemap.visible]
    low, high = face.min(axis=0).astype(float), face.max(axis=0).astype(float)
    low, high = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    scale = _WIDTH_PX / (high[0] - low[0])
    to_canvas = np.array([[scale, 0.0, -scale * low[0]], [0.0, scale, -scale * low[1]]])
    return to_canvas, (_WIDTH_PX, round(scale * (high[1] - low[1])))


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


def before_after(
    before: Scan, after: Scan, *, titles: tuple[str, str] = ("Before", "After")
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
    first, second = before.pixels, after.pixels
    if first is None or second is None:
        raise ScanFileError(
            expected="two scans with their photos, because a saved scan holds no pixels",
            found="a scan without",
            remedy="Analyze the photos again",
        )
    to_canvas, size = _frame(first)
    both = (to_canvas, _after(to_canvas, _similarity(first, second)))
    pictures = [_framed(p.photo, m, size) for p, m in zip((first, second), both, strict=True)]
    lines = (before.wrinkles, after.wrinkles)
    drawn = [_drawn(p, w, m) for p, w, m in zip(pictures, lines, both, strict=True)]
    return _beside(pictures, titles), _beside(drawn, titles)
