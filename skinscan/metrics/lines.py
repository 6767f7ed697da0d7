"""Lines of the skin: where they run, how strong their contrast is, how wide they are.

`skinscan.metrics.valleys` gives the contrast of the best line through each pixel; crests
that stand out from the grain of the skin around them are traced, linked and measured across
(`skinscan.metrics.tracing`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from skinscan.frame import GRID_PX_MM, map_size, mm_to_map_px
from skinscan.metrics.maps import FaceMaps, LevelMaps, masked_blur
from skinscan.metrics.paths import pixel_paths
from skinscan.metrics.tracing import (
    STEP_MM,
    contrast_along,
    join_pieces,
    length_mm,
    lengths_mm,
    measure_profiles,
    resample,
    seen_width_mm,
    true_width_mm,
)
from skinscan.metrics.valleys import (
    SCALES,
    Response,
    Scale,
    best_of,
    crests,
    search_valleys,
)
from skinscan.pixels import sampled
from skinscan.regions import region_bits, region_mask, regions
from skinscan.resizing import resized_linear

#: Crests of at least this contrast are traced, in multiples of the skin's grain around them.
_TRACED_GRAINS = 1.6
#: The grain around a place is that within this distance (Gaussian sigma): about a region.
_GRAIN_REACH_MM = 20.0
#: A smoothed picture has no grain; with less than this in % everything would be a line.
_LEAST_GRAIN_PCT = 1.0
#: Finest level on which lines are traced; finer levels would not move them.
_TRACE_LEVEL = 4.5
#: Certainty of each point of a line: 0 at the first and 1 at the second of each pair, the least
#: of all counts. In grains: contrast there; highest contrast within `_STRONGEST_MM` along the
#: line; mean contrast over a window along the line (Gaussian sigma `_WINDOW_MM`, 0 beyond the
#: ends, so that a shorter line must stand out more), best within `_NEAR_MM`; contrast measured
#: across. Then the share of the line that is as dark as the rest, without which a course leads
#: across a spot; and its length, because shorter pieces are pores, hairs and noise.
_HERE_GRAINS, _STRONGEST_GRAINS = (1.2, 2.2), (1.4, 3.8)
_WINDOW_GRAINS, _ACROSS_GRAINS = (0.8, 2.6), (1.0, 2.0)
_FILLED, _LENGTH_MM = (0.5, 0.8), (4.0, 8.0)
_STRONGEST_MM, _WINDOW_MM, _NEAR_MM = 10.0, 5.0, 6.0
#: Skin does not lose half of its light within so little width: a strand of hair, a rim of glasses.
_THREAD_PCT, _THREAD_MM = 50.0, 1.5
#: Lines of at least this certainty and length are reported and drawn.
_REPORTED_CERTAINTY, _REPORTED_MM = 0.5, 6.0
#: Skin within this distance of a traced line belongs to the line.
_LINE_MARGIN_MM = 0.3
#: Steps in which certainty is drawn.
PRESENCE_STEPS = 4
#: Limit between fine lines, wrinkles and folds, width in mm.
FINE_BELOW_MM, FOLD_FROM_MM = 0.5, 2.0


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
        Mean contrast of the core against both shoulders, 100·Δln Y.
    width_mm : float
        Full width at half of the contrast, without the blur of the level.
    weights : ndarray of float64, shape (N,)
        Certainty of each point, 0 at the limit of tracing to 1 clearly above it.
    """

    points_mm: NDArray[np.float64]
    region: str
    length_mm: float
    contrast_pct: float
    width_mm: float
    weights: NDArray[np.float64]

    @property
    def certainty(self) -> float:
        """Mean certainty along the line, 0 to 1."""
        return float(self.weights.mean())


