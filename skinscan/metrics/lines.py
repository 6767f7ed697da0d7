"""Lines of the skin: where they run, how deep their contrast is, how wide they are.

A line is a valley of luminance with two shoulders: at a point x with normal n and
half-width d its contrast is

    min(S(x + d n), S(x - d n)) - S(x),

S being 100·ln Y averaged along the line. Taking the smaller shoulder rejects the edges of
shadows and of the face, which have only one. Half-widths from 0.3 to 2 mm are each
searched at the coarsest level that resolves them, in `ORIENTATIONS` directions; regions
where lines usually run one way weigh the other directions down. Then non-maximum
suppression, hysteresis, linking of what continues, and measurement across the line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from skinscan.frame import (
    atlas_mesh,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.metrics.maps import FaceMaps, LevelMaps, masked_blur
from skinscan.pixels import (
    disc,
    gaussian,
    resized_area,
    resized_linear,
    resized_nearest,
    sampled,
)
from skinscan.regions import line_directions, region_mask, regions
from skinscan.skinmask import fill_outline, mirror_index

#: Directions searched over 180°.
ORIENTATIONS = 12
@dataclass(frozen=True)
class _Scale:
    """One half-width searched.

    ``level`` resolves it; on photos with less it is searched down to ``coarsest``.
    ``along_mm`` is the averaging length (sigma) along the line.
    """

    half_mm: float
    level: float
    coarsest: float
    along_mm: float


_SCALES = (
    _Scale(2.0, 2.0, 2.0, 2.0),
    _Scale(1.3, 2.0, 2.0, 2.0),
    _Scale(0.8, 3.0, 2.0, 2.0),
    _Scale(0.5, 4.5, 3.0, 1.2),
    _Scale(0.3, 6.0, 6.0, 0.9),
)
#: Below this half-width a line without a usual direction is a hair, a pore row or noise.
_DIRECTED_ONLY_MM = 0.4
#: Rows and columns searched at a time: the working arrays stay in the processor's cache.
_TILE_ROWS, _TILE_COLUMNS = 48, 192
#: A direction that weighs less than this everywhere in a tile is not searched there.
_LEAST_WEIGHT = 0.02
#: Smoothing across the line before shoulders are compared, in mm and in px at least.
_ACROSS_MM, _ACROSS_PX = 0.12, 0.6
#: Weight of lines where no direction is usual.
_ANY_DIRECTION_WEIGHT = 0.5
#: Contrast at which a line starts and continues, in multiples of the skin's own grain.
_START_GRAINS, _CONTINUE_GRAINS = 4.0, 2.4
#: Finest level on which lines are traced; finer levels would not move them.
_TRACE_LEVEL = 4.5
#: Pieces are joined across gaps up to this, when they continue each other within the angle.
_GAP_MM, _GAP_DEG = 3.0, 30.0
#: Ends this close touch; their gap has no direction.
_TOUCHING_MM = 0.75
#: Shorter pieces are pores, hairs and noise.
_SHORTEST_MM = 6.0
#: Limit between fine lines, wrinkles and folds, width in mm.
FINE_BELOW_MM, FOLD_FROM_MM = 0.5, 2.0

#: Alae and sides of the nose (subject's right): their shadow edges look like folds.
_NOSE = (168, 193, 245, 188, 174, 217, 126, 209, 49, 129, 64, 98, 97, 2)


@dataclass(frozen=True, eq=False)
class Line:
    """One line on the FaceMap.

    Attributes
    ----------
    points_mm : ndarray of float64, shape (N, 2)
        Centreline in canonical mm.
    region : str
        Region that holds most of it, or the nearest one.
    length_mm : float
    contrast_pct : float
        Mean contrast of the centre against the fainter shoulder, 100·Δln Y.
    width_mm : float
        Full width at half of the contrast.
    """

    points_mm: NDArray[np.float64]
    region: str
    length_mm: float
    contrast_pct: float
    width_mm: float


@dataclass(frozen=True, eq=False)
class LevelLines:
    """Lines at one level.

    Attributes
    ----------
    lines : tuple of Line
    valley : ndarray of float32, shape ``map_size(level)``
        Contrast in % of the best line through each pixel, before any threshold.
    valley_level_px_mm : float
        Level of ``valley``.
    """

    lines: tuple[Line, ...]
    valley: NDArray[np.float32]
    valley_level_px_mm: float

    @cached_property
    def _steps(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Flat map index, line and length in mm of every step of every line."""
        rows, columns = map_size(self.valley_level_px_mm)
        index, owner, length = [], [], []
        for i, line in enumerate(self.lines):
            middle = 0.5 * (line.points_mm[1:] + line.points_mm[:-1])
            px = np.round(mm_to_map_px(middle, self.valley_level_px_mm)).astype(np.intp)
            u, v = np.clip(px[:, 0], 0, columns - 1), np.clip(px[:, 1], 0, rows - 1)
            index.append(v * columns + u)
            owner.append(np.full(len(u), i, dtype=np.intp))
            length.append(np.hypot(*np.diff(line.points_mm, axis=0).T))
        if not index:
            none = np.zeros(0, dtype=np.intp)
            return none, none, np.zeros(0)
        return np.concatenate(index), np.concatenate(owner), np.concatenate(length)

    def lengths_inside(self, region: str) -> NDArray[np.float64]:
        """Length in mm of each line inside a region, shape (number of lines,)."""
        index, owner, length = self._steps
        inside = region_mask(region, self.valley_level_px_mm).ravel()[index]
        return np.bincount(owner[inside], weights=length[inside], minlength=len(self.lines))

    def mask(self, level: float, *, margin_mm: float) -> NDArray[np.bool_]:
        """Pixels within a line's width plus ``margin_mm``, shape ``map_size(level)``."""
        canvas = np.zeros(map_size(level), dtype=np.uint8)
        shift = 4
        for line in self.lines:
            thick = max(1, round((line.width_mm + 2.0 * margin_mm) * level))
            px = np.round(mm_to_map_px(line.points_mm, level) * 2**shift).astype(np.int32)
            cv2.polylines(canvas, [px], False, 1, thickness=thick, shift=shift)
        return np.asarray(canvas > 0)


