"""The course at a glance: one small chart per headline, values without verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import streamlit as st

from skinscan.metrics import Metric
from skinscan.ui import charts, markup, strings
from skinscan.ui.course import (
    Difference,
    Headline,
    Point,
    SessionPhoto,
    coarsest_days,
    difference,
    group_regions,
    headlines,
    in_order,
    is_poor,
    series,
    session_days,
    session_means,
    uncertainty_known,
)

_CARDS_PER_ROW = 3


def summary(photos: Sequence[SessionPhoto], level: float) -> None:
    """Say what is being compared."""
    days = session_days(photos)
    period = (
        strings.long_date(days[0])
        if len(days) == 1
        else f"{strings.short_date(days[0])} – {strings.long_date(days[-1])}"
    )
    counts = [
        f"{sum(str(p.scan.quality.verdict) == verdict for p in photos)} {word}"
        for verdict, word in strings.QUALITY.items()
    ]
    markup.facts(
        (
            (strings.FACT_SESSIONS, str(len(days))),
            (strings.FACT_PERIOD, period),
            (strings.FACT_PHOTOS, ", ".join(c for c in counts if not c.startswith("0 "))),
            (strings.FACT_LEVEL, strings.LEVEL.format(level=strings.plain(level))),
        )
    )


def caution(
    photos: Sequence[SessionPhoto], points: Sequence[Point], level: float, *, compared: bool
) -> None:
    """Say what the numbers do not say."""
    known = uncertainty_known(points)
    lines = [strings.NOT_JUDGED_WITH_SEM if known else strings.NOT_JUDGED_NO_SEM]
    if compared:
        lines = [strings.NUMBERS_TEXT]
    coarsest = coarsest_days(photos)
    if coarsest:
        who = strings.listed([strings.short_date(day) for day in coarsest])
        lines.append(strings.LEVEL_LIMITED.format(level=strings.plain(level), who=who))
    if len(session_days(photos)) > 1:
        markup.note(strings.NUMBERS_TITLE if compared else strings.NOT_JUDGED_TITLE, lines)
    else:
        markup.note(strings.ONE_SESSION, lines[1:])

    poor = [photo for photo in in_order(photos) if is_poor(photo.scan)]
    if poor:
        title = strings.PHOTOS_NEED_A_LOOK.format(count=len(poor), total=len(photos))
        dates = strings.listed([strings.short_date(day) for day in session_days(poor)])
        markup.note(f"{title} {dates}.", (strings.PHOTOS_NEED_A_LOOK_END,), look=True)


def glance(points: Sequence[Point], registry: Mapping[str, Metric], level: float) -> None:
    """Show the headlines as small multiples."""
    st.header(strings.OVERVIEW_TITLE, anchor=False)
    chosen = headlines(registry)
    marked = any(
        point.marked
        for headline in chosen
        for point in series(points, headline.metric, _names(headline))
    )
    markup.write(strings.OVERVIEW_TEXT, "sk-small")
    markup.key(charts.SIDES[:2], hollow=strings.LEGEND_MARKED_GLANCE if marked else "")
    for start in range(0, len(chosen), _CARDS_PER_ROW):
        for column, headline in zip(
            st.columns(_CARDS_PER_ROW), chosen[start : start + _CARDS_PER_ROW], strict=False
        ):
            with column, st.container(border=True, height="stretch"):
                _card(points, registry[headline.metric], headline, level)


def _card(points: Sequence[Point], metric: Metric, headline: Headline, level: float) -> None:
    where = group_regions(headline.group)
    title = where[0].title.removesuffix(" (right)").removesuffix(" (left)") if where else ""
    chosen = series(points, metric.name, _names(headline))
    better = strings.BETTER[metric.better.value]
    concern = strings.CONCERNS[metric.concern.value]
    head = (
        markup.paragraph(concern, "sk-eyebrow")
        + markup.paragraph(title, "sk-card-title")
        + markup.paragraph(f"{metric.title} · {better}", "sk-card-what")
    )
    if not chosen:
        st.html(head + markup.paragraph(_why_nothing(metric, level), "sk-card-what"))
        return
    st.html(head + _value(chosen, metric))
    chart = charts.course_chart(chosen, metric, place=title, theme=st.context.theme.type)
    st.altair_chart(chart, width="stretch")


def _names(headline: Headline) -> list[str]:
    return [region.name for region in group_regions(headline.group)]


def _value(points: Sequence[Point], metric: Metric) -> str:
    change = difference(points, metric)
    if change is None:
        means = [value for by_day in session_means(points).values() for value in by_day.values()]
        return markup.value(strings.number(fmean(means)), metric.unit)
    text = strings.CARD_VALUE.format(
        first=strings.number(change.first), latest=strings.number(change.latest)
    )
    against = markup.paragraph(_against_first(change), "sk-card-what")
    return markup.value(text, metric.unit) + against


def _against_first(change: Difference) -> str:
    if change.percent is not None:
        return strings.CARD_PERCENT.format(percent=strings.signed_percent(change.percent))
    return strings.CARD_ABSOLUTE.format(change=strings.signed(change.latest - change.first))


def _why_nothing(metric: Metric, level: float) -> str:
    if level < metric.lowest_level_px_mm:
        return strings.CARD_NEEDS_LEVEL.format(
            needed=strings.plain(metric.lowest_level_px_mm), level=strings.plain(level)
        )
    return strings.CARD_NONE
