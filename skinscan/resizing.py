"""Pictures and masks in another size; the same numbers from OpenCV and from the loops in C."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan import native
from skinscan.native import BOOL, FLOAT, I32, INT, U8, stride

F32 = NDArray[np.float32]

#: A smaller share of a pixel counts as none.
_NOTHING = 1e-3

#: Places between pixels, or shares of them, along rows and down.
_ALONG = (I32, native.F32, I32, native.F32)
_SHARES = (I32, native.F32, INT, I32, native.F32, INT)
_ABOVE = native.kernel("mask_resized", BOOL, INT, *_ALONG, INT, INT, INT, FLOAT, native.F32, BOOL)
_AREA = native.kernel("shrunk", native.F32, INT, INT, *_SHARES, INT, INT, native.F32, native.F32)
_CODES = native.kernel("shrunk_codes", U8, INT, INT, *_SHARES, INT, INT, native.F32, U8)


@cache
def linear_places(before: int, after: int) -> tuple[NDArray[np.int32], F32]:
    """Where each pixel of a row lies that is resized by linear interpolation, for loops in C.

    Returns
    -------
    pair : ndarray of int32, shape (after, 2)
        The two pixels of the row before between which it lies.
    weight : ndarray of float32, shape (after,)
        Weight of the second one.
    """
    # Pixel centres in double precision, as cv2.resize has them.
    at = np.clip((np.arange(after) + 0.5) * (before / after) - 0.5, 0.0, before - 1.0)
    first = np.floor(at).astype(np.int32)
    pair = np.column_stack([first, np.minimum(first + 1, before - 1)])
    return np.ascontiguousarray(pair, dtype=np.int32), (at - first).astype(np.float32)


@cache
def nearest_places(before: int, after: int) -> NDArray[np.int32]:
    """Which pixel of a row each one takes that `resized_nearest` resizes, shape (after,)."""
    # Asked of OpenCV: where a place falls between two pixels, its own rounding decides.
    row = np.arange(before, dtype=np.float32)[None]
    return np.asarray(cv2.resize(row, (after, 1), interpolation=cv2.INTER_NEAREST)[0]).astype(
        np.int32
    )


@dataclass(frozen=True, eq=False)
class _Shares:
    """Of each pixel of a shrunk row: its first pixel, and the weights from there on."""

    first: NDArray[np.int32]
    weight: F32

    @property
    def arguments(self) -> tuple[NDArray[np.int32], F32, int]:
        return self.first, self.weight, self.weight.shape[1]


@cache
def _shares(before: int, after: int) -> _Shares:
    # As cv2.resize lays them out: the cut pixels weigh by what lies inside, if it is anything.
    scale = before / after
    first = np.zeros(after, dtype=np.int32)
    rows: list[list[float]] = []
    for k in range(after):
        begin = k * scale
        end = begin + scale
        width = min(scale, before - begin)
        last = min(math.floor(end), before - 1)
        whole = min(math.ceil(begin), last)
        row = [(whole - begin) / width] if whole - begin > _NOTHING else []
        first[k] = whole - len(row)
        row += [1.0 / width] * (last - whole)
        if end - last > _NOTHING:
            row.append(min(end - last, 1.0, width) / width)
        rows.append(row)
    weight = np.zeros((after, max(map(len, rows))), dtype=np.float32)
    for k, row in enumerate(rows):
        weight[k, : len(row)] = row
    return _Shares(first, weight)


def _shrinks_unevenly(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a picture gets smaller, and not by whole numbers: OpenCV sums those otherwise."""
    smaller = all(a <= b for a, b in zip(after, before, strict=True))
    return smaller and any(b % a for a, b in zip(after, before, strict=True))


def resized_area(picture: F32, rows: int, columns: int) -> F32:
    """Resize by averaging over area: right for making pictures smaller."""
    if picture.shape[:2] == (rows, columns):
        return picture
    before = picture.shape[0], picture.shape[1]
    if _AREA is not None and picture.ndim == 2 and _shrinks_unevenly(before, (rows, columns)):
        along, down = _shares(before[1], columns), _shares(before[0], rows)
        result = np.empty((rows, columns), dtype=np.float32)
        room = np.empty(columns, dtype=np.float32)
        shares = (*along.arguments, *down.arguments)
        _AREA(picture, stride(picture), before[1], *shares, rows, columns, room, result)
        return result
    resized = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.float32)


def shrunk_codes(rgb: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Make a picture of 8-bit colours smaller by averaging its codes over area.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    rows, columns : int

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    before = rgb.shape[0], rgb.shape[1]
    if _CODES is not None and _shrinks_unevenly(before, (rows, columns)):
        along, down = _shares(before[1], columns), _shares(before[0], rows)
        wide = along.weight.shape[1]
        result = np.empty((rows, columns, 3), dtype=np.uint8)
        room = np.empty(8 * columns + 3 * (before[1] + wide) + 4, dtype=np.float32)
        shares = (*along.arguments, *down.arguments)
        _CODES(rgb, stride(rgb), before[1], *shares, rows, columns, room, result)
        return result
    resized = cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def resized_linear(picture: F32, rows: int, columns: int) -> F32:
    """Resize by bilinear interpolation: right for making pictures larger."""
    if picture.shape[:2] == (rows, columns):
        return picture
    resized = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)


def resized_above(
    mask: NDArray[np.bool_], rows: int, columns: int, *, share: float
) -> NDArray[np.bool_]:
    """Resize a mask by bilinear interpolation: where it then covers more than ``share``."""
    if mask.shape == (rows, columns):
        return mask.astype(np.float32) > share
    if _ABOVE is None:
        return resized_linear(mask.astype(np.float32), rows, columns) > share
    places = (*linear_places(mask.shape[1], columns), *linear_places(mask.shape[0], rows))
    room = np.empty(2 * columns, dtype=np.float32)
    larger = np.empty((rows, columns), dtype=bool)
    _ABOVE(mask, stride(mask), *places, rows, columns, mask.shape[1], share, room, larger)
    return larger


def resized_nearest(picture: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Resize codes or masks without mixing them."""
    if picture.shape[:2] == (rows, columns):
        return picture
    resized = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, dtype=np.uint8)
