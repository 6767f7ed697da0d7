"""The course of one number as a chart."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import altair as alt
import vl_convert

from skinscan.flags import Flag, sentences
from skinscan.metrics import metric
from skinscan.plots.style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    concern_heading,
    per_unit,
    percents,
    unit_shown,
)
from skinscan.progress import Change, Estimator, Point, Progress, words

_COMPARED, _DOUBTFUL, _NOT_COMPARED = "compared", "compared, doubtful", "not compared"
_SHAPES = {_COMPARED: "circle", _DOUBTFUL: "square", _NOT_COMPARED: "diamond"}
_INTERVAL, _BAND = "95 % interval", "too small to detect"
#: Wide enough for two charts side by side on a page, narrow enough for a telephone.
_WIDTH_PX, _HEIGHT_PX = 330, 210


def _doubts(change: Change, point: Point) -> list[str]:
    """Say why a session is doubtful or not compared; what the metric always carries is no doubt."""
    own = point.flags & ~(metric(change.metric).flags | Flag.ABSOLUTE_COLOUR | Flag.LIGHT_DEPENDENT)
    aside = not point.in_trend and not point.reasons
    coarse = ["Measured at a lower resolution than the course; left out of the trend."]
    return [r.sentence for r in point.reasons] + (coarse if aside else []) + sentences(own)


def _when(on: date) -> str:
    """Write a session's place in time: noon, so that no time zone moves it to another day."""
    return f"{on.isoformat()}T12:00:00"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _row(progress: Progress, change: Change, point: Point) -> dict[str, Any]:
    per = per_unit(change)
    doubts = _doubts(change, point)
    if point.is_baseline and not point.reasons:
        shown, low, high = per * (point.value - change.before), math.nan, math.nan
        if len(progress.baseline) == 1:
            shown = low = high = 0.0
    elif point.reasons:
        # Beside the others where there is a value, on the line of no change where there is none.
        known = math.isfinite(point.value) and math.isfinite(change.before)
        shown = per * (point.value - change.before) if known else 0.0
        low = high = math.nan
    else:
        shown, low, high = (per * v for v in (point.difference, point.low, point.high))
    first = point.on == progress.sessions[0]
    state = _NOT_COMPARED if point.reasons else _DOUBTFUL if doubts else _COMPARED
    return {
        "session": point.on.isoformat() if progress.dated else ("Before" if first else "After"),
        "when": _when(point.on),
        "shown": _number(shown),
        "low": _number(low),
        "high": _number(high),
        "sdc": _number(per * point.sdc),
        "state": state,
        "why": " ".join(doubts),
    }


