"""Valleys of luminance: the contrast of the best line through each pixel of a layer.

A line is a valley with two shoulders: at a point x with normal n and half-width d its
contrast is

    min(S(x + d n), S(x - d n)) - S(x),

S being 100·ln Y averaged along the line. Taking the smaller shoulder rejects the edges of
shadows and of the face, which have only one. Half-widths from 0.35 to 2 mm are each
searched at the coarsest level that resolves them, in `ORIENTATIONS` directions; regions
where lines usually run one way weigh the other directions down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.frame import atlas_mesh
from skinscan.metrics.maps import LevelMaps
from skinscan.native import BOOL, F32, I32, I64, INT, INT64, U8, kernel, stride
from skinscan.pixels import disc, gaussian, sampled
from skinscan.regions import line_directions, region_mask
from skinscan.resizing import linear_places, nearest_places, resized_linear, resized_nearest
from skinscan.skinmask import fill_outline, mirror_index

_SEARCH = kernel(
    "valleys_search",
    *(F32, F32, INT, INT64, INT, INT),  # picture, penalty, working area
    *(I64, F32, I64, INT, INT64),  # along the line, shoulders
    *(I32, INT, F32, INT64, INT, INT, INT),  # directions, weights, size of the tile
    *(I32, INT64, INT, F32),  # best so far, room
)
_UNPACK = kernel("valleys_unpack", I32, BOOL, INT64, F32, U8)
_KEEP = kernel(
    *("valleys_keep", F32, INT, U8, INT, I32, F32, I32, F32, I32, I32, INT, INT, INT),
    *(F32, U8, F32, U8),
)  # contrast, direction, places of both, size, whether it is theirs; room to work, best so far

#: Directions searched over 180°.
ORIENTATIONS = 12


@dataclass(frozen=True)
class Scale:
    """One half-width searched.

    ``level`` resolves it; on photos with less it is searched down to ``coarsest``.
    ``along_mm`` is the averaging length (sigma) along the line.
    """

    half_mm: float
    level: float
    coarsest: float
    along_mm: float


SCALES = (
    Scale(2.0, 2.0, 2.0, 2.0),
    Scale(1.3, 2.0, 2.0, 2.0),
    Scale(0.8, 3.0, 2.0, 2.0),
    Scale(0.5, 3.0, 3.0, 1.2),
    Scale(0.35, 4.5, 4.5, 1.0),
)
#: Below this half-width a line without a usual direction is a hair, a pore row or noise.
_DIRECTED_ONLY_MM = 0.6
#: Rows and columns searched at a time: the working arrays stay in the processor's cache.
_TILE_ROWS, _TILE_COLUMNS = 128, 320
#: A direction that weighs less than this everywhere in a tile is not searched there.
_LEAST_WEIGHT = 0.02
#: Off the skin everything is darker than any skin by this many %.
_BARRED_PCT = np.float32(1e6)
_BARRED_OF_SKIN = np.where(np.arange(256) == 0, _BARRED_PCT, np.float32(0.0)).astype(np.float32)
#: What varies more slowly than this is light (Gaussian sigma); wider than for texture, because
#: the widest folds have shoulders 4 mm apart.
_BACKGROUND_MM = 4.0
#: Smoothing across the line before shoulders are compared, in mm and in px at least.
_ACROSS_MM, _ACROSS_PX = 0.12, 0.6
#: Weight of lines where no direction is usual.
_ANY_DIRECTION_WEIGHT = 0.5
#: Alae and sides of the nose (subject's right): their shadow edges look like folds.
_NOSE = (168, 193, 245, 188, 174, 217, 126, 209, 49, 129, 64, 98, 97, 2)


@dataclass(frozen=True, eq=False)
class Response:
    """Best contrast over directions at one half-width, on its own level."""

    contrast: NDArray[np.float32]
    direction: NDArray[np.uint8]


def best_of(responses: Sequence[Response], rows: int, columns: int) -> Response:
    """Take the best of several scales at each pixel, the first of equals.

    Parameters
    ----------
    responses : sequence of Response
        In ``rows`` x ``columns`` pixels or fewer.
    rows, columns : int

    Returns
    -------
    Response
        0 in both where no contrast is above 0.
    """
    best = np.zeros((rows, columns), dtype=np.float32)
    direction = np.zeros((rows, columns), dtype=np.uint8)
    for found in responses:
        (_keep if _KEEP is None else _compiled_keep)(found, best, direction)
    return Response(best, direction)


def _keep(found: Response, best: NDArray[np.float32], direction: NDArray[np.uint8]) -> None:
    """Put what is better than ``best`` there, and its direction."""
    contrast = resized_linear(found.contrast, *best.shape)
    better = cv2.compare(contrast, best, cv2.CMP_GT)
    cv2.copyTo(resized_nearest(found.direction, *best.shape), better, direction)
    np.maximum(best, contrast, out=best)


def _compiled_keep(
    found: Response, best: NDArray[np.float32], direction: NDArray[np.uint8]
) -> None:
    """Do what `_keep` does in one pass."""
    assert _KEEP is not None  # noqa: S101 - for mypy: `best_of` has asked
    (rows, columns), (high, wide) = best.shape, found.contrast.shape
    pictures = (found.contrast, stride(found.contrast), found.direction, stride(found.direction))
    between = (*linear_places(wide, columns), *linear_places(high, rows))
    near = (nearest_places(wide, columns), nearest_places(high, rows))
    room = (np.empty(2 * columns, dtype=np.float32), np.empty(2 * columns, dtype=np.uint8))
    same = best.shape == found.contrast.shape
    _KEEP(*pictures, *between, *near, rows, columns, same, *room, best, direction)


#: The philtrum: its ridges are anatomy, not lines.
_PHILTRUM = (97, 2, 326, 267, 0, 37)


@cache
def _lined_skin(level: float) -> NDArray[np.bool_]:
    """Where lines are looked for: not on the sides of the nose, not in the philtrum."""
    vertices = atlas_mesh().vertices_mm[:, :2]
    mirror = mirror_index()
    outline = list(_NOSE) + [int(mirror[i]) for i in reversed(_NOSE) if mirror[i] != i]
    grown = cv2.dilate(fill_outline(vertices[outline], level), disc(level))
    inside = np.asarray(grown, dtype=np.uint8) | fill_outline(vertices[list(_PHILTRUM)], level)
    keep = region_mask("nose_bridge", level) | region_mask("glabella", level)
    return np.asarray((inside == 0) | keep)


@dataclass(frozen=True, eq=False)
class _TilePlan:
    """What is searched in a tile: directions, their weights, and where any is worth searching.

    ``weights`` has the shape (directions, rows, columns).
    """

    directions: NDArray[np.int32]
    weights: NDArray[np.float32]
    searchable: NDArray[np.bool_]


@cache
def _tile_plan(level: float, top: int, left: int, *, directed_only: bool) -> _TilePlan:
    part = slice(top, top + _TILE_ROWS), slice(left, left + _TILE_COLUMNS)
    usual, spread = (values[part] for values in line_directions(level))
    allowed = _lined_skin(level)[part]
    directed = allowed & np.isfinite(usual)
    angle_there = usual[directed] % np.float32(180.0)
    half_spread = np.float32(0.5) * spread[directed]
    soft_edge = np.float32(0.3) * spread[directed]
    anywhere = 0.0 if directed_only else _ANY_DIRECTION_WEIGHT
    undirected = np.where(allowed & ~directed, np.float32(anywhere), np.float32(0.0))
    searchable = undirected >= _LEAST_WEIGHT
    directions, weights = [], []
    for k in range(ORIENTATIONS):
        turn = np.abs(np.float32(180.0 * k / ORIENTATIONS) - angle_there)
        away = np.minimum(turn, np.float32(180.0) - turn)
        beyond = np.maximum(away - half_spread, np.float32(0.0)) / soft_edge
        weight = undirected.copy()
        weight[directed] = np.exp(np.float32(-0.5) * beyond * beyond)
        worth = weight >= _LEAST_WEIGHT
        if worth.any():
            directions.append(k)
            weights.append(weight)
            searchable |= worth
    stacked = np.stack(weights) if weights else np.zeros((0, *allowed.shape), dtype=np.float32)
    return _TilePlan(np.array(directions, dtype=np.int32), stacked, searchable)


def _around(inside: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Rows and columns that enclose what is true."""
    down, across = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(down):
        return None
    return (
        slice(int(down[0]), int(down[-1]) + 1),
        slice(int(across[0]), int(across[-1]) + 1),
    )


