"""The course of one number as a chart."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

import altair as alt
import vl_convert

from skinscan.plots.sessions import SHAPES, session_axis, session_rows, signed, when
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
from skinscan.progress import Change, Estimator, Progress, words
from skinscan.progress.locales import Locale, decimals
from skinscan.progress.locales import locale as locale_of

#: Wide enough for two charts side by side on a page, narrow enough for a telephone.
_WIDTH_PX, _HEIGHT_PX = 330, 210


def course_chart(progress: Progress, change: Change, *, locale: str = "en-GB") -> alt.LayerChart:
    """Draw one number through a course: difference to the baseline, session by session.

    Parameters
    ----------
    progress : Progress
        The course that the change belongs to.
    change : Change
        Usually `ConcernChange.leading`.
    locale : str
        How dates and numbers are written, a name in `skinscan.progress.locales.LOCALES`.

    Returns
    -------
    altair.LayerChart
        In % of the baseline where a percentage means something, else in the metric's unit. A band
        around the points is their 95 % interval, the grey one holds what is too small to be
        detected; sessions that are doubtful or not compared are hollow, and say why in their
        tooltip. The dashed line is the trend that the verdict rests on. The description is the
        alternative text.
    """
    written = locale_of(locale)
    unit, said = unit_shown(change), words.words_of(change.metric)
    rows = session_rows(progress, change, per=per_unit(change), locale=written)
    base = alt.Chart(alt.Data(values=rows))
    states = [state for state in SHAPES if any(row["state"] == state for row in rows)]
    fills = [BLUE if state == words.STATE_COMPARED else "#ffffff" for state in states]
    x = session_axis(progress, written)
    of = words.CHART_OF_BASELINE if percents(change) else unit
    title = alt.Title(
        concern_heading(change),
        subtitle=words.CHART_SUBTITLE.format(
            verdict=words.VERDICTS[change.verdict], less=said.less, more=said.more
        ),
        anchor="start",
        fontSize=13,
        subtitleFontSize=11,
        subtitleColor=INK,
    )
    bands = alt.Scale(domain=[words.CHART_INTERVAL, words.CHART_BAND], range=[BLUE, GREY])
    legend = alt.Legend(
        title=None, orient="top", columns=2, labelLimit=200, symbolType="square", offset=4
    )

    def band(chart: alt.Chart, ends: tuple[str, str], kind: str, opacity: float) -> alt.Chart:
        drawn: alt.Chart = (
            chart.transform_calculate(band=f"'{kind}'")
            .mark_area(opacity=opacity)
            .encode(
                x=x,
                y=alt.Y(
                    f"{ends[0]}:Q",
                    title=words.CHART_CHANGE.format(unit=of),
                    axis=alt.Axis(labelExpr=written.number_label),
                ),
                y2=alt.Y2(f"{ends[1]}:Q"),
                color=alt.Color("band:N", scale=bands, legend=legend),
            )
        )
        return drawn

    known = base.transform_filter("isValid(datum.low)")
    # Channels instead of strings: altair looks each string up in its whole schema.
    whiskers = known.mark_rule(color=BLUE, opacity=0.6).encode(
        x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
    )
    zero = alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=INK).encode(y=alt.Y("y:Q"))
    line = known.mark_line(color=BLUE).encode(x=x, y=alt.Y("shown:Q"))
    marks = base.mark_point(size=55, opacity=1, strokeWidth=1.6, color=BLUE).encode(
        x=x,
        y=alt.Y("shown:Q"),
        shape=alt.Shape(
            "state:N",
            scale=alt.Scale(domain=states, range=[SHAPES[s] for s in states]),
            legend=alt.Legend(title=None, orient="bottom", columns=2, offset=4),
        ),
        fill=alt.Fill("state:N", scale=alt.Scale(domain=states, range=fills)),
        stroke=alt.Stroke("state:N", scale=alt.Scale(domain=states, range=[BLUE] * len(states))),
        tooltip=[
            alt.Tooltip("session:N", title=words.AXIS_SESSION),
            alt.Tooltip("shown_text:N", title=words.CHART_CHANGE.format(unit=unit)),
            alt.Tooltip("low_text:N", title=words.TIP_FROM),
            alt.Tooltip("high_text:N", title=words.TIP_TO),
            alt.Tooltip("state:N", title=words.TIP_STATE),
            alt.Tooltip("why:N", title=words.TIP_WHY),
        ],
    )
    layers: list[Any] = [
        band(base, ("bottom", "top"), words.CHART_BAND, 0.55),
        band(known, ("low", "high"), words.CHART_INTERVAL, 0.25),
        zero,
        line,
        whiskers,
        *_trend(progress, change),
        marks,
    ]
    if progress.dated and progress.events:
        layers += _events(progress)
    # All at once: each of altair's methods would copy every layer with its rows anew.
    return alt.LayerChart(
        layer=layers,
        resolve=alt.Resolve(
            scale=alt.ScaleResolveMap(shape="independent", fill="independent", stroke="independent")
        ),
        width=_WIDTH_PX,
        height=_HEIGHT_PX,
        title=title,
        description=_described(change, rows, written),
        config=alt.Config(
            view=alt.ViewConfig(stroke=None),
            axis=alt.AxisConfig(labelFontSize=11, titleFontSize=11, titleFontWeight="normal"),
            legend=alt.LegendConfig(labelFontSize=11),
        ),
    )


def _trend(progress: Progress, change: Change) -> list[alt.Chart]:
    """Draw the trend from the baseline to the latest session, where the change rests on one."""
    if not progress.dated or change.estimator is not Estimator.TREND:
        return []
    ends = ((change.since, 0.0), (change.until, per_unit(change) * change.difference))
    rows = [{"when": when(on), "shown": y} for on, y in ends if on is not None]
    mark = alt.Chart(alt.Data(values=rows)).mark_line(color=INK, strokeDash=[6, 3])
    return [mark.encode(x=alt.X("when:T"), y=alt.Y("shown:Q"))]


def _events(progress: Progress) -> list[alt.Chart]:
    """Draw a rule and its name for each event between the first and the last session."""
    first, last = progress.sessions[0], progress.sessions[-1]
    rows = [
        {"when": when(e.on), "name": words.EVENT_NAMES[e.kind], "note": e.note}
        for e in progress.events
        if first <= e.on <= last
    ]
    if not rows:
        return []
    base = alt.Chart(alt.Data(values=rows))
    rule = base.mark_rule(color=VERMILION, strokeDash=[5, 3], strokeWidth=1.5)
    text = base.mark_text(color="#a34700", align="left", dx=4, dy=4, fontSize=11)
    tips = [alt.Tooltip("name:N", title=words.TIP_EVENT)]
    if any(row["note"] for row in rows):
        tips.append(alt.Tooltip("note:N", title=words.TIP_NOTE))
    return [
        rule.encode(x="when:T", tooltip=tips),
        text.encode(x="when:T", y=alt.value(4), text="name:N"),
    ]


def _described(change: Change, rows: list[dict[str, Any]], locale: Locale) -> str:
    """Write the chart's alternative text."""
    text = words.CHART_ALT.format(
        subject=concern_heading(change),
        sessions=len(rows),
        compared=sum(row["state"] != words.STATE_NOT_COMPARED for row in rows),
        verdict=words.VERDICTS[change.verdict],
    )
    if not math.isfinite(change.difference):
        return text
    per = per_unit(change)
    value, low, high = (
        signed(per * v, locale, places=max(1, decimals(per * change.sdc)))
        for v in (change.difference, change.low, change.high)
    )
    return text + words.CHART_ALT_CHANGE.format(
        change=value, unit=unit_shown(change), low=low, high=high
    )


def as_svg(chart: alt.TopLevelMixin) -> str:
    """Render a chart as SVG, which needs no script and no network.

    Parameters
    ----------
    chart : altair chart of any kind

    Returns
    -------
    str
    """
    # Not validated: that takes longer than drawing, and the tests do it for every kind of chart.
    return _drawn(json.dumps(chart.to_dict(validate=False)))


@lru_cache(maxsize=64)
def _drawn(specification: str) -> str:
    # The files, the report and the paper of one course show the same charts.
    return str(vl_convert.vegalite_to_svg(specification, allowed_base_urls=[]))
