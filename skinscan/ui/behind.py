"""What stands behind a number: its definition, its precision, and what each session read.

Everything comes from the registry, the precision model and the course, so that a new metric needs
no word here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

import streamlit as st

from skinscan.metrics import Concern, Metric, metric
from skinscan.plots.sessions import state_of
from skinscan.plots.style import per_unit, percents
from skinscan.precision import Uncertainty, day_to_day, precision_model
from skinscan.progress import Change, DaySource, Point, Progress, Scope, words
from skinscan.regions import Region, measured_regions
from skinscan.ui import markup, strings
from skinscan.ui.course import INTERVAL_FACTOR

_DOI: Final = re.compile(r"doi:(10\.\d+/[\w.;()/:-]*[\w)])")


def behind_section(found: Progress, concern: Concern, *, plain: bool) -> None:
    """Let people choose a measure and a place, and show what stands behind its number.

    Parameters
    ----------
    found : Progress
    concern : Concern
        Of the table above.
    plain : bool
        Without what only staff need.
    """
    with st.expander(strings.BEHIND_TITLE):
        change = _chosen(found, concern)
        entry = metric(change.metric)
        title = words.words_of(entry.name).subject if plain else entry.title
        markup.write(f"{title} ({entry.unit or strings.UNITLESS})", "sk-card-title")
        st.html(_definition(entry, plain=plain))
        st.html(_readings(change, entry))
        facts = _power(change, entry)
        if not plain:
            facts += _precision(change, entry)
        st.html(f'<ul class="sk-behind">{"".join(facts)}</ul>')
        st.html(f'<p class="sk-small">{_linked(strings.DEFINITION_SOURCE, entry.source)}</p>')


def _chosen(found: Progress, concern: Concern) -> Change:
    """Ask for measure and place; the one that speaks for the concern comes first."""
    leading = found.concern(concern).leading
    names = list(
        dict.fromkeys(c.metric for c in found.changes if metric(c.metric).concern is concern)
    )
    left, right = st.columns(2)
    name = left.selectbox(
        strings.CHOOSE_METRIC,
        names,
        index=names.index(leading.metric),
        format_func=lambda n: words.words_of(n).subject,
        key=f"behind_{concern.value}",
    )
    places = [c for c in found.changes if c.metric == name]
    first = next(
        (k for k, c in enumerate(places) if (c.scope, c.place) == (leading.scope, leading.place)), 0
    )
    chosen = right.selectbox(
        strings.BEHIND_PLACE,
        range(len(places)),
        index=first,
        format_func=lambda k: place_name(places[k]),
        key=f"behind_place_{name}",
    )
    return places[chosen]


def place_name(change: Change) -> str:
    """Write where a change is: a single region by its title."""
    if change.scope is Scope.REGION:
        return _region(change.place).title
    said = words.PLACES.get(change.place, "").strip() or strings.BEHIND_WHOLE
    return said[:1].upper() + said[1:]


def _region(name: str) -> Region:
    return next(region for region in measured_regions() if region.name == name)


def _definition(entry: Metric, *, plain: bool) -> str:
    said = words.words_of(entry.name)
    lines = [
        strings.BEHIND_MEANS.format(less=said.less, more=said.more),
        strings.BETTER_SENTENCE[entry.better.value],
        entry.description,
    ]
    lines.append(strings.DEFINITION_RESPONDS.format(phrases="; ".join(entry.responds_to)))
    if not plain:
        lines += [
            strings.DEFINITION_BLIND.format(phrases="; ".join(entry.blind_to)),
            entry.limits,
            strings.BEHIND_LOWEST.format(level=strings.plain(entry.lowest_level_px_mm)),
        ]
    shown = "".join(markup.paragraph(line, "sk-small") for line in lines)
    return (
        shown if plain else shown + f'<pre class="sk-formula">{markup.escaped(entry.formula)}</pre>'
    )


def _power(change: Change, entry: Metric) -> list[str]:
    if not math.isfinite(change.would_be_found):
        return []
    size = _sized(change, entry, change.would_be_found)
    return [_item(strings.BEHIND_FOUND.format(size=size))]


def _sized(change: Change, entry: Metric, size: float) -> str:
    """Write a size of change: in % where that means something, else in the readings' unit."""
    unit = words.PERCENT if percents(change) else entry.unit
    return f"{strings.number(per_unit(change) * size)} {unit}".strip()