def _with_threshold(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Continue the threshold to sessions that have none, from the nearest later, else earlier."""
    known = [k for k, row in enumerate(rows) if row["sdc"] is not None]
    result = []
    for k, row in enumerate(rows):
        nearest = min(known, key=lambda n: (abs(n - k), -n)) if known else None
        half = rows[nearest]["sdc"] if nearest is not None else None
        result.append(row | {"top": half, "bottom": None if half is None else -half})
    return result


def course_chart(progress: Progress, change: Change) -> alt.LayerChart:
    """Draw one number through a course: difference to the baseline, session by session.

    Parameters
    ----------
    progress : Progress
        The course that the change belongs to.
    change : Change
        Usually `ConcernChange.leading`.

    Returns
    -------
    altair.LayerChart
        In % of the baseline where a percentage means something, else in the metric's unit. A band
        around the points is their 95 % interval, the grey one holds what is too small to be
        detected; sessions that are doubtful or not compared are hollow, and say why in their
        tooltip. The dashed line is the trend that the verdict rests on. The description is the
        alternative text.
    """
    unit, said = unit_shown(change), words.words_of(change.metric)
    rows = _with_threshold([_row(progress, change, p) for p in change.points])
    base = alt.Chart(alt.Data(values=rows))
    states = [state for state in _SHAPES if any(row["state"] == state for row in rows)]
    fills = [BLUE if state == _COMPARED else "#ffffff" for state in states]
    x: Any = (
        alt.X(
            "when:T",
            title="Session",
            axis=alt.Axis(format="%-d %b", tickCount=5, labelOverlap=True, grid=False),
        )
        if progress.dated
        else alt.X(
            "session:N", title="Photo", sort=["Before", "After"], axis=alt.Axis(labelAngle=0)
        )
    )
    of = "% of the baseline" if percents(change) else unit
    title = alt.Title(
        concern_heading(change),
        subtitle=f"{change.verdict.value}; below 0: {said.less}, above 0: {said.more}",
        anchor="start",
        fontSize=13,
        subtitleFontSize=11,
        subtitleColor=INK,
    )
    bands = alt.Scale(domain=[_INTERVAL, _BAND], range=[BLUE, GREY])
    legend = alt.Legend(
        title=None, orient="top", columns=2, labelLimit=200, symbolType="square", offset=4
    )

    def band(chart: alt.Chart, ends: tuple[str, str], kind: str, opacity: float) -> alt.Chart:
        drawn: alt.Chart = (
            chart.transform_calculate(band=f"'{kind}'")
            .mark_area(opacity=opacity)
            .encode(
                x=x,
                y=alt.Y(f"{ends[0]}:Q", title=f"Change ({of})"),
                y2=alt.Y2(f"{ends[1]}:Q"),
                color=alt.Color("band:N", scale=bands, legend=legend),
            )
        )
        return drawn

    known = base.transform_filter("isValid(datum.low)")
    whiskers = known.mark_rule(color=BLUE, opacity=0.6).encode(x=x, y="low:Q", y2="high:Q")
    zero = alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=INK).encode(y="y:Q")
    line = known.mark_line(color=BLUE).encode(x=x, y="shown:Q")
    marks = base.mark_point(size=55, opacity=1, strokeWidth=1.6, color=BLUE).encode(
        x=x,
        y="shown:Q",
        shape=alt.Shape(
            "state:N",
            scale=alt.Scale(domain=states, range=[_SHAPES[s] for s in states]),
            legend=alt.Legend(title=None, orient="bottom", columns=2, offset=4),
        ),
        fill=alt.Fill("state:N", scale=alt.Scale(domain=states, range=fills)),
        stroke=alt.Stroke("state:N", scale=alt.Scale(domain=states, range=[BLUE] * len(states))),
        tooltip=[
            alt.Tooltip("session:N", title="Session"),
            alt.Tooltip("shown:Q", title=f"Change ({unit})", format=".1f"),
            alt.Tooltip("low:Q", title="from", format=".1f"),
            alt.Tooltip("high:Q", title="to", format=".1f"),
            alt.Tooltip("state:N", title="State"),
            alt.Tooltip("why:N", title="Why"),
        ],
    )
    layers: list[Any] = [
        band(base, ("bottom", "top"), _BAND, 0.55),
        band(known, ("low", "high"), _INTERVAL, 0.25),
        zero,
        line,
        whiskers,
        *_trend(progress, change),
        marks,
    ]
    if progress.dated and progress.events:
        layers += _events(progress)
    chart: alt.LayerChart = (
        alt.layer(*layers)
        .resolve_scale(shape="independent", fill="independent", stroke="independent")
        .properties(
            width=_WIDTH_PX, height=_HEIGHT_PX, title=title, description=_described(change, rows)
        )
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=11, titleFontSize=11, titleFontWeight="normal")
        .configure_legend(labelFontSize=11)
    )
    return chart


def _trend(progress: Progress, change: Change) -> list[alt.Chart]:
    """Draw the trend from the baseline to the latest session, where the change rests on one."""
    if not progress.dated or change.estimator is not Estimator.TREND:
        return []
    ends = ((change.since, 0.0), (change.until, per_unit(change) * change.difference))
    rows = [{"when": _when(on), "shown": y} for on, y in ends if on is not None]
    mark = alt.Chart(alt.Data(values=rows)).mark_line(color=INK, strokeDash=[6, 3])
    return [mark.encode(x="when:T", y="shown:Q")]


def _events(progress: Progress) -> list[alt.Chart]:
    """Draw a rule and its name for each event between the first and the last session."""
    first, last = progress.sessions[0], progress.sessions[-1]
    rows = [
        {"when": _when(e.on), "name": e.kind.value}
        for e in progress.events
        if first <= e.on <= last
    ]
    if not rows:
        return []
    base = alt.Chart(alt.Data(values=rows))
    rule = base.mark_rule(color=VERMILION, strokeDash=[5, 3], strokeWidth=1.5)
    text = base.mark_text(color="#a34700", align="left", dx=4, dy=4, fontSize=11)
    return [
        rule.encode(x="when:T", tooltip=[alt.Tooltip("name:N", title="Event")]),
        text.encode(x="when:T", y=alt.value(4), text="name:N"),
    ]


def _described(change: Change, rows: list[dict[str, Any]]) -> str:
    """Write the chart's alternative text."""
    count = sum(row["state"] != _NOT_COMPARED for row in rows)
    text = (
        f"Course of {concern_heading(change)}, {len(rows)} sessions, {count} of them compared. "
        f"Verdict: {change.verdict.value}."
    )
    if not math.isfinite(change.difference):
        return text
    per, unit = per_unit(change), unit_shown(change)
    value, low, high = (per * v for v in (change.difference, change.low, change.high))
    return f"{text} Change {value:+.1f} {unit}, between {low:+.1f} and {high:+.1f}."


def as_svg(chart: alt.LayerChart) -> str:
    """Render a chart as SVG, which needs no script and no network.

    Parameters
    ----------
    chart : altair.LayerChart

    Returns
    -------
    str
    """
    return str(vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[]))
