"""Statistics of a response to a dose."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Rank correlation; NaN for fewer than three pairs, 0 where one side never changes."""
    a, b = (np.asarray(v, dtype=np.float64) for v in (x, y))
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3:
        return float("nan")
    a, b = rankdata(a[known]), rankdata(b[known])
    if not a.std() or not b.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def slope(x: ArrayLike, y: ArrayLike) -> float:
    """Theil-Sen slope: the median over all pairs of points."""
    a, b = (np.asarray(v, dtype=np.float64) for v in (x, y))
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    first, second = np.triu_indices(len(a), 1)
    run = a[second] - a[first]
    apart = run != 0
    if not apart.any():
        return float("nan")
    return float(np.median((b[second] - b[first])[apart] / run[apart]))


def power_law(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Fit y = c·x^p.

    Returns
    -------
    exponent, r_squared : float
        Of the straight line through the logarithms; NaN where there are fewer than three
        positive pairs.
    """
    a, b = (np.asarray(v, dtype=np.float64) for v in (x, y))
    known = np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)
    if known.sum() < 3:
        return float("nan"), float("nan")
    a, b = np.log(a[known]), np.log(b[known])
    exponent, offset = np.polyfit(a, b, 1)
    total = ((b - b.mean()) ** 2).sum()
    if not total:
        return 0.0, 0.0
    return float(exponent), float(1 - ((b - exponent * a - offset) ** 2).sum() / total)


def median(values: ArrayLike) -> float:
    """Median of what is known; NaN where nothing is."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


def worst(values: ArrayLike) -> float:
    """Smallest of what is known; NaN where nothing is."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.min()) if len(known) else float("nan")
