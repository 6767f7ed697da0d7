"""Lines of the skin: where they run, how strong their contrast is, how wide they are.

`skinscan.metrics.valleys` gives the contrast of the best line through each pixel; crests
that stand out from the grain of the skin around them are traced, linked and measured across
(`skinscan.metrics.tracing`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.frame import GRID_PX_MM, map_px_to_mm, map_size, mm_to_map_px
from skinscan.metrics.maps import FaceMaps, LevelMaps, masked_blur
from skinscan.metrics.tracing import (
    STEP_MM,
    join_pieces,
    length_mm,
    measure_profiles,
    pixel_paths,
    resample,
)
from skinscan.metrics.valleys import SCALES, Response, Scale, crests, search_valleys
from skinscan.pixels import resized_area, resized_linear, resized_nearest, sampled
from skinscan.regions import region_mask, regions

#: Contrast at which a line starts and continues, in multiples of the skin's grain around it.
_START_GRAINS, _CONTINUE_GRAINS = 3.0, 1.7
#: The grain around a place is that within this distance (Gaussian sigma): about a region.
_GRAIN_REACH_MM = 20.0
#: A smoothed picture has no grain; with less than this in % everything would be a line.
_LEAST_GRAIN_PCT = 1.0
#: Evidence of a line: its mean contrast in grains x the square root of its length, because
#: grain averages out along a line. A line of this length must stand out by so many grains.
_EVIDENT_GRAINS, _EVIDENT_MM = 2.5, 10.0
#: Finest level on which lines are traced; finer levels would not move them.
_TRACE_LEVEL = 4.5
#: A line whose measured contrast is less than this many grains was traced along something else.
_LEAST_GRAINS = 1.5
#: A course that is dark over less of its length than this leads across a spot, not along a line.
_LEAST_FILLED = 0.65
#: Skin does not lose half of its light within so little width: a strand of hair, a rim of glasses.
_THREAD_PCT, _THREAD_MM = 50.0, 1.5
#: Shorter pieces are pores, hairs and noise.
_SHORTEST_MM = 6.0
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
        totals = np.bincount(owner[inside], weights=length[inside], minlength=len(self.lines))
        return np.asarray(totals, dtype=np.float64)

    def mask(self, level: float, *, margin_mm: float) -> NDArray[np.bool_]:
        """Pixels within a line's width plus ``margin_mm``, shape ``map_size(level)``."""
        canvas = np.zeros(map_size(level), dtype=np.uint8)
        shift = 4
        for line in self.lines:
            thick = max(1, round((line.width_mm + 2.0 * margin_mm) * level))
            px = np.round(mm_to_map_px(line.points_mm, level) * 2**shift).astype(np.int32)
            cv2.polylines(canvas, [px], False, 1, thickness=thick, shift=shift)
        return np.asarray(canvas > 0)


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
    return lookup[np.asarray(labels)], names


@dataclass(frozen=True, eq=False)
class _Traced:
    """Lines as courses only: what depends on the scales searched, not on finer pixels."""

    valley: NDArray[np.float32]
    level: float
    pieces: tuple[NDArray[np.float64], ...]


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


def _evident(piece: NDArray[np.float64], relative: NDArray[np.float32], level: float) -> bool:
    """Whether a course is long enough for its contrast, or dark enough for its length."""
    length = length_mm(piece)
    if length < _SHORTEST_MM:
        return False
    along = sampled(relative, mm_to_map_px(piece, level)[:, None, :])
    return float(along.mean()) * math.sqrt(length / _EVIDENT_MM) >= _EVIDENT_GRAINS


def _traced(
    plan: Sequence[tuple[Scale, float]],
    responses: Mapping[tuple[Scale, float], Response],
    level: float,
    faces: FaceMaps,
    grain: NDArray[np.float32],
) -> _Traced:
    """Take the best scale at each pixel and trace what stands out."""
    rows, columns = map_size(level)
    best = np.zeros((rows, columns), dtype=np.float32)
    direction = np.zeros((rows, columns), dtype=np.uint8)
    for scale, searched in plan:
        found = responses[scale, searched]
        fit = resized_area if searched > level else resized_linear
        contrast = fit(found.contrast, rows, columns)
        which = resized_nearest(found.direction, rows, columns)
        better = contrast > best
        np.copyto(best, contrast, where=better)
        np.copyto(direction, which, where=better)
    best[~faces.levels[level].layer.skin] = 0.0
    relative = best / resized_linear(grain, rows, columns)
    mask = crests(relative, direction, start=_START_GRAINS, go_on=_CONTINUE_GRAINS)
    joined = join_pieces([map_px_to_mm(path, level) for path in pixel_paths(mask)])
    pieces = (resample(piece, STEP_MM) for piece in joined)
    return _Traced(best, level, tuple(p for p in pieces if _evident(p, relative, level)))


def _measured(traced: _Traced, maps: LevelMaps, grain: NDArray[np.float32]) -> tuple[Line, ...]:
    nearest, names = _nearest_region(traced.level)
    rows, columns = nearest.shape
    lines = []
    for centred, depth, width, filled in measure_profiles(traced.pieces, maps):
        around = sampled(grain, mm_to_map_px(centred, GRID_PX_MM)[:, None, :]).mean()
        if depth < _LEAST_GRAINS * around or filled < _LEAST_FILLED:
            continue
        if depth > _THREAD_PCT and width < _THREAD_MM:
            continue
        px = np.round(mm_to_map_px(centred, traced.level)).astype(int)
        u, v = np.clip(px[:, 0], 0, columns - 1), np.clip(px[:, 1], 0, rows - 1)
        region = names[int(np.bincount(nearest[v, u]).argmax())]
        lines.append(Line(centred, region, length_mm(centred), depth, width))
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
    grain = _grain_around(faces)
    responses: dict[tuple[Scale, float], Response] = {}

    def respond(plan: Sequence[tuple[Scale, float]]) -> None:
        missing = [(scale, level) for scale, level in plan if (scale, level) not in responses]
        for level, along in sorted({(level, scale.along_mm) for scale, level in missing}):
            scales = [s for s, lv in missing if lv == level and s.along_mm == along]
            for scale, found in zip(
                scales, search_valleys(faces.levels[level], scales), strict=True
            ):
                responses[scale, level] = found

    result: dict[float, LevelLines] = {}
    traced: dict[tuple[tuple[tuple[Scale, float], ...], float], _Traced] = {}
    for limit in available:
        plan = tuple(
            (scale, max(lv for lv in available if lv <= min(limit, scale.level)))
            for scale in SCALES
            if scale.coarsest <= limit
        )
        level = max(lv for lv in available if lv <= min(limit, _TRACE_LEVEL))
        if (plan, level) not in traced:
            respond(plan)
            traced[plan, level] = _traced(plan, responses, level, faces, grain)
        course = traced[plan, level]
        result[limit] = LevelLines(
            lines=_measured(course, faces.levels[limit], grain),
            valley=course.valley,
            valley_level_px_mm=level,
        )
    return result