def search_valleys(maps: LevelMaps, scales: Sequence[Scale]) -> list[Response]:
    """Find the best two-shouldered contrast over all directions.

    Parameters
    ----------
    maps : LevelMaps
    scales : sequence of Scale
        All with the same averaging length.

    Returns
    -------
    list of Response
        One for each scale, at the level of ``maps``.
    """
    layer = maps.layer
    level = layer.level_px_mm
    found = np.zeros((len(scales), *layer.skin.shape), dtype=np.int32)
    # The light is not divided out: beside the edge of a shadow that would raise a second shoulder.
    on_skin = layer.skin.view(np.uint8)
    flat = maps.illumination(_BACKGROUND_MM).copy()
    cv2.copyTo(layer.log_y, on_skin, flat)
    flat = gaussian(flat, max(_ACROSS_MM * level, _ACROSS_PX))
    directed_only = all(s.half_mm < _DIRECTED_ONLY_MM for s in scales)
    search = _TileSearch(
        scales=tuple(scales),
        level=level,
        signal=_framed(flat, _pad_px(scales, level), 0.0),
        barred=_framed(
            np.asarray(cv2.LUT(on_skin, _BARRED_OF_SKIN), dtype=np.float32),
            _pad_px(scales, level),
            float(_BARRED_PCT),
        ),
    )
    rows, columns = layer.skin.shape
    for top in range(0, rows, _TILE_ROWS):
        for left in range(0, columns, _TILE_COLUMNS):
            plan = _tile_plan(level, top, left, directed_only=directed_only)
            skin = layer.skin[top : top + _TILE_ROWS, left : left + _TILE_COLUMNS]
            seen = _around(skin & plan.searchable)
            if seen is not None:
                down, across = seen
                place = (
                    slice(top + down.start, top + down.stop),
                    slice(left + across.start, left + across.stop),
                )
                search.run(place, plan.directions, plan.weights[(slice(None), *seen)], found)
    return [_response(packed, layer.skin) for packed in found]


