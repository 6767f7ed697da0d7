"""Which changes stand in a table, and the cells of each."""

from __future__ import annotations

import math

from skinscan.metrics import metric
from skinscan.plots.style import per_unit, unit_shown
from skinscan.progress import Change, Scope, words
from skinscan.progress.locales import Locale, decimals


def tabulated(change: Change) -> bool:
    """Whether a change has a row: whole face, what was declared, and claims of parts of it."""
    if change.scope is Scope.GROUP:
        return change.verdict.claimed and len(metric(change.metric).groups) > 1
    return change.scope is not Scope.REGION


def place_title(change: Change) -> str:
    """Return where a change is, as a cell of its own."""
    place = words.PLACES.get(change.place, "").strip() or change.place.replace("_", " ")
    return place.capitalize()


def cells(change: Change, locale: Locale) -> tuple[str, ...]:
    """Write one change: first value, change, interval, smallest detectable change."""
    entry = metric(change.metric)
    before = f"{locale.number(change.before)} {entry.unit}" if math.isfinite(change.before) else "–"
    if not math.isfinite(change.difference):
        return before, "–", "–", "–"
    per, unit = per_unit(change), unit_shown(change)
    values = [per * v for v in (change.difference, change.low, change.high, change.sdc)]
    places = decimals(values[3])
    # + 0.0, because what rounds to nothing has no sign.
    size, low, high, sdc = (locale.number(round(v, places) + 0.0, places=places) for v in values)
    coverage = locale.number(100.0 * change.coverage, places=0 if change.coverage <= 0.95 else 1)
    return (
        before,
        f"{size} {unit}",
        words.REPORT_INTERVAL.format(low=low, high=high, coverage=coverage),
        f"{sdc} {unit}",
    )