@dataclass(frozen=True, eq=False)
class _Response:
    """Best contrast over directions at one half-width, on its own level."""

    contrast: NDArray[np.float32]
    direction: NDArray[np.uint8]


@cache
def _outside_nose(level: float) -> NDArray[np.bool_]:
    vertices = atlas_mesh().vertices_mm[:, :2]
    mirror = mirror_index()
    outline = list(_NOSE) + [int(mirror[i]) for i in reversed(_NOSE) if mirror[i] != i]
    inside = cv2.dilate(fill_outline(vertices[outline], level), disc(level))
    keep = region_mask("nose_bridge", level) | region_mask("glabella", level)
    return np.asarray((inside == 0) | keep)


@cache
def _direction_weights(level: float, *, directed_only: bool) -> NDArray[np.float32]:
    """Weight of each direction at each pixel, shape (ORIENTATIONS, rows, columns)."""
    usual, spread = line_directions(level)
    result = np.empty((ORIENTATIONS, *map_size(level)), dtype=np.float32)
    allowed = _outside_nose(level)
    anywhere = 0.0 if directed_only else _ANY_DIRECTION_WEIGHT
    for k in range(ORIENTATIONS):
        angle = 180.0 * k / ORIENTATIONS
        away = np.abs((angle - usual + 90.0) % 180.0 - 90.0)
        beyond = np.maximum(away - 0.5 * spread, 0.0) / (0.3 * spread)
        weight = np.where(np.isnan(usual), anywhere, np.exp(-0.5 * beyond**2))
        result[k] = np.where(allowed, weight, 0.0)
    result.flags.writeable = False
    return result


