"""One metric through the course: what its pairs of session and baseline come to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from statistics import fmean

from skinscan.flags import Flag
from skinscan.metrics import Metric
from skinscan.progress.amounts import is_amount
from skinscan.progress.areas import Area, areas_of
from skinscan.progress.pairing import Follower, Pair, reading_of, reasons_in
from skinscan.progress.readings import Found, reason, unique
from skinscan.progress.sessions import Course, Session
from skinscan.progress.statistics import Estimate, Reading, course_estimate, pair_estimate
from skinscan.progress.values import (
    Change,
    DaySource,
    Estimator,
    Event,
    Point,
    Reason,
    Scope,
    Trend,
    Verdict,
)


def _estimate(pair: Pair, session: Session) -> Estimate:
    return pair_estimate(
        pair.before,
        reading_of(session, pair.after),
        day_to_day=pair.day_to_day,
        baselines=pair.baselines,
    )


def _flags(founds: Iterable[Found]) -> Flag:
    return reduce(or_, (f.flags for f in founds), Flag.NONE)


def _looked_at(founds: Mapping[str, Found], area: Area) -> float:
    """Value for looking only, of a session that is not compared."""
    values = [f.value for f in founds.values() if math.isfinite(f.value)]
    return fmean(values) if values and not area.outside else math.nan


def _unpaired(
    session: Session, area: Area, founds: Mapping[str, Found], reasons: tuple[Reason, ...]
) -> Point:
    """Show a session that is not compared."""
    return Point(
        on=session.on,
        takes=max(f.takes for f in founds.values()),
        level_px_mm=min(f.level_px_mm for f in founds.values()),
        value=_looked_at(founds, area),
        sem=math.nan,
        difference=math.nan,
        low=math.nan,
        high=math.nan,
        sdc=math.nan,
        would_be_found=math.nan,
        is_baseline=False,
        in_trend=False,
        reasons=reasons,
        flags=_flags(founds.values()),
    )


def _baseline_point(follower: Follower, session: Session, area: Area, level: float) -> Point:
    founds = follower.founds(session, area, level)
    shown = _unpaired(session, area, founds, reasons_in([founds]))
    kept = area.within(follower.usable(session, area, level))
    if kept is None:
        return replace(shown, is_baseline=True)
    found = follower.together(session, kept, level)
    return replace(
        shown,
        takes=found.takes,
        level_px_mm=found.level_px_mm,
        value=found.value,
        sem=math.hypot(found.capture, found.day),
        is_baseline=True,
        in_trend=True,
        reasons=(),
        flags=found.flags,
    )


def _paired(session: Session, pair: Pair, *, in_trend: bool) -> Point:
    estimate = _estimate(pair, session)
    low, high = estimate.interval()
    return Point(
        on=session.on,
        takes=pair.after.takes,
        level_px_mm=pair.after.level_px_mm,
        value=pair.after.value,
        sem=math.hypot(pair.after.capture, pair.day_to_day),
        difference=estimate.difference,
        low=low,
        high=high,
        sdc=estimate.sdc,
        would_be_found=estimate.would_be_found,
        is_baseline=False,
        in_trend=in_trend,
        reasons=(),
        flags=pair.after.flags,
    )


def _course_level(tops: Sequence[float]) -> float:
    """Highest level that more than half of the comparable sessions have."""
    return sorted(tops, reverse=True)[len(tops) // 2] if tops else 0.0


def _later(
    follower: Follower, area: Area
) -> tuple[float, dict[Session, Pair], dict[Session, Point]]:
    """Return the level of the course, the pairs that its change rests on, and all points."""
    course = follower.course
    tops = {s: follower.top(s, area) for s in course.later}
    first = {s: follower.pair(s, area, tops[s]) for s in course.later}
    usable = [s for s, pair in first.items() if isinstance(pair, Pair)]
    level = _course_level([tops[s] for s in usable])
    pairs: dict[Session, Pair] = {}
    points: dict[Session, Point] = {}
    for session in course.later:
        at = min(tops[session], level) if usable else tops[session]
        pair = first[session] if at == tops[session] else follower.pair(session, area, at)
        if isinstance(pair, Pair):
            points[session] = _paired(session, pair, in_trend=at == level)
            if at == level:
                pairs[session] = pair
        else:
            points[session] = _unpaired(session, area, follower.founds(session, area, at), pair)
    return level, pairs, points


def _foremost_first(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each once; that a region has no line comes last, because it never bars a whole face alone."""
    return tuple(sorted(unique(list(reasons)), key=lambda r: r.name == "nothing_found"))


