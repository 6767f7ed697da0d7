"""From repeated captures to the precision model: what is fitted, and how."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from _captures import CAREFUL, NUISANCES, baseline_step
from _repeats import F64, Place, Repeat, places
from numpy.typing import NDArray
from scipy.optimize import brentq, nnls
from scipy.special import polygamma

from skinscan.conditions import KINDS, differences
from skinscan.metrics import Metric, metrics
from skinscan.precision import SDC_SEMS, PrecisionModel

Z95 = 1.959964
#: A group counts as the whole metric does until it has so many variances of its own.
_GROUP_PRIOR = 30.0
#: Turns of reweighting: a variance is known in proportion to its size.
_TURNS = 12
_LEAST_FREEDOM, _MOST_FREEDOM = 2.0, 60.0
#: Rounds in which both parts are scaled to cover; no part grows by more than this.
_ROUNDS, _MOST_FACTOR = 6, 10.0
#: With fewer variances nothing is fitted: the metric has no standard error at that level.
_LEAST_VARIANCES = 30

#: Level of the tables: the curves' photos have it.
_CURVE_LEVEL = 6.0

#: The kind of difference that each nuisance is.
KIND_OF: Mapping[str, str] = {
    "light_azimuth": "light_direction",
    "light_elevation": "light_direction",
    "softness": "light_softness",
    "exposure": "exposure",
    "white_balance": "colour_cast",
    "yaw": "yaw",
    "pitch": "pitch",
    "distance": "distance",
    "blur": "sharpness",
    "sampling": "resolution",
    "jpeg": "compression",
    "camera": "camera",
    "smile": "expression",
}

People = Sequence[Sequence[Repeat | None]]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two photos of unchanged skin, for one metric at one level.

    Attributes
    ----------
    before, after : ndarray of float64, shape (N,)
    group : ndarray of int, shape (N,)
        Index of the region group in the metric's groups.
    kinds : ndarray of float64, shape (N, len(KINDS))
        Differences of capture; 0 where one cannot be told.
    excess : ndarray of float64, shape (N, len(KINDS))
        What exceeds the wandering of a careful clinic, squared.
    careful : ndarray of bool, shape (N,)
        Both photos as in a careful clinic.
    """

    before: F64
    after: F64
    group: NDArray[np.intp]
    kinds: F64
    excess: F64
    careful: NDArray[np.bool_]


