"""Painting known doses onto a photo, in the coordinates of the canonical face."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from skinscan.colour import from_linear, to_linear
from skinscan.frame import GRID_PX_MM, map_px_to_mm


def canonical_mm(shape, facemap):
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


def darkened(rgb, dose_pct):
    """Darken a photo by 100·Δln Y = ``dose_pct``, shape (H, W); NaN changes nothing."""
    dose = np.nan_to_num(dose_pct)[..., None]
    light = to_linear(rgb) * np.exp(-dose / 100.0)
    return np.clip(np.rint(from_linear(light) * 255), 0, 255).astype(np.uint8)


def distance_mm(mm, polyline):
    """Distance of every pixel from a polyline in the canonical frame."""
    best = np.full(mm.shape[:2], np.inf)
    line = np.asarray(polyline, dtype=float)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip(((mm - start) @ along) / (along @ along), 0, 1)[..., None]
        best = np.fmin(best, np.hypot(*np.moveaxis(mm - start - share * along, -1, 0)))
    return best


def groove(mm, polyline, *, contrast_pct, width_mm):
    """Dose of a dark line with a Gaussian profile, full width at half contrast ``width_mm``."""
    sigma = width_mm / 2.3548
    return contrast_pct * np.exp(-0.5 * (distance_mm(mm, polyline) / sigma) ** 2)
