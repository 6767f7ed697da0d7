"""Which changes are claimed: computed once for a whole course, from the top down.

Over the six concerns, then over the metrics of the concerns that passed, then over groups of
regions and their sides in metrics that passed, each time after Benjamini and Hochberg (1995,
doi:10.1111/j.2517-6161.1995.tb02031.x; with weights 1997, doi:10.1111/1467-9469.00072) at the
level that is left to a selected family (Benjamini and Bogomolov 2014, doi:10.1111/rssb.12028).
Without any change the first step alone decides, so that a course of unchanged skin is claimed to
have changed at most with probability Q.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import TypeVar

#: False discovery rate of the claims of one course.
Q = 0.05

Key = TypeVar("Key")


def _ranked(
    p_values: Mapping[Key, float], weights: Mapping[Key, float] | None
) -> list[tuple[float, float]]:
    """Return the p-values in order, each with the share of the weight up to it."""
    order = sorted(p_values, key=lambda key: p_values[key])
    weight = [1.0 if weights is None else weights[key] for key in order]
    total = sum(weight)
    return [
        (p_values[key], up_to / total) for key, up_to in zip(order, accumulate(weight), strict=True)
    ]


def simes(p_values: Mapping[Key, float], *, weights: Mapping[Key, float] | None = None) -> float:
    """P-value of "none of these changed" (Simes 1986, doi:10.1093/biomet/73.3.751).

    Valid for tests that tend to err together, as metrics of the same skin do. With weights after
    Hochberg and Liberman (1994), "An extended Simes' test".

    Parameters
    ----------
    p_values : Mapping
    weights : Mapping, optional
        Which tests matter more; equal by default.

    Returns
    -------
    float
        1 for none.
    """
    return min((p / share for p, share in _ranked(p_values, weights)), default=1.0)


def selected(
    p_values: Mapping[Key, float],
    *,
    level: float,
    weights: Mapping[Key, float] | None = None,
) -> tuple[frozenset[Key], float]:
    """Select after Benjamini and Hochberg.

    Parameters
    ----------
    p_values : Mapping
    level : float
        False discovery rate.
    weights : Mapping, optional
        Which tests matter more; equal by default.

    Returns
    -------
    chosen : frozenset
    left : float
        ``level`` times the share selected: the level of families below the chosen ones, and
        one minus the coverage of the intervals of the chosen (Benjamini and Yekutieli 2005,
        doi:10.1198/016214504000001907). The chosen's intervals exclude 0.
    """
    passed = [level * share for p, share in _ranked(p_values, weights) if p <= level * share]
    if not passed:
        return frozenset(), 0.0
    limit = passed[-1]
    return frozenset(k for k, p in p_values.items() if p <= limit), limit


def headline_weights(
    names: Mapping[str, float], headline: str, *, share: float = 0.5
) -> Mapping[str, float]:
    """Give a share of the weight to the number that is read first, the rest to all others alike.

    Parameters
    ----------
    names : Mapping
        Metrics of a concern, as keys.
    headline : str
        One of them, or none of them where it is not comparable.
    share : float
        Between 0 and 1.
    """
    others = max(len(names) - 1, 1)
    return {name: others * share / (1.0 - share) if name == headline else 1.0 for name in names}