@dataclass(frozen=True, eq=False)
class LevelLines:
    """Lines at one level.

    Attributes
    ----------
    level_px_mm : float
    candidates : tuple of Line
        All that were traced; numbers weigh each step by its certainty.
    valley : ndarray of float32, shape ``map_size(level)``
        Contrast in % of the best line through each pixel, before any threshold.
    valley_level_px_mm : float
        Level of ``valley``.
    memory : dict
        What depends on ``valley`` alone; shared by levels that have the same.
    """

    level_px_mm: float
    candidates: tuple[Line, ...]
    valley: NDArray[np.float32]
    valley_level_px_mm: float
    memory: dict[Hashable, float] = field(default_factory=dict, repr=False)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Those certain enough to be reported."""
        return _reported(self.candidates)

    @cached_property
    def widths_mm(self) -> NDArray[np.float64]:
        """Width of each candidate, shape (candidates,)."""
        return np.array([line.width_mm for line in self.candidates], dtype=np.float64)

    @cached_property
    def contrasts_pct(self) -> NDArray[np.float64]:
        """Contrast of each candidate, shape (candidates,)."""
        return np.array([line.contrast_pct for line in self.candidates], dtype=np.float64)

    @cached_property
    def certainties(self) -> NDArray[np.float64]:
        """Mean certainty of each candidate, shape (candidates,)."""
        return np.array([line.certainty for line in self.candidates], dtype=np.float64)

    def wider_than(self, limit_mm: float, blend: float) -> NDArray[np.float64]:
        """Membership of each candidate in the wider class, 0 to 1, shape (candidates,).

        A half at the limit, 0 or 1 a factor of ``blend`` away.
        """
        key = limit_mm, blend
        if key not in self._wider:
            t = np.log(self.widths_mm / limit_mm) / (2.0 * math.log(blend)) + 0.5
            self._wider[key] = _rising(t, (0.0, 1.0))
        return self._wider[key]

    @cached_property
    def _wider(self) -> dict[tuple[float, float], NDArray[np.float64]]:
        return {}

    @cached_property
    def _steps(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Flat map index, candidate and certain length in mm of every step."""
        if not self.candidates:
            none = np.zeros(0, dtype=np.intp)
            return none, none, np.zeros(0)
        rows, columns = map_size(self.valley_level_px_mm)
        points = np.vstack([line.points_mm for line in self.candidates])
        weights = np.concatenate([line.weights for line in self.candidates])
        owner = np.repeat(
            np.arange(len(self.candidates)), [len(line.weights) for line in self.candidates]
        )
        middle = 0.5 * (points[1:] + points[:-1])
        px = np.rint(mm_to_map_px(middle, self.valley_level_px_mm)).astype(np.intp)
        u, v = np.clip(px[:, 0], 0, columns - 1), np.clip(px[:, 1], 0, rows - 1)
        certain = 0.5 * (weights[1:] + weights[:-1])
        length = certain * np.hypot(*np.diff(points, axis=0).T)
        # From the end of one line to the start of the next is no step.
        step = owner[1:] == owner[:-1]
        return (v * columns + u)[step], owner[1:][step], length[step]

    @cached_property
    def _regions(self) -> NDArray[np.uint64]:
        """Regions in which each step lies, as `region_bits` has them."""
        index, _, _ = self._steps
        return np.asarray(region_bits(self.valley_level_px_mm)[0].ravel()[index])

    def lengths_inside(self, region: str) -> NDArray[np.float64]:
        """Length in mm, times certainty, of each candidate inside a region, shape (candidates,)."""
        _, owner, length = self._steps
        _, bit_of = region_bits(self.valley_level_px_mm)
        inside = (self._regions & bit_of[region]) > 0
        totals = np.bincount(owner[inside], weights=length[inside], minlength=len(self.candidates))
        return np.asarray(totals, dtype=np.float64)

    @cached_property
    def presence(self) -> NDArray[np.uint8]:
        """Certainty of the line at each pixel, 0 to `PRESENCE_STEPS`, shape ``map_size(level)``.

        Within a line's width plus `_LINE_MARGIN_MM`; 0 where there is no line.
        """
        level = self.level_px_mm
        canvas = np.zeros(map_size(level), dtype=np.uint8)
        if not self.candidates:
            return canvas
        shift = 4
        pieces = []
        points = np.vstack([line.points_mm for line in self.candidates])
        weights = np.concatenate([line.weights for line in self.candidates])
        px = np.rint(mm_to_map_px(points, level) * 2**shift).astype(np.int32)
        steps = np.rint(weights * PRESENCE_STEPS).astype(np.intp)
        changes = np.flatnonzero(np.diff(steps)) + 1
        end = 0
        for line in self.candidates:
            begin, end = end, end + len(line.weights)
            seen = seen_width_mm(line.width_mm, level)
            thick = max(1, round((seen + 2.0 * _LINE_MARGIN_MM) * level))
            cuts = changes[np.searchsorted(changes, begin, side="right") :]
            cuts = cuts[: np.searchsorted(cuts, end)]
            for a, b in pairwise([begin, *cuts.tolist(), end]):
                if steps[a]:
                    pieces.append((int(steps[a]), thick, px[a : min(b + 1, end)]))
        # The more certain one wins where lines touch.
        for certain, thick, px in sorted(pieces, key=lambda piece: piece[0]):
            cv2.polylines(canvas, [px], False, certain, thickness=thick, shift=shift)
        return canvas