def _change(follower: Follower, area: Area, events: Sequence[Event]) -> Change:
    course, entry = follower.course, follower.entry
    level, pairs, points = _later(follower, area)
    shown = level or max((follower.top(s, area) for s in course.baseline), default=0.0)
    for session in course.baseline:
        points[session] = _baseline_point(follower, session, area, shown)
    for session in course.aside:
        founds = follower.founds(session, area, shown)
        points[session] = _unpaired(session, area, founds, (reason("before_baseline"),))
    views = {follower.view(name) for name in area.regions}
    empty = Change(
        metric=entry.name,
        scope=area.scope,
        place=area.name,
        view=views.pop() if len(views) == 1 else None,
        level_px_mm=math.nan,
        since=None,
        until=None,
        before=math.nan,
        difference=math.nan,
        sem=math.nan,
        low=math.nan,
        high=math.nan,
        coverage=0.95,
        percent=math.nan,
        percent_low=math.nan,
        percent_high=math.nan,
        sdc=math.nan,
        would_be_found=math.nan,
        p=1.0,
        verdict=Verdict.NOT_COMPARABLE,
        estimator=Estimator.DIFFERENCE,
        trend=None,
        day_source=DaySource.PUBLISHED,
        attributable=True,
        events=(),
        reasons=_foremost_first([r for s in course.later for r in points[s].reasons])
        or (reason("only_one_session"),),
        flags=Flag.NONE,
        points=tuple(points[s] for s in course.sessions),
    )
    return _estimated(empty, entry, pairs, events) if pairs else empty


def _estimated(
    empty: Change,
    entry: Metric,
    pairs: Mapping[Session, Pair],
    events: Sequence[Event],
) -> Change:
    """Fill in what the comparable sessions tell."""
    latest = max(pairs, key=lambda s: s.on)
    last = pairs[latest]
    # Differences, because regions that a session does not show are left out on both sides.
    series = [
        Reading(s.on.toordinal(), p.after.value - p.before.value, p.after.capture, p.after.added)
        for s, p in pairs.items()
    ]
    estimate = course_estimate(
        replace(last.before, value=0.0),
        series,
        day_to_day=last.day_to_day,
        baselines=last.baselines,
    )
    used = [p for p in empty.points if p.is_baseline and p.in_trend]
    since = used[-1].on
    inside = tuple(sorted(e for e in events if since <= e.on <= latest.on))
    is_trend = math.isfinite(estimate.weekly)
    return with_interval(
        replace(
            empty,
            level_px_mm=last.after.level_px_mm,
            since=since,
            until=latest.on,
            before=last.before.value,
            difference=estimate.difference,
            sem=estimate.sem,
            sdc=estimate.sdc,
            would_be_found=estimate.would_be_found,
            p=estimate.p,
            verdict=Verdict.NO_CHANGE,
            estimator=Estimator.TREND if is_trend else Estimator.DIFFERENCE,
            trend=Trend(estimate.weekly, *estimate.weekly_interval()) if is_trend else None,
            day_source=DaySource.OWN_BASELINES if last.baselines > 1 else DaySource.PUBLISHED,
            attributable=not inside,
            events=inside,
            reasons=(),
            flags=_flags([last.after]) | reduce(or_, (p.flags for p in used)),
        ),
        entry,
        coverage=0.95,
    )


def with_interval(change: Change, entry: Metric, *, coverage: float) -> Change:
    """Give a change an interval that covers the truth in this share of cases.

    Parameters
    ----------
    change : Change
        With its difference and standard error.
    entry : Metric
    coverage : float
    """
    low, high = Estimate(change.difference, change.sem).interval(coverage)
    # Of next to nothing a percentage means nothing, and nothing can lose more than all.
    sensible = (
        is_amount(entry)
        and change.before > change.sdc
        and change.scope is not Scope.TREATED_MINUS_UNTREATED
    )
    percent, percent_low, percent_high = (
        max(100.0 * value / change.before, -100.0) if sensible else math.nan
        for value in (change.difference, low, high)
    )
    return replace(
        change,
        low=low,
        high=high,
        coverage=coverage,
        percent=percent,
        percent_low=percent_low,
        percent_high=percent_high,
    )


def follow(
    course: Course, entry: Metric, *, treated: frozenset[str], events: Sequence[Event]
) -> tuple[Change, ...]:
    """Estimate every change of one metric; none is claimed yet.

    Parameters
    ----------
    course : Course
    entry : Metric
    treated : frozenset of str
        Treated regions; empty where nothing was declared.
    events : sequence of Event

    Returns
    -------
    tuple of Change
        Verdict "no detectable change" or "not comparable".
    """
    follower = Follower(course, entry)
    return tuple(_change(follower, area, events) for area in areas_of(entry, treated))
