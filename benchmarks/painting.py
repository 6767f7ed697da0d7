"""Painting lines and spots of known contrast onto a photo, in coordinates of the canonical face.

For benchmarks and tests: what is painted is known, whatever skin is below it. A dose is a
picture of 100·Δln Y by which the photo is darkened; doses of several things add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator

from skinscan.colour import from_linear, to_linear
from skinscan.facemap import FaceMap
from skinscan.frame import GRID_PX_MM, map_px_to_mm

Floats = NDArray[np.float64]
Polyline = tuple[tuple[float, float], ...]

#: Courses of lines, canonical mm, by the region that they lie in and as lines run there.
COURSES: Mapping[str, Polyline] = {
    "forehead_upper": ((-25, 72), (0, 74), (25, 72)),
    "nasolabial_left": ((24, -20), (30, -30), (33, -42)),
    "crows_feet_right": ((-51, 28), (-64, 33)),
    "marionette_right": ((-31, -52), (-33, -66)),
}
#: Places of spots on the cheeks by region, canonical mm, two spots of 5 mm apart and more.
SPOT_PLACES: Mapping[str, Polyline] = {
    "cheek_malar_right": ((-36, 2), (-49, 2), (-36, -8), (-49, -8), (-42, -17)),
    "cheek_malar_left": ((36, 2), (49, 2), (36, -8), (49, -8), (42, -17)),
    "cheek_buccal_right": ((-53, -24), (-50, -33)),
    "cheek_buccal_left": ((53, -24), (50, -33)),
}
#: Beyond so many sigmas nothing is painted.
_REACH_SIGMAS = 5.0


def canonical_mm(shape: tuple[int, ...], facemap: FaceMap) -> Floats:
    """Canonical mm of every pixel of a photo, (H, W, 2); NaN where no visible face is.

    Interpolated at every fourth pixel and enlarged: the mapping is smooth.
    """
    step = 4
    rows, columns = (i[::5] for i in np.nonzero(facemap.visible))
    nodes = facemap.grid_px[rows, columns].astype(float)
    mm = map_px_to_mm(np.column_stack([columns, rows]).astype(float), GRID_PX_MM)
    height, width = shape[:2]
    # Centres of blocks of step x step pixels.
    x, y = np.meshgrid(
        (np.arange(-(-width // step)) + 0.5) * step - 0.5,
        (np.arange(-(-height // step)) + 0.5) * step - 0.5,
    )
    coarse = LinearNDInterpolator(nodes, mm)(x, y)
    size = (coarse.shape[1] * step, coarse.shape[0] * step)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)[:height, :width]


#: Red, green and blue absorb alike (shade), or as melanin does (relative to green, as in
#: `skinscan.colour`).
SHADE, MELANIN = (1.0, 1.0, 1.0), (0.69, 1.0, 1.70)


def darkened(
    rgb: NDArray[np.uint8], dose_pct: Floats, *, bands: tuple[float, float, float] = SHADE
) -> NDArray[np.uint8]:
    """Darken a photo by 100·Δln of ``dose_pct``, shape (H, W), times each band's share.

    NaN changes nothing.
    """
    dose = np.nan_to_num(dose_pct)
    painted = rgb.copy()
    touched = np.abs(dose) > 1e-3
    if not touched.any():
        return painted
    light = to_linear(rgb[touched][None])[0] * np.exp(
        -dose[touched][:, None] * np.array(bands) / 100.0
    )
    codes = np.asarray(from_linear(light.astype(np.float32)[None]))[0]
    painted[touched] = np.clip(np.rint(codes * 255), 0, 255)
    return painted


def distance_mm(mm: Floats, polyline: ArrayLike) -> Floats:
    """Distance of every pixel from a polyline in the canonical frame."""
    best = np.full(mm.shape[:2], np.inf)
    line = np.asarray(polyline, dtype=float)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip(((mm - start) @ along) / (along @ along), 0, 1)[..., None]
        best = np.fmin(best, np.hypot(*np.moveaxis(mm - start - share * along, -1, 0)))
    return best


def groove(mm: Floats, polyline: ArrayLike, *, contrast_pct: float, width_mm: float) -> Floats:
    """Dose of a dark line with a Gaussian profile, full width at half contrast ``width_mm``."""
    sigma = width_mm / 2.3548
    line = np.asarray(polyline, dtype=float)
    margin = _REACH_SIGMAS * sigma
    low, high = line.min(axis=0) - margin, line.max(axis=0) + margin
    # Comparisons with NaN are False: off the face nothing is painted.
    near = ((mm >= low) & (mm <= high)).all(axis=-1)
    dose = np.zeros(mm.shape[:2])
    distance = distance_mm(mm[near][:, None, :], line)[:, 0]
    dose[near] = contrast_pct * np.exp(-0.5 * (distance / sigma) ** 2)
    return dose


def grooves(
    mm: Floats, polylines: Iterable[ArrayLike], *, contrast_pct: float, width_mm: float
) -> Floats:
    """Dose of several lines."""
    return np.sum(
        [groove(mm, line, contrast_pct=contrast_pct, width_mm=width_mm) for line in polylines],
        axis=0,
    )


def nearest_mm(points: Floats, centres: ArrayLike) -> Floats:
    """Distance of points, shape (..., 2), from the nearest of some centres, shape (N, 2)."""
    return np.min(
        [np.hypot(*np.moveaxis(points - c, -1, 0)) for c in np.asarray(centres, dtype=float)],
        axis=0,
    )


def spots(mm: Floats, centres: ArrayLike, *, contrast_pct: float, diameter_mm: float) -> Floats:
    """Dose of dark round spots with soft edges, half as dark at half of ``diameter_mm``."""
    beyond = (nearest_mm(mm, centres) - diameter_mm / 2) / (0.2 * diameter_mm)
    return contrast_pct * 0.5 * (1 - np.tanh(beyond))