def _precision(change: Change, entry: Metric) -> list[str]:
    """Write both parts of the standard error, their sources, and what a change must exceed."""
    lines = []
    parts = uncertainties(change, entry)
    for text, sizes in (
        (strings.BEHIND_CAPTURE, [part.capture for part in parts]),
        (strings.BEHIND_DAY, [part.day for part in parts]),
    ):
        lines.append(_item(text.format(size=_span(sizes, entry.unit))))
    own = change.day_source is DaySource.OWN_BASELINES
    source = strings.BEHIND_DAY_OWN if own else day_to_day(entry).source
    lines.append(f"<li>{_linked(strings.BEHIND_DAY_SOURCE, source)}</li>")
    if math.isfinite(change.sdc):
        lines.append(_item(strings.BEHIND_SDC.format(size=_sized(change, entry, change.sdc))))
    return lines


def uncertainties(change: Change, entry: Metric) -> list[Uncertainty]:
    """Give the standard error of one photo's number at the baseline's size, by region group."""
    if not math.isfinite(change.before) or not math.isfinite(change.level_px_mm):
        return []
    groups: Sequence[str] = entry.groups
    if change.scope is Scope.REGION:
        groups = (_region(change.place).group,)
    elif change.scope is Scope.GROUP:
        groups = (change.place,)
    model = precision_model()
    found = [model.uncertainty(entry, g, change.level_px_mm, change.before) for g in groups]
    return [part for part in found if math.isfinite(part.sem)]


def _span(sizes: Sequence[float], unit: str) -> str:
    if not sizes:
        return strings.NOT_MEASURED
    low, high = (strings.number(size) for size in (min(sizes), max(sizes)))
    return f"{low} {unit}" if low == high else f"{strings.SPAN.format(low=low, high=high)} {unit}"


def _readings(change: Change, entry: Metric) -> str:
    """Write what each session read, with its interval, and why one is doubtful or left out."""
    *names, last = (markup.escaped(name) for name in strings.BEHIND_HEAD)
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    head += f'<th scope="col" class="sk-why">{last}</th>'
    rows = "".join(_reading(change, point) for point in change.points)
    caption = markup.escaped(
        strings.BEHIND_CAPTION.format(unit=entry.unit or strings.UNITLESS, place=place_name(change))
    )
    return (
        f'<div class="sk-table sk-readings" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _reading(change: Change, point: Point) -> str:
    half = INTERVAL_FACTOR * point.sem
    spread = (
        strings.SPAN.format(
            low=strings.number(point.value - half), high=strings.number(point.value + half)
        )
        if math.isfinite(point.value) and math.isfinite(half)
        else strings.NOT_MEASURED
    )
    state, why = state_of(change, point)
    if point.is_baseline and not why:
        state = strings.BEHIND_BASELINE
    said = " ".join([f"{state[:1].upper()}{state[1:]}.", *why])
    cells = (strings.number(point.value), spread)
    body = "".join(f'<td class="sk-nowrap">{markup.escaped(text)}</td>' for text in cells)
    day = markup.escaped(strings.long_date(point.on))
    return (
        f'<tr><th scope="row">{day}</th>{body}<td class="sk-why">{markup.escaped(said)}</td></tr>'
    )


def _item(text: str) -> str:
    return f"<li>{markup.escaped(text)}</li>"


def _linked(template: str, source: str) -> str:
    """Write a source with its identifiers as links, which are opened by whoever presses them."""
    text = markup.escaped(template.format(source=source))
    return _DOI.sub(
        r'<a href="https://doi.org/\1" target="_blank" rel="noopener noreferrer">doi:\1</a>', text
    )
