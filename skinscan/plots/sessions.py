"""Sessions of one number as the rows of a chart, and the axes that all charts share."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import altair as alt

from skinscan.flags import Flag, sentences
from skinscan.metrics import metric
from skinscan.progress import Change, Point, Progress, words
from skinscan.progress.locales import Locale, decimals

#: Shape of the mark by state.
SHAPES = {
    words.STATE_COMPARED: "circle",
    words.STATE_DOUBTFUL: "square",
    words.STATE_NOT_COMPARED: "diamond",
}


def _doubts(change: Change, point: Point) -> list[str]:
    """Say why a session is doubtful or not compared; what the metric always carries is no doubt."""
    own = point.flags & ~(metric(change.metric).flags | Flag.ABSOLUTE_COLOUR | Flag.LIGHT_DEPENDENT)
    aside = not point.in_trend and not point.reasons
    coarse = [words.COARSER]
    return [r.sentence for r in point.reasons] + (coarse if aside else []) + sentences(own)


def state_of(change: Change, point: Point) -> tuple[str, list[str]]:
    """Tell whether a session is compared, doubtful or not compared, and why."""
    why = _doubts(change, point)
    if point.reasons:
        return words.STATE_NOT_COMPARED, why
    return (words.STATE_DOUBTFUL if why else words.STATE_COMPARED), why


def when(on: date) -> str:
    """Write a session's place in time: in UTC, so that a chart is the same wherever it is drawn."""
    return f"{on.isoformat()}T12:00:00Z"


def _instant(on: date) -> alt.DateTime:
    return alt.DateTime(year=on.year, month=on.month, date=on.day, hours=12, utc=True)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shown(progress: Progress, change: Change, point: Point) -> tuple[float, float, float]:
    """Difference to the baseline and its interval, metric's unit; NaN where there is none."""
    if point.is_baseline and not point.reasons:
        if len(progress.baseline) == 1:
            return 0.0, 0.0, 0.0
        return point.value - change.before, math.nan, math.nan
    if point.reasons:
        # Beside the others where there is a value, on the line of no change where there is none.
        known = math.isfinite(point.value) and math.isfinite(change.before)
        return (point.value - change.before if known else 0.0), math.nan, math.nan
    return point.difference, point.low, point.high


def _session(progress: Progress, on: date, locale: Locale) -> str:
    if progress.dated:
        return locale.date(on)
    return words.BEFORE if on == progress.sessions[0] else words.AFTER


def _row(
    progress: Progress, change: Change, point: Point, *, per: float, locale: Locale
) -> dict[str, Any]:
    state, why = state_of(change, point)
    shown, low, high = (per * v for v in _shown(progress, change, point))
    places = decimals(per * point.sdc)
    texts = {
        f"{name}_text": signed(value, locale, places=places)
        for name, value in (("shown", shown), ("low", low), ("high", high))
    }
    return {
        "session": _session(progress, point.on, locale),
        "when": when(point.on),
        "shown": _number(shown),
        "low": _number(low),
        "high": _number(high),
        "sdc": _number(per * point.sdc),
        "state": state,
        "why": locale.sentence(" ".join(why)),
        **texts,
    }


def signed(value: float, locale: Locale, *, places: int) -> str:
    """Write a difference with its sign; a dash for none."""
    if not math.isfinite(value):
        return "–"
    rounded = round(value, places) + 0.0  # what rounds to nothing has no sign
    sign = "+" if rounded > 0 else ""
    return f"{sign}{locale.number(rounded, places=places)}"


def _with_threshold(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Continue the threshold to sessions that have none, from the nearest later, else earlier."""
    known = [k for k, row in enumerate(rows) if row["sdc"] is not None]
    result = []
    for k, row in enumerate(rows):
        nearest = min(known, key=lambda n: (abs(n - k), -n)) if known else None
        half = rows[nearest]["sdc"] if nearest is not None else None
        result.append(row | {"top": half, "bottom": None if half is None else -half})
    return result


def session_rows(
    progress: Progress, change: Change, *, per: float, locale: Locale
) -> list[dict[str, Any]]:
    """Return one row for each session of a change.

    Parameters
    ----------
    progress : Progress
        The course that the change belongs to.
    change : Change
    per : float
        From the metric's unit to the one shown.
    locale : Locale
        Of dates and numbers in texts.
    """
    return _with_threshold(
        [_row(progress, change, p, per=per, locale=locale) for p in change.points]
    )


def session_axis(progress: Progress, locale: Locale, *, small: bool = False) -> alt.X:
    """Return the axis of sessions: dates, or before and after; a small one has no title."""
    if progress.dated:
        axis = alt.Axis(labelExpr=locale.date_label, labelOverlap=True, grid=False)
        if small:
            axis.values = [_instant(on) for on in (progress.sessions[0], progress.sessions[-1])]
            axis.labelFlush = True
        else:
            axis.tickCount = 5
        return alt.X(
            "when:T",
            title=None if small else words.AXIS_SESSION,
            scale=alt.Scale(type="utc"),
            axis=axis,
        )
    return alt.X(
        "session:N",
        title=None if small else words.AXIS_PHOTO,
        sort=[words.BEFORE, words.AFTER],
        axis=alt.Axis(labelAngle=0),
    )
