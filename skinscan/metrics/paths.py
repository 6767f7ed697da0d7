"""Thin masks into ordered paths: pixels, their neighbours, and the ways along them."""

from __future__ import annotations

from itertools import chain

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from skinscan.frame import map_px_to_mm
from skinscan.native import I64, INT64, U8, kernel
from skinscan.pixels import bounds

_WALKS = kernel(
    "walks", I64, I64, I64, INT64, U8, U8, I64, I64, I64
)  # neighbours, their number, room for notes, ways

#: Row and column of the neighbours of a pixel: straight ones, then diagonal ones with the two
#: straight ones beside each.
_STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1))
_DIAGONAL = (((-1, -1), 0, 2), ((-1, 1), 0, 3), ((1, -1), 1, 2), ((1, 1), 1, 3))


def _neighbours(thin: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Find the 8 neighbours of each pixel, by number in raster order, and which of them are linked.

    Both of shape (n, 8).
    """
    padded = np.pad(thin, 1)
    at = np.flatnonzero(padded)
    number = np.full(padded.size, -1, dtype=np.intp)
    number[at] = np.arange(len(at))
    width = padded.shape[1]
    near = [number[at + dr * width + dc] for dr, dc in _STRAIGHT]
    linked = [n >= 0 for n in near]
    for (dr, dc), one, other in _DIAGONAL:
        near.append(number[at + dr * width + dc])
        # A diagonal step that a straight one already makes is no branch.
        linked.append((near[-1] >= 0) & ~linked[one] & ~linked[other])
    return np.stack(near, axis=1), np.stack(linked, axis=1)


def pixel_paths(mask: NDArray[np.bool_], level: float) -> list[NDArray[np.float64]]:
    """Split a thin mask at ``level`` at its branchings into ordered paths in canonical mm."""
    window = bounds(mask)
    if not mask[window].size:
        return []
    # Beyond what is set there is nothing to thin.
    thin: NDArray[np.bool_] = skeletonize(mask[window])
    row, column = np.nonzero(thin)
    row, column = row + window[0].start, column + window[1].start
    place = map_px_to_mm(np.column_stack([column, row]).astype(np.float64), level)
    neighbour, linked = _neighbours(thin)
    walk = _walks if _WALKS is None else _compiled_walks
    path, ends = walk(neighbour[linked], linked.sum(axis=1))
    return np.split(place[path], ends[:-1]) if len(ends) else []


def _walks(
    near: NDArray[np.intp], degree: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Walk every way between two branchings or ends once, then every ring.

    ``near`` lists the neighbours of pixel 0, then those of pixel 1 and so on, ``degree`` how many
    each has. The pixels of all ways one after the other, and where each way ends.
    """
    begin: list[int] = np.concatenate([[0], np.cumsum(degree)]).tolist()
    beside: list[int] = near.tolist()
    passed: list[bool] = (degree == 2).tolist()
    visited: set[tuple[int, int]] = set()
    used = [False] * len(passed)
    paths: list[list[int]] = []

    def walk(start: int, second: int) -> None:
        path = [start, second]
        before, here = start, second
        while passed[here]:
            at = begin[here]
            following = beside[at + 1] if beside[at] == before else beside[at]
            if following == start:
                break
            path.append(following)
            before, here = here, following
        for pixel in path:
            used[pixel] = True
        visited.update([(path[0], path[1]), (path[-1], path[-2])])
        paths.append(path)

    for node in np.flatnonzero(degree != 2).tolist():
        for following in beside[begin[node] : begin[node + 1]]:
            if (node, following) not in visited:
                walk(node, following)
    for pixel in np.flatnonzero(degree == 2).tolist():
        if not used[pixel]:
            walk(pixel, beside[begin[pixel]])
    ends = np.cumsum([len(path) for path in paths], dtype=np.int64)
    return np.array(list(chain.from_iterable(paths)), dtype=np.int64), ends


def _compiled_walks(
    near: NDArray[np.intp], degree: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Do what `_walks` does, in C."""
    assert _WALKS is not None  # noqa: S101 - for mypy: the caller has asked
    near, degree = near.astype(np.int64, copy=False), degree.astype(np.int64, copy=False)
    begin = np.cumsum(degree) - degree
    notes = np.zeros(len(near), dtype=np.uint8), np.zeros(len(degree), dtype=np.uint8)
    path, ends = np.empty(2 * len(near), dtype=np.int64), np.empty(len(near), dtype=np.int64)
    count = np.zeros(1, dtype=np.int64)
    _WALKS(near, begin, degree, len(degree), *notes, path, ends, count)
    ends = ends[: int(count[0])]
    return path[: int(ends[-1])] if len(ends) else path[:0], ends
