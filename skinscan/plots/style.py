"""Colours that people with any colour vision tell apart, and sizes written for axes."""

from __future__ import annotations

import math

from skinscan.metrics import metric
from skinscan.progress import words
from skinscan.progress.values import Change

#: Okabe & Ito's blue and vermilion (jfly.uni-koeln.de/color).
BLUE, VERMILION = "#0072b2", "#d55e00"
INK, PALE, GREY, PAPER = "#222222", "#dddddd", "#c8c8c8", "#ffffff"


def percents(change: Change) -> bool:
    """Whether a change is shown in % of its first value."""
    return math.isfinite(change.percent)


def per_unit(change: Change) -> float:
    """Return the factor from the metric's unit to the one shown."""
    return 100.0 / change.before if percents(change) else 1.0


def unit_shown(change: Change) -> str:
    """Return the unit of a change as shown."""
    return words.PERCENT if percents(change) else words.words_of(change.metric).unit


def heading(change: Change) -> str:
    """Return what a change is about, as a heading; the metric's title where no place is known."""
    place = words.PLACES.get(change.place, "")
    return f"{words.words_of(change.metric).subject}{place}"


def concern_heading(change: Change) -> str:
    """Return concern and what speaks for it."""
    concern = words.CONCERNS[metric(change.metric).concern]
    return words.CHART_HEADING.format(concern=concern, subject=heading(change).lower())
