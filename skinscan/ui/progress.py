"""What changed: sentences first, then charts, photos on each other, map and table.

Everything said here was decided by `skinscan.track`; the page only shows it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from skinscan.errors import ComparisonError
from skinscan.looks import PICTURE_PX, encode
from skinscan.metrics import Concern, metric
from skinscan.plots import change_map, course_chart, mapped_metrics
from skinscan.plots.changemap import described
from skinscan.plots.style import (
    INK,
    PALE,
    PAPER,
    concern_heading,
    heading,
    per_unit,
    unit_shown,
)
from skinscan.progress import Change, ConcernChange, Progress, Scope, Verdict, track, words
from skinscan.progress.locales import locale
from skinscan.progress.summary import concern_sentences
from skinscan.ui import markup, pictures, strings
from skinscan.ui.behind import behind_section
from skinscan.ui.course import SessionPhoto
from skinscan.ui.scoring import explain
from skinscan.ui.state import Visit

_CHARTS_PER_ROW = 2
_CHART_HEIGHT_PX, _CHART_PADDING_PX = 300, 10
#: Marks of a verdict, as classes of the style sheet.
_MARKS = {
    Verdict.IMPROVED: "better",
    Verdict.WORSE: "other",
    Verdict.CHANGED: "changed",
    Verdict.NO_CHANGE: "same",
    Verdict.NOT_COMPARABLE: "unknown",
}


def progress_of(photos: Sequence[SessionPhoto]) -> Progress:
    """Compare the sessions of dated photos.

    Parameters
    ----------
    photos : sequence of SessionPhoto
        Of any view; those without a date are left out.

    Raises
    ------
    SkinscanError
        What keeps them from being compared.
    """
    dated = [(p.scan, p.taken_on) for p in photos if p.taken_on is not None]
    return track([scan for scan, _ in dated], dates=[on for _, on in dated])


def progress_section(held: Visit, dated: Sequence[SessionPhoto], *, charts: bool = True) -> bool:
    """Show what changed over the course.

    Parameters
    ----------
    held : Visit
    dated : sequence of SessionPhoto
        Of all views.
    charts : bool
        Show the course of each concern below the sentences.

    Returns
    -------
    bool
        Whether there was something to compare.
    """
    if len({photo.taken_on for photo in dated}) < 2:
        return False
    st.header(strings.PROGRESS_TITLE, anchor=False)
    try:
        found = held.progress(dated, progress_of)
    except ComparisonError as error:
        markup.note(strings.PROGRESS_NONE, (explain(error),), look=True)
        return False
    _sentences(found)
    if charts:
        _charts(held, found)
    return True


def _sentences(found: Progress) -> None:
    told = locale(strings.LOCALE)
    items, said = [], []
    for item in found.concerns:
        lines = list(concern_sentences(item, found.changes, told, dated=found.dated))
        said += lines
        body = "".join(f"<p>{markup.escaped(line)}</p>" for line in lines)
        badge = markup.badge(_MARKS[item.verdict], words.VERDICTS[item.verdict])
        name = markup.escaped(words.CONCERNS[item.concern])
        items.append(f'<li><span class="sk-said"><b>{name}</b>{badge}</span>{body}</li>')
    st.html(f'<ul class="sk-sentences">{"".join(items)}</ul>')
    rest = [line for line in found.summary(locale=strings.LOCALE) if line not in said]
    markup.write(" ".join(rest), "sk-small")


def _charts(held: Visit, found: Progress) -> None:
    st.subheader(strings.PROGRESS_CHARTS, anchor=False)
    markup.write(strings.PROGRESS_CHARTS_TEXT, "sk-small")
    shown = [item for item in found.concerns if item.verdict is not Verdict.NOT_COMPARABLE]
    with st.container(key="progress_charts"):
        for start in range(0, len(shown), _CHARTS_PER_ROW):
            columns = st.columns(_CHARTS_PER_ROW)
            for column, item in zip(columns, shown[start : start + _CHARTS_PER_ROW], strict=False):
                with column:
                    _chart(held, found, item)


def _padding() -> dict[str, int]:
    # One for each chart: Streamlit writes into it, and takes no plain number.
    return dict.fromkeys(("left", "right", "top", "bottom"), _CHART_PADDING_PX)


def _chart(held: Visit, found: Progress, item: ConcernChange) -> None:
    said = words.words_of(item.leading.metric)
    below = strings.CHART_DIRECTIONS.format(less=said.less, more=said.more)
    st.html(
        markup.paragraph(concern_heading(item.leading), "sk-card-title")
        + markup.paragraph(below, "sk-card-what")
    )
    # Altair takes a while to make a chart: once, not at every touch of the page.
    spec = held.specs.get(item.concern.value)
    if spec is None:
        spec = held.specs[item.concern.value] = _spec(found, item)
    # Streamlit writes into what it is given.
    st.vega_lite_chart(
        spec=copy.deepcopy(spec), width="stretch", theme=None, key=f"course_{item.concern.value}"
    )


def _spec(found: Progress, item: ConcernChange) -> dict[str, Any]:
    # Changed as a dict and not validated: each of altair's own methods copies and checks the whole
    # chart anew, and the tests validate it.
    spec: dict[str, Any] = course_chart(found, item.leading, locale=strings.LOCALE).to_dict(
        validate=False
    )
    del spec["title"]
    spec["config"] |= {
        "axis": {
            "labelColor": INK,
            "titleColor": INK,
            "titleFontWeight": "normal",
            "gridColor": PALE,
        },
        "legend": {"labelColor": INK},
    }
    spec |= {
        "width": "container",
        "height": _CHART_HEIGHT_PX,
        "background": PAPER,
        "padding": _padding(),
    }
    return spec


def regions_section(held: Visit, dated: Sequence[SessionPhoto], *, plain: bool = False) -> None:
    """Show where on the face a concern changed: a map and a table.

    Parameters
    ----------
    held : Visit
    dated : sequence of SessionPhoto
        Of all views.
    plain : bool
        Without what only staff need.
    """
    found = held.progress(dated, progress_of)
    st.header(strings.REGIONS_TITLE, anchor=False)
    first = next((c.concern for c in found.concerns if c.verdict.claimed), Concern.WRINKLES)
    concern = st.segmented_control(
        strings.CHOOSE_CONCERN,
        list(Concern),
        default=first,
        format_func=words.CONCERNS.__getitem__,
        key="regions_concern",
    )
    item = found.concern(concern or first)
    name = item.leading.metric
    if name in mapped_metrics(found):
        jpeg = encode(change_map(found, name, locale=strings.LOCALE), PICTURE_PX)
        tag = pictures.image_tag(
            jpeg, alt=described(found, name, locale=strings.LOCALE), css="sk-drawn"
        )
        st.html(f'<div class="sk-paper sk-map">{tag}</div>')
    else:
        markup.write(strings.REGIONS_NO_MAP, "sk-small")
    _table(found, item.concern)
    behind_section(found, item.concern, plain=plain)


def _table(found: Progress, concern: Concern) -> None:
    kept = [
        c
        for c in found.changes
        if metric(c.metric).concern is concern
        and c.scope is not Scope.REGION
        and (c.scope is not Scope.GROUP or len(metric(c.metric).groups) > 1)
    ]
    # Narrow screens stack the cells, which takes a table's meaning from it: roles give it back.
    head = "".join(
        f'<th scope="col" role="columnheader">{markup.escaped(text)}</th>'
        for text in strings.CHANGE_HEAD
    )
    rows = "".join(_row(c) for c in kept)
    caption = markup.escaped(strings.CHANGE_CAPTION)
    st.html(
        f'<div class="sk-table sk-tall sk-stacked" tabindex="0"><table role="table">'
        f'<caption>{caption}</caption><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table></div>'
    )


def _row(change: Change) -> str:
    name = markup.escaped(heading(change))
    badge = markup.badge(_MARKS[change.verdict], words.VERDICTS[change.verdict])
    if change.verdict is Verdict.NOT_COMPARABLE:
        why = markup.escaped(" ".join(r.sentence for r in change.reasons[:1]))
        return _cells(name, f'<td role="cell" colspan="3">{why}</td>', badge)
    per, unit = per_unit(change), unit_shown(change)
    value, low, high = (
        strings.signed(per * v) for v in (change.difference, change.low, change.high)
    )
    size = strings.number(per * change.sdc) if math.isfinite(change.sdc) else strings.NOT_MEASURED
    cells = (
        f"{value} {unit}",
        strings.BETWEEN.format(low=low, high=high),
        f"{size} {unit}",
    )
    body = "".join(
        f'<td role="cell" class="sk-nowrap" data-head="{markup.escaped(head)}">'
        f"{markup.escaped(text)}</td>"
        for head, text in zip(strings.CHANGE_HEAD[1:-1], cells, strict=True)
    )
    return _cells(name, body, badge)


def _cells(name: str, body: str, badge: str) -> str:
    return (
        f'<tr role="row"><th scope="row" role="rowheader">{name}</th>{body}'
        f'<td role="cell">{badge}</td></tr>'
    )
