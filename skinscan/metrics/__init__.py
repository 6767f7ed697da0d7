"""Measuring: every registered metric, on every region, at every level of one FaceMap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from skinscan.facemap import LEVEL_TOLERANCE, FaceMap
from skinscan.flags import Flag
from skinscan.frame import GRID_PX_MM, LEVELS_PX_MM
from skinscan.landmarks import View
from skinscan.metrics.lines import LevelLines, find_lines
from skinscan.metrics.maps import FaceMaps, face_maps
from skinscan.metrics.registry import (
    Better,
    Concern,
    Measurement,
    Metric,
    by_family,
    metric,
    metrics,
)
from skinscan.metrics.sample import RegionSample
from skinscan.regions import Region, measured_regions, members, region_mask, region_window
from skinscan.shape import Shape

#: Standard error, its day-to-day part and further flags, by metric, region group, level and value.
ErrorOf = Callable[[Metric, str, float, float], tuple[float, float, Flag]]

#: Raised by one whenever any number of the same photo moves by more than rounding, whatever moves
#: it: metric, skin mask, regions, face model, decoder. Numbers of two versions are not compared.
METRICS_VERSION = 1

#: A region is measured without reserve when at least this share of it is seen.
_ENOUGH_SEEN = 0.5
#: Share of a region that may be over-exposed before its numbers say so.
_CLIPPED_SHARE = 0.05
#: Less skin than this carries no number, mm².
_LEAST_AREA_MM2 = 20.0


@dataclass(frozen=True, eq=False)
class Wrinkle:
    """One line found on the face.

    Attributes
    ----------
    points_px : ndarray of float64, shape (N, 2)
        Centreline in pixels of the full-size oriented photo.
    points_mm : ndarray of float64, shape (N, 2)
        The same in the canonical frame, mm.
    region : str
        Region that holds most of it, or the nearest one.
    length_mm, contrast_pct, width_mm : float
        Length, contrast of the core against both shoulders (100·Δln Y), full width at half of it
        without the blur of the level.
    certainty : float
        0.5 where it is just reported to 1 where it stands out clearly; mean along the line.
    """

    points_px: NDArray[np.float64]
    points_mm: NDArray[np.float64]
    region: str
    length_mm: float
    contrast_pct: float
    width_mm: float
    certainty: float


def _share_inside(region: Region, mask: NDArray[np.bool_], level: float) -> float:
    """Share of a region's pixels at ``level`` that are set in a mask."""
    window = region_window(region.name, level)
    inside = region_mask(region.name, level)[window]
    return int(np.count_nonzero(mask[window] & inside)) / max(int(np.count_nonzero(inside)), 1)


def _region_flags(region: Region, facemap: FaceMap, view: View) -> Flag:
    """Find the flags that hold for every metric of a region in this photo."""
    base = min(facemap.layers)
    flags = Flag.NONE
    if _share_inside(region, facemap.layers[base].skin, base) < _ENOUGH_SEEN:
        flags |= Flag.OCCLUDED
    if _share_inside(region, facemap.clipped, GRID_PX_MM) > _CLIPPED_SHARE:
        flags |= Flag.CLIPPED
    if not region.seen_from(view):
        flags |= Flag.WRONG_VIEW
    return flags


