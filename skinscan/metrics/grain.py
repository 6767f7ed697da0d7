"""Grain of pictures of contrast: roughness, dots and patterns, whatever the region."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.metrics.sample import ON_A_LINE, PLAINNESS
from skinscan.native import BOOL, F32, F64, FLOAT, I32, I64, INT, U8, U32, kernel, stride
from skinscan.pixels import curvatures, gaussian, gaussian_half

_ROUGHNESS = kernel(
    *("roughness", F32, INT, U8, INT, BOOL, INT, INT, INT, F32, INT),
    *(F64, INT, INT, I32, F32, F32),
)  # contrast, presence, mask, size, weights; sums, tiles and what is found in them
_PAIRS = kernel(
    "pairs", F32, BOOL, INT, INT, FLOAT, FLOAT, INT, I32, INT, U8, U32
)  # pictures, size, steps, neighbours, room to work, result
_DOTS = kernel(
    "dots", F32, BOOL, INT, INT, F32, INT, FLOAT, FLOAT, FLOAT, F32, I64
)  # pictures, size, Gaussian, limits, room to work, result


@dataclass(frozen=True, eq=False)
class Roughness:
    """What roughness is made of: sums over the skin between lines, and extremes of its tiles.

    Attributes
    ----------
    weight, first, second : float
        Weight of the skin, and the weighted contrast and its square in sum.
    counts : ndarray of int32, shape (tiles down, tiles across)
        Pixels of skin between lines.
    lowest, highest : ndarray of float32, same shape
        Least and largest contrast among them; infinite where there are none.
    """

    weight: float
    first: float
    second: float
    counts: NDArray[np.int32]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]


def roughness_of(
    contrast: NDArray[np.float32],
    presence: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    *,
    tile_px: int,
) -> Roughness:
    """Sum contrast up over the skin between lines.

    Parameters
    ----------
    contrast : ndarray of float32, shape (H, W)
    presence : ndarray of uint8, shape (H, W)
        Certainty of lines in steps (`skinscan.metrics.lines.LevelLines`).
    mask : ndarray of bool, shape (H, W)
        Skin.
    tile_px : int
        Side of the square tiles whose extremes are found.

    Returns
    -------
    Roughness
        A line takes weight from the sums by degrees: a faint one that one photo traces and the
        next does not changes nothing at once. For the tiles a pixel is on a line or not.
    """
    rows, columns = contrast.shape
    down, across = -(-rows // tile_px), -(-columns // tile_px)
    if _ROUGHNESS is not None:
        counts = np.zeros((down, across), dtype=np.int32)
        lowest = np.full((down, across), np.inf, dtype=np.float32)
        highest = np.full((down, across), -np.inf, dtype=np.float32)
        sums = np.empty(3)
        pictures = (contrast, stride(contrast), presence, stride(presence), mask, stride(mask))
        found = (sums, tile_px, across, counts, lowest, highest)
        _ROUGHNESS(*pictures, rows, columns, PLAINNESS, ON_A_LINE, *found)
        weight, first, second = sums.tolist()
        return Roughness(weight, first, second, counts, lowest, highest)
    plain = mask & (presence < ON_A_LINE)
    of_pixel = cv2.LUT(presence, PLAINNESS) * mask
    weighted = of_pixel * contrast
    inside = np.zeros((down * tile_px, across * tile_px), dtype=bool)
    inside[:rows, :columns] = plain
    count = inside.reshape(down, tile_px, across * tile_px).sum(axis=1, dtype=np.int32)

    def extreme(reduce: np.ufunc, none: float) -> NDArray[np.float32]:
        # Down first, which runs along whole rows.
        values = np.full(inside.shape, none, dtype=np.float32)
        cv2.copyTo(contrast, plain.view(np.uint8), values[:rows, :columns])
        of_rows = reduce.reduce(values.reshape(down, tile_px, across * tile_px), axis=1)
        return np.asarray(reduce.reduce(of_rows.reshape(down, across, tile_px), axis=2))

    return Roughness(
        float(of_pixel.sum()),
        float(weighted.sum()),
        float(np.vdot(weighted, contrast)),
        count.reshape(down, across, tile_px).sum(axis=2, dtype=np.int32),
        extreme(np.minimum, np.inf),
        extreme(np.maximum, -np.inf),
    )


def pairs_of(
    contrast: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *,
    steps: int,
    step: float,
    distance_px: int,
) -> NDArray[np.float64]:
    """Count how often contrasts lie beside each other, in four directions.

    Parameters
    ----------
    contrast : ndarray of float32, shape (H, W)
        Contiguous.
    mask : ndarray of bool, shape (H, W)
        Only pairs inside count; contiguous.
    steps : int
        Steps of contrast, half of them below 0; what is beyond counts as the first or last.
    step : float
        Height of a step.
    distance_px : int
        Between the two places of a pair, down, across and, rounded, along both diagonals.

    Returns
    -------
    ndarray of float64, shape (steps, steps)
        Symmetric: each pair counts both ways.
    """
    rows, columns = contrast.shape
    wide = steps + 1
    slope = round(distance_px * math.sqrt(0.5))
    ways = ((0, distance_px), (slope, slope), (distance_px, 0), (slope, -slope))
    if _PAIRS is not None:
        counts = np.zeros((4, wide, wide), dtype=np.uint32)
        size = (rows + distance_px) * (columns + 2 * distance_px)
        offset, room = np.array(ways, dtype=np.int32), np.empty(size, dtype=np.uint8)
        scale = (-0.5 * steps * step, step, steps)
        _PAIRS(contrast, mask, rows, columns, *scale, offset, distance_px, room, counts)
        one_way = counts.sum(axis=0, dtype=np.float64)
        return np.asarray((one_way + one_way.T)[1:, 1:])
    unit = contrast + np.float32(0.5 * steps * step)
    unit /= np.float32(step)
    np.clip(unit, 0, steps - 1, out=unit)
    # Code 0 stands for everything that is off the mask and is dropped afterwards.
    codes = (unit.astype(np.uint8) + np.uint8(1)) * mask
    one_way = np.zeros((wide, wide))
    for down, right in ways:
        # Pairs of a place and the one so many rows down and columns to the right.
        left, width = max(right, 0), max(columns - abs(right), 0)
        here = slice(0, max(rows - down, 0)), slice(left - right, left - right + width)
        there = slice(down, rows), slice(left, left + width)
        one_way += cv2.calcHist(
            [codes[here], codes[there]], [0, 1], None, [wide, wide], [0, wide, 0, wide]
        )
    return np.asarray((one_way + one_way.T)[1:, 1:])


def count_dots(
    contrast: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *,
    sigma_px: float,
    least: float,
    roundness: float,
) -> tuple[int, int]:
    """Count dark round dots, and the pixels that they take.

    Parameters
    ----------
    contrast : ndarray of float32, shape (H, W)
        Contiguous.
    mask : ndarray of bool, shape (H, W)
        Where dots count; contiguous.
    sigma_px : float
        Gaussian sigma of the dots that are found best.
    least : float
        Contrast from which a dot counts.
    roundness : float
        Least share of the smaller curvature in the larger.

    Returns
    -------
    dots, pixels : int
    """
    # The smaller curvature of a round dot of this sigma times 2 sigma² is its contrast.
    gain = 2.0 * sigma_px**2
    if _DOTS is not None:
        rows, columns = contrast.shape
        half = gaussian_half(sigma_px)
        radius = len(half) - 1
        room = np.empty((2 * rows + 5) * (columns + 2 * radius + 64), dtype=np.float32)
        found = np.empty(2, dtype=np.int64)
        limits = (gain, roundness, least)
        _DOTS(contrast, mask, rows, columns, half, radius, *limits, room, found)
        return int(found[0]), int(found[1])
    strong, weak = curvatures(gaussian(contrast, sigma_px))
    response = np.where(
        weak > roundness * np.maximum(strong, 1e-6), gain * np.maximum(weak, 0), 0
    ).astype(np.float32)
    dots = (response > least) & mask
    peaks = dots & (response >= cv2.dilate(response, np.ones((3, 3), np.uint8)))
    return int(np.count_nonzero(peaks)), int(np.count_nonzero(dots))


def local_binary_patterns(picture: NDArray[np.float32], *, threshold: float) -> NDArray[np.uint8]:
    """Find the rotation-invariant uniform pattern of 8 neighbours at 1.5 px, 0..9.

    Parameters
    ----------
    picture : ndarray of float32, shape (H, W)
    threshold : float
        A neighbour that is darker by no more than this counts as equal.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        0 to 8: how many neighbours are not darker, where they are adjacent; 9 elsewhere.

    Notes
    -----
    ``skimage.feature.local_binary_pattern(P=8, R=1.5, method="uniform")`` for whole pictures
    instead of pixel by pixel, in a tenth of its time, and with a threshold, which that lacks.
    """
    word: NDArray[np.uint8] = np.zeros(picture.shape, dtype=np.uint8)
    limit = picture - np.float32(threshold)
    for k, weights in enumerate(_lbp_kernels()):
        neighbour = cv2.filter2D(picture, cv2.CV_32F, weights, borderType=cv2.BORDER_CONSTANT)
        word |= (np.asarray(neighbour) >= limit).astype(np.uint8) << np.uint8(k)
    return np.asarray(cv2.LUT(word, _uniform_codes()), dtype=np.uint8)


@cache
def _lbp_kernels() -> tuple[NDArray[np.float32], ...]:
    """Bilinear weights of each neighbour in a window of 5 x 5."""
    kernels = []
    for angle in np.arange(8) * (np.pi / 4):
        row, column = 2.0 - 1.5 * np.sin(angle), 2.0 + 1.5 * np.cos(angle)
        away = [np.maximum(1.0 - np.abs(np.arange(5) - at), 0.0) for at in (row, column)]
        kernels.append(np.outer(*away).astype(np.float32))
    return tuple(kernels)


@cache
def _uniform_codes() -> NDArray[np.uint8]:
    """Pattern number of each 8-bit word."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9).astype(np.uint8)
