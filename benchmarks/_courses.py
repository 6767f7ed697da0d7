"""Courses of a client, simulated from the error model: many, fast, and with a known truth.

What is drawn is the whole face's number of each metric in each session. A photo errs by its
capture part (regions share some of it), skin by its day-to-day part, and a capture unlike the
baseline's adds its own. Metrics of one concern err alike, because they look at the same skin. The
claims are those of `skinscan.progress`: the same estimate, errors and selection.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from skinscan.metrics import Better, Concern, Metric, metrics
from skinscan.precision import PrecisionModel, day_to_day
from skinscan.progress.areas import areas_of
from skinscan.progress.judging import concern_weights
from skinscan.progress.selection import Q, selected, simes
from skinscan.progress.statistics import (
    DAYS_PER_WEEK,
    TREND_SESSIONS,
    Reading,
    capture_of_mean,
    course_estimate,
    theil_sen,
)
from skinscan.regions import region

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

CONCERNS = tuple(Concern)
#: How far the errors of two metrics of one concern go together; not known, so a middling value.
ALIKE = 0.6
#: Size of every number where no model says it, as in tests/fake_courses.py.
_SIZE = 10.0


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of the whole face's number of each metric, as shares of the number's size.

    Attributes
    ----------
    entries : tuple of Metric
    capture, day : ndarray of float64, shape (M,)
        Standard errors of the photos and of the skin from day to day.
    """

    entries: tuple[Metric, ...]
    capture: F64
    day: F64

    @property
    def concern(self) -> NDArray[np.intp]:
        """Index of each metric's concern."""
        return np.array([CONCERNS.index(entry.concern) for entry in self.entries])


def claimable() -> tuple[Metric, ...]:
    """Metrics with a better direction: only they open a concern."""
    return tuple(m for m in metrics().values() if m.better is not Better.NEUTRAL)


def _places(entry: Metric) -> tuple[str, ...]:
    return areas_of(entry, frozenset())[0].inside


def evenly_precise(*, relative: float, shared: float) -> Errors:
    """Errors where every region of every metric is as precise as every other."""
    entries = claimable()
    capture = [capture_of_mean([relative] * len(_places(e)), shared=shared) for e in entries]
    day = [day_to_day(e).of(_SIZE) / _SIZE for e in entries]
    return Errors(entries, np.array(capture), np.array(day))


def of_model(model: PrecisionModel, level: float) -> Errors:
    """Errors of numbers of usual size; metrics that the model does not know are left out."""
    entries, capture, day = [], [], []
    for entry in claimable():
        capped = min(level, entry.finest_level_px_mm)
        found = model.levels.get((entry.name, capped))
        if found is None or level < entry.lowest_level_px_mm:
            continue
        sems = [
            model.capture(entry, region(name).group, capped, found.typical) / found.typical
            for name in _places(entry)
        ]
        entries.append(entry)
        capture.append(capture_of_mean(sems, shared=found.shared))
        day.append(day_to_day(entry).of(found.typical) / found.typical)
    return Errors(tuple(entries), np.array(capture), np.array(day))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of simulated courses.

    Attributes
    ----------
    error : ndarray of float64, shape (courses, M)
        Estimated minus true change, in its own standard errors.
    p : ndarray of float64, shape (courses, M)
    concerns : ndarray of bool, shape (courses, 6)
        Claimed.
    metrics : ndarray of bool, shape (courses, M)
        Claimed.
    """

    error: F64
    p: F64
    concerns: Bools
    metrics: Bools


def _alike(rng: np.random.Generator, shape: tuple[int, ...], concern: NDArray[np.intp]) -> F64:
    """Draw errors of size 1 that metrics of a concern have partly in common."""
    common = rng.standard_normal((*shape, len(CONCERNS)))[..., concern]
    own = rng.standard_normal((*shape, len(concern)))
    return math.sqrt(ALIKE) * common + math.sqrt(1.0 - ALIKE) * own


def _claims(p: F64, errors: Errors) -> tuple[Bools, Bools]:
    concerns = np.zeros((len(p), len(CONCERNS)), dtype=bool)
    chosen = np.zeros(p.shape, dtype=bool)
    place = {entry.name: m for m, entry in enumerate(errors.entries)}
    for row, values in enumerate(p):
        tested = {
            c: {e.name: values[place[e.name]] for e in errors.entries if e.concern is c}
            for c in CONCERNS
        }
        weights = {c: concern_weights(found, c) for c, found in tested.items()}
        p_values = {c: simes(found, weights=weights[c]) for c, found in tested.items()}
        passed, left = selected(p_values, level=Q)
        for concern in passed:
            concerns[row, CONCERNS.index(concern)] = True
            names, _ = selected(tested[concern], level=left, weights=weights[concern])
            chosen[row, [place[name] for name in names]] = True
    return concerns, chosen


def simulate(
    errors: Errors,
    sessions: int,
    *,
    courses: int,
    seed: int,
    change: Mapping[str, float] | None = None,
    drift: F64 | None = None,
) -> Outcome:
    """Simulate weekly courses.

    Parameters
    ----------
    errors : Errors
    sessions : int
    courses : int
    seed : int
    change : Mapping of str to float, optional
        By metric, its true change over the course as a share; it grows evenly.
    drift : ndarray of float64, shape (sessions, M), optional
        Size of what an unlike capture adds in each session; its sign is drawn once per course, and
        the estimate knows the size.

    Returns
    -------
    Outcome
    """
    rng = np.random.default_rng([seed, sessions])
    count, concern = len(errors.entries), errors.concern
    days = np.arange(sessions) * DAYS_PER_WEEK
    truth = np.array([(change or {}).get(entry.name, 0.0) for entry in errors.entries])
    added = np.zeros((sessions, count)) if drift is None else drift
    values = _alike(rng, (courses, sessions), concern) * errors.capture
    values += _alike(rng, (courses, sessions), concern) * errors.day
    values += _alike(rng, (courses, 1), concern) * added
    values += np.linspace(0.0, 1.0, sessions)[:, None] * truth
    found = np.empty((courses, count))
    sem = np.empty(count)
    for m in range(count):
        series = [
            Reading(day, 0.0, float(errors.capture[m]), float(more))
            for day, more in zip(days, added[:, m], strict=True)
        ]
        estimate = course_estimate(
            series[0], series[1:], day_to_day=float(errors.day[m]), baselines=1
        )
        sem[m] = estimate.sem
        if sessions < TREND_SESSIONS:
            found[:, m] = values[:, -1, m] - values[:, 0, m]
        else:
            found[:, m] = theil_sen(days, values[..., m]) * days[-1]
    p = erfc(np.abs(found / sem) / math.sqrt(2.0))
    return Outcome((found - truth) / sem, p, *_claims(p, errors))
