"""What the families that measure shapes share: places on one side of a `Shape`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skinscan.landmarks import View
from skinscan.metrics.sample import RegionSample
from skinscan.shape import Shape
from skinscan.skinmask import mirror_index

#: Corners of the subject's right eye, and the base of the nose.
_OUTER_CORNER, _INNER_CORNER, _NOSE_BASE = 33, 133, 2
#: The middle of the lower face lies this far below the base of the nose, mm: behind the lips, but
#: not tied to them, because they move.
_MIDDLE_BELOW_NOSE_MM = 20.0
#: Heights at which the width of the cheeks is taken, mm below the base of the nose.
_CHEEK_MM = np.linspace(5.0, 35.0, 7)
#: The outline is interpolated only where this share of it is seen.
_LEAST_SEEN = 0.6


def sides() -> tuple[View, View]:
    """Both sides of the subject."""
    return View.RIGHT, View.LEFT


def sign(side: View) -> float:
    """Sign of x on that side."""
    return 1.0 if side is View.LEFT else -1.0


def per_side(feature: Callable[[Shape, View], float]) -> Callable[[RegionSample], float]:
    """Make a metric of a feature of one side: that of the region, or the mean of both."""

    def compute(sample: RegionSample) -> float:
        side = sample.region.side
        chosen = sides() if side is None else (side,)
        return float(np.mean([feature(sample.shape, s) for s in chosen]))

    return compute


def landmark(shape: Shape, side: View, index: int) -> NDArray[np.float64]:
    """Landmark given for the subject's right side, on either side: x, y, z in mm."""
    place = index if side is View.RIGHT else int(mirror_index()[index])
    return np.asarray(shape.landmarks_mm[place])


def corner_height_mm(shape: Shape, side: View) -> float:
    """Mean height of the two corners of an eye."""
    corners = (landmark(shape, side, i)[1] for i in (_OUTER_CORNER, _INNER_CORNER))
    return float(np.mean(list(corners)))


def outer_corners_mm(shape: Shape) -> float:
    """Distance between the outer corners of the eyes: rigid, and five times an iris."""
    right, left = (landmark(shape, side, _OUTER_CORNER) for side in sides())
    return float(np.linalg.norm(right - left))


def _half(shape: Shape, side: View) -> NDArray[np.float64]:
    """Outline from the ear of one side to the chin, shape (n, 2), NaN where no edge is seen."""
    middle = len(shape.outline_mm) // 2
    return shape.outline_mm[: middle + 1] if side is View.RIGHT else shape.outline_mm[middle:]


def _enough_seen(shape: Shape, side: View) -> bool:
    return float(np.isfinite(_half(shape, side)[:, 0]).mean()) >= _LEAST_SEEN


def at_angle(shape: Shape, side: View, angle_deg: float) -> NDArray[np.float64]:
    """Point of the outline in a direction from the middle of the lower face.

    Parameters
    ----------
    shape : Shape
    side : View
    angle_deg : float
        Below the horizontal, 0 (towards the ear) to 90 (towards the chin).

    Returns
    -------
    ndarray of float64, shape (2,)
        x, y in mm; NaN where the outline is not seen.
    """
    middle = shape.landmarks_mm[_NOSE_BASE, :2] - np.array([0.0, _MIDDLE_BELOW_NOSE_MM])
    if not _enough_seen(shape, side):
        return np.full(2, np.nan)
    # The whole outline: on a turned head the chin's middle is not the outline's.
    ray = shape.outline_mm[np.isfinite(shape.outline_mm[:, 0])] - middle
    angle = np.degrees(np.arctan2(-ray[:, 1], sign(side) * ray[:, 0]))
    order = np.argsort(angle)
    radius = np.interp(angle_deg, angle[order], np.hypot(*ray.T)[order], left=np.nan, right=np.nan)
    turn = np.radians(angle_deg)
    direction = np.array([sign(side) * np.cos(turn), -np.sin(turn)])
    return np.asarray(middle + radius * direction)


def half_width_mm(shape: Shape, side: View) -> float:
    """Mean distance of the cheek's outline from the middle plane, mm; NaN where it is not seen."""
    if not _enough_seen(shape, side):
        return float("nan")
    points = _half(shape, side)
    points = points[np.isfinite(points[:, 0])]
    order = np.argsort(points[:, 1])
    heights = shape.landmarks_mm[_NOSE_BASE, 1] - _CHEEK_MM
    x = np.interp(heights, points[order, 1], points[order, 0], left=np.nan, right=np.nan)
    return float(np.abs(x).mean())
