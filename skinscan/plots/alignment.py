"""Photos of one face laid over each other, in the frame of the first.

A photo is turned, scaled and shifted as a whole: nothing in it is bent, so that no difference
between two of them comes from here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.frame import GRID_PX_MM, map_px_to_mm
from skinscan.landmarks import Face
from skinscan.photo import Photo
from skinscan.plots.lettering import RGB
from skinscan.registration import register
from skinscan.scan import Pixels

F64 = NDArray[np.float64]

#: What is shown around the face, as a share of its size.
_MARGIN = 0.15
#: One grid point in so many places the photos on each other.
_EVERY = 16
#: Photos are sampled so much more finely, then averaged: a sharp one would shimmer otherwise.
_OVERSAMPLED = 2
_PAPER = 255


def similarity_map(first: Pixels, second: Pixels) -> F64:
    """Turn, scale and shift, shape (2, 3), that put full-size px of the second on the first's."""
    moved = register(first.facemap, second.facemap)
    rows, columns = np.nonzero(first.facemap.visible)
    skin_mm = map_px_to_mm(np.column_stack([columns, rows])[::_EVERY].astype(float), GRID_PX_MM)
    here = first.facemap.to_photo_px(skin_mm)
    there = second.facemap.to_photo_px(moved.to_second(skin_mm))
    return _fitted(here, there)


def _fitted(here: F64, there: F64) -> F64:
    """Turn, scale and shift, shape (2, 3), that put points on others by least squares."""
    # Complex numbers: here = turn · there + shift.
    a, b = here @ [1, 1j], there @ [1, 1j]
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    spread = b - b.mean()
    turn = np.vdot(spread, a - a.mean()) / np.vdot(spread, spread)
    shift = a.mean() - turn * b.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def landmark_map(first: Face, second: Face) -> F64:
    """Turn, scale and shift that put one photo on another by the landmarks alone.

    Needs no pixels, and is a few tenths of a millimetre less exact than `similarity_map`.

    Parameters
    ----------
    first, second : Face

    Returns
    -------
    ndarray of float64, shape (2, 3)
        From full-size px of the second to those of the first.
    """
    return _fitted(first.landmarks_px[:, :2], second.landmarks_px[:, :2])


def chained(second: F64, first: F64) -> F64:
    """Chain two affine maps, shape (2, 3) each: first, then second."""
    whole = np.vstack([first, [0.0, 0.0, 1.0]])
    return np.asarray(second @ whole)


def _to_full(photo: Photo) -> F64:
    """Affine map from pixels of ``photo.rgb`` to those of the full-size photo."""
    origin, right, down = photo.to_full_px([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return np.column_stack([right - origin, down - origin, origin])


def framed(photo: Photo, to_canvas: F64, size: tuple[int, int]) -> RGB:
    """Show a photo through an affine map from its full-size px to the canvas (width, height)."""
    fine = np.diag([_OVERSAMPLED, _OVERSAMPLED]) @ to_canvas
    fine[:, 2] += (_OVERSAMPLED - 1) / 2  # pixel coordinates are those of centres
    shown = cv2.warpAffine(
        photo.rgb,
        chained(fine, _to_full(photo)),
        (_OVERSAMPLED * size[0], _OVERSAMPLED * size[1]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(_PAPER, _PAPER, _PAPER),
    )
    return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def frame(pixels: Pixels, width_px: int) -> tuple[F64, tuple[int, int]]:
    """Affine map from full-size px to a canvas around the face, and its (width, height)."""
    face = pixels.facemap.grid_px[pixels.facemap.visible]
    low, high = face.min(axis=0).astype(float), face.max(axis=0).astype(float)
    low, high = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    scale = width_px / (high[0] - low[0])
    to_canvas = np.array([[scale, 0.0, -scale * low[0]], [0.0, scale, -scale * low[1]]])
    return to_canvas, (width_px, round(scale * (high[1] - low[1])))