@cache
def _nearest_region(level: float) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Index of the region at, or nearest to, each pixel."""
    names = tuple(r.name for r in regions().values() if r.part_of is None)
    index = np.full(map_size(level), -1, dtype=np.int32)
    for i, name in enumerate(names):
        index[region_mask(name, level)] = i
    _, labels = cv2.distanceTransformWithLabels(
        (index < 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(int(labels.max()) + 1, dtype=np.int32)
    lookup[labels[index >= 0]] = index[index >= 0]
    return np.asarray(lookup[labels], dtype=np.int32), names


def _search(maps: LevelMaps, scales: Sequence[_Scale]) -> list[_Response]:
    """Best two-shouldered contrast over all directions, for scales of one averaging length."""
    layer = maps.layer
    level = layer.level_px_mm
    found = [
        _Response(
            np.zeros(layer.skin.shape, dtype=np.float32), np.zeros(layer.skin.shape, dtype=np.uint8)
        )
        for _ in scales
    ]
    mean = masked_blur(layer.log_y, layer.skin, 4.0 * level)
    flat = np.where(layer.skin, layer.log_y - mean, np.float32(0.0))
    flat = gaussian(flat, max(_ACROSS_MM * level, _ACROSS_PX))
    search = _TileSearch(
        scales=scales,
        level=level,
        weights=_direction_weights(
            level, directed_only=all(s.half_mm < _DIRECTED_ONLY_MM for s in scales)
        ),
        signal=np.pad(flat, _pad_px(scales, level)),
        off_skin=np.pad(~layer.skin, _pad_px(scales, level), constant_values=True),
    )
    rows, columns = layer.skin.shape
    for top in range(0, rows, _TILE_ROWS):
        for left in range(0, columns, _TILE_COLUMNS):
            tile = (slice(top, min(top + _TILE_ROWS, rows)), slice(left, left + _TILE_COLUMNS))
            if layer.skin[tile].any():
                search.run(tile, found)
    for response in found:
        response.contrast[~layer.skin] = 0.0
    return found


def _shoulder_px(scales: Sequence[_Scale], level: float) -> int:
    return math.ceil(max(s.half_mm for s in scales) * level) + 1


def _pad_px(scales: Sequence[_Scale], level: float) -> int:
    return _shoulder_px(scales, level) + math.ceil(2.0 * scales[0].along_mm * level) + 1


@dataclass(frozen=True, eq=False)
class _TileSearch:
    """What every tile of one search shares."""

    scales: Sequence[_Scale]
    level: float
    weights: NDArray[np.float32]
    signal: NDArray[np.float32]
    off_skin: NDArray[np.bool_]

    def run(self, tile: tuple[slice, slice], found: Sequence[_Response]) -> None:
        """Search one tile and keep what is better than before."""
        level = self.level
        shoulder = _shoulder_px(self.scales, level)
        weights = self.weights[:, tile[0], tile[1]]
        height, width = weights.shape[1:]
        grown = (height + 2 * shoulder, width + 2 * shoulder)
        start = _pad_px(self.scales, level) - shoulder
        row0, column0 = tile[0].start + start, tile[1].start + start
        blocked = self.off_skin[row0 : row0 + grown[0], column0 : column0 + grown[1]]
        along = np.empty(grown, dtype=np.float32)
        contrast = np.empty((height, width), dtype=np.float32)

        def side(dx: float, dy: float) -> NDArray[np.float32]:
            row, column = shoulder + round(dy), shoulder + round(dx)
            return along[row : row + height, column : column + width]

        for k in range(ORIENTATIONS):
            if weights[k].max() < _LEAST_WEIGHT:
                continue
            angle = math.pi * k / ORIENTATIONS
            # Rows grow downwards, so a direction counter-clockwise on the face has dy < 0.
            ex, ey = math.cos(angle), -math.sin(angle)
            along.fill(0.0)
            for offset, tap in _TAPS:
                run = offset * self.scales[0].along_mm * level
                row, column = row0 + round(run * ey), column0 + round(run * ex)
                moved = self.signal[row : row + grown[0], column : column + grown[1]]
                cv2.scaleAdd(moved, tap, along, along)
            # A shoulder off the skin is no shoulder.
            np.copyto(along, np.float32(-1e6), where=blocked)
            centre = side(0.0, 0.0)
            for response, scale in zip(found, self.scales, strict=True):
                dx, dy = -ey * scale.half_mm * level, ex * scale.half_mm * level
                np.minimum(side(dx, dy), side(-dx, -dy), out=contrast)
                np.subtract(contrast, centre, out=contrast)
                # Off the skin itself the difference is meaningless; it is cleared afterwards.
                np.multiply(contrast, weights[k], out=contrast)
                best = response.contrast[tile]
                better = contrast > best
                np.copyto(best, contrast, where=better)
                np.copyto(response.direction[tile], np.uint8(k), where=better)


def _gaussian_taps(count: int) -> tuple[tuple[float, float], ...]:
    """Positions in sigmas and weights of a Gaussian mean of ``count`` samples."""
    at = np.linspace(-2.0, 2.0, count)
    weight = np.exp(-0.5 * at**2)
    return tuple(zip(at.tolist(), (weight / weight.sum()).tolist(), strict=True))


_TAPS = _gaussian_taps(9)


def _ridge(
    contrast: NDArray[np.float32],
    direction: NDArray[np.uint8],
    *,
    start: float,
    go_on: float,
) -> NDArray[np.bool_]:
    """Crests of the contrast above ``go_on`` that reach ``start`` somewhere (hysteresis)."""
    rows, columns = np.nonzero(contrast > go_on)
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
    _, pieces = cv2.connectedComponents(ridge.astype(np.uint8), connectivity=8)
    label = pieces[rows[crest], columns[crest]]
    peak = np.zeros(int(label.max(initial=0)) + 1, dtype=np.float32)
    np.maximum.at(peak, label, value[crest])
    ridge[rows[crest], columns[crest]] = peak[label] > start
    return ridge


def _looked_up(picture: NDArray[np.float32], points_px: NDArray[np.float64]) -> NDArray[np.float32]:
    """Interpolate at a long list of points, shape (n, 1, 2) -> (n,)."""
    # cv2.remap takes at most 32767 rows.
    return np.concatenate(
        [
            sampled(picture, points_px[i : i + 30000], outside=0.0)[:, 0]
            for i in range(0, len(points_px), 30000)
        ]
    )


def _paths(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Split a thin mask at its branchings into ordered pixel paths (column, row)."""
    thin = skeletonize(mask)
    rows, columns = np.nonzero(thin)
    pixels = set(zip(rows.tolist(), columns.tolist(), strict=True))

    def around(p: tuple[int, int]) -> list[tuple[int, int]]:
        r, c = p
        straight = [q for q in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)) if q in pixels]
        # A diagonal step that a straight one already makes is no branch.
        diagonal = [
            (r + dr, c + dc)
            for dr in (-1, 1)
            for dc in (-1, 1)
            if (r + dr, c + dc) in pixels and (r + dr, c) not in pixels and (r, c + dc) not in pixels
        ]
        return straight + diagonal

    near = {p: around(p) for p in pixels}
    nodes = [p for p in sorted(pixels) if len(near[p]) != 2]
    visited: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    used: set[tuple[int, int]] = set()
    paths = []

    def walk(first: tuple[int, int], second: tuple[int, int]) -> list[tuple[int, int]]:
        path = [first, second]
        while len(near[path[-1]]) == 2:
            a, b = near[path[-1]]
            following = b if a == path[-2] else a
            if following == path[0]:
                break
            path.append(following)
        return path

    for node in nodes:
        for neighbour in near[node]:
            if (node, neighbour) in visited:
                continue
            path = walk(node, neighbour)
            visited.update([(path[0], path[1]), (path[-1], path[-2])])
            used.update(path)
            paths.append(path)
    for pixel in sorted(pixels - used):
        if pixel not in used and near[pixel]:
            path = walk(pixel, near[pixel][0])
            used.update(path)
            paths.append(path)
    return [np.array([(c, r) for r, c in path], dtype=np.float64) for path in paths]


