"""Which changes are claimed: computed once for a whole course, from the top down.

Over the six concerns, then over the metrics of the concerns that passed, then over groups of
regions and their sides in metrics that passed, each time after Benjamini and Hochberg (1995,
doi:10.1111/j.2517-6161.1995.tb02031.x) at the level that is left to a selected family
(Benjamini and Bogomolov 2014, doi:10.1111/rssb.12028). Without any change the first step alone
decides, so that a course of unchanged skin is claimed to have changed at most with probability Q.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

#: False discovery rate of the claims of one course.
Q = 0.05

Key = TypeVar("Key")


def simes(p_values: Sequence[float]) -> float:
    """P-value of "none of these changed" (Simes 1986, doi:10.1093/biomet/73.3.751).

    Valid for tests that tend to err together, as metrics of the same skin do.

    Parameters
    ----------
    p_values : sequence of float

    Returns
    -------
    float
        1 for none.
    """
    count = len(p_values)
    return min((count * p / rank for rank, p in enumerate(sorted(p_values), start=1)), default=1.0)


def selected(p_values: Mapping[Key, float], *, level: float) -> tuple[frozenset[Key], float]:
    """Select after Benjamini and Hochberg.

    Parameters
    ----------
    p_values : Mapping
    level : float
        False discovery rate.

    Returns
    -------
    chosen : frozenset
    left : float
        ``level`` times the share selected: the level of families below the chosen ones, and
        one minus the coverage of the intervals of the chosen (Benjamini and Yekutieli 2005,
        doi:10.1198/016214504000001907). The chosen's intervals exclude 0.
    """
    ordered = sorted(p_values.values())
    count = len(ordered)
    passed = max(
        (rank for rank, p in enumerate(ordered, start=1) if p <= level * rank / count), default=0
    )
    if not passed:
        return frozenset(), 0.0
    limit = level * passed / count
    return frozenset(k for k, p in p_values.items() if p <= limit), limit