def measure(
    facemap: FaceMap,
    shape: Shape,
    *,
    view: View,
    photo_flags: Flag = Flag.NONE,
    error_of: ErrorOf | None = None,
) -> tuple[tuple[Measurement, ...], tuple[Wrinkle, ...]]:
    """Measure every registered metric.

    Parameters
    ----------
    facemap : FaceMap
    shape : Shape
        Landmarks and outline of the same face.
    view : View
        View of the photo; regions it does not show well are flagged.
    photo_flags : Flag
        Flags of the whole photo, carried by every measurement.
    error_of : callable, optional
        Standard error, its day-to-day part and further flags by metric, region group, level and
        value (`skinscan.precision.standard_error`); without it they are NaN.

    Returns
    -------
    measurements : tuple of Measurement
        All metrics, regions and levels present in the FaceMap.
    wrinkles : tuple of Wrinkle
        Lines found at the highest level that are certain enough to be reported.
    """
    faces = face_maps(facemap)
    lines = find_lines(faces)
    measurements: list[Measurement] = []
    atlas = measured_regions()
    common = {item.name: _region_flags(item, facemap, view) | photo_flags for item in atlas}
    samples = {
        (item.name, level): RegionSample(
            region=item,
            layer=facemap.layers[level],
            facemap=facemap,
            shape=shape,
            maps=faces.levels[level],
            all_lines=lines,
        )
        for level in facemap.layers
        for item in atlas
    }
    levels = sorted(facemap.layers)
    too_coarse = facemap.resolution_px_mm < LEVELS_PX_MM[0] * LEVEL_TOLERANCE
    for entry in metrics().values():
        view_flag = _view_flag(entry, view)
        # Levels finer than a metric's finest repeat its number; those below its lowest have none.
        taken_at = {
            level: min(level, entry.finest_level_px_mm)
            for level in levels
            if level >= entry.lowest_level_px_mm and not too_coarse
        }
        for group in entry.groups:
            for item in members(group):
                usual = _merged(common[item.name], entry.flags, view_flag)
                numbers = {
                    level: _number(entry, group, samples[item.name, level], error_of)
                    for level in dict.fromkeys(taken_at.values())
                }
                for level in levels:
                    at = taken_at.get(level)
                    value, sem, day, flags = _TOO_COARSE if at is None else numbers[at]
                    merged = usual if flags is Flag.NONE else _merged(flags, usual)
                    measurements.append(
                        Measurement(entry.name, item.name, level, value, sem, day, merged)
                    )
    return tuple(measurements), _wrinkles(lines[facemap.top_level], facemap)


def _view_flag(entry: Metric, view: View) -> Flag:
    return Flag.WRONG_VIEW if entry.front_only and view is not View.FRONT else Flag.NONE


@cache
def _merged(*flags: Flag) -> Flag:
    """Unite flags; cached, because uniting enumerations is slow and few unions occur."""
    return reduce(or_, flags)


#: Value, standard error, its day-to-day part and the flags that belong to the number alone.
_Number = tuple[float, float, float, Flag]
_TOO_COARSE: _Number = (math.nan, math.nan, math.nan, Flag.LOW_RESOLUTION)


def _number(entry: Metric, group: str, sample: RegionSample, error_of: ErrorOf | None) -> _Number:
    bare = entry.needs_skin and _enough_skin(sample)
    value = float(entry.compute(sample)) if bare or not entry.needs_skin else math.nan
    if not math.isfinite(value):
        # A shape whose edge is not seen is covered; skin that is seen has nothing to measure.
        return math.nan, math.nan, math.nan, Flag.NOTHING_FOUND if bare else Flag.OCCLUDED
    if error_of is None:
        return value, math.nan, math.nan, Flag.NONE
    return value, *error_of(entry, group, sample.layer.level_px_mm, value)


def _enough_skin(sample: RegionSample) -> bool:
    return sample.area_cm2 * 100.0 >= _LEAST_AREA_MM2


def _wrinkles(lines: LevelLines, facemap: FaceMap) -> tuple[Wrinkle, ...]:
    if not lines.lines:
        return ()
    # All at once: a look-up of a few points costs as much as one of thousands.
    places = facemap.to_photo_px(np.vstack([line.points_mm for line in lines.lines]))
    ends = np.cumsum([len(line.points_mm) for line in lines.lines])
    return tuple(
        Wrinkle(
            points_px=points_px,
            points_mm=line.points_mm,
            region=line.region,
            length_mm=line.length_mm,
            contrast_pct=line.contrast_pct,
            width_mm=line.width_mm,
            certainty=line.certainty,
        )
        for line, points_px in zip(lines.lines, np.split(places, ends[:-1]), strict=True)
    )


__all__ = [
    "Better",
    "Concern",
    "FaceMaps",
    "Measurement",
    "Metric",
    "RegionSample",
    "Wrinkle",
    "by_family",
    "measure",
    "metric",
    "metrics",
]
