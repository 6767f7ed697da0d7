"""Scans over time -> Progress: change, interval, verdict, trend, and the words for them.

Rooms, each importing only from those before it: `values` (what a course comes to), `statistics`
(errors and trends), `selection` (how claims are chosen among many), `locales` and `words` (every
sentence), `amounts` (which numbers have percentages), `sessions` (scans and dates to sessions),
`readings` (one number of one session), `areas` (roll-ups), `pairing` (sessions against the
baseline), `following` (one metric through the course), `judging` (verdicts), `summary` and
`tables` (words and rows), `result` (the value), `tracking` (the functions).
"""

from __future__ import annotations

from skinscan.progress.result import Progress
from skinscan.progress.tracking import compare, track
from skinscan.progress.values import (
    Change,
    ConcernChange,
    DaySource,
    Estimator,
    Event,
    EventKind,
    Point,
    Reason,
    Scope,
    Trend,
    Verdict,
)

__all__ = [
    "Change",
    "ConcernChange",
    "DaySource",
    "Estimator",
    "Event",
    "EventKind",
    "Point",
    "Progress",
    "Reason",
    "Scope",
    "Trend",
    "Verdict",
    "compare",
    "track",
]
