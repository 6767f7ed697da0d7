"""Scans made of numbers that were measured before: what a course needs of a photo, and no more."""

from __future__ import annotations

import hashlib
import math
from types import MappingProxyType

import numpy as np
from _repeats import F64, Repeat, places

from skinscan.facemap import LEVEL_TOLERANCE
from skinscan.flags import Flag
from skinscan.frame import LEVELS_PX_MM
from skinscan.landmarks import Face, Pose, View
from skinscan.metrics import METRICS_VERSION, Measurement, metrics
from skinscan.precision import day_to_day, precision_model, with_sems
from skinscan.quality import Quality
from skinscan.scan import Scan
from skinscan.shape import ScaleSource

_FACE = Face(
    landmarks_px=np.zeros((478, 2)),
    depth_px=np.zeros(478),
    pose=Pose(0.0, 0.0, 0.0),
    rotation=np.eye(3),
    expression=MappingProxyType({}),
    scale_iris_px_mm=math.nan,
    scale_mesh_px_mm=math.nan,
    faces_in_photo=1,
)


def pseudo_scan(photo: Repeat, values: F64) -> Scan:
    """Make a front view's Scan.

    Parameters
    ----------
    photo : Repeat
        Whose conditions count.
    values : ndarray of float64, shape (len(places()),)
        Its numbers, changed or not.
    """
    entries, resolution = metrics(), photo.conditions.resolution_px_mm
    levels = tuple(lv for lv in LEVELS_PX_MM if lv * LEVEL_TOLERANCE <= resolution)
    numbers = [
        Measurement(
            metric=place.metric,
            region=place.region,
            level_px_mm=place.level,
            value=float(value),
            sem=math.nan,
            sem_day=math.nan,
            flags=entries[place.metric].flags | (Flag.NONE if known else Flag.NOTHING_FOUND),
        )
        for place, value in zip(places(), values, strict=True)
        for known in [math.isfinite(value)]
        if place.level in levels
    ]
    return Scan(
        name="",
        sha256=hashlib.sha256(values.tobytes()).hexdigest(),
        view=View.FRONT,
        captured_at=None,
        camera=None,
        lens=None,
        photo_size_px=(0, 0),
        resolution_px_mm=resolution,
        levels=levels,
        face=_FACE,
        scale_source=ScaleSource.MESH,
        quality=Quality((), View.FRONT, photo.conditions, Flag.NONE),
        wrinkles=(),
        measurements=with_sems(numbers),
        skinscan_version="0",
        metrics_version=METRICS_VERSION,
    )


def another_day(rng: np.random.Generator, values: F64, *, common: bool = False) -> F64:
    """Change numbers as skin does from one day to another: all regions of a metric alike.

    How metrics move together is not known.

    Parameters
    ----------
    rng : numpy.random.Generator
    values : ndarray of float64, shape (len(places()),)
    common : bool
        All metrics of a concern move together, instead of each on its own.
    """
    model, entries = precision_model(), metrics()
    moods = {e.concern if common else name: rng.standard_normal() for name, e in entries.items()}
    moved = values.copy()
    for k, place in enumerate(places()):
        part = model.levels.get((place.metric, place.level))
        if part is not None and np.isfinite(values[k]):
            entry = entries[place.metric]
            mood = moods[entry.concern if common else place.metric]
            moved[k] += day_to_day(entry).of(part.size(values[k])) * mood
    return moved
