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
from scipy.ndimage import label, uniform_filter1d
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from skinscan.frame import (
    atlas_mesh,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.metrics.maps import FaceMaps, LevelMaps, masked_blur
from skinscan.regions import line_directions, region_mask, regions
from skinscan.skinmask import fill_outline, mirror_index

#: Directions searched over 180°.
ORIENTATIONS = 16
#: Half-widths in mm, each with the level that resolves it and the averaging length along the line.
_SCALES = (
    (2.0, 2.0, 2.0),
    (1.3, 2.0, 2.0),
    (0.8, 3.0, 2.0),
    (0.5, 4.5, 1.2),
    (0.3, 6.0, 0.9),
)
#: Rows searched at a time: the working arrays of a strip stay in the processor's cache.
_STRIP_ROWS = 48
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
            cv2.polylines(canvas, [px], False, 1, thickness=thick, shift=shift)  # type: ignore[call-overload]
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
    inside = cv2.dilate(
        fill_outline(vertices[outline], level),
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(level) + 1,) * 2),
    )
    keep = region_mask("nose_bridge", level) | region_mask("glabella", level)
    return np.asarray((inside == 0) | keep)


@cache
def _direction_weights(level: float) -> NDArray[np.float32]:
    """Weight of each direction at each pixel, shape (ORIENTATIONS, rows, columns)."""
    usual, spread = line_directions(level)
    result = np.empty((ORIENTATIONS, *map_size(level)), dtype=np.float32)
    allowed = _outside_nose(level)
    for k in range(ORIENTATIONS):
        angle = 180.0 * k / ORIENTATIONS
        away = np.abs((angle - usual + 90.0) % 180.0 - 90.0)
        beyond = np.maximum(away - 0.5 * spread, 0.0) / (0.3 * spread)
        weight = np.where(np.isnan(usual), _ANY_DIRECTION_WEIGHT, np.exp(-0.5 * beyond**2))
        result[k] = np.where(allowed, weight, 0.0)
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
    return lookup[labels], names


def _search(
    maps: LevelMaps, half_widths_mm: Sequence[float], along_mm: float
) -> list[_Response]:
    """Best two-shouldered contrast over all directions, for several half-widths."""
    layer = maps.layer
    level = layer.level_px_mm
    found = [
        _Response(
            np.zeros(layer.skin.shape, dtype=np.float32), np.zeros(layer.skin.shape, dtype=np.uint8)
        )
        for _ in half_widths_mm
    ]
    rows = np.nonzero(layer.skin.any(axis=1))[0]
    columns = np.nonzero(layer.skin.any(axis=0))[0]
    if not len(rows):
        return found
    mean = masked_blur(layer.log_y, layer.skin, 4.0 * level)
    flat = np.where(layer.skin, layer.log_y - mean, np.float32(0.0))
    sigma = max(_ACROSS_MM * level, _ACROSS_PX)
    flat = cv2.GaussianBlur(flat, (0, 0), sigma)

    shoulder = math.ceil(max(half_widths_mm) * level) + 1
    pad = shoulder + math.ceil(2.0 * along_mm * level) + 1
    signal = np.pad(flat, pad)
    off_skin = np.pad(~layer.skin, pad, constant_values=True)
    left, right = int(columns[0]), int(columns[-1]) + 1
    for top in range(int(rows[0]), int(rows[-1]) + 1, _STRIP_ROWS):
        window = (slice(top, min(top + _STRIP_ROWS, int(rows[-1]) + 1)), slice(left, right))
        _search_strip(signal, off_skin, window, half_widths_mm, along_mm, level, pad, found)
    for response in found:
        response.contrast[~layer.skin] = 0.0
    return found


