"""Series to charts. Colour is never the only carrier: lines differ in dash, points in shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import isfinite
from typing import Final

import altair as alt
import pandas as pd

from skinscan.flags import sentences
from skinscan.metrics import Metric
from skinscan.progress.amounts import is_amount
from skinscan.regions import measured_regions
from skinscan.ui import strings
from skinscan.ui.course import Point, session_means
from skinscan.ui.theme import CHART_GRID, CHART_TEXT, line_style

#: Names of lines in the overview, in the order of their colours.
SIDES: Final = (strings.SIDE["right"], strings.SIDE["left"], strings.SIDE[""])

_SMALL_HEIGHT_PX: Final = 150
_LARGE_HEIGHT_PX: Final = 340


def notes(point: Point) -> list[str]:
    """Say why a point needs care; empty if it does not."""
    parts = [strings.NOTE_POOR] if point.poor_photo else []
    return [*parts, *sentences(point.flags)]


def region_title(name: str, *, short: bool = False) -> str:
    """Return a region's title; with ``short`` only its side."""
    region = next((r for r in measured_regions() if r.name == name), None)
    if region is None:
        return name
    return strings.SIDE[region.side.value if region.side else ""] if short else region.title


def alt_text(points: Sequence[Point], metric: Metric, *, place: str = "") -> str:
    """Describe a chart for people who cannot see it."""
    days = sorted({point.taken_on for point in points})
    lines = " ".join(
        strings.ALT_LINE.format(
            region=region_title(name, short=bool(place)),
            first=strings.number(next(iter(by_day.values()))),
            latest=strings.number(list(by_day.values())[-1]),
        )
        for name, by_day in session_means(points).items()
    )
    text = strings.ALT_COURSE.format(
        metric=metric.title,
        unit=metric.unit or strings.UNITLESS,
        where=strings.ALT_WHERE.format(place=place) if place else "",
        sessions=len(days),
        first=strings.long_date(days[0]),
        latest=strings.long_date(days[-1]),
        lines=lines,
    )
    return text if place else text + strings.ALT_TABLE


def _frame(points: Sequence[Point], *, short: bool) -> pd.DataFrame:
    rows = []
    for point in points:
        low, high = point.interval
        rows.append(
            {
                "day": pd.Timestamp(point.taken_on),
                "session": strings.long_date(point.taken_on),
                "region": region_title(point.region, short=short),
                "value": point.value,
                "text": strings.number(point.value),
                "low": low if isfinite(low) else None,
                "high": high if isfinite(high) else None,
                "marked": point.marked,
                "note": " ".join(notes(point)),
            }
        )
    return pd.DataFrame(rows)


def _mean_frame(points: Sequence[Point], *, short: bool) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"day": pd.Timestamp(day), "region": region_title(name, short=short), "value": value}
            for name, by_day in session_means(points).items()
            for day, value in by_day.items()
        ]
    )


def _ticks(days: Sequence[date], *, most: int) -> list[date]:
    """Choose days far enough apart for their labels; the first and the latest always."""
    first, latest = days[0], days[-1]
    apart = (latest - first) / most
    chosen = [first]
    for day in days[1:-1]:
        if day - chosen[-1] >= apart and latest - day >= apart:
            chosen.append(day)
    return chosen if latest == first else [*chosen, latest]


def line_names(points: Sequence[Point]) -> list[str]:
    """Return the titles of the regions shown, in the order of their colours."""
    return list(dict.fromkeys(region_title(point.region) for point in points))


def course_chart(
    points: Sequence[Point], metric: Metric, *, place: str = "", theme: str | None = None
) -> alt.LayerChart:
    """Draw the course of one metric.

    Parameters
    ----------
    points : sequence of Point
        Of one metric, with values; at least one.
    metric : Metric
    place : str
        For the overview: the title of the one group shown. The chart is then lower, with fewer
        ticks, and its lines are named by side only.
    theme : {"light", "dark"} or None
        Fits axis text to the background; None leaves it to Streamlit.

    Returns
    -------
    altair.LayerChart
        Lines through the session means, a point for each photo (hollow where it needs care),
        and bars over the 95 % interval where it is known.
    """
    small = bool(place)
    data = _frame(points, short=small)
    names = list(SIDES) if small else line_names(points)
    days = sorted({point.taken_on for point in points})
    unit = metric.unit or strings.UNITLESS
    ink = CHART_TEXT[theme] if theme else alt.Undefined
    rule = CHART_GRID[theme] if theme else alt.Undefined
    x = alt.X(
        "day:T",
        title=None if small else strings.AXIS_DATE,
        axis=alt.Axis(
            labelExpr=strings.WRITTEN.date_label,
            values=[
                alt.DateTime(year=day.year, month=day.month, date=day.day)
                for day in _ticks(days, most=2 if small else 6)
            ],
            labelAngle=0,
            labelOverlap=True,
            labelFlush=False,
            grid=False,
            labelColor=ink,
            titleColor=ink,
            domainColor=rule,
        ),
        scale=alt.Scale(padding=22),
    )
    amount = is_amount(metric)
    y = alt.Y(
        "value:Q",
        title=unit if small else f"{metric.title} ({unit})",
        axis=alt.Axis(
            labelExpr=strings.WRITTEN.number_label,
            tickCount=3 if small else 5,
            titleLimit=260,
            labelFlush=False,
            labelColor=ink,
            titleColor=ink,
            gridColor=rule,
            domainColor=rule,
        ),
        scale=alt.Scale(domainMin=0, nice=True) if amount else alt.Scale(zero=False, nice=True),
    )
    styles = [line_style(k) for k in range(len(names))]
    colour = alt.Color(
        "region:N",
        scale=alt.Scale(domain=names, range=[style[0] for style in styles]),
        legend=None,
    )
    dash = alt.StrokeDash(
        "region:N",
        scale=alt.Scale(domain=names, range=[list(style[1]) for style in styles]),
        legend=None,
    )

    layers: list[alt.Chart] = [
        alt.Chart(_mean_frame(points, short=small))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    ]
    if data["low"].notna().any():
        layers.append(
            alt.Chart(data.dropna(subset=["low", "high"]))
            .mark_rule(strokeWidth=1.5, opacity=0.7)
            .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"), color=colour)
        )
    tips = [
        alt.Tooltip("session:N", title=strings.TIP_DATE),
        alt.Tooltip("region:N", title=strings.TIP_REGION),
        alt.Tooltip("text:N", title=f"{strings.TIP_VALUE} ({unit})"),
    ]
    for marked, shape in ((False, "circle"), (True, "diamond")):
        chosen = data[data["marked"] == marked]
        if chosen.empty:
            continue
        extra = [alt.Tooltip("note:N", title=strings.TIP_NOTE)] if marked else []
        layers.append(
            alt.Chart(chosen)
            .mark_point(
                shape=shape,
                filled=not marked,
                size=(90 if marked else 42) if small else (130 if marked else 70),
                strokeWidth=2,
                opacity=1,
            )
            .encode(x=x, y=y, color=colour, tooltip=[*tips, *extra])
        )
    return alt.LayerChart(layer=layers).properties(
        height=_SMALL_HEIGHT_PX if small else _LARGE_HEIGHT_PX,
        description=alt_text(points, metric, place=place),
    )
