"""Scans without photos, and a precision model to go with them: courses for tests of progress."""

import itertools
import json
import math
from dataclasses import fields, replace
from datetime import date, timedelta
from types import MappingProxyType

import numpy as np

from skinscan.conditions import Conditions
from skinscan.flags import Flag
from skinscan.landmarks import Face, Pose, View
from skinscan.light import Light
from skinscan.metrics import METRICS_VERSION, Measurement, metrics
from skinscan.precision import PRECISION_FORMAT, with_sems
from skinscan.quality.checks import Quality
from skinscan.regions import members
from skinscan.scan import Scan
from skinscan.shape import ScaleSource

START = date(2026, 3, 3)
LEVELS = (2.0, 3.0, 4.5, 6.0)
LINES = "wrinkles.contrast"

_numbers = itertools.count()


def precision_data(*, relative=0.04, shared=0.3, freedom=8.0):
    """Content of a precision.json in which every metric is as precise as every other."""
    level = {
        "absolute": 0.0,
        "relative": relative,
        "typical": 10.0,
        "freedom": freedom,
        "shared": shared,
        "groups": {},
        "differences": {"light_direction": 0.01, "expression": 0.1},
    }
    limits = {"light_direction": 6.0, "expression": 0.3}
    return {
        "format": PRECISION_FORMAT,
        "command": "made for tests",
        "sources": "none",
        "usual": {},
        "metrics": {
            name: {"levels": {f"{lv:g}": level for lv in (*LEVELS, 9.0)}, "limits": limits}
            for name in metrics()
        },
    }


def write_precision(folder, **options):
    """Write such a file and return its path."""
    path = folder / "precision.json"
    path.write_text(json.dumps(precision_data(**options)), encoding="utf-8")
    return path


def lamp(azimuth_deg=0.0):
    """Light from the side by so much."""
    turn = math.radians(azimuth_deg)
    towards = (math.sin(turn), 0.0, math.cos(turn))
    return Light(
        face_xyz=towards,
        camera_xyz=towards,
        directed_share=0.6,
        left_right_pct=0.0,
        red_green_pct=0.0,
        blue_green_pct=0.0,
        miss_pct=1.0,
        sem_deg=2.0,
    )


def conditions(*, light_deg=0.0, smile=0.02):
    """How the photo was taken."""
    return Conditions(
        light=lamp(light_deg),
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        resolution_px_mm=6.0,
        blur=1.1,
        skin_detail=50.0,
        brightness=-100.0,
        expression=MappingProxyType({"a smile": smile, "an open mouth": 0.01}),
        distance_mm=600.0,
        jpeg_quality=95.0,
        camera="",
        lens="",
        software="",
    )


def scan(
    factors=None,
    *,
    view=View.FRONT,
    levels=LEVELS,
    flags=None,
    absent=(),
    light_deg=0.0,
    smile=0.02,
):
    """Make a Scan in which every number is 10, times the factor of its metric or (metric, region).

    ``flags`` are those of regions, or of ``"photo"``; ``absent`` lists what is NaN, as metric or
    (metric, region).
    """
    factors, flags = factors or {}, flags or {}
    common = flags.get("photo", Flag.NONE)
    numbers = []
    for entry in metrics().values():
        for region in (item for group in entry.groups for item in members(group)):
            for level in levels:
                key = entry.name, region.name
                own = common | flags.get(region.name, Flag.NONE) | entry.flags
                value = 10.0 * factors.get(key, factors.get(entry.name, 1.0))
                if (entry.front_only and view is not View.FRONT) or not region.seen_from(view):
                    own |= Flag.WRONG_VIEW
                if level < entry.lowest_level_px_mm:
                    value, own = math.nan, own | Flag.LOW_RESOLUTION
                elif key in absent or entry.name in absent:
                    value, own = math.nan, own | Flag.NOTHING_FOUND
                numbers.append(
                    Measurement(entry.name, region.name, level, value, math.nan, math.nan, own)
                )
    number = next(_numbers)
    return Scan(
        name=f"{number}.jpg",
        sha256=f"{number:064x}",
        view=view,
        captured_at=None,
        camera=None,
        lens=None,
        photo_size_px=(3000, 4000),
        resolution_px_mm=max(levels),
        levels=levels,
        face=Face(
            landmarks_px=np.zeros((478, 2)),
            depth_px=np.zeros(478),
            pose=Pose(0.0, 0.0, 0.0),
            rotation=np.eye(3),
            expression=MappingProxyType({}),
            scale_iris_px_mm=6.0,
            scale_mesh_px_mm=6.0,
            faces_in_photo=1,
        ),
        scale_source=ScaleSource.MESH,
        quality=Quality((), view, conditions(light_deg=light_deg, smile=smile), common),
        wrinkles=(),
        measurements=with_sems(numbers),
        skinscan_version="0",
        metrics_version=METRICS_VERSION,
    )


class DrawnScan(Scan):
    """A Scan that can be drawn although it has no photo."""

    def draw(self, photo=None, *, mesh=False, regions=True, lines=True):
        """Grey, 100 x 120 px."""
        del photo, mesh, regions, lines
        return np.full((120, 100, 3), 128, np.uint8)


def drawn_scan(sha256, factors=None, *, checks=(), **other):
    """Make a Scan for pages: landmarks in a plain grid, checks as given."""
    made = scan(factors, **other)
    at = np.column_stack([np.tile(np.linspace(600, 2400, 239), 2), np.linspace(800, 3200, 478)])
    values = {f.name: getattr(made, f.name) for f in fields(made)}
    values["sha256"] = sha256
    values["face"] = replace(made.face, landmarks_px=at)
    values["quality"] = replace(made.quality, checks=tuple(checks))
    return DrawnScan(**values)


def weekly(count):
    """Dates of sessions."""
    return [START + timedelta(weeks=k) for k in range(count)]


def noisy(truth, rng, *, relative=0.04, shared=0.3, day=True):
    """Draw the factors of one session: skin of the day, what the photo shares, and the rest.

    Parameters as in `precision_data`; ``truth`` is the true factor of each metric.
    """
    from skinscan.precision import day_to_day

    found = {}
    for entry in metrics().values():
        of_day = day_to_day(entry).of(10.0) / 10.0 * rng.standard_normal() if day else 0.0
        of_photo = relative * math.sqrt(shared) * rng.standard_normal()
        for region in (item for group in entry.groups for item in members(group)):
            own = relative * math.sqrt(1 - shared) * rng.standard_normal()
            found[entry.name, region.name] = truth.get(entry.name, 1.0) * (
                1 + of_day + of_photo + own
            )
    return found


def with_other_sha(item):
    """Make the same numbers a photo of their own."""
    return replace(item, sha256=f"{next(_numbers):064x}")