def _search_strip(
    signal: NDArray[np.float32],
    off_skin: NDArray[np.bool_],
    window: tuple[slice, slice],
    half_widths_mm: Sequence[float],
    along_mm: float,
    level: float,
    pad: int,
    found: list[_Response],
) -> None:
    """Search one strip of rows, small enough for the processor's cache."""
    shoulder = math.ceil(max(half_widths_mm) * level) + 1
    height, width = window[0].stop - window[0].start, window[1].stop - window[1].start
    grown = (height + 2 * shoulder, width + 2 * shoulder)
    row0, column0 = window[0].start + pad - shoulder, window[1].start + pad - shoulder
    blocked = off_skin[row0 : row0 + grown[0], column0 : column0 + grown[1]]
    weights = _direction_weights(level)[:, window[0], window[1]]
    offsets = np.linspace(-2.0, 2.0, 9)
    taps = np.exp(-0.5 * offsets**2).astype(np.float32)
    taps /= taps.sum()
    along = np.empty(grown, dtype=np.float32)
    contrast = np.empty((height, width), dtype=np.float32)

    def side(dx: float, dy: float) -> NDArray[np.float32]:
        row, column = shoulder + round(dy), shoulder + round(dx)
        return along[row : row + height, column : column + width]

    for k in range(ORIENTATIONS):
        weight = weights[k]
        angle = math.pi * k / ORIENTATIONS
        # Rows grow downwards, so a direction counter-clockwise on the face has dy < 0.
        ex, ey = math.cos(angle), -math.sin(angle)
        along.fill(0.0)
        for offset, tap in zip(offsets * along_mm * level, taps, strict=True):
            row, column = row0 + round(offset * ey), column0 + round(offset * ex)
            moved = signal[row : row + grown[0], column : column + grown[1]]
            cv2.scaleAdd(moved, float(tap), along, along)
        # A shoulder off the skin is no shoulder.
        np.copyto(along, np.float32(-1e6), where=blocked)
        centre = side(0.0, 0.0)
        for response, half in zip(found, half_widths_mm, strict=True):
            dx, dy = -ey * half * level, ex * half * level
            np.minimum(side(dx, dy), side(-dx, -dy), out=contrast)
            np.subtract(contrast, centre, out=contrast)
            # Off the skin itself the difference is meaningless; it is cleared afterwards.
            np.multiply(contrast, weight, out=contrast)
            best = response.contrast[window]
            better = contrast > best
            np.copyto(best, contrast, where=better)
            np.copyto(response.direction[window], np.uint8(k), where=better)


def _best_level(wanted: float, available: Sequence[float], limit: float) -> float | None:
    """Level on which a scale is searched for results at ``limit``; None if unresolved."""
    if wanted <= limit:
        return wanted if wanted in available else None
    # The next coarser level still shows a line whose half-width is 1.6 px there.
    return limit if limit * 1.5 >= wanted else None


def _onto(picture: NDArray[np.float32], level: float, how: int) -> NDArray[np.float32]:
    rows, columns = map_size(level)
    if picture.shape == (rows, columns):
        return picture
    return np.asarray(cv2.resize(picture, (columns, rows), interpolation=how))


