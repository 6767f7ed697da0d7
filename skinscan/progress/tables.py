"""A course as tables for analysts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from skinscan.flags import flag_names
from skinscan.metrics import metric
from skinscan.progress.values import Change, Point, Reason, Scope, Verdict

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the table of sessions, in order.
SESSION_COLUMNS = (
    "metric",
    "region",
    "session",
    "level_px_mm",
    "takes",
    "value",
    "unit",
    "sem",
    "difference",
    "low",
    "high",
    "sdc",
    "would_be_found",
    "verdict",
    "reasons",
    "flags",
)

#: Columns of the table of changes, in order.
CHANGE_COLUMNS = (
    "concern",
    "metric",
    "scope",
    "place",
    "since",
    "until",
    "level_px_mm",
    "before",
    "unit",
    "difference",
    "sem",
    "low",
    "high",
    "coverage",
    "percent",
    "percent_low",
    "percent_high",
    "sdc",
    "would_be_found",
    "per_week",
    "per_week_low",
    "per_week_high",
    "p",
    "verdict",
    "estimator",
    "day_source",
    "attributable",
    "events",
    "reasons",
    "flags",
)


def _names(reasons: Iterable[Reason]) -> str:
    return "|".join(r.name for r in reasons)


def _verdict(change: Change, point: Point) -> str:
    """Write the course's verdict in the row of its latest session; only there it belongs."""
    if point.reasons:
        return Verdict.NOT_COMPARABLE.value
    return change.verdict.value if point.on == change.until else ""


def session_rows(changes: Iterable[Change]) -> Iterator[tuple[object, ...]]:
    """Yield a row per metric, region and session, in the order of `SESSION_COLUMNS`.

    Parameters
    ----------
    changes : iterable of Change
        Those of regions are used.
    """
    for change in changes:
        if change.scope is not Scope.REGION:
            continue
        for p in change.points:
            yield (
                change.metric,
                change.place,
                p.on,
                p.level_px_mm,
                p.takes,
                p.value,
                metric(change.metric).unit,
                p.sem,
                p.difference,
                p.low,
                p.high,
                p.sdc,
                p.would_be_found,
                _verdict(change, p),
                _names(p.reasons),
                flag_names(p.flags),
            )


def change_rows(changes: Iterable[Change]) -> Iterator[tuple[object, ...]]:
    """Yield a row per change, in the order of `CHANGE_COLUMNS`.

    Parameters
    ----------
    changes : iterable of Change
    """
    nan = float("nan")
    for c in changes:
        entry, trend = metric(c.metric), c.trend
        yield (
            entry.concern.value,
            c.metric,
            c.scope.value,
            c.place,
            c.since,
            c.until,
            c.level_px_mm,
            c.before,
            entry.unit,
            c.difference,
            c.sem,
            c.low,
            c.high,
            c.coverage,
            c.percent,
            c.percent_low,
            c.percent_high,
            c.sdc,
            c.would_be_found,
            trend.per_week if trend else nan,
            trend.low if trend else nan,
            trend.high if trend else nan,
            c.p,
            c.verdict.value,
            c.estimator.value,
            c.day_source.value,
            c.attributable,
            "|".join(f"{e.kind.value}:{e.on.isoformat()}" for e in c.events),
            _names(c.reasons),
            flag_names(c.flags),
        )


def frame(rows: Iterable[tuple[object, ...]], columns: Iterable[str]) -> pd.DataFrame:
    """Make a table; dates become ISO text, which every tool reads the same way."""
    import pandas as pd  # noqa: PLC0415 - comparing two photos needs no pandas

    written = [[v.isoformat() if isinstance(v, date) else v for v in row] for row in rows]
    return pd.DataFrame(written, columns=list(columns))