def _heading(points: NDArray[np.float64], *, at_start: bool) -> NDArray[np.float64]:
    """Unit vector that leaves the line at one of its ends."""
    span = min(len(points) - 1, 12)
    vector = points[0] - points[span] if at_start else points[-1] - points[-1 - span]
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-9))


def _join(paths: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Join pieces, in mm, whose ends face each other across a small gap, best pairs first."""
    pieces = [p for p in paths if len(p) > 1]
    if len(pieces) < 2:  # noqa: PLR2004
        return pieces
    limit = math.cos(math.radians(_GAP_DEG))
    # End 2 i is the start of piece i, end 2 i + 1 its finish.
    position = np.array([p[e] for p in pieces for e in (0, -1)])
    heading = np.array([_heading(p, at_start=s) for p in pieces for s in (True, False)])
    pairs = cKDTree(position).query_pairs(_GAP_MM, output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    gap = position[b] - position[a]
    distance = np.hypot(gap[:, 0], gap[:, 1])
    toward = gap / np.maximum(distance, 1e-9)[:, None]
    facing = -(heading[a] * heading[b]).sum(axis=1)
    touching = distance < _TOUCHING_MM
    good = (a // 2 != b // 2) & (facing > limit)
    good &= touching | ((heading[a] * toward).sum(axis=1) > limit)
    good &= touching | ((heading[b] * -toward).sum(axis=1) > limit)
    cost = distance + 3.0 * (1.0 - facing)
    partner: dict[int, int] = {}
    chain = list(range(len(pieces)))

    def root(i: int) -> int:
        while chain[i] != i:
            i = chain[i]
        return i

    for n in np.argsort(cost, kind="stable"):
        one, other = int(a[n]), int(b[n])
        if not good[n] or one in partner or other in partner:
            continue
        if root(one // 2) == root(other // 2):
            continue
        partner[one], partner[other] = other, one
        chain[root(one // 2)] = root(other // 2)
    joined = []
    for end in range(2 * len(pieces)):
        if end in partner or (end ^ 1) not in partner:
            continue
        # ``end`` is the loose end of a chain: follow it to the other one.
        parts, at = [], end
        while True:
            piece = pieces[at // 2]
            parts.append(piece if at % 2 == 0 else piece[::-1])
            if at ^ 1 not in partner:
                break
            at = partner[at ^ 1]
        if end < at ^ 1:
            joined.append(np.vstack(parts))
    alone = [p for i, p in enumerate(pieces) if 2 * i not in partner and 2 * i + 1 not in partner]
    return joined + alone


def _resample(points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Points at equal distances along a smoothed polyline."""
    smooth = points.copy()
    if len(points) > 4:
        smooth = uniform_filter1d(points, 5, axis=0, mode="nearest")
        smooth[0], smooth[-1] = points[0], points[-1]
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(smooth, axis=0).T))])
    if run[-1] <= 0:
        return smooth[:1]
    at = np.linspace(0.0, run[-1], max(2, round(run[-1] / step) + 1))
    return np.column_stack([np.interp(at, run, smooth[:, 0]), np.interp(at, run, smooth[:, 1])])