def _ridge(
    contrast: NDArray[np.float32], direction: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Pixels that are not exceeded by their neighbours across the line."""
    angle = direction.astype(np.float32) * np.float32(math.pi / ORIENTATIONS)
    nx, ny = np.sin(angle), np.cos(angle)
    rows, columns = contrast.shape
    yy, xx = np.mgrid[0:rows, 0:columns].astype(np.float32)
    one = cv2.remap(contrast, xx + nx, yy + ny, cv2.INTER_LINEAR)
    other = cv2.remap(contrast, xx - nx, yy - ny, cv2.INTER_LINEAR)
    return np.asarray((contrast >= one) & (contrast >= other) & (contrast > 0))


def _hysteresis(
    contrast: NDArray[np.float32], ridge: NDArray[np.bool_], *, start: float, go_on: float
) -> NDArray[np.bool_]:
    candidate = ridge & (contrast > go_on)
    pieces, count = label(candidate, structure=np.ones((3, 3)))
    peak = np.zeros(count + 1, dtype=np.float32)
    np.maximum.at(peak, pieces[candidate], contrast[candidate])
    keep = peak > start
    keep[0] = False
    return np.asarray(keep[pieces])


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


def _measure(
    points_mm: NDArray[np.float64], maps: LevelMaps
) -> tuple[NDArray[np.float64], float, float]:
    """Sub-pixel centreline, contrast in % and width in mm of one line."""
    level = maps.layer.level_px_mm
    tangent = np.gradient(points_mm, axis=0)
    tangent = uniform_filter1d(tangent, 5, axis=0, mode="nearest")
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    at = points_mm[:, None, :] + _PROFILE_MM[None, :, None] * normal[:, None, :]
    px = mm_to_map_px(at, level).astype(np.float32)
    skin = cv2.remap(
        maps.layer.skin.astype(np.float32), px, None, cv2.INTER_LINEAR, borderValue=0.0
    )
    profile = cv2.remap(
        maps.layer.log_y, px, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)
    spacing = float(np.hypot(*(points_mm[1] - points_mm[0])))
    run = max(1, round(3.0 / max(spacing, 1e-6)))
    weight = np.where(skin > 0.99, 1.0, 1e-6)
    profile = uniform_filter1d(profile * weight, run, axis=0, mode="nearest") / np.maximum(
        uniform_filter1d(weight, run, axis=0, mode="nearest"), 1e-9
    )
    middle = np.abs(_PROFILE_MM) <= 0.5
    lowest = np.argmin(np.where(middle, profile, np.inf), axis=1)
    offset = uniform_filter1d(_PROFILE_MM[lowest], run, mode="nearest")
    centred = points_mm + offset[:, None] * normal

    index = np.arange(len(profile))
    floor = profile[index, lowest]
    reach = np.abs(_PROFILE_MM[None, :] - _PROFILE_MM[lowest][:, None])
    left = (_PROFILE_MM[None, :] < _PROFILE_MM[lowest][:, None]) & (reach <= 2.2)
    right = (_PROFILE_MM[None, :] > _PROFILE_MM[lowest][:, None]) & (reach <= 2.2)
    depth = (
        np.minimum(
            np.where(left, profile, -np.inf).max(axis=1),
            np.where(right, profile, -np.inf).max(axis=1),
        )
        - floor
    )
    half = (profile - floor[:, None]) < 0.5 * np.maximum(depth, 1e-6)[:, None]
    above_left = np.where(left & ~half, _PROFILE_MM[None, :], -np.inf).max(axis=1)
    above_right = np.where(right & ~half, _PROFILE_MM[None, :], np.inf).min(axis=1)
    width = above_right - above_left - 0.1
    usable = np.isfinite(width) & (depth > 0)
    if not usable.any():
        return centred, 0.0, 0.0
    return centred, float(depth[usable].mean()), float(np.median(width[usable]))


def _trace(
    contrast: NDArray[np.float32],
    direction: NDArray[np.uint8],
    *,
    level: float,
    grain_pct: float,
    maps: LevelMaps,
) -> tuple[Line, ...]:
    mask = _hysteresis(
        contrast,
        _ridge(contrast, direction),
        start=_START_GRAINS * grain_pct,
        go_on=_CONTINUE_GRAINS * grain_pct,
    )
    pieces = _join([map_px_to_mm(path, level) for path in _paths(mask)])
    nearest, names = _nearest_region(level)
    lines = []
    for piece in pieces:
        points = _resample(piece, 0.5)
        if len(points) < 3:
            continue
        centred, depth, width = _measure(points, maps)
        length = float(np.hypot(*np.diff(centred, axis=0).T).sum())
        if length < _SHORTEST_MM or depth <= 0:
            continue
        px = np.round(mm_to_map_px(centred, level)).astype(int)
        rows, columns = nearest.shape
        u, v = np.clip(px[:, 0], 0, columns - 1), np.clip(px[:, 1], 0, rows - 1)
        region = names[int(np.bincount(nearest[v, u]).argmax())]
        lines.append(Line(centred, region, length, depth, width))
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
    responses: dict[tuple[float, float], _Response] = {}

    def respond(level: float, wanted: list[tuple[float, float]]) -> None:
        missing = [(h, a) for h, a in wanted if (h, level) not in responses]
        for along in sorted({a for _, a in missing}):
            halves = [h for h, a in missing if a == along]
            for half, found in zip(
                halves, _search(faces.levels[level], halves, along), strict=True
            ):
                responses[half, level] = found

    result = {}
    for limit in available:
        plan = [
            (half, searched, along)
            for half, wanted, along in _SCALES
            if (searched := _best_level(wanted, available, limit)) is not None
        ]
        for level in sorted({s for _, s, _ in plan}):
            respond(level, [(h, a) for h, s, a in plan if s == level])
        trace_level = min(limit, _TRACE_LEVEL)
        rows, columns = map_size(trace_level)
        best = np.zeros((rows, columns), dtype=np.float32)
        direction = np.zeros((rows, columns), dtype=np.uint8)
        for half, searched, _ in plan:
            found = responses[half, searched]
            how = cv2.INTER_AREA if searched > trace_level else cv2.INTER_LINEAR
            contrast = _onto(found.contrast, trace_level, how)
            which = cv2.resize(found.direction, (columns, rows), interpolation=cv2.INTER_NEAREST)
            better = contrast > best
            np.copyto(best, contrast, where=better)
            direction[better] = which[better]
        maps = faces.levels[trace_level]
        best[~maps.layer.skin] = 0.0
        result[limit] = LevelLines(
            lines=_trace(
                best, direction, level=trace_level, grain_pct=faces.grain_pct, maps=maps
            ),
            valley=best,
            valley_level_px_mm=trace_level,
        )
    return result

