"""From pixels that lie on crests to measured lines: thinning, linking, profiles across."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from skinscan.frame import mm_to_map_px
from skinscan.metrics.maps import LevelMaps
from skinscan.native import BOOL, DOUBLE, F32, F64, FLOAT, I64, INT, INT64, kernel, stride
from skinscan.pixels import sampled_at

_PRODUCTS = kernel(
    "profiles_products", F32, F64, F32, INT, I64, I64, INT, F64, F32, F64
)  # profiles, lines, widths, sums
_ON_MASK = kernel(
    "profiles_on_mask", BOOL, INT, INT, INT, F32, F32, INT64, FLOAT, F32
)  # mask, its size, places, limit, result
_MEANS = kernel(
    "profiles_means", F32, F32, INT64, INT, I64, I64, DOUBLE, F64, F64
)  # picture, what counts, size, profiles beside each; room to work, result
_VALLEYS = kernel("profiles_valleys", F64, INT64, INT, F64, I64, DOUBLE, F64, F64)

#: Distance between the points of a line.
STEP_MM = 0.5
#: Pieces are joined across gaps up to this, when they continue each other within the angle.
_GAP_MM, _GAP_DEG = 5.0, 30.0
#: Ends this close touch; their gap has no direction.
_TOUCHING_MM = 0.75
#: The heading of an end is that of its last so many steps.
_HEADING_POINTS = 12


def length_mm(points: NDArray[np.float64]) -> float:
    """Length of a polyline, shape (N, 2)."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def lengths_mm(courses: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Length of each of several polylines, none of them empty."""
    sizes = np.array([len(course) for course in courses])
    points = np.vstack(courses)
    stride = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    begin, _ = _ends(sizes)
    stride[begin] = 0.0
    return np.asarray(np.add.reduceat(stride, begin))