@cache
def _nearest_region() -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Index of the region at, or nearest to, each pixel of the grid."""
    names = tuple(r.name for r in regions().values() if r.part_of is None)
    index = np.full(map_size(GRID_PX_MM), -1, dtype=np.int32)
    for i, name in enumerate(names):
        index[region_mask(name, GRID_PX_MM)] = i
    _, labels = cv2.distanceTransformWithLabels(
        (index < 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(int(labels.max()) + 1, dtype=np.int32)
    lookup[labels[index >= 0]] = index[index >= 0]
    return lookup[np.asarray(labels)], names


@dataclass(frozen=True, eq=False)
class _Traced:
    """Lines as courses only: what depends on the scales searched, not on finer pixels."""

    valley: NDArray[np.float32]
    level: float
    pieces: tuple[NDArray[np.float64], ...]
    weights: tuple[NDArray[np.float64], ...]
    memory: dict[Hashable, float] = field(default_factory=dict, repr=False)


def _grain_around(faces: FaceMaps) -> NDArray[np.float32]:
    """Usual contrast in % of skin detail finer than 1 mm around each place, at `GRID_PX_MM`.

    Beards, freckles and pores make one part of a face coarser than another; what is a line
    on the forehead is nothing among them.
    """
    base = faces.levels[GRID_PX_MM]
    detail = np.abs(base.layer.log_y - base.illumination(1.0))
    mean = masked_blur(detail, base.layer.skin, _GRAIN_REACH_MM * GRID_PX_MM)
    # The median of a normal deviate's size is 0.85 of its mean.
    return np.asarray(np.maximum(np.float32(0.85) * mean, np.float32(_LEAST_GRAIN_PCT)))


def _rising(value: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.float64]:
    """0 below the first limit, 1 above the second, smooth between (3 t² - 2 t³)."""
    t = np.clip((value - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def _steps(length: float) -> int:
    return 2 * round(length / STEP_MM) + 1


def _certainties(
    grains: Sequence[NDArray[np.float64]], lengths: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Certainty of each point of some courses from its contrast in grains, (N,) for each.

    It looks at what lies near along the line, so that it hardly matters whether a faint stretch
    far away was joined to it.
    """
    # All courses in one row, with so much room between them that none sees another.
    smooth, window = 2.0, _WINDOW_MM / STEP_MM
    room = max(math.ceil(4.0 * window), _steps(_STRONGEST_MM), _steps(_NEAR_MM)) + 1
    sizes = np.array([len(g) for g in grains])
    begin = room + np.cumsum(sizes + 2 * room) - sizes - 2 * room
    row = np.zeros(int(begin[-1] + sizes[-1] + room))
    held = np.zeros_like(row)
    on = np.zeros(row.shape, dtype=bool)
    for start, values in zip(begin.tolist(), grains, strict=True):
        stop = start + len(values)
        on[start:stop] = True
        row[start:stop] = held[start:stop] = values
        held[start - room : start], held[stop : stop + room] = values[0], values[-1]
    here = np.where(on, gaussian_filter1d(held, smooth, mode="nearest"), 0.0)
    strongest = maximum_filter1d(here, _steps(_STRONGEST_MM), mode="constant")
    mean = np.where(on, gaussian_filter1d(row, window, mode="constant"), 0.0)
    best = maximum_filter1d(mean, _steps(_NEAR_MM), mode="constant")
    least = np.minimum(_rising(here, _HERE_GRAINS), _rising(strongest, _STRONGEST_GRAINS))
    least = np.minimum(least, _rising(best, _WINDOW_GRAINS))
    long_enough = _rising(lengths, _LENGTH_MM)
    return [
        np.minimum(least[start : start + size], enough)
        for start, size, enough in zip(begin.tolist(), sizes.tolist(), long_enough, strict=True)
    ]


