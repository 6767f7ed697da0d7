"""Scans and dates to sessions: what is the baseline, what came later, how each photo compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias

from skinscan.declaration import Declaration
from skinscan.errors import BadOptionError, NotComparableError
from skinscan.landmarks import View
from skinscan.metrics import METRICS_VERSION, Measurement
from skinscan.quality.comparability import Comparability, compare
from skinscan.scan import Scan

Baseline: TypeAlias = Literal["first"] | date | Sequence[date]

_Declared: TypeAlias = Sequence[Declaration | None] | None


@dataclass(frozen=True, eq=False)
class Take:
    """One photo of a session, held against the baseline's photo of the same view.

    Attributes
    ----------
    scan, reference : Scan
        The photo's, and that of the baseline.
    comparability : Comparability
        Between the two; of the reference with itself, what was declared about it.
    numbers : Mapping
        Measurements by metric, region and level.
    """

    scan: Scan
    reference: Scan
    comparability: Comparability
    numbers: Mapping[tuple[str, str, float], Measurement] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Session:
    """All photos of one day.

    Attributes
    ----------
    on : date
    takes : Mapping[View, tuple of Take]
        Of each view that the baseline has too.
    views : frozenset of View
        All views that were photographed.
    """

    on: date
    takes: Mapping[View, tuple[Take, ...]]
    views: frozenset[View]

    def levels(self, view: View) -> frozenset[float]:
        """Resolution levels that any take of a view has."""
        return frozenset(lv for take in self.takes.get(view, ()) for lv in take.scan.levels)


@dataclass(frozen=True, eq=False)
class Course:
    """Sessions in order of time.

    Attributes
    ----------
    baseline, later : tuple of Session
    aside : tuple of Session
        Neither: before the last session of the baseline without being part of it.
    """

    baseline: tuple[Session, ...]
    later: tuple[Session, ...]
    aside: tuple[Session, ...]

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All of them, in order of time."""
        return tuple(sorted((*self.baseline, *self.later, *self.aside), key=lambda s: s.on))

    @property
    def camera_told(self) -> bool:
        """Whether each photo could be asked for another camera or lens than the baseline's."""
        return all(
            "camera" in take.comparability.sizes
            for session in (*self.baseline, *self.later)
            for takes in session.takes.values()
            for take in takes
        )


@dataclass(frozen=True, eq=False)
class _Shot:
    scan: Scan
    declared: Declaration

    @property
    def reserve(self) -> int:
        """How many declarations speak against it."""
        return int(self.declared.wears_make_up) + int(self.declared.just_treated)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _by_day(
    scans: Sequence[Scan], dates: Sequence[date], declared: _Declared
) -> dict[date, list[_Shot]]:
    """Group photos by day; a photo given twice on a day counts once."""
    found: dict[date, dict[str, _Shot]] = {}
    for scan, on, said in zip(scans, dates, declared or [None] * len(scans), strict=True):
        found.setdefault(_day(on), {}).setdefault(scan.sha256, _Shot(scan, said or Declaration()))
    return {on: list(shots.values()) for on, shots in sorted(found.items())}


def _baseline_days(days: Sequence[date], baseline: Baseline) -> tuple[date, ...]:
    if isinstance(baseline, str):
        if baseline != "first":
            raise BadOptionError(
                expected='baseline="first", a date, or several dates',
                found=repr(baseline),
                remedy="Give the date of a session",
            )
        return (days[0],)
    wanted = (baseline,) if isinstance(baseline, date) else tuple(baseline)
    chosen = tuple(sorted({_day(on) for on in wanted}))
    missing = [on for on in chosen if on not in days]
    if missing or not chosen:
        raise BadOptionError(
            expected="the baseline to be dates of sessions with photos",
            found=f"none on {missing[0].isoformat()}" if missing else "no date",
            remedy="Choose among the dates of the photos",
        )
    return chosen


def _check(scans: Sequence[Scan], dates: Sequence[date], declared: _Declared) -> None:
    lengths = {len(scans), len(dates), len(scans if declared is None else declared)}
    if not scans or len(lengths) > 1:
        raise BadOptionError(
            expected="at least one scan, and a date (and a declaration) for each",
            found=f"{len(scans)} scans and {len(dates)} dates",
            remedy="Give lists of the same length",
        )
    others = sorted({scan.metrics_version for scan in scans} - {METRICS_VERSION})
    if others:
        raise NotComparableError(
            expected=f"photos measured with version {METRICS_VERSION} of the metrics",
            found=f"some measured with version {', '.join(map(str, others))}",
            remedy="Measure all photos of the course again with this skinscan",
        )
    if len({scan.scale_source for scan in scans}) > 1:
        raise NotComparableError(
            expected="one source of scale for all photos of a client",
            found="millimetres of the mesh in some, of the iris in others",
            remedy="Measure all photos again with the same scale_source",
        )


def _take(shot: _Shot, reference: _Shot) -> Take:
    return Take(
        scan=shot.scan,
        reference=reference.scan,
        comparability=compare(
            shot.scan.quality,
            reference.scan.quality,
            declared=shot.declared,
            baseline_declared=reference.declared,
        ),
        numbers={(m.metric, m.region, m.level_px_mm): m for m in shot.scan.measurements},
    )


def arrange(
    scans: Sequence[Scan],
    dates: Sequence[date],
    *,
    baseline: Baseline = "first",
    declared: _Declared = None,
) -> Course:
    """Sort photos into sessions.

    Photos of one day are takes of one session. Of each view, the first photo of the baseline about
    which nothing was declared is the reference that all others are held against.

    Parameters
    ----------
    scans : sequence of Scan
    dates : sequence of date
        Of each scan, in any order.
    baseline : "first", date or sequence of date
    declared : sequence of Declaration or None, optional
        About each scan.

    Returns
    -------
    Course

    Raises
    ------
    BadOptionError
        Lists of different lengths, no scan, or a baseline on a day without photos.
    NotComparableError
        Scans whose millimetres have different sources, or of other metrics than this skinscan's.
    """
    _check(scans, dates, declared)
    shots = _by_day(scans, dates, declared)
    chosen = _baseline_days(tuple(shots), baseline)
    reference: dict[View, _Shot] = {}
    for on in chosen:
        for shot in sorted(shots[on], key=lambda s: s.reserve):
            reference.setdefault(shot.scan.view, shot)
    sessions = [_session(on, found, reference) for on, found in shots.items()]
    return Course(
        baseline=tuple(s for s in sessions if s.on in chosen),
        later=tuple(s for s in sessions if s.on > chosen[-1]),
        aside=tuple(s for s in sessions if s.on < chosen[-1] and s.on not in chosen),
    )


def _session(on: date, shots: Sequence[_Shot], reference: Mapping[View, _Shot]) -> Session:
    views = frozenset(shot.scan.view for shot in shots)
    takes = {
        view: tuple(_take(s, reference[view]) for s in shots if s.scan.view is view)
        for view in views & reference.keys()
    }
    return Session(on=on, takes=takes, views=views)
