"""Photos of several sessions to series that may be compared. Pure functions, no Streamlit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from statistics import fmean
from typing import Final

from skinscan.filenames import date_from_name
from skinscan.flags import Flag
from skinscan.landmarks import View
from skinscan.metrics import Concern, Metric
from skinscan.progress.amounts import is_amount
from skinscan.regions import Region, measured_regions, members
from skinscan.scan import Scan

#: Flags that say nothing about one photo in particular: every measurement may carry them.
_GENERAL_FLAGS: Final = Flag.NO_SEM | Flag.ABSOLUTE_COLOUR

#: Half width of a 95 % interval in standard errors.
INTERVAL_FACTOR: Final = 1.96


class DateSource(StrEnum):
    """Where a session's date comes from."""

    CAMERA = "camera"
    NAME = "name"
    TYPED = "typed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class SessionPhoto:
    """One measured photo and the session it belongs to.

    Attributes
    ----------
    label : str
        The file's name, shown to the person who chose it and to nobody else; never logged.
    taken_on : date or None
        The session; None until somebody tells.
    date_source : DateSource
    scan : Scan
    """

    label: str
    taken_on: date | None
    date_source: DateSource
    scan: Scan

    @property
    def sha256(self) -> str:
        """Digest of the file's bytes, the photo's identity."""
        return self.scan.sha256

    def dated(self, day: date) -> SessionPhoto:
        """Return the photo with a date that somebody typed."""
        if day == self.taken_on:
            return self
        return replace(self, taken_on=day, date_source=DateSource.TYPED)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measurement in its place in the course.

    Attributes
    ----------
    taken_on : date
    sha256, metric, region : str
    value, sem : float
        In the metric's unit; NaN where not measured, and where no uncertainty is known.
    flags : Flag
        Those that qualify this photo: without the ones that every measurement of the metric
        carries.
    poor_photo : bool
        Whether the capture check calls the photo poor.
    """

    taken_on: date
    sha256: str
    metric: str
    region: str
    value: float
    sem: float
    flags: Flag
    poor_photo: bool

    @property
    def marked(self) -> bool:
        """Whether the reader should be careful with this point."""
        return self.poor_photo or bool(self.flags)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of this one measurement; NaN where no uncertainty is known."""
        half = INTERVAL_FACTOR * self.sem
        return self.value - half, self.value + half


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first and the latest session of a series, as numbers without a verdict.

    Attributes
    ----------
    first_on, latest_on : date
    first, latest : float
        Means over the regions that both sessions show and over takes, metric's unit.
    percent : float or None
        Of the first; None where a ratio means nothing.
    """

    first_on: date
    latest_on: date
    first: float
    latest: float
    percent: float | None


@dataclass(frozen=True)
class Headline:
    """What the overview shows first: a metric in a group of regions."""

    metric: str
    group: str


#: In the order of the overview.
_HEADLINES: Final = (
    Headline("wrinkles.severity", "crows_feet"),
    Headline("wrinkles.severity", "under_eye"),
    Headline("wrinkles.severity", "nasolabial"),
    Headline("texture.roughness_rq", "cheek_malar"),
    Headline("tone.evenness", "cheek_malar"),
    Headline("tone.redness", "cheek_malar"),
    Headline("lift.jaw_sag", "jawline"),
    Headline("under_eye.dark_circle_dl", "under_eye"),
    Headline("under_eye.bag", "under_eye"),
    Headline("radiance.specular_fraction", "face"),
)


# Dates


def session_date(name: str, captured_at: datetime | None) -> tuple[date | None, DateSource]:
    """Find a session's date: from the camera, else from the file's name, else unknown."""
    if captured_at is not None:
        return captured_at.date(), DateSource.CAMERA
    named = date_from_name(name)
    if named is not None:
        return named, DateSource.NAME
    return None, DateSource.UNKNOWN


# Which photos may be compared


def in_order(photos: Iterable[SessionPhoto], view: View | None = None) -> list[SessionPhoto]:
    """Return dated photos by session, optionally of one view only."""
    dated = [
        (photo.taken_on, photo)
        for photo in photos
        if photo.taken_on is not None and (view is None or photo.scan.view is view)
    ]
    return [photo for _, photo in sorted(dated, key=lambda item: item[0])]


def session_days(photos: Iterable[SessionPhoto]) -> list[date]:
    """Return the days of the sessions, in order."""
    return sorted({photo.taken_on for photo in photos if photo.taken_on is not None})


def views(photos: Iterable[SessionPhoto]) -> list[View]:
    """Return the views present, the most frequent first, the front view before its equals."""
    count = dict.fromkeys(View, 0)
    for photo in photos:
        count[photo.scan.view] += 1
    return sorted((v for v in View if count[v]), key=lambda v: -count[v])


def common_level(photos: Sequence[SessionPhoto]) -> float | None:
    """Return the finest resolution level, px/mm, that all photos have; None if there is none."""
    shared = set[float]()
    for k, photo in enumerate(photos):
        shared = set(photo.scan.levels) if k == 0 else shared & set(photo.scan.levels)
    return max(shared, default=None)


def coarsest_days(photos: Sequence[SessionPhoto]) -> list[date]:
    """Return the sessions whose photos keep the others from a finer level; often none."""
    tops = {photo.sha256: max(photo.scan.levels, default=0.0) for photo in photos}
    if len(set(tops.values())) < 2:
        return []
    lowest = min(tops.values())
    return session_days(photo for photo in photos if tops[photo.sha256] == lowest)


# Series


def points(
    photos: Sequence[SessionPhoto], *, level: float, registry: Mapping[str, Metric]
) -> tuple[Point, ...]:
    """Return every measurement of dated photos at one resolution level.

    Parameters
    ----------
    photos : sequence of SessionPhoto
        Of one view.
    level : float
        px/mm, from `common_level`.
    registry : mapping of str to Metric
        Metrics that are not in it are left out.
    """
    result = []
    for photo in in_order(photos):
        poor = is_poor(photo.scan)
        for item in photo.scan.measurements:
            metric = registry.get(item.metric)
            if metric is None or item.level_px_mm != level or photo.taken_on is None:
                continue
            result.append(
                Point(
                    taken_on=photo.taken_on,
                    sha256=photo.sha256,
                    metric=item.metric,
                    region=item.region,
                    value=item.value,
                    sem=item.sem,
                    flags=item.flags & ~(_GENERAL_FLAGS | metric.flags),
                    poor_photo=poor,
                )
            )
    return tuple(result)


def is_poor(scan: Scan) -> bool:
    """Whether the capture check calls the photo poor."""
    return str(scan.quality.verdict) == "poor"


def series(source: Iterable[Point], metric: str, wanted: Iterable[str]) -> list[Point]:
    """Return the points of one metric in some regions that have a value."""
    names = set(wanted)
    return [
        point
        for point in source
        if point.metric == metric and point.region in names and math.isfinite(point.value)
    ]


def session_means(source: Iterable[Point]) -> dict[str, dict[date, float]]:
    """Average takes: the mean value by region, then by session."""
    collected: dict[str, dict[date, list[float]]] = {}
    for point in source:
        collected.setdefault(point.region, {}).setdefault(point.taken_on, []).append(point.value)
    return {
        name: {day: fmean(values) for day, values in sorted(by_day.items())}
        for name, by_day in collected.items()
    }


def difference(source: Sequence[Point], metric: Metric) -> Difference | None:
    """Compare the first and the latest session, without judging.

    Only regions measured in both count. None if there are fewer than two sessions.
    """
    days = sorted({point.taken_on for point in source})
    if len(days) < 2:
        return None
    first_on, latest_on = days[0], days[-1]
    pairs = [
        (by_day[first_on], by_day[latest_on])
        for by_day in session_means(source).values()
        if first_on in by_day and latest_on in by_day
    ]
    if not pairs:
        return None
    first, latest = (fmean(values) for values in zip(*pairs, strict=True))
    sensible = is_amount(metric) and first > 0
    return Difference(
        first_on=first_on,
        latest_on=latest_on,
        first=first,
        latest=latest,
        percent=100.0 * (latest - first) / first if sensible else None,
    )


def uncertainty_known(source: Iterable[Point]) -> bool:
    """Whether any measurement comes with a standard error."""
    return any(math.isfinite(point.sem) for point in source)


# What to show


def headlines(registry: Mapping[str, Metric]) -> list[Headline]:
    """Return what the overview shows: the chosen headlines that exist.

    A concern that has metrics but no headline among them is shown by its first metric.
    """
    chosen = [
        item
        for item in _HEADLINES
        if item.metric in registry and item.group in registry[item.metric].groups
    ]
    shown = {registry[item.metric].concern for item in chosen}
    for metric in registry.values():
        if metric.concern not in shown and metric.groups:
            chosen.append(Headline(metric.name, metric.groups[0]))
            shown.add(metric.concern)
    return chosen


def concerns(registry: Mapping[str, Metric]) -> list[Concern]:
    """Return the concerns that have metrics, in their own order."""
    present = {metric.concern for metric in registry.values()}
    return [concern for concern in Concern if concern in present]


def group_regions(group: str) -> tuple[Region, ...]:
    """Return the regions of a group: a pair, or one."""
    return members(group)


def regions_of(metric: Metric) -> list[Region]:
    """Return the regions to which a metric applies, from the hairline to the chin."""
    return [region for region in measured_regions() if region.group in metric.groups]