_PROFILE_MM = np.arange(-3.0, 3.0001, 0.1)
#: A line's centre is looked for this close to its traced course, its shoulders within reach.
_CENTRE_MM, _REACH_MM = 0.5, 2.2
#: Distance between the points of a line, and the length over which profiles are averaged.
_STEP_MM, _PROFILE_RUN_MM = 0.5, 3.0


def _running_mean(
    values: NDArray[np.float64], first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Mean of rows ``first`` to ``last`` (exclusive), for each row."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray((total[last] - total[first]) / (last - first)[:, None])


def _measured(
    pieces: Sequence[NDArray[np.float64]], maps: LevelMaps
) -> list[tuple[NDArray[np.float64], float, float]]:
    """Sub-pixel centreline, contrast in % and width in mm of each piece."""
    if not pieces:
        return []
    sizes = np.array([len(p) for p in pieces])
    ends = np.cumsum(sizes)
    begins = ends - sizes
    points = np.vstack(pieces)
    index = np.arange(len(points))
    begin, end = np.repeat(begins, sizes), np.repeat(ends, sizes)

    def window(half: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return np.maximum(index - half, begin), np.minimum(index + half + 1, end)

    first, last = window(2)
    tangent = points[last - 1] - points[first]
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    at = points[:, None, :] + _PROFILE_MM[None, :, None] * normal[:, None, :]
    px = mm_to_map_px(at, maps.layer.level_px_mm)
    seen = np.vstack(
        [sampled(maps.skin_weight, px[i : i + 30000], outside=0.0) for i in range(0, len(px), 30000)]
    )
    raw = np.vstack(
        [sampled(maps.layer.log_y, px[i : i + 30000]) for i in range(0, len(px), 30000)]
    ).astype(np.float64)
    first, last = window(round(0.5 * _PROFILE_RUN_MM / _STEP_MM))
    weight = np.where(seen > 0.99, 1.0, 1e-6)  # noqa: PLR2004
    profile = _running_mean(raw * weight, first, last) / _running_mean(weight, first, last)

    middle = np.abs(_PROFILE_MM) <= _CENTRE_MM
    lowest = np.argmin(np.where(middle, profile, np.inf), axis=1)
    centre_mm = _PROFILE_MM[lowest]
    offset = _running_mean(centre_mm[:, None], first, last)
    centred = points + offset * normal
    floor = profile[index, lowest]
    away = _PROFILE_MM[None, :] - centre_mm[:, None]
    left = (away < 0) & (away >= -_REACH_MM)
    right = (away > 0) & (away <= _REACH_MM)
    depth = (
        np.minimum(
            np.where(left, profile, -np.inf).max(axis=1),
            np.where(right, profile, -np.inf).max(axis=1),
        )
        - floor
    )
    above = (profile - floor[:, None]) >= 0.5 * np.maximum(depth, 1e-6)[:, None]
    near_left = np.where(left & above, away, -np.inf).max(axis=1)
    near_right = np.where(right & above, away, np.inf).min(axis=1)
    # The half-height crossing lies between two samples, on average half a sample inside.
    width = near_right - near_left - (_PROFILE_MM[1] - _PROFILE_MM[0])
    usable = np.isfinite(width) & (depth > 0)
    result = []
    for a, b in zip(begins.tolist(), ends.tolist(), strict=True):
        good = usable[a:b]
        if good.any():
            result.append(
                (
                    centred[a:b],
                    float(depth[a:b][good].mean()),
                    float(np.median(width[a:b][good])),
                )
            )
        else:
            result.append((centred[a:b], 0.0, 0.0))
    return result


def _length(points: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _trace(
    contrast: NDArray[np.float32],
    direction: NDArray[np.uint8],
    *,
    level: float,
    grain_pct: float,
    maps: LevelMaps,
) -> tuple[Line, ...]:
    mask = _ridge(
        contrast,
        direction,
        start=_START_GRAINS * grain_pct,
        go_on=_CONTINUE_GRAINS * grain_pct,
    )
    joined = [
        _resample(piece, _STEP_MM)
        for piece in _join([map_px_to_mm(path, level) for path in _paths(mask)])
    ]
    pieces = [p for p in joined if _length(p) >= _SHORTEST_MM]
    nearest, names = _nearest_region(level)
    rows, columns = nearest.shape
    lines = []
    for centred, depth, width in _measured(pieces, maps):
        if depth <= 0:
            continue
        px = np.round(mm_to_map_px(centred, level)).astype(int)
        u, v = np.clip(px[:, 0], 0, columns - 1), np.clip(px[:, 1], 0, rows - 1)
        region = names[int(np.bincount(nearest[v, u]).argmax())]
        lines.append(Line(centred, region, _length(centred), depth, width))
    lines.sort(key=lambda line: -line.contrast_pct * line.length_mm)
    return tuple(lines)


def find_lines(faces: FaceMaps) -> Mapping[float, LevelLines]:
    """Find the lines at every level of a face.

    Parameters
    ----------
    faces : FaceMaps

    Returns
    -------
    Mapping[float, LevelLines]
        By level in px/mm.
    """
    available = sorted(faces.levels)
    responses: dict[tuple[_Scale, float], _Response] = {}

    def respond(plan: Sequence[tuple[_Scale, float]]) -> None:
        missing = [(scale, level) for scale, level in plan if (scale, level) not in responses]
        for level, along in sorted({(level, scale.along_mm) for scale, level in missing}):
            scales = [s for s, lv in missing if lv == level and s.along_mm == along]
            for scale, found in zip(scales, _search(faces.levels[level], scales), strict=True):
                responses[scale, level] = found

    result: dict[float, LevelLines] = {}
    before: tuple[list[tuple[_Scale, float]], float] | None = None
    for limit in available:
        plan = [
            (scale, max(lv for lv in available if lv <= min(limit, scale.level)))
            for scale in _SCALES
            if scale.coarsest <= limit
        ]
        trace_level = max(lv for lv in available if lv <= min(limit, _TRACE_LEVEL))
        if before == (plan, trace_level):
            # This level adds pixels but no scale of lines.
            result[limit] = result[available[available.index(limit) - 1]]
            continue
        before = (plan, trace_level)
        respond(plan)
        result[limit] = _combined(plan, responses, trace_level, faces)
    return result


def _combined(
    plan: Sequence[tuple[_Scale, float]],
    responses: Mapping[tuple[_Scale, float], _Response],
    trace_level: float,
    faces: FaceMaps,
) -> LevelLines:
    """Take the best scale at each pixel and trace what stands out."""
    rows, columns = map_size(trace_level)
    best = np.zeros((rows, columns), dtype=np.float32)
    direction = np.zeros((rows, columns), dtype=np.uint8)
    for scale, searched in plan:
        found = responses[scale, searched]
        fit = resized_area if searched > trace_level else resized_linear
        contrast = fit(found.contrast, rows, columns)
        which = resized_nearest(found.direction, rows, columns)
        better = contrast > best
        np.copyto(best, contrast, where=better)
        np.copyto(direction, which, where=better)
    maps = faces.levels[trace_level]
    best[~maps.layer.skin] = 0.0
    return LevelLines(
        lines=_trace(best, direction, level=trace_level, grain_pct=faces.grain_pct, maps=maps),
        valley=best,
        valley_level_px_mm=trace_level,
    )
