"""The course of one number in every region: small charts that share one scale."""

from __future__ import annotations

from typing import Any

import altair as alt

from skinscan.metrics import metric
from skinscan.plots.sessions import SHAPES, session_axis, session_rows
from skinscan.plots.style import BLUE, GREY, INK
from skinscan.progress import Change, Progress, Scope, words
from skinscan.progress.locales import locale as locale_of
from skinscan.regions import region

_COLUMNS = 4
_WIDTH_PX, _HEIGHT_PX = 165, 96


def region_changes(progress: Progress, name: str) -> list[Change]:
    """Return the changes of single regions in which something was measured, in the atlas' order.

    Parameters
    ----------
    progress : Progress
    name : str
        Metric.
    """
    return [
        c
        for c in progress.changes
        if c.metric == name and c.scope is Scope.REGION and any(p.takes for p in c.points)
    ]


def regions_chart(progress: Progress, name: str, *, locale: str = "en-GB") -> alt.ConcatChart:
    """Draw one metric in every region, all on one scale in the metric's own unit.

    Parameters
    ----------
    progress : Progress
    name : str
        Metric that is measured in one region at least.
    locale : str
        How dates and numbers are written.

    Returns
    -------
    altair.ConcatChart
        Difference to the baseline, session by session, as `course_chart` draws it: bars are 95 %
        intervals, the grey band holds what is too small to be detected.

    Raises
    ------
    ValueError
        If no region was measured.
    """
    changes = region_changes(progress, name)
    if not changes:
        raise ValueError("no region to draw")
    written = locale_of(locale)
    rows = [session_rows(progress, c, per=1.0, locale=written) for c in changes]
    sizes = [
        row[key]
        for part in rows
        for row in part
        for key in ("shown", "low", "high", "top", "bottom")
    ]
    known = [size for size in sizes if size is not None]
    scale = alt.Scale(domain=[min(known, default=0.0), max(known, default=1.0)], nice=True)
    unit = metric(name).unit or words.words_of(name).unit
    x = session_axis(progress, written, ticks=3, title=False)
    panels = [
        _panel(c, part, x, scale, written.number_label)
        for c, part in zip(changes, rows, strict=True)
    ]
    claimed = [region(c.place).title for c in changes if c.verdict.claimed]
    claims = (
        words.REGIONS_CLAIMED.format(regions=", ".join(claimed))
        if claimed
        else words.REGIONS_UNCLAIMED
    )
    subject = words.words_of(name).subject
    chart: alt.ConcatChart = (
        alt.concat(*panels, columns=_COLUMNS, spacing=14)
        .properties(
            title=alt.Title(
                words.REGIONS_TITLE.format(subject=subject),
                subtitle=words.CHART_CHANGE.format(unit=unit),
                anchor="start",
                fontSize=13,
                subtitleFontSize=11,
                subtitleColor=INK,
            ),
            description=words.REGIONS_ALT.format(
                subject=subject, count=len(changes), claims=claims
            ),
        )
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=10)
    )
    return chart


def _panel(
    change: Change,
    rows: list[dict[str, Any]],
    x: alt.X,
    scale: alt.Scale,
    number_label: str,
) -> alt.LayerChart:
    base = alt.Chart(alt.Data(values=rows))
    axis = alt.Axis(labelExpr=number_label, tickCount=4)
    y = alt.Y("shown:Q", title=None, scale=scale, axis=axis)
    band = base.mark_area(color=GREY, opacity=0.55).encode(
        x=x, y=alt.Y("bottom:Q", title=None, scale=scale, axis=axis), y2="top:Q"
    )
    known = base.transform_filter("isValid(datum.low)")
    bars = known.mark_rule(color=BLUE, opacity=0.6).encode(
        x=x, y=alt.Y("low:Q", title=None, scale=scale, axis=axis), y2="high:Q"
    )
    zero = alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=INK).encode(y="y:Q")
    marks = [
        base.transform_filter(alt.datum.state == state)
        .mark_point(
            shape=shape,
            color=BLUE,
            fill=BLUE if state == words.STATE_COMPARED else "#ffffff",
            size=26,
            opacity=1,
        )
        .encode(x=x, y=y)
        for state, shape in SHAPES.items()
        if any(row["state"] == state for row in rows)
    ]
    title = alt.Title(
        region(change.place).title,
        subtitle=words.VERDICTS[change.verdict],
        anchor="start",
        fontSize=11,
        fontWeight="bold" if change.verdict.claimed else "normal",
        subtitleFontSize=10,
        subtitleColor=INK,
    )
    layers: list[Any] = [band, zero, known.mark_line(color=BLUE).encode(x=x, y=y), bars, *marks]
    return alt.LayerChart(layer=layers, width=_WIDTH_PX, height=_HEIGHT_PX, title=title)
