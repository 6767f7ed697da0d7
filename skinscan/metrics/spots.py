"""Pigment spots: round dark places of the red light, found once per layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.pixels import disc

#: A spot is darker in red than its surroundings by this many %, by this many robust spreads of the
#: whole face's skin, and is at least this large.
LEAST_CONTRAST_PCT, LEAST_SPREADS, LEAST_AREA_MM2 = 10.0, 3.0, 0.8
#: Beyond the least contrast a spot comes in gradually over this many %: none appears at once.
RAMP_PCT = 8.0
#: Shorter axis by longer axis: shadow edges, folds and hair are longer than wide.
LEAST_ROUNDNESS = 0.5
#: Lashes, brows, nostrils and the hairline darken the skin this near to them.
EDGE_MM = 1.0


@dataclass(frozen=True, eq=False)
class Spots:
    """Spots of one layer.

    Attributes
    ----------
    pieces : ndarray of int32, shape (rows, columns)
        0 beside the spots, k + 1 in the core of spot k.
    place_px : ndarray of int, shape (N, 2)
        Row and column of the centre.
    area_mm2 : ndarray of float64, shape (N,)
        Area where at least half of the peak's contrast is reached.
    weight : ndarray of float64, shape (N,)
        0 to 1: how far the spot exceeds the least contrast.
    """

    pieces: NDArray[np.int32]
    place_px: NDArray[np.intp]
    area_mm2: NDArray[np.float64]
    weight: NDArray[np.float64]

    @cached_property
    def _pixels(self) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Flat index of every pixel of a spot, and the spot."""
        at = np.flatnonzero(self.pieces)
        return at, self.pieces.ravel()[at] - 1

    def share_inside(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Share of each spot's core that lies inside a mask, shape (N,)."""
        at, spot = self._pixels
        count = len(self.weight)
        inside = np.bincount(spot[mask.ravel()[at]], minlength=count)
        return np.asarray(inside / np.bincount(spot, minlength=count))


def find_spots(
    contrast: NDArray[np.float32],
    skin: NDArray[np.bool_],
    *,
    spread: float,
    level_px_mm: float,
) -> Spots:
    """Find round dark places.

    Parameters
    ----------
    contrast : ndarray of float32, shape (rows, columns)
        How much darker than its surroundings each place is, %.
    skin : ndarray of bool, shape (rows, columns)
    spread : float
        Robust spread of ``contrast`` over the skin.
    level_px_mm : float

    Returns
    -------
    Spots
    """
    least = max(LEAST_CONTRAST_PCT, LEAST_SPREADS * spread)
    dark = ((contrast > LEAST_CONTRAST_PCT) & skin).astype(np.uint8)
    highest, found = cv2.connectedComponents(dark, connectivity=4)
    count = highest - 1
    row, column = np.nonzero(dark)
    owner, value = found[row, column].astype(np.intp), contrast[row, column]
    peak = np.zeros(count + 1, dtype=np.float32)
    np.maximum.at(peak, owner, value)
    # At half of its peak a spot is as wide as it is, however dark.
    core = value > 0.5 * peak[owner]
    row, column, owner = row[core], column[core], owner[core]

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(owner, values, count + 1) / size

    pixels = np.bincount(owner, minlength=count + 1)
    size = np.maximum(pixels, 1)
    y, x = mean(row.astype(np.float64)), mean(column.astype(np.float64))
    dy, dx = row - y[owner], column - x[owner]
    # A pixel is itself 1/12 px² wide.
    yy, xx, xy = mean(dy * dy) + 1 / 12, mean(dx * dx) + 1 / 12, mean(dx * dy)
    middle, apart = (yy + xx) / 2, np.hypot((yy - xx) / 2, xy)
    roundness = np.sqrt(np.maximum(middle - apart, 0.0) / (middle + apart))
    inner = cv2.erode(skin.astype(np.uint8), disc(EDGE_MM * level_px_mm), borderValue=0)
    edge = np.bincount(owner[inner[row, column] == 0], minlength=count + 1) > 0
    area = pixels / level_px_mm**2
    weight = np.clip((peak - least) / RAMP_PCT, 0.0, 1.0)
    kept = (weight > 0) & (area >= LEAST_AREA_MM2) & (roundness >= LEAST_ROUNDNESS) & ~edge
    kept[0] = False
    number = np.zeros(count + 1, dtype=np.int32)
    number[kept] = np.arange(1, kept.sum() + 1)
    pieces = np.zeros(skin.shape, dtype=np.int32)
    pieces[row, column] = number[owner]
    return Spots(
        pieces=pieces,
        place_px=np.rint(np.column_stack([y, x])[kept]).astype(np.intp),
        area_mm2=area[kept],
        weight=weight[kept],
    )