def _traced(
    plan: Sequence[tuple[Scale, float]],
    responses: Mapping[tuple[Scale, float], Response],
    level: float,
    faces: FaceMaps,
    grain: NDArray[np.float32],
) -> _Traced:
    """Take the best scale at each pixel and trace what stands out."""
    rows, columns = map_size(level)
    found = best_of([responses[key] for key in plan], rows, columns)
    best = found.contrast
    best[~faces.levels[level].layer.skin] = 0.0
    relative = best / resized_linear(grain, rows, columns)
    mask = crests(relative, found.direction, above=_TRACED_GRAINS)
    joined = join_pieces(pixel_paths(mask, level))
    courses = resample(joined, STEP_MM)
    pieces, weights = [], []
    if courses:
        grains = sampled(relative, mm_to_map_px(np.vstack(courses), level)[:, None, :])[:, 0]
        ends = np.cumsum([len(course) for course in courses])
        certainties = _certainties(
            np.split(grains.astype(np.float64), ends[:-1]),
            lengths_mm(courses),
        )
        for course, certainty in zip(courses, certainties, strict=True):
            if certainty.any():
                pieces.append(course)
                weights.append(certainty)
    return _Traced(best, level, tuple(pieces), tuple(weights))


def _measured(traced: _Traced, maps: LevelMaps, grain: NDArray[np.float32]) -> tuple[Line, ...]:
    nearest, names = _nearest_region()
    rows, columns = nearest.shape
    measured = measure_profiles(traced.pieces, maps)
    if not measured:
        return ()
    centrelines = [centred for centred, *_ in measured]
    points = np.vstack(centrelines)
    sizes = np.array([len(centred) for centred in centrelines])
    begin = np.cumsum(sizes) - sizes
    around = sampled(grain, mm_to_map_px(points, GRID_PX_MM)[:, None, :])[:, 0]
    around = np.add.reduceat(around.astype(np.float64), begin) / sizes
    depths = np.array([depth for _, depth, _, _ in measured])
    clear = np.minimum(
        _rising(depths / around, _ACROSS_GRAINS),
        _rising(np.array([filled for *_, filled in measured]), _FILLED),
    )
    px = np.rint(mm_to_map_px(points, GRID_PX_MM)).astype(np.intp)
    u, v = np.clip(px[:, 0], 0, columns - 1), np.clip(px[:, 1], 0, rows - 1)
    regions_along = np.split(nearest[v, u], begin[1:])
    lengths = lengths_mm(centrelines).tolist()
    lines = []
    for k, (centred, depth, seen_mm, _) in enumerate(measured):
        if depth > _THREAD_PCT and seen_mm < _THREAD_MM:
            continue
        whole = float(clear[k])
        if not whole:
            continue
        region = names[int(np.bincount(regions_along[k]).argmax())]
        width = true_width_mm(seen_mm, maps.layer.level_px_mm)
        weights = np.minimum(traced.weights[k], whole)
        lines.append(Line(centred, region, lengths[k], depth, width, weights))
    lines.sort(key=lambda line: -line.contrast_pct * line.length_mm)
    return tuple(lines)