def _headings(pieces: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the unit vectors that leave each piece at its start and at its end."""
    ends = np.empty((len(pieces), 2, 2))
    inner = np.empty_like(ends)
    for k, points in enumerate(pieces):
        span = min(len(points) - 1, _HEADING_POINTS)
        ends[k] = points[0], points[-1]
        inner[k] = points[span], points[-1 - span]
    vector = (ends - inner).reshape(-1, 2)
    return np.asarray(vector / np.maximum(np.hypot(*vector.T), 1e-9)[:, None])


def _matched_ends(pieces: Sequence[NDArray[np.float64]]) -> dict[int, int]:
    """Pair the ends that continue each other, best pairs first, without closing a ring.

    End 2 i is the start of piece i, end 2 i + 1 its finish.
    """
    limit = math.cos(math.radians(_GAP_DEG))
    position = np.array([p[e] for p in pieces for e in (0, -1)])
    heading = _headings(pieces)
    # Its order decides between pairs that cost the same.
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
    joined_to = list(range(len(pieces)))

    def root(i: int) -> int:
        while joined_to[i] != i:
            i = joined_to[i]
        return i

    order = np.argsort(cost, kind="stable")
    order = order[good[order]]
    for one, other in zip(a[order].tolist(), b[order].tolist(), strict=True):
        if one in partner or other in partner:
            continue
        if root(one // 2) == root(other // 2):
            continue
        partner[one], partner[other] = other, one
        joined_to[root(one // 2)] = root(other // 2)
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


def _ends(sizes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First row of each piece, and the one after its last, of pieces laid end to end."""
    last = np.cumsum(sizes)
    return last - sizes, last


def _quantiles(
    values: NDArray[np.float64], sizes: NDArray[np.intp], share: float
) -> NDArray[np.float64]:
    """Quantile of each piece of pieces laid end to end, NaN of an empty one."""
    begin, _ = _ends(sizes)
    ordered = values[np.lexsort((values, np.repeat(np.arange(len(sizes)), sizes)))]
    result = np.full(len(sizes), np.nan)
    some = sizes > 0
    if some.any():
        at = share * (sizes[some] - 1)
        low = np.floor(at).astype(np.intp)
        high = np.minimum(low + 1, sizes[some] - 1)
        lower, upper = ordered[begin[some] + low], ordered[begin[some] + high]
        result[some] = lower + (at - low) * (upper - lower)
    return result


def resample(courses: Sequence[NDArray[np.float64]], step: float) -> list[NDArray[np.float64]]:
    """Points at equal distances along smoothed polylines.

    Parameters
    ----------
    courses : sequence of ndarray of float64, shape (N, 2)
        At least one point each.
    step : float
        About the distance between two points of the result.

    Returns
    -------
    list of ndarray of float64, shape (M, 2)
    """
    if not courses:
        return []
    begin, end = _ends(np.array([len(c) for c in courses]))
    points = np.vstack(courses)
    index = np.arange(len(points))
    piece = np.repeat(np.arange(len(courses)), end - begin)
    first, last = begin[piece], end[piece] - 1
    # Two neighbours on each side; beyond an end that end again.
    around = [points[np.clip(index + k, first, last)] for k in (-2, -1, 0, 1, 2)]
    smooth = sum(around[1:], around[0]) / 5.0
    kept = (index == first) | (index == last) | (end - begin <= 4)[piece]
    smooth[kept] = points[kept]
    stride = np.hypot(*np.diff(smooth, axis=0, prepend=smooth[:1]).T)
    stride[begin] = 0.0
    run = np.cumsum(stride)
    length = run[end - 1] - run[begin]
    count = np.where(length > 0, np.maximum(2, np.rint(length / step).astype(np.intp) + 1), 1)
    start, stop = _ends(count)
    owner = np.repeat(np.arange(len(courses)), count)
    share = (np.arange(stop[-1]) - start[owner]) / np.maximum(count - 1, 1)[owner]
    at = run[begin][owner] + share * length[owner]
    # From one course to the next the run does not grow: each point must stay on its own.
    right = np.clip(np.searchsorted(run, at), begin[owner] + 1, end[owner] - 1)
    left = np.maximum(right - 1, begin[owner])
    apart = run[right] - run[left]
    t = np.where(apart > 0, (at - run[left]) / np.where(apart > 0, apart, 1.0), 0.0)
    found = smooth[left] + np.clip(t, 0.0, 1.0)[:, None] * (smooth[right] - smooth[left])
    return np.split(found, start[1:])


#: A sample with this share of skin around it lies on skin.
_ON_SKIN = 0.99
#: Weight in a mean along the line of a sample that does not lie on skin.
_UNSEEN = 1e-6
_PROFILE_MM = np.arange(-3.0, 3.0001, 0.1)
#: A line's centre is looked for this close to its traced course, its shoulders within reach.
_CENTRE_MM, _REACH_MM = 0.5, 2.2
#: Contrast is fitted within so many seen widths of the centre, at least and at most these mm.
_FIT_WIDTHS, _FIT_LEAST_MM = 1.8, 0.9
#: Sigma of a Gaussian of full width 1 at half height.
_SIGMA_OF_WIDTH = 1.0 / 2.3548
#: What a line of no width would look like: lens, sampling of level and profile in pixels, and
#: the wavering of a centreline over the length of a profile, full widths at half height.
_BLUR_PX, _WAVER_MM = 2.2, 0.2
#: Steps of the fit of a width, and the largest change of its logarithm in one.
_FIT_STEPS, _WIDTH_STEP = 3, 0.3
#: A valley that the profiles' own slope explains up to this share has no depth of its own.
_LEAST_FIT = 1e-3
#: No width below this share of the blur can be told from none.
_LEAST_OF_BLUR = 0.4
#: Length over which profiles are averaged.
_PROFILE_RUN_MM = 6.0


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of all rows above each row, and of all: (N, samples) -> (N + 1, samples)."""
    total = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=total[1:])
    return total


def blur_mm(level: float) -> float:
    """Full width at half height that a line of no width has at a level of px/mm."""
    return math.hypot(_BLUR_PX / level, _WAVER_MM)


def true_width_mm(seen_mm: float, level: float) -> float:
    """Width of a line without the blur of its level (Gaussians add in quadrature)."""
    blur = blur_mm(level)
    return math.sqrt(max(seen_mm**2 - blur**2, (_LEAST_OF_BLUR * blur) ** 2))


def seen_width_mm(true_mm: float, level: float) -> float:
    """Width that a line has at a level, blur included."""
    return math.hypot(true_mm, blur_mm(level))


@dataclass(frozen=True, eq=False)
class _Profiles:
    """Profiles of several lines, one row each, those of a line one after the other.

    ``height`` is the picture less the mean of the row, ``from_centre`` the distance from the line
    in mm, ``seen`` 1 on skin and 0 elsewhere; each of shape (rows, samples). Line k has the rows
    ``begin[k]`` to ``end[k]``.
    """

    height: NDArray[np.float32]
    from_centre: NDArray[np.float64]
    seen: NDArray[np.float32]
    begin: NDArray[np.intp]
    end: NDArray[np.intp]


def _about_mean(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Heights less the mean of their row: sums of products then lose the fewest digits."""
    return np.asarray(heights - heights.mean(axis=1, keepdims=True))


def _fit(
    lines: _Profiles, width_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit the depth of a Gaussian valley to the profiles of each line; also a better width.

    Least squares over all points and both sides, each profile with a level of its own, all
    with one slope. Width and place given, the depth is a weighted sum of the picture, so that what
    is painted 30 % fainter measures 30 % fainter; darkest and brightest values would add the
    grain of the skin to every line.
    """
    reach = np.clip(_FIT_WIDTHS * width_mm, _FIT_LEAST_MM, _PROFILE_MM[-1])
    sigma = (_SIGMA_OF_WIDTH * width_mm).astype(np.float32)
    sums = (_sums if _PRODUCTS is None else _compiled_sums)(lines, reach, sigma)
    squares, with_height = sums[:, :, :3], sums[:, :, 3]
    size = np.sqrt(np.diagonal(squares, axis1=1, axis2=2))
    scale = np.where(size > 0, size, 1.0)
    alike = squares / (scale[:, :, None] * scale[:, None, :])
    fitted = (size > 0).all(axis=1) & (np.linalg.det(alike) >= _LEAST_FIT)
    depth, width = np.zeros(len(sums)), np.array(width_mm, dtype=np.float64)
    if fitted.any():
        squares, height = squares[fitted], with_height[fitted, :, None]
        depth[fitted] = -np.linalg.solve(squares[:, :2, :2], height[:, :2])[:, 0, 0]
        narrow, _, widening = -np.linalg.solve(squares, height)[:, :, 0].T
        step = np.where(narrow > 0, widening / np.where(narrow > 0, narrow, 1.0), 0.0)
        width[fitted] *= np.exp(np.clip(step, -_WIDTH_STEP, _WIDTH_STEP))
    return depth, width


def _sums(
    lines: _Profiles, reach: NDArray[np.float64], sigma: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Products of the three fitted parts with each other and the height, (lines, 3, 4).

    The parts are the valley, the slope, and how a valley changes as it widens, ∂/∂ln(width);
    products are summed within ``reach`` over each line, each profile less its own means.
    """
    rows = lines.end - lines.begin
    # Samples lie in steps of the profile, so that many are at the very limit: in double precision.
    near = np.abs(lines.from_centre) <= np.repeat(reach, rows)[:, None]
    weight = lines.seen * near
    parts = np.empty((4, *weight.shape), dtype=np.float32)
    parts[1] = lines.from_centre
    away = (parts[1] / np.repeat(sigma, rows)[:, None]) ** 2
    np.exp(np.float32(-0.5) * away, out=parts[0])
    np.multiply(parts[0], away, out=parts[2])
    parts[3] = lines.height
    weighted = parts * weight
    total = np.maximum(weight.sum(axis=1), np.float32(1e-9))
    of_rows = np.matmul(weighted, np.ones(weight.shape[1], dtype=np.float32)).astype(np.float64)
    products = np.empty((3, 4, len(weight)))
    for one, other in combinations_with_replacement(range(4), 2):
        if one < 3:
            product = np.einsum("rs,rs->r", weighted[one], parts[other])
            products[one, other] = product - of_rows[one] * of_rows[other] / total
            if other < 3:
                products[other, one] = products[one, other]
    return np.add.reduceat(products, lines.begin, axis=2).transpose(2, 0, 1)


def _compiled_sums(
    lines: _Profiles, reach: NDArray[np.float64], sigma: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Do what `_sums` does in one pass."""
    assert _PRODUCTS is not None  # noqa: S101 - for mypy: `_fit` has asked
    sums = np.empty((len(lines.begin), 3, 4))
    _PRODUCTS(
        np.ascontiguousarray(lines.height),
        np.ascontiguousarray(lines.from_centre),
        np.ascontiguousarray(lines.seen),
        lines.height.shape[1],
        lines.begin,
        lines.end,
        len(lines.begin),
        reach,
        sigma,
        sums,
    )
    return sums


def _fitted(
    lines: _Profiles, width_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Contrast and width of the valley that fits best, from a first guess of its width."""
    width = width_mm
    for _ in range(_FIT_STEPS):
        width = np.clip(_fit(lines, width)[1], _PROFILE_MM[1] - _PROFILE_MM[0], 2.0 * _REACH_MM)
    return np.maximum(_fit(lines, width)[0], 0.0), width


def _across(
    points: NDArray[np.float64], normal: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Columns and rows of the samples across each point, shape (N, samples) each."""
    px = mm_to_map_px(points, level)
    along = _PROFILE_MM * level
    # Rows grow downwards.
    x = px[:, :1] + along * normal[:, :1]
    y = px[:, 1:] - along * normal[:, 1:]
    return x.astype(np.float32), y.astype(np.float32)


def _on_skin(
    maps: LevelMaps, x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    """1 where samples at columns ``x`` and rows ``y`` lie on skin, 0 elsewhere, in their shape."""
    skin = maps.layer.skin
    if _ON_MASK is None:
        weight = sampled_at(skin.astype(np.float32), x, y, outside=0.0)
        return (weight > _ON_SKIN).astype(np.float32)
    on = np.empty(x.shape, dtype=np.float32)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    _ON_MASK(skin, stride(skin), *skin.shape, x, y, x.size, _ON_SKIN, on)
    return on


def _means_along(
    picture: NDArray[np.float32],
    seen: NDArray[np.float32],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Mean of each sample over profiles ``first`` to ``last`` - 1, by what is seen.

    Where nothing is seen it is the mean of what is not.
    """
    if _MEANS is not None:
        picture, seen = np.ascontiguousarray(picture), np.ascontiguousarray(seen)
        mean, room = np.empty(picture.shape), np.empty(2 * picture.shape[1])
        beside = (first.astype(np.int64, copy=False), last.astype(np.int64, copy=False))
        _MEANS(picture, seen, *picture.shape, *beside, _UNSEEN, room, mean)
        return mean
    weight = np.where(seen > 0, 1.0, _UNSEEN)
    heights, weights = _running(picture.astype(np.float64) * weight), _running(weight)
    return np.asarray((heights[last] - heights[first]) / (weights[last] - weights[first]))


def _normals(
    points: NDArray[np.float64], first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return unit normals from the chords between points ``first`` and ``last`` - 1."""
    tangent = points[last - 1] - points[first]
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    return np.column_stack([-tangent[:, 1], tangent[:, 0]])


def _valleys(
    profile: NDArray[np.float64], lowest: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth, and width at half of it in mm, of the valley about the lowest sample of each row.

    Against the lower shoulder; infinite where there is none.
    """
    floor = profile[np.arange(len(profile)), lowest]
    away = _PROFILE_MM[None, :] - _PROFILE_MM[lowest][:, None]
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
    return depth, near_right - near_left


def _compiled_valleys(
    profile: NDArray[np.float64], lowest: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do what `_valleys` does in one pass."""
    assert _VALLEYS is not None  # noqa: S101 - for mypy: the caller has asked
    depth, width = np.empty(len(profile)), np.empty(len(profile))
    _VALLEYS(
        np.ascontiguousarray(profile), *profile.shape, _PROFILE_MM, lowest, _REACH_MM, depth, width
    )
    return depth, width


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
        For each piece: sub-pixel centreline, contrast in %, width in mm as seen at the
        level, and the share of its length over which it is nearly as dark as at its darkest.
    """
    if not pieces:
        return []
    sizes = np.array([len(p) for p in pieces])
    begins, ends = _ends(sizes)
    points = np.vstack(pieces)
    index = np.arange(len(points))
    begin, end = np.repeat(begins, sizes), np.repeat(ends, sizes)

    def window(half: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return np.maximum(index - half, begin), np.minimum(index + half + 1, end)

    first, last = window(2)
    normal = _normals(points, first, last)
    x, y = _across(points, normal, maps.layer.level_px_mm)
    seen = _on_skin(maps, x, y)
    picture = sampled_at(maps.layer.log_y, x, y)
    first, last = window(round(0.5 * _PROFILE_RUN_MM / STEP_MM))
    profile = _means_along(picture, seen, first, last)

    middle = np.abs(_PROFILE_MM) <= _CENTRE_MM
    lowest = np.argmin(np.where(middle, profile, np.inf), axis=1)
    centre_mm = _PROFILE_MM[lowest]
    centres = _running(centre_mm[:, None])
    offset = (centres[last] - centres[first]) / (last - first)[:, None]
    centred = points + offset * normal
    floor = profile[index, lowest]
    depth, width = (_valleys if _VALLEYS is None else _compiled_valleys)(profile, lowest)
    # The half-height crossing lies between two samples, on average half a sample inside.
    width -= _PROFILE_MM[1] - _PROFILE_MM[0]
    usable = np.isfinite(width) & (depth > 0)
    # Undistorted by the averaging along the line: dark here, or only nearby?
    core = slice(*(np.flatnonzero(middle)[[0, -1]] + (0, 1)))
    local = _means_along(picture[:, core], seen[:, core], *window(1))
    shoulder = floor + depth
    local_depth = shoulder - local.min(axis=1)
    owner = np.repeat(np.arange(len(pieces)), sizes)
    typical = _quantiles(width[usable], np.bincount(owner[usable], minlength=len(pieces)), 0.5)
    darkest = _quantiles(local_depth, sizes, 0.9)
    filled = np.add.reduceat(local_depth > 0.4 * darkest[owner], begins, dtype=np.float64) / sizes
    profiles = _Profiles(
        height=_about_mean(picture),
        from_centre=_PROFILE_MM[None, :] - offset,
        seen=seen,
        begin=begins,
        end=ends,
    )
    measured = np.isfinite(typical)
    contrast, seen_mm = _fitted(profiles, np.where(measured, typical, _PROFILE_MM[-1]))
    return [
        (
            centred[a:b],
            *((float(contrast[k]), float(seen_mm[k])) if measured[k] else (0.0, 0.0)),
            float(filled[k]) if measured[k] else 0.0,
        )
        for k, (a, b) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True))
    ]


#: A course is looked for within this distance of where it was, nearer places first (sigma).
_SHIFTS_MM, _SHIFT_SIGMA_MM = np.arange(-1.0, 1.0001, 0.1), 0.5
#: A course of which less than this share is skin has no contrast.
_LEAST_SEEN = 0.5


def contrast_along(
    points: NDArray[np.float64], width_mm: float, maps: LevelMaps
) -> tuple[float, float]:
    """Contrast of the picture along a given course, whether there is a line or not.

    Parameters
    ----------
    points : ndarray of float64, shape (N, 2)
        Course in canonical mm, about `STEP_MM` apart.
    width_mm : float
        Full width at half contrast, without blur.
    maps : LevelMaps

    Returns
    -------
    contrast_pct, shift_mm : float
        Contrast, below 0 for a bright line, NaN where the course is not seen; and how far
        beside the course it was taken, because two FaceMaps of one face differ by fractions
        of a mm.
    """
    index = np.arange(len(points))
    normal = _normals(points, np.maximum(index - 2, 0), np.minimum(index + 3, len(points)))
    x, y = _across(points, normal, maps.layer.level_px_mm)
    on_skin = _on_skin(maps, x, y)
    core = np.abs(_PROFILE_MM) <= 0.5 * width_mm + _PROFILE_MM[1] - _PROFILE_MM[0]
    if on_skin[:, core].mean() < _LEAST_SEEN:
        return math.nan, math.nan
    profile = sampled_at(maps.layer.log_y, x, y)
    seen_mm = seen_width_mm(width_mm, maps.layer.level_px_mm)
    shifts = len(_SHIFTS_MM)
    begin, end = _ends(np.full(shifts, len(points)))
    across = _PROFILE_MM[None, :] - _SHIFTS_MM[:, None]
    shifted = _Profiles(
        height=np.tile(_about_mean(profile), (shifts, 1)),
        from_centre=np.repeat(across, len(points), axis=0),
        seen=np.tile(on_skin, (shifts, 1)),
        begin=begin,
        end=end,
    )
    found, _ = _fit(shifted, np.full(shifts, seen_mm))
    nearness = np.exp(-0.5 * (_SHIFTS_MM / _SHIFT_SIGMA_MM) ** 2)
    best = int(np.argmax(found * nearness))
    return float(found[best]), float(_SHIFTS_MM[best])