def columns(entry: Metric, level: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find a metric in the vector: indices, and the group of each."""
    found = [
        (k, entry.groups.index(p.group))
        for k, p in enumerate(places())
        if p.metric == entry.name and p.level == level
    ]
    index = np.array([k for k, _ in found], dtype=np.intp)
    return index, np.array([g for _, g in found], dtype=np.intp)


def levels_of(entry: Metric) -> tuple[float, ...]:
    """Levels at which a metric has numbers of its own."""
    return tuple(sorted({p.level for p in places() if p.metric == entry.name}))


def kinds_between(a: Repeat, b: Repeat) -> F64:
    """Differences of capture as a vector in the order of `KINDS`."""
    sizes = differences(a.conditions, b.conditions)
    return np.array([sizes.get(name, 0.0) for name in KINDS])


@dataclass(frozen=True, eq=False)
class PhotoPairs:
    """All pairs of photos of one person each, for every metric at once.

    Attributes
    ----------
    usual : ndarray of float64, shape (len(KINDS),)
        Twice the root mean square of each difference in a careful clinic: what it stays within.
    """

    before: F64
    after: F64
    kinds: F64
    careful: NDArray[np.bool_]
    usual: F64

    @property
    def excess(self) -> F64:
        """Squares of the differences beyond the usual ones."""
        return np.maximum(self.kinds**2 - self.usual**2, 0.0)

    def of(self, entry: Metric, level: float) -> Pairs:
        """Pairs of numbers of one metric; two zeros tell nothing and are left out."""
        index, group = columns(entry, level)
        a, b = self.before[:, index], self.after[:, index]
        use = np.isfinite(a) & np.isfinite(b) & ((a != 0) | (b != 0))
        photo, column = np.nonzero(use)
        return Pairs(
            a[use],
            b[use],
            group[column],
            self.kinds[photo],
            self.excess[photo],
            self.careful[photo],
        )


def photo_pairs(people: People, *, usual: F64 | None = None) -> PhotoPairs:
    """Pair the photos of each person, each pair once.

    ``usual`` is that of the people the model was fitted to; by default of these.
    """
    before, after, kinds, careful = [], [], [], []
    for photos in people:
        for (i, a), (j, b) in itertools.combinations(enumerate(photos), 2):
            if a is None or b is None:
                continue
            before.append(a.values)
            after.append(b.values)
            kinds.append(kinds_between(a, b))
            careful.append(max(i, j) < CAREFUL)
    size, quiet = np.array(kinds), np.array(careful)
    if usual is None:
        usual = 2.0 * np.sqrt((size[quiet] ** 2).mean(axis=0))
    return PhotoPairs(np.array(before), np.array(after), size, quiet, usual)


def _variances(people: People, index: NDArray[np.intp]) -> tuple[F64, F64, NDArray[np.intp]]:
    """Variance between the careful takes of each person and place, its mean and its column."""
    variance, mean, column = [], [], []
    for photos in people:
        takes = [p.values[index] for p in photos[:CAREFUL] if p is not None]
        if len(takes) < CAREFUL:
            continue
        block = np.array(takes)
        use = np.isfinite(block).all(axis=0) & (block != 0).any(axis=0)
        variance.append(block[:, use].var(axis=0, ddof=1))
        mean.append(block[:, use].mean(axis=0))
        column.append(np.nonzero(use)[0])
    if not variance:
        return np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.intp)
    return np.concatenate(variance), np.concatenate(mean), np.concatenate(column)


def _reweighted(design: F64, target: F64, offset: F64) -> F64:
    """Non-negative coefficients of a variance: target = offset + design @ coefficients."""
    predicted = np.full(len(target), max(float(target.mean()), 1e-12))
    coefficients = np.zeros(design.shape[1])
    scale = np.maximum(design.max(axis=0), 1e-12)
    for _ in range(_TURNS):
        weight = 1.0 / np.maximum(predicted, 1e-3 * predicted.mean())
        found, _ = nnls(design / scale * weight[:, None], (target - offset) * weight)
        coefficients = found / scale
        predicted = offset + design @ coefficients + 1e-12
    return coefficients


def _freedom(ratio: F64, own: int) -> float:
    """Degrees of freedom of the spread of true variances around the model (Smyth 2004)."""
    logs = np.log(np.maximum(ratio, 1e-6))
    # Robust: a few places that went wrong altogether are no scatter of variances.
    spread = (1.4826 * float(np.median(np.abs(logs - np.median(logs))))) ** 2
    rest = spread - float(polygamma(1, own / 2))
    if rest <= float(polygamma(1, _MOST_FREEDOM / 2)):
        return _MOST_FREEDOM
    if rest >= float(polygamma(1, _LEAST_FREEDOM / 2)):
        return _LEAST_FREEDOM
    return float(brentq(lambda v: float(polygamma(1, v / 2)) - rest, _LEAST_FREEDOM, _MOST_FREEDOM))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def fit_level(
    entry: Metric, level: float, people: People, pairs: PhotoPairs
) -> dict[str, Any] | None:
    """Fit one metric at one level; None where too little is known.

    The capture part is fitted to the variance between careful takes, its size set so that 95 %
    of their differences lie within 1.96 standard errors; what differing captures add is then
    fitted to all pairs in the same two steps.
    """
    index, group = columns(entry, level)
    variance, mean, column = _variances(people, index)
    if len(variance) < _LEAST_VARIANCES:
        return None
    design = np.column_stack([np.ones(len(mean)), mean**2])
    square = _reweighted(design, variance, np.zeros(len(variance)))
    model = np.maximum(design @ square, 1e-12)
    ratio = variance / model
    member = group[column]
    factors = np.array(
        [
            math.sqrt(
                (_GROUP_PRIOR + ratio[member == g].sum()) / (_GROUP_PRIOR + (member == g).sum())
            )
            for g in range(len(entry.groups))
        ]
    )
    typical = float(np.median(np.abs(mean)))
    found = pairs.of(entry, level)
    size = np.maximum(np.abs(found.before), 0.5 * typical)
    change = np.abs(found.after - found.before)
    base = _modelled(found, factors, square)
    first = _factor(change[found.careful], 0.0, base[found.careful])
    base *= first**2
    slopes = np.sqrt(
        _reweighted(found.excess, np.minimum((change / size) ** 2, 25.0), base / size**2)
    )
    added = (found.excess * slopes**2).sum(axis=1) * size**2
    widen, steeper = 1.0, 1.0
    loose = ~found.careful
    for _ in range(_ROUNDS):
        # Now and then careful photos differ by more than is usual too.
        widen = _factor(change[~loose], steeper**2 * added[~loose], base[~loose])
        steeper = _factor(change[loose], widen**2 * base[loose], added[loose])
    scale = first * widen
    slopes *= steeper
    return {
        "absolute": _rounded(scale * math.sqrt(square[0])),
        "relative": _rounded(scale * math.sqrt(square[1])),
        "typical": _rounded(typical),
        "freedom": _rounded(_freedom(ratio / factors[member] ** 2, CAREFUL - 1)),
        "shared": _rounded(_shared(people, index)),
        "groups": {g: _rounded(f) for g, f in zip(entry.groups, factors, strict=True)},
        "differences": {k: _rounded(s) for k, s in zip(KINDS, slopes, strict=True) if s > 0},
    }


def _shared(people: People, index: NDArray[np.intp]) -> float:
    """Share of the variance between careful takes that all regions have in common.

    From the variance of the mean over regions, of deviations in units of their own spread.
    """
    of_mean, count = [], []
    for photos in people:
        takes = [p.values[index] for p in photos[:CAREFUL] if p is not None]
        if len(takes) < CAREFUL:
            continue
        block = np.array(takes)
        use = np.isfinite(block).all(axis=0) & (block.std(axis=0) > 0)
        if use.sum() < 2:
            continue
        z = (block[:, use] - block[:, use].mean(axis=0)) / block[:, use].std(axis=0, ddof=1)
        of_mean.append(z.mean(axis=1).var(ddof=1))
        count.append(int(use.sum()))
    if not count:
        return 1.0
    n = float(np.mean(count))
    return float(np.clip((n * np.mean(of_mean) - 1.0) / (n - 1.0), 0.0, 1.0))


def _modelled(found: Pairs, factors: F64, square: F64) -> F64:
    """Variance of each change by the capture part alone.

    Both numbers count: where only one photo has a number, its size says what can go wrong.
    """
    return np.asarray(
        factors[found.group] ** 2
        * (2.0 * square[0] + square[1] * (found.before**2 + found.after**2))
    )


def _factor(change: F64, fixed: F64 | float, scaled: F64) -> float:
    """Factor f, 0 to 10, with which 95 % of the changes lie within 1.96·√(fixed + f²·scaled)."""

    def excess(factor: float) -> float:
        inside = change <= Z95 * np.sqrt(fixed + factor**2 * scaled)
        return float(inside.mean()) - 0.95

    if not len(change) or excess(0.0) >= 0:
        return 0.0
    if excess(_MOST_FACTOR) <= 0:
        return _MOST_FACTOR
    return float(brentq(excess, 0.0, _MOST_FACTOR, xtol=0.002))


# --- limits: from one nuisance at a time -----------------------------------------------------

#: {person: {nuisance: {step: photo}}}
Curves = Mapping[int, Mapping[str, Mapping[float, Repeat | None]]]


def top_places(entry: Metric) -> list[tuple[int, Place]]:
    """List the numbers of a metric at its highest level up to 6 px/mm, which the curves have."""
    level = max(lv for lv in levels_of(entry) if lv <= _CURVE_LEVEL)
    return _at(entry, level)


def _at(entry: Metric, level: float) -> list[tuple[int, Place]]:
    return [(k, p) for k, p in enumerate(places()) if p.metric == entry.name and p.level == level]


def changes(
    entry: Metric, nuisance: str, curves: Curves, model: PrecisionModel
) -> dict[float, tuple[float, float, float]]:
    """Say what a nuisance does to a metric, at the highest level that both photos have.

    Returns
    -------
    dict
        Step -> (root mean square over regions and persons of the change, in SDC of one pair of
        careful photos; mean change in % of the size of the number; median of the difference that
        the photos tell).
    """
    zero = baseline_step(nuisance)
    result = {}
    for step in NUISANCES[nuisance].steps:
        ratios, percents, told = [], [], []
        for person in curves.values():
            base, other = person[nuisance][zero], person[nuisance][step]
            if base is None or other is None:
                continue
            found = _changed(entry, base, other, model)
            if found is None:
                continue
            ratios.append(found[0])
            percents.append(found[1])
            told.append(_told(nuisance, step, base, other))
        if ratios:
            result[step] = (
                float(np.sqrt(np.mean(ratios))),
                float(np.mean(percents)),
                float(np.median(told)),
            )
    return result


def _changed(
    entry: Metric, base: Repeat, other: Repeat, model: PrecisionModel
) -> tuple[float, float] | None:
    """Return the mean square over regions in SDC, and the mean in % of the number."""
    for level in reversed(levels_of(entry)):
        chosen = _at(entry, level)
        index = np.array([k for k, _ in chosen], dtype=np.intp)
        a, b = base.values[index], other.values[index]
        sem = np.sqrt(
            0.5 * (_variance(entry, chosen, a, model) + _variance(entry, chosen, b, model))
        )
        use = np.isfinite(a) & np.isfinite(b) & (sem > 0)
        if use.any():
            change = b[use] - a[use]
            ratio = float(np.mean((change / (SDC_SEMS * sem[use])) ** 2))
            return ratio, 100.0 * float(change.mean()) / max(float(np.abs(a[use]).mean()), 1e-9)
    return None


def _variance(
    entry: Metric, chosen: Sequence[tuple[int, Place]], values: F64, model: PrecisionModel
) -> F64:
    return np.array(
        [
            model.capture(entry, p.group, p.level, float(v)) ** 2
            for (_, p), v in zip(chosen, values, strict=True)
        ]
    )


def _told(nuisance: str, step: float, base: Repeat, other: Repeat) -> float:
    """Difference as the photos tell it; as it is where phantoms carry no such EXIF."""
    if nuisance == "distance":
        return abs(100.0 * math.log((600.0 + step) / 600.0))
    if nuisance == "camera":
        return float(step != baseline_step(nuisance))
    if nuisance in KIND_OF:
        return float(kinds_between(other, base)[list(KINDS).index(KIND_OF[nuisance])])
    return abs(step - baseline_step(nuisance))


def limit_of(nuisance: str, found: Mapping[float, tuple[float, float, float]]) -> float:
    """Difference, as the photos tell it, at which the change reaches the SDC.

    Never more than the largest difference that was tried: beyond it nothing is known.
    """
    zero = baseline_step(nuisance)
    if nuisance == "camera":
        # Another camera is another camera: there is no more or less of it.
        return 0.5 if max(ratio for ratio, _, _ in found.values()) >= 1.0 else 1.0
    best = math.inf
    for side in ([s for s in found if s >= zero], [s for s in found if s <= zero]):
        outwards = sorted(side, key=lambda s: abs(s - zero))
        for one, other in itertools.pairwise(outwards):
            (low, _, x0), (high, _, x1) = found[one], found[other]
            if low < 1.0 <= high:
                share = (1.0 - low) / (high - low)
                best = min(best, x0 + share * (x1 - x0))
                break
    largest = max((x for _, _, x in found.values()), default=math.inf)
    return min(best, largest)


def model_data(people: People, *, command: str, sources: str) -> dict[str, Any]:
    """Everything of the data file but the limits."""
    pairs = photo_pairs(people)
    data: dict[str, Any] = {}
    for entry in metrics().values():
        fitted = {
            f"{level:g}": part
            for level in levels_of(entry)
            if (part := fit_level(entry, level, people, pairs)) is not None
        }
        data[entry.name] = {"levels": fitted, "limits": {}}
    return {
        "format": 1,
        "command": command,
        "sources": sources,
        "usual": {k: _rounded(u) for k, u in zip(KINDS, pairs.usual, strict=True)},
        "metrics": data,
    }
