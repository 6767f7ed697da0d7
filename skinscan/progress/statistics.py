"""From numbers with known errors to a change with its interval. Pure arithmetic.

A `Reading` is one number of one session. Its error has three independent parts: *capture* (another
photo in the same minute), *day* (the same skin on another day; it belongs to the whole series) and
*added* (this session was photographed otherwise than the baseline).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean

import numpy as np
from numpy.typing import NDArray

from skinscan.precision import SDC_SEMS, WOULD_BE_FOUND_SEMS

F64 = NDArray[np.float64]

#: A trend is taken through this many sessions or more, the baseline being one of them: with
#: fewer, one bad session decides the median of slopes.
TREND_SESSIONS = 4
DAYS_PER_WEEK = 7.0

_NORMAL = NormalDist()
#: Courses drawn to learn how much wider a median of slopes varies than a least-squares slope.
_DRAWS = 10_000
#: Rounding allowed where weights add up to one half.
_TIE = 1e-9


@dataclass(frozen=True)
class Reading:
    """One number of one session.

    Attributes
    ----------
    day : float
        When, in days from any origin.
    value : float
    capture : float
        Standard error that belongs to the session's photos.
    added : float
        Standard deviation that a capture unlike the baseline's adds.
    """

    day: float
    value: float
    capture: float
    added: float


@dataclass(frozen=True)
class Estimate:
    """A change and its standard error.

    Attributes
    ----------
    difference, sem : float
        In the metric's unit.
    weekly, weekly_sem : float
        Slope of the trend per week; NaN where there is none.
    """

    difference: float
    sem: float
    weekly: float = math.nan
    weekly_sem: float = math.nan

    @property
    def p(self) -> float:
        """Two-sided p-value of no change."""
        return p_value(self.difference, self.sem)

    @property
    def sdc(self) -> float:
        """Smallest detectable change: 2.77 SEM of one number, so 1.96 of the difference."""
        return SDC_SEMS * self.sem / math.sqrt(2.0)

    @property
    def would_be_found(self) -> float:
        """Change that a test at 5 % finds with 80 % power: 3.96 SEM of one number."""
        return WOULD_BE_FOUND_SEMS * self.sem / math.sqrt(2.0)

    def interval(self, coverage: float = 0.95) -> tuple[float, float]:
        """Interval of the change that covers the truth in this share of cases."""
        half = half_width(coverage) * self.sem
        return self.difference - half, self.difference + half

    def weekly_interval(self) -> tuple[float, float]:
        """95 % interval of the slope."""
        half = half_width(0.95) * self.weekly_sem
        return self.weekly - half, self.weekly + half


def p_value(difference: float, sem: float) -> float:
    """Two-sided p-value of a difference of known normal error; 1 where the error is unknown."""
    if not (math.isfinite(difference) and math.isfinite(sem)) or sem <= 0:
        return 1.0
    return 2.0 * _NORMAL.cdf(-abs(difference) / sem)


@cache
def half_width(coverage: float) -> float:
    """Half width of an interval in standard errors."""
    return _NORMAL.inv_cdf(0.5 + coverage / 2.0)


def found_at(level: float, sem: float) -> float:
    """Change that a two-sided test at this level finds with 80 % power.

    Parameters
    ----------
    level : float
        Probability of a false claim.
    sem : float
        Standard error of the change.
    """
    return (half_width(1.0 - level) + _NORMAL.inv_cdf(0.8)) * sem


def capture_of_mean(sems: Sequence[float], *, shared: float) -> float:
    """Capture part of a mean over regions of one photo.

    Light, focus and pose move all regions of a photo together: only the rest averages out.

    Parameters
    ----------
    sems : sequence of float
        Capture part of each region.
    shared : float
        Share of the variance that all regions have in common, 0 to 1.
    """
    common = fmean(sems) ** 2
    own = fmean([s * s for s in sems]) / len(sems)
    return math.sqrt(shared * common + (1.0 - shared) * own)


def capture_of_contrast(
    inside: Sequence[float], outside: Sequence[float], *, shared: float
) -> float:
    """Capture part of a difference between the means of two sets of regions of one photo.

    What all regions share cancels as far as it is equal.

    Parameters
    ----------
    inside, outside : sequence of float
        Capture part of each region of either set.
    shared : float
        Share of the variance that all regions have in common, 0 to 1.
    """
    common = (fmean(inside) - fmean(outside)) ** 2
    own = sum(fmean([s * s for s in part]) / len(part) for part in (inside, outside))
    return math.sqrt(shared * common + (1.0 - shared) * own)


def baseline_of(readings: Sequence[Reading]) -> Reading:
    """Mean of the sessions before treatment.

    Parameters
    ----------
    readings : sequence of Reading
        At least one.
    """
    count = len(readings)
    return Reading(
        day=fmean([r.day for r in readings]),
        value=fmean([r.value for r in readings]),
        capture=math.hypot(*(r.capture for r in readings)) / count,
        added=math.hypot(*(r.added for r in readings)) / count,
    )


def pair_estimate(
    baseline: Reading, later: Reading, *, day_to_day: float, baselines: int
) -> Estimate:
    """Later minus baseline.

    Parameters
    ----------
    baseline, later : Reading
    day_to_day : float
        Standard deviation of the skin itself between days.
    baselines : int
        Sessions of which the baseline is the mean.
    """
    parts = (baseline.capture, baseline.added, later.capture, later.added)
    days = day_to_day * math.sqrt(1.0 + 1.0 / baselines)
    return Estimate(later.value - baseline.value, math.hypot(*parts, days))


def theil_sen(days: F64, values: F64) -> F64:
    """Median of the slopes of all pairs, each weighted by the time between its two sessions.

    One bad session does not carry it away. The plain median (Theil 1950; Sen 1968,
    doi:10.1080/01621459.1968.10480934) follows the short pairs where a follow-up comes weeks
    after the rest; with weights (Scholz 1978, doi:10.1214/aos/1176344204) it does not
    (docs/decisions.md).

    Parameters
    ----------
    days : ndarray of float64, shape (N,)
        Ascending, all different.
    values : ndarray of float64, shape (..., N)

    Returns
    -------
    ndarray of float64, shape (...)
        Per day.
    """
    first, second = np.triu_indices(len(days), k=1)
    spans = days[second] - days[first]
    slopes = (values[..., second] - values[..., first]) / spans
    order = np.argsort(slopes, axis=-1)
    ranked = np.take_along_axis(slopes, order, axis=-1)
    share = np.cumsum(spans[order], axis=-1) / spans.sum()
    # Half of the weight below, half above; where a slope ends exactly there, the mean of it and
    # the next, as in any median.
    low = np.argmax(share >= 0.5 - _TIE, axis=-1)[..., None]
    high = np.argmax(share > 0.5 + _TIE, axis=-1)[..., None]
    middle = np.take_along_axis(ranked, low, axis=-1) + np.take_along_axis(ranked, high, axis=-1)
    return np.asarray(middle[..., 0] / 2.0, dtype=np.float64)


def least_squares_weights(days: F64) -> F64:
    """Weights with which numbers on these days add up to their least-squares slope per day."""
    centred = days - days.mean()
    return np.asarray(centred / (centred @ centred), dtype=np.float64)


@cache
def widening(days: tuple[float, ...]) -> float:
    """How many times wider the median of slopes varies than the least-squares slope."""
    at = np.array(days)
    noise = np.random.default_rng(0).standard_normal((_DRAWS, len(days)))
    exact = np.linalg.norm(least_squares_weights(at))
    return max(float(theil_sen(at, noise).std() / exact), 1.0)


def course_estimate(
    baseline: Reading, later: Sequence[Reading], *, day_to_day: float, baselines: int
) -> Estimate:
    """Change from the baseline to the latest session.

    With fewer than `TREND_SESSIONS` sessions the latest minus the baseline; else the Theil-Sen
    slope times the time between them. Its standard error is that of a least-squares slope under
    the known errors, times what the median of slopes varies more (from simulated errors at the
    same days). What differing captures add may be the same in all sessions, as after a change of
    lamp half-way, or differ between them: the larger of both counts.

    Parameters
    ----------
    baseline : Reading
    later : sequence of Reading
        In order of time, at least one.
    day_to_day : float
        Standard deviation of the skin itself between days.
    baselines : int
        Sessions of which the baseline is the mean.
    """
    if len(later) + 1 < TREND_SESSIONS:
        return pair_estimate(baseline, later[-1], day_to_day=day_to_day, baselines=baselines)
    series = (baseline, *later)
    days = np.array([r.day for r in series]) - baseline.day
    slope = float(theil_sen(days, np.array([r.value for r in series])))
    weights = least_squares_weights(days)
    own = np.array([math.hypot(r.capture, day_to_day) for r in series])
    own[0] = math.hypot(baseline.capture, day_to_day / math.sqrt(baselines))
    added = np.array([r.added for r in series])
    drift = max(float(np.linalg.norm(weights * added)), abs(float(weights @ added)))
    error = widening(tuple(days / days[-1])) * math.hypot(
        float(np.linalg.norm(weights * own)), drift
    )
    span = float(days[-1])
    return Estimate(
        difference=slope * span,
        sem=error * span,
        weekly=slope * DAYS_PER_WEEK,
        weekly_sem=error * DAYS_PER_WEEK,
    )