def _reported(candidates: Sequence[Line]) -> tuple[Line, ...]:
    """Keep what is certain of each candidate, from its first certain point to its last."""
    kept = []
    for line in candidates:
        certain = np.flatnonzero(line.weights >= _REPORTED_CERTAINTY)
        if not len(certain):
            continue
        part = slice(certain[0], certain[-1] + 1)
        length = length_mm(line.points_mm[part])
        if length >= _REPORTED_MM:
            kept.append(
                replace(
                    line,
                    points_mm=line.points_mm[part],
                    weights=line.weights[part],
                    length_mm=length,
                )
            )
    kept.sort(key=lambda line: -line.contrast_pct * line.length_mm)
    return tuple(kept)


def follow(lines: Sequence[Line], maps: LevelMaps) -> NDArray[np.float64]:
    """Contrast in % along the courses of lines found in another photo of the same face.

    Parameters
    ----------
    lines : sequence of Line
    maps : LevelMaps
        Of the other photo, at any level that resolves the lines.

    Returns
    -------
    ndarray of float64, shape (number of lines,)
        Along the same courses and with the same widths, whether a line would be found there
        or not, so that nothing is chosen by its contrast; NaN where the course is covered.
    """
    return np.array([contrast_along(line.points_mm, line.width_mm, maps)[0] for line in lines])


#: The scales that are searched at a level, each with the level it is searched at.
_Plan = tuple[tuple[Scale, float], ...]


class FaceLines(Mapping[float, LevelLines]):
    """Lines at every level of a face, by level in px/mm; found where they are first asked for."""

    def __init__(self, faces: FaceMaps) -> None:
        self._faces = faces
        self._levels = tuple(sorted(faces.levels))
        self._found: dict[float, LevelLines] = {}
        self._traced: dict[tuple[_Plan, float], _Traced] = {}
        self._responses: dict[tuple[Scale, float], Response] = {}

    def __iter__(self) -> Iterator[float]:
        """Levels, the coarsest first."""
        return iter(self._levels)

    def __len__(self) -> int:
        """Count the levels."""
        return len(self._levels)

    def __getitem__(self, level: float) -> LevelLines:
        """Lines at a level."""
        if level not in self._found:
            self._found[level] = self._find(level)
        return self._found[level]

    @cached_property
    def _grain(self) -> NDArray[np.float32]:
        return _grain_around(self._faces)

    def _finest(self, limit: float) -> float:
        return max(level for level in self._levels if level <= limit)

    def _find(self, limit: float) -> LevelLines:
        maps = self._faces.levels[limit]
        plan = tuple(
            (scale, self._finest(min(limit, scale.level)))
            for scale in SCALES
            if scale.coarsest <= limit
        )
        level = self._finest(min(limit, _TRACE_LEVEL))
        if (plan, level) not in self._traced:
            self._search(plan)
            self._traced[plan, level] = _traced(
                plan, self._responses, level, self._faces, self._grain
            )
        course = self._traced[plan, level]
        return LevelLines(
            level_px_mm=limit,
            candidates=_measured(course, maps, self._grain),
            valley=course.valley,
            valley_level_px_mm=level,
            memory=course.memory,
        )

    def _search(self, plan: _Plan) -> None:
        missing = [(scale, level) for scale, level in plan if (scale, level) not in self._responses]
        for level, along in sorted({(level, scale.along_mm) for scale, level in missing}):
            scales = [s for s, lv in missing if lv == level and s.along_mm == along]
            for scale, found in zip(
                scales, search_valleys(self._faces.levels[level], scales), strict=True
            ):
                self._responses[scale, level] = found


def find_lines(faces: FaceMaps) -> FaceLines:
    """Find the lines of a face.

    Parameters
    ----------
    faces : FaceMaps

    Returns
    -------
    FaceLines
        `LevelLines` by level in px/mm.
    """
    return FaceLines(faces)
