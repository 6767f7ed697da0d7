"""What a course comes to, as values: points, changes, concerns, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from skinscan.flags import Flag
from skinscan.landmarks import View
from skinscan.metrics import Concern


class Verdict(StrEnum):
    """What may be said of a change."""

    IMPROVED = "improved"
    NO_CHANGE = "no detectable change"
    WORSE = "worse"
    #: Of metrics without a better direction, and of concerns whose metrics disagree.
    CHANGED = "changed"
    NOT_COMPARABLE = "not comparable"

    @property
    def claimed(self) -> bool:
        """Whether a change is claimed."""
        return self in {Verdict.IMPROVED, Verdict.WORSE, Verdict.CHANGED}


class Scope(StrEnum):
    """How much of the face a change is about."""

    #: One region.
    REGION = "region"
    #: Both sides of a region, or one region on the midline.
    GROUP = "group"
    #: Mean over all regions of the metric.
    FACE = "face"
    #: Means over the regions that were treated and the others, and the first minus the second.
    TREATED = "treated"
    UNTREATED = "untreated"
    TREATED_MINUS_UNTREATED = "treated_minus_untreated"


class Estimator(StrEnum):
    """How a change was estimated."""

    #: Latest session minus baseline.
    DIFFERENCE = "difference"
    #: Slope through four or more sessions, times the time since the baseline.
    TREND = "trend"


class DaySource(StrEnum):
    """Where the day-to-day part of the error comes from."""

    PUBLISHED = "published"
    OWN_BASELINES = "own_baselines"


class EventKind(StrEnum):
    """What else changes skin during a course."""

    INJECTION = "injection"
    FILLER = "filler"
    LASER = "laser"
    PEEL = "peel"
    RETINOID = "retinoid"
    ILLNESS = "illness"
    SUN = "sun"


@dataclass(frozen=True, order=True)
class Event:
    """Something other than the treatment that changes skin.

    Attributes
    ----------
    on : date
    kind : EventKind
    note : str
        Whatever somebody wrote beside it; makes no other event of it.
    """

    on: date
    kind: EventKind
    note: str = field(default="", compare=False)


@dataclass(frozen=True)
class Reason:
    """Why something was not compared.

    Attributes
    ----------
    name : str
        Of the difference, the declaration or the gap.
    sentence : str
        For people.
    """

    name: str
    sentence: str


@dataclass(frozen=True)
class Point:
    """One session in the course of one number.

    Attributes
    ----------
    on : date
    takes : int
        Photos pooled.
    level_px_mm : float
        Resolution level at which session and baseline were compared; NaN without a value.
    value, sem : float
        Metric's unit; ``sem`` is of this session alone, capture and day to day together.
    difference, low, high : float
        To the baseline, with its own 95 % interval (not adjusted for the number of sessions).
    sdc, would_be_found : float
        Smallest detectable change from the baseline to this session, and the one found with 80 %
        power.
    is_baseline : bool
    in_trend : bool
        Whether the course's change rests on this session.
    reasons : tuple of Reason
        Why the session is not compared; empty where it is.
    flags : Flag
        Of all takes.
    """

    on: date
    takes: int
    level_px_mm: float
    value: float
    sem: float
    difference: float
    low: float
    high: float
    sdc: float
    would_be_found: float
    is_baseline: bool
    in_trend: bool
    reasons: tuple[Reason, ...]
    flags: Flag


@dataclass(frozen=True)
class Trend:
    """Slope of a course.

    Attributes
    ----------
    per_week, low, high : float
        Metric's unit per week, with its 95 % interval.
    """

    per_week: float
    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """Change of one number over the course.

    Attributes
    ----------
    metric : str
    scope : Scope
    place : str
        Region, region group, or the scope's own name.
    view : View or None
        View in which the place was followed; None where regions of several views are averaged.
    level_px_mm : float
        Resolution level; the lowest one of a mean.
    since, until : date or None
        Last session of the baseline and latest comparable one; None without a change.
    before : float
        Value at baseline.
    difference, sem : float
        Change from ``since`` to ``until`` and its standard error.
    low, high : float
        Interval of the difference.
    coverage : float
        Of the interval: 0.95, or more where the change was selected among many.
    percent, percent_low, percent_high : float
        The same in % of ``before``, never below −100; NaN where a percentage means nothing: on
        scales without a zero, and where ``before`` is itself below the ``sdc``.
    sdc, would_be_found : float
        Smallest detectable change, and the one found with 80 % power, of this estimate.
    p : float
        Of no change, before any selection; 1 where nothing was compared.
    verdict : Verdict
    estimator : Estimator
    trend : Trend or None
        Where the change was estimated as one.
    day_source : DaySource
        Where the day-to-day part of the error comes from.
    attributable : bool
        Whether the treatment is the only known cause; False with an event inside the course.
    events : tuple of Event
        Those that bar it.
    reasons : tuple of Reason
        Why nothing, or one session less, was compared.
    flags : Flag
        Of baseline and latest session.
    points : tuple of Point
        Every session, in order.
    """

    metric: str
    scope: Scope
    place: str
    view: View | None
    level_px_mm: float
    since: date | None
    until: date | None
    before: float
    difference: float
    sem: float
    low: float
    high: float
    coverage: float
    percent: float
    percent_low: float
    percent_high: float
    sdc: float
    would_be_found: float
    p: float
    verdict: Verdict
    estimator: Estimator
    trend: Trend | None
    day_source: DaySource
    attributable: bool
    events: tuple[Event, ...]
    reasons: tuple[Reason, ...]
    flags: Flag
    points: tuple[Point, ...] = field(repr=False)


@dataclass(frozen=True)
class ConcernChange:
    """What may be said of one concern.

    Metrics of a concern have no common unit, so that the concern has a verdict and no number of its
    own; one metric speaks for it.

    Attributes
    ----------
    concern : Concern
    p : float
        Of no change in any of its metrics, before selection among the concerns.
    verdict : Verdict
    leading : Change
        The whole face's, or the treated regions', change of the metric that speaks for it.
    would_be_found : float
        Change of that metric which this course would have found with 80 % power although none of
        the other metrics changed: larger than ``leading.would_be_found``, which knows nothing of
        the many other numbers that are tested with it. Metric's unit.
    """

    concern: Concern
    p: float
    verdict: Verdict
    leading: Change
    would_be_found: float
