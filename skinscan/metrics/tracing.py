"""From pixels that lie on crests to measured lines: thinning, linking, profiles across."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from skinscan.frame import mm_to_map_px
from skinscan.metrics.maps import LevelMaps
from skinscan.pixels import sampled

#: Distance between the points of a line.
STEP_MM = 0.5
#: Pieces are joined across gaps up to this, when they continue each other within the angle.
_GAP_MM, _GAP_DEG = 5.0, 30.0
#: Ends this close touch; their gap has no direction.
_TOUCHING_MM = 0.75


def length_mm(points: NDArray[np.float64]) -> float:
    """Length of a polyline, shape (N, 2)."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def pixel_paths(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Split a thin mask at its branchings into ordered pixel paths (column, row)."""
    thin: NDArray[np.bool_] = skeletonize(mask)
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
            if (r + dr, c + dc) in pixels
            and (r + dr, c) not in pixels
            and (r, c + dc) not in pixels
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
    """Return the unit vector that leaves the line at one of its ends."""
    span = min(len(points) - 1, 12)
    vector = points[0] - points[span] if at_start else points[-1] - points[-1 - span]
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-9))


def _matched_ends(pieces: Sequence[NDArray[np.float64]]) -> dict[int, int]:
    """Pair the ends that continue each other, best pairs first, without closing a ring.

    End 2 i is the start of piece i, end 2 i + 1 its finish.
    """
    limit = math.cos(math.radians(_GAP_DEG))
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
    return partner


def join_pieces(paths: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Join pieces, in mm, whose ends face each other across a small gap."""
    pieces = [p for p in paths if len(p) > 1]
    if len(pieces) < 2:
        return pieces
    partner = _matched_ends(pieces)
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


def resample(points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
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
#: Core and shoulders over which contrast is taken, in widths of the line from its centre; the
#: shoulders are at least this wide, and this share of them is skin.
_CORE_WIDTHS, _SHOULDER_WIDTHS = 0.15, (1.0, 1.6)
_SHOULDER_LEAST_MM, _SKIN_SHOULDER = 0.4, 0.5
#: Length over which profiles are averaged.
_PROFILE_RUN_MM = 6.0


def _running_mean(
    values: NDArray[np.float64], first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Mean of rows ``first`` to ``last`` (exclusive), for each row."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray((total[last] - total[first]) / (last - first)[:, None])


def _contrast(
    profile: NDArray[np.float64],
    from_centre: NDArray[np.float64],
    seen: NDArray[np.float32],
    width_mm: float,
) -> float:
    """Mean of the shoulders less the core, at places that the profile's own values do not choose.

    Taking the darkest core and the brightest shoulders would add the grain of the skin to
    every line, and a line that fades by 30 % would seem to fade by less.
    """
    near, far = min(_SHOULDER_WIDTHS[0] * width_mm, _REACH_MM), _SHOULDER_WIDTHS[1] * width_mm
    core = np.abs(from_centre) <= max(_CORE_WIDTHS * width_mm, _PROFILE_MM[1] - _PROFILE_MM[0])
    levels = []
    for side in (-from_centre, from_centre):
        shoulder = (side >= near) & (side <= max(far, near + _SHOULDER_LEAST_MM))
        # Beside the lips or the hair only one shoulder is skin.
        if shoulder.any() and seen[shoulder].mean() > _SKIN_SHOULDER:
            levels.append(profile[shoulder].mean())
    if not levels or not core.any():
        return 0.0
    return max(float(np.mean(levels) - profile[core].mean()), 0.0)


def measure_profiles(
    pieces: Sequence[NDArray[np.float64]], maps: LevelMaps
) -> list[tuple[NDArray[np.float64], float, float, float]]:
    """Measure each piece across its course.

    Parameters
    ----------
    pieces : sequence of ndarray of float64, shape (N, 2)
        Points in canonical mm, `STEP_MM` apart.
    maps : LevelMaps

    Returns
    -------
    list of tuple
        For each piece: sub-pixel centreline, contrast in %, width in mm, and the share
        of its length over which it is nearly as dark as at its darkest.
    """
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
    seen = sampled(maps.skin_weight, px, outside=0.0)
    raw = sampled(maps.layer.log_y, px).astype(np.float64)
    first, last = window(round(0.5 * _PROFILE_RUN_MM / STEP_MM))
    weight = np.where(seen > 0.99, 1.0, 1e-6)
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
    # Undistorted by the averaging along the line: dark here, or only nearby?
    short_first, short_last = window(1)
    local = _running_mean(raw * weight, short_first, short_last) / _running_mean(
        weight, short_first, short_last
    )
    shoulder = floor + depth
    local_depth = shoulder - np.where(middle, local, np.inf).min(axis=1)
    from_centre = _PROFILE_MM[None, :] - offset
    result = []
    for a, b in zip(begins.tolist(), ends.tolist(), strict=True):
        good = usable[a:b]
        if good.any():
            typical = float(np.median(width[a:b][good]))
            result.append(
                (
                    centred[a:b],
                    _contrast(profile[a:b], from_centre[a:b], seen[a:b], typical),
                    typical,
                    float(np.mean(local_depth[a:b] > 0.4 * np.percentile(local_depth[a:b], 90))),
                )
            )
        else:
            result.append((centred[a:b], 0.0, 0.0, 0.0))
    return result