def _response(packed: NDArray[np.int32], skin: NDArray[np.bool_]) -> Response:
    if _UNPACK is None:
        contrast = np.where(skin, _value_of(packed), np.float32(0.0))
        return Response(contrast=contrast, direction=_direction_of(packed))
    found = Response(
        contrast=np.empty(packed.shape, dtype=np.float32),
        direction=np.empty(packed.shape, dtype=np.uint8),
    )
    _UNPACK(packed, np.ascontiguousarray(skin), packed.size, found.contrast, found.direction)
    return found


#: Positive floats sort like their bits read as integers, so a direction put in the last bits of a
#: contrast (less than 1 part in 500,000 of it) is kept by one maximum of integers.
_DIRECTION_BITS = 0xF


def _value_of(packed: NDArray[np.int32]) -> NDArray[np.float32]:
    return (packed & ~np.int32(_DIRECTION_BITS)).view(np.float32)


def _direction_of(packed: NDArray[np.int32]) -> NDArray[np.uint8]:
    return (packed & np.int32(_DIRECTION_BITS)).astype(np.uint8)


def _framed(picture: NDArray[np.float32], width_px: int, value: float) -> NDArray[np.float32]:
    sides = (width_px,) * 4
    framed = cv2.copyMakeBorder(picture, *sides, cv2.BORDER_CONSTANT, value=value)
    return np.asarray(framed, dtype=np.float32)


def _shoulder_px(scales: Sequence[Scale], level: float) -> int:
    return math.ceil(max(s.half_mm for s in scales) * level) + 1


def _pad_px(scales: Sequence[Scale], level: float) -> int:
    return _shoulder_px(scales, level) + math.ceil(2.0 * scales[0].along_mm * level) + 1


@dataclass(frozen=True)
class _Reach:
    """Where one direction looks, as whole (rows, columns) from a pixel.

    ``taps`` along the line, ``sides`` to the two shoulders of each scale.
    """

    taps: tuple[tuple[int, int], ...]
    sides: tuple[tuple[tuple[int, int], tuple[int, int]], ...]


@cache
def _reach(scales: tuple[Scale, ...], level: float, k: int) -> _Reach:
    angle = math.pi * k / ORIENTATIONS
    # Rows grow downwards, so a direction counter-clockwise on the face has dy < 0.
    ex, ey = math.cos(angle), -math.sin(angle)
    runs = [offset * scales[0].along_mm * level for offset, _ in _TAPS]
    across = [s.half_mm * level for s in scales]
    return _Reach(
        taps=tuple((round(run * ey), round(run * ex)) for run in runs),
        sides=tuple(
            ((round(d * ex), round(-d * ey)), (round(-d * ex), round(d * ey))) for d in across
        ),
    )


