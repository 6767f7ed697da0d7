"""One measurement in detail: concern, measurement, regions; chart, notes, table, definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from skinscan.metrics import Concern, Metric
from skinscan.ui import charts, markup, strings
from skinscan.ui.course import (
    Point,
    concerns,
    headlines,
    regions_of,
    series,
    session_means,
    uncertainty_known,
)


def detail(points: Sequence[Point], registry: Mapping[str, Metric], level: float) -> None:
    """Show the course of one metric in the regions chosen."""
    st.header(strings.DETAIL_TITLE, anchor=False)
    metric = _choose_metric(registry)
    chosen = _choose_regions(metric, registry)
    if not chosen:
        markup.write(strings.NO_REGION, "sk-small")
        return
    found = series(points, metric.name, chosen)
    if not found:
        needs = strings.CARD_NEEDS_LEVEL.format(
            needed=strings.plain(metric.lowest_level_px_mm), level=strings.plain(level)
        )
        low = level < metric.lowest_level_px_mm
        markup.note(strings.CARD_NONE, (needs,) if low else (), look=True)
        _definition(metric)
        return
    marked = any(point.marked for point in found)
    markup.key(charts.line_names(found), hollow=strings.LEGEND_MARKED if marked else "")
    chart = charts.course_chart(found, metric, theme=st.context.theme.type)
    st.altair_chart(chart, width="stretch", key="detail_chart")
    _legend(found)
    _table(found, metric, level)
    _definition(metric)


def _choose_metric(registry: Mapping[str, Metric]) -> Metric:
    left, right = st.columns(2)
    with left:
        concern: Concern = st.selectbox(
            strings.CHOOSE_CONCERN,
            _with_headlines_first(registry),
            format_func=lambda c: strings.CONCERNS[c.value],
            key="concern",
        )
    names = [metric.name for metric in registry.values() if metric.concern is concern]
    lead = next((h.metric for h in headlines(registry) if h.metric in names), names[0])
    with right:
        name: str = st.selectbox(
            strings.CHOOSE_METRIC,
            names,
            index=names.index(lead),
            format_func=lambda n: _metric_label(registry[n]),
            key=f"metric_{concern.value}",
        )
    return registry[name]


def _with_headlines_first(registry: Mapping[str, Metric]) -> list[Concern]:
    lead = [registry[headline.metric].concern for headline in headlines(registry)]
    return list(dict.fromkeys([*lead, *concerns(registry)]))


def _metric_label(metric: Metric) -> str:
    return f"{metric.title} ({metric.unit})" if metric.unit else metric.title


def _choose_regions(metric: Metric, registry: Mapping[str, Metric]) -> list[str]:
    options = {region.name: region.title for region in regions_of(metric)}
    lead = next(
        (headline.group for headline in headlines(registry) if headline.metric == metric.name),
        metric.groups[0] if metric.groups else "",
    )
    return st.multiselect(
        strings.CHOOSE_REGIONS,
        list(options),
        default=[region.name for region in regions_of(metric) if region.group == lead],
        format_func=lambda name: options[name],
        key=f"regions_{metric.name}",
    )


def _legend(points: Sequence[Point]) -> None:
    if uncertainty_known(points):
        markup.write(strings.LEGEND_INTERVAL, "sk-small")
    marked = [point for point in points if point.marked]
    if not marked:
        return
    notes: dict[str, list[str]] = {}
    for point in marked:
        day = strings.short_date(point.taken_on)
        for sentence in filter(None, charts.notes(point)):
            where = notes.setdefault(sentence, [])
            if day not in where:
                where.append(day)
    items = "".join(
        f"<li>{markup.escaped(sentence)} ({markup.escaped(strings.listed(days))})</li>"
        for sentence, days in notes.items()
    )
    st.html(
        f'<div class="sk-note sk-look" role="note"><p><strong>'
        f"{markup.escaped(strings.NOTES_TITLE)}</strong></p><ul>{items}</ul></div>"
    )


def _table(points: Sequence[Point], metric: Metric, level: float) -> None:
    means = session_means(points)
    days = sorted({point.taken_on for point in points})
    marked = {(point.taken_on, point.region) for point in points if point.marked}
    head = "".join(
        f'<th scope="col">{markup.escaped(charts.region_title(name))}</th>' for name in means
    )
    rows = []
    for day in days:
        cells = "".join(
            f"<td>{strings.number(by_day.get(day, float('nan')))}"
            f"{' ' + strings.TABLE_MARK if (day, name) in marked else ''}</td>"
            for name, by_day in means.items()
        )
        rows.append(f'<tr><th scope="row">{strings.long_date(day)}</th>{cells}</tr>')
    caption = strings.TABLE_CAPTION.format(
        metric=metric.title, unit=metric.unit or strings.UNITLESS, level=strings.plain(level)
    )
    with st.expander(strings.TABLE_TITLE):
        st.html(
            f'<div class="sk-table" tabindex="0"><table><caption>{markup.escaped(caption)}'
            f'</caption><thead><tr><th scope="col">{strings.TABLE_SESSION}</th>{head}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>"
        )


def _definition(metric: Metric) -> None:
    with st.expander(strings.DEFINITION):
        markup.write(metric.description, "sk-small")
        markup.write(strings.BETTER_SENTENCE[metric.better.value], "sk-small")
        for template, phrases in (
            (strings.DEFINITION_RESPONDS, metric.responds_to),
            (strings.DEFINITION_BLIND, metric.blind_to),
        ):
            markup.write(template.format(phrases="; ".join(phrases)), "sk-small")
        markup.write(metric.limits, "sk-small")
        markup.write(strings.DEFINITION_SOURCE.format(source=metric.source), "sk-small")
