"""The course of one number in every region: small charts that share one scale."""

from __future__ import annotations

from typing import Any

import altair as alt

from skinscan.metrics import metric
from skinscan.plots.sessions import SHAPES, session_axis, session_rows
from skinscan.plots.style import BLUE, GREY, INK
from skinscan.progress import Change, Progress, Scope, words
from skinscan.progress.locales import Locale
from skinscan.progress.locales import locale as locale_of
from skinscan.regions import region

_COLUMNS = 4
_WIDTH_PX, _HEIGHT_PX = 165, 96
_LINE_BREAK = "\n"


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


def regions_chart(progress: Progress, name: str, *, locale: str = "en-GB") -> alt.FacetChart:
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
    altair.FacetChart
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
    rows = [
        row | {"region": _heading(c)}
        for c in changes
        for row in session_rows(progress, c, per=1.0, locale=written)
    ]
    unit = metric(name).unit or words.words_of(name).unit
    claimed = [region(c.place).title for c in changes if c.verdict.claimed]
    claims = (
        words.REGIONS_CLAIMED.format(regions=", ".join(claimed))
        if claimed
        else words.REGIONS_UNCLAIMED
    )
    subject = words.words_of(name).subject
    # One chart, drawn once for each region: Altair copies every part of a chart that holds charts.
    chart: alt.FacetChart = (
        alt.layer(
            *_layers(rows, session_axis(progress, written, small=True), written),
            data=alt.Data(values=rows),
            width=_WIDTH_PX,
            height=_HEIGHT_PX,
        )
        .facet(
            alt.Facet(
                "region:N",
                title=None,
                sort=[_heading(c) for c in changes],
                header=alt.Header(labelAnchor="start", labelFontSize=11, labelLineHeight=13),
            ),
            columns=_COLUMNS,
            spacing=14,
        )
        .resolve_axis(x="independent", y="independent")
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
            config=alt.Config(
                view=alt.ViewConfig(stroke=None),
                axis=alt.AxisConfig(labelFontSize=10),
                lineBreak=_LINE_BREAK,
            ),
        )
    )
    return chart


def _heading(change: Change) -> str:
    return f"{region(change.place).title}{_LINE_BREAK}{words.VERDICTS[change.verdict]}"


def _layers(rows: list[dict[str, Any]], x: alt.X, locale: Locale) -> list[alt.Chart]:
    sizes = [row[key] for row in rows for key in ("shown", "low", "high", "top", "bottom")]
    known = [size for size in sizes if size is not None]
    scale = alt.Scale(domain=[min(known, default=0.0), max(known, default=1.0)], nice=True)
    axis = alt.Axis(labelExpr=locale.number_label, tickCount=4)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=None, scale=scale, axis=axis)

    base = alt.Chart()
    compared = base.transform_filter("isValid(datum.low)")
    marks = [
        base.transform_filter(alt.datum.state == state)
        .mark_point(
            shape=shape,
            color=BLUE,
            fill=BLUE if state == words.STATE_COMPARED else "#ffffff",
            size=26,
            opacity=1,
        )
        .encode(x=x, y=y("shown"))
        for state, shape in SHAPES.items()
    ]
    return [
        base.mark_area(color=GREY, opacity=0.55).encode(x=x, y=y("bottom"), y2="top:Q"),
        base.transform_aggregate(sessions="count()")
        .transform_calculate(zero="0")
        .mark_rule(color=INK)
        .encode(y=y("zero")),
        compared.mark_line(color=BLUE).encode(x=x, y=y("shown")),
        compared.mark_rule(color=BLUE, opacity=0.6).encode(x=x, y=y("low"), y2="high:Q"),
        *marks,
    ]