@cache
def _reaches(
    scales: tuple[Scale, ...], level: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All directions' `_Reach`: taps (directions, taps, 2), sides (directions, scales, 2, 2)."""
    reaches = [_reach(scales, level, k) for k in range(ORIENTATIONS)]
    return (
        np.array([reach.taps for reach in reaches], dtype=np.int64),
        np.array([reach.sides for reach in reaches], dtype=np.int64),
    )


@dataclass(frozen=True, eq=False)
class _TileSearch:
    """What every tile of one search shares."""

    scales: tuple[Scale, ...]
    level: float
    signal: NDArray[np.float32]
    barred: NDArray[np.float32]

    def run(
        self,
        tile: tuple[slice, slice],
        directions: NDArray[np.int32],
        weights: NDArray[np.float32],
        found: NDArray[np.int32],
    ) -> None:
        """Search one tile in some directions and keep what is better than before.

        ``found`` holds the best so far of each scale, shape (scales, rows, columns).
        """
        start = _pad_px(self.scales, self.level) - _shoulder_px(self.scales, self.level)
        corner = tile[0].start + start, tile[1].start + start
        best = found[(slice(None), *tile)]
        if _SEARCH is not None:
            self._compiled(_SEARCH, corner, directions, weights, best)
            return
        for k, weight in zip(directions.tolist(), weights, strict=True):
            self._plain(corner, k, weight, best)

    def _compiled(
        self,
        search: Callable[..., None],
        corner: tuple[int, int],
        directions: NDArray[np.int32],
        weights: NDArray[np.float32],
        best: NDArray[np.int32],
    ) -> None:
        shoulder = _shoulder_px(self.scales, self.level)
        height, width = weights.shape[1:]
        rows, columns = height + 2 * shoulder, width + 2 * shoulder
        padded = stride(self.signal)
        taps, sides = _reaches(self.scales, self.level)
        search(
            self.signal,
            self.barred,
            padded,
            corner[0] * padded + corner[1],
            rows,
            columns,
            taps @ np.array([padded, 1]),
            _WEIGHTS,
            sides @ np.array([columns, 1]),
            len(self.scales),
            shoulder * (columns + 1),
            directions,
            len(directions),
            weights,
            weights.strides[0] // weights.itemsize,
            weights.strides[1] // weights.itemsize,
            height,
            width,
            best,
            best.strides[0] // best.itemsize,
            stride(best[0]),
            np.empty((rows, columns), dtype=np.float32),
        )

    def _plain(
        self,
        corner: tuple[int, int],
        k: int,
        weight: NDArray[np.float32],
        best: NDArray[np.int32],
    ) -> None:
        reach, shoulder = _reach(self.scales, self.level, k), _shoulder_px(self.scales, self.level)
        height, width = weight.shape
        rows, columns = height + 2 * shoulder, width + 2 * shoulder
        along = np.empty((rows, columns), dtype=np.float32)
        contrast = np.empty((height, width), dtype=np.float32)
        bits = contrast.view(np.int32)
        for n, ((down, right), (_, tap)) in enumerate(zip(reach.taps, _TAPS, strict=True)):
            row, column = corner[0] + down, corner[1] + right
            moved = self.signal[row : row + rows, column : column + columns]
            if n == 0:
                np.multiply(moved, np.float32(tap), out=along)
            else:
                cv2.scaleAdd(moved, tap, along, along)

        def side(down: int, right: int) -> NDArray[np.float32]:
            row, column = shoulder + down, shoulder + right
            return along[row : row + height, column : column + width]

        # A shoulder off the skin is no shoulder.
        barred = self.barred[corner[0] : corner[0] + rows, corner[1] : corner[1] + columns]
        np.subtract(along, barred, out=along)
        for (one, other), kept in zip(reach.sides, best, strict=True):
            np.minimum(side(*one), side(*other), out=contrast)
            # Off the skin itself the difference is meaningless; it is cleared afterwards.
            np.subtract(contrast, side(0, 0), out=contrast)
            np.multiply(contrast, weight, out=contrast)
            np.bitwise_and(bits, ~np.int32(_DIRECTION_BITS), out=bits)
            np.bitwise_or(bits, np.int32(k), out=bits)
            np.maximum(kept, bits, out=kept)


def _gaussian_taps(count: int) -> tuple[tuple[float, float], ...]:
    """Positions in sigmas and weights of a Gaussian mean of ``count`` samples."""
    at = np.linspace(-2.0, 2.0, count)
    weight = np.exp(-0.5 * at**2)
    return tuple(zip(at.tolist(), (weight / weight.sum()).tolist(), strict=True))


_TAPS = _gaussian_taps(9)
_WEIGHTS = np.array([tap for _, tap in _TAPS], dtype=np.float32)


def crests(
    contrast: NDArray[np.float32], direction: NDArray[np.uint8], *, above: float
) -> NDArray[np.bool_]:
    """Pixels above a contrast that are no less than their neighbours across the line."""
    rows, columns = np.divmod(np.flatnonzero(contrast > above), contrast.shape[1])
    ridge = np.zeros(contrast.shape, dtype=bool)
    if not len(rows):
        return ridge
    angle = direction[rows, columns] * (math.pi / ORIENTATIONS)
    step = np.column_stack([np.sin(angle), np.cos(angle)])[:, None, :]
    here = np.column_stack([columns, rows])[:, None, :]
    value = contrast[rows, columns]
    crest = (value >= _looked_up(contrast, here + step)) & (
        value >= _looked_up(contrast, here - step)
    )
    ridge[rows[crest], columns[crest]] = True
    return ridge


def _looked_up(picture: NDArray[np.float32], points_px: NDArray[np.float64]) -> NDArray[np.float32]:
    """Interpolate at a long list of points, shape (n, 1, 2) -> (n,)."""
    return sampled(picture, points_px, outside=0.0)[:, 0]
