"""How sure is a number: its standard error, and what differing captures add to a difference.

A standard error has two parts. *Capture*: what another photo of the same skin in the same minute
would have given, from rendered people photographed again and again
(``benchmarks/precision.py``; its result travels as ``precision.json``) and, where a session has
several takes, from those. *Day to day*: skin changes between days without any treatment, from
two baselines where the client has them, else from a published default.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from skinscan.errors import ModelError, UnknownNameError
from skinscan.flags import Flag
from skinscan.metrics import Measurement, Metric, metrics
from skinscan.regions import measured_regions
from skinscan.resources import precision_path

#: Version of the data file; another one is refused.
PRECISION_FORMAT = 1

#: Smallest detectable change and would-be-found change in standard errors of one number
#: (design, section 3): 1.96·√2, and that plus 0.84·√2 for 80 % power.
SDC_SEMS, WOULD_BE_FOUND_SEMS = 2.77, 3.96

#: Degrees of freedom that the published day-to-day default counts for beside two baselines.
_DEFAULT_DAY_FREEDOM = 4.0


@dataclass(frozen=True)
class Uncertainty:
    """Standard error of one number and its two parts, in the metric's unit.

    Attributes
    ----------
    capture : float
        Of the photo; NaN where it is not known.
    day : float
        Of the skin from day to day.
    """

    capture: float
    day: float

    @property
    def sem(self) -> float:
        """Standard error: both parts together."""
        return math.hypot(self.capture, self.day)


@dataclass(frozen=True)
class DayToDay:
    """What skin changes by from day to day without treatment.

    Attributes
    ----------
    percent : float
        Standard deviation in % of the number's size; 0 where an amount is known.
    source : str
        Where that comes from, and what was assumed.
    amount : float
        Standard deviation in the metric's unit, whatever the number's size; 0 where it goes with
        the size.
    """

    percent: float
    source: str
    amount: float = 0.0

    def of(self, size: float) -> float:
        """Compute the standard deviation of a number of this size, in the metric's unit."""
        return math.hypot(self.percent / 100.0 * size, self.amount)


_REPOSITIONED = (
    "Henseler, Investigation of the precision of the Visia complexion analysis camera system "
    "(8 people in a head rig, repositioned after a week)"
)
_SAME_SESSION = "Henseler (2023), doi:10.3205/iprs000177 (same-session repeats of wrinkles 3.4 %)"

_ASSUMED = "assumed, no published figure found: "

_RESTING = (
    "Johnston et al. (2003), doi:10.1597/1545-1569(2003)040<0291:afer>2.0.co;2 (landmarks of 30 "
    "resting faces 0.74 mm apart between two captures, little more after two weeks): 0.33 mm in "
    "each direction, "
)

#: By metric, else by family. The published figures of skin are differences after a week in a head
#: rig: an upper bound, because repositioning is in them; for wrinkles the same-session part is
#: taken off in quadrature. That of a resting face contains how well its landmarks were found, an
#: upper bound too. What is assumed says so.
DAY_TO_DAY: Mapping[str, DayToDay] = MappingProxyType(
    {
        "wrinkles": DayToDay(4.9, f"√(6² − 3.4²): {_REPOSITIONED}; {_SAME_SESSION}"),
        "texture": DayToDay(2.0, f"texture below 2 %, pores 2 to 4 %: {_REPOSITIONED}"),
        "texture.pore_density": DayToDay(3.0, f"pores 2 to 4 %: {_REPOSITIONED}"),
        "texture.pore_area_fraction": DayToDay(3.0, f"pores 2 to 4 %: {_REPOSITIONED}"),
        "tone": DayToDay(3.0, f"red areas 2 to 4 %: {_REPOSITIONED}"),
        "tone.lightness": DayToDay(1.0, _ASSUMED + "0.6 L* of medium skin"),
        "tone.spot_density": DayToDay(2.0, f"brown spots below 2 %: {_REPOSITIONED}"),
        "tone.spot_area_fraction": DayToDay(2.0, f"brown spots below 2 %: {_REPOSITIONED}"),
        "under_eye": DayToDay(4.0, _ASSUMED + f"the upper figure of red areas, {_REPOSITIONED}"),
        "radiance": DayToDay(4.0, _ASSUMED + f"the upper figure of red areas, {_REPOSITIONED}"),
        "puffiness": DayToDay(0.5, _ASSUMED + "half a millimetre in the width of a cheek"),
        "lift": DayToDay(0.0, _RESTING + "0.46 mm between two points", amount=0.46),
        "lift.mouth_corner_angle": DayToDay(
            0.0, _RESTING + "0.46 mm over half a mouth of 25 mm", amount=1.05
        ),
        "lift.lower_face_ratio": DayToDay(0.55, _RESTING + "0.46 mm of either width"),
        "lift.asymmetry": DayToDay(
            0.0, _RESTING + "0.46 mm in each of three differences", amount=0.27
        ),
    }
)


def day_to_day(entry: Metric) -> DayToDay:
    """Return the published, or assumed, day-to-day part of a metric.

    Parameters
    ----------
    entry : Metric

    Raises
    ------
    UnknownNameError
        If neither the metric nor its family has one.
    """
    for key in (entry.name, entry.family):
        if key in DAY_TO_DAY:
            return DAY_TO_DAY[key]
    raise UnknownNameError(
        expected="a family with a day-to-day part",
        found=entry.family,
        remedy="Add it to DAY_TO_DAY in skinscan/precision.py, with its source",
    )


@dataclass(frozen=True)
class LevelPrecision:
    """Precision of one metric at one level.

    Attributes
    ----------
    absolute, relative : float
        Standard deviation between captures: √(absolute² + (relative·value)²), metric's unit and
        share of the value.
    typical : float
        Usual size of the number; relative errors of smaller numbers are taken of it.
    freedom : float
        Degrees of freedom that the model counts for beside takes of one session.
    shared : float
        Share of the capture variance that all regions of a photo have in common, 0 to 1: of a mean
        over regions this part does not average out.
    groups : Mapping[str, float]
        Factor of a region group, 1 where it is absent.
    differences : Mapping[str, float]
        By kind of difference between two captures: share of the number's size that one unit
        adds to the standard deviation of a change.
    """

    absolute: float
    relative: float
    typical: float
    freedom: float
    shared: float
    groups: Mapping[str, float]
    differences: Mapping[str, float]

    def size(self, value: float) -> float:
        """Size of a number, never less than half of the usual one."""
        return max(abs(value), 0.5 * self.typical)


def _capture(found: LevelPrecision | None, group: str, value: float) -> float:
    if found is None or not math.isfinite(value):
        return math.nan
    return found.groups.get(group, 1.0) * math.hypot(found.absolute, found.relative * value)


@dataclass(frozen=True)
class PrecisionModel:
    """Precision of every metric.

    Attributes
    ----------
    command : str
        What made the data.
    sources : str
        Fingerprint of the sources whose numbers were fitted.
    levels : Mapping[tuple[str, float], LevelPrecision]
        By metric and level.
    usual : Mapping[str, float]
        By kind of difference: twice its root mean square between photos of a careful clinic, which
        stays within that; the capture part contains it already.
    limits : Mapping[str, Mapping[str, float]]
        By metric and kind of difference: the greatest difference between two captures with
        which the metric is still compared; a kind that is absent has none.
    """

    command: str
    sources: str
    levels: Mapping[tuple[str, float], LevelPrecision]
    usual: Mapping[str, float]
    limits: Mapping[str, Mapping[str, float]]

    def at(self, entry: Metric, level: float) -> LevelPrecision | None:
        """Return the precision of a metric at a level, None where nothing is known.

        A level finer than all that were fitted takes that of the finest: the same skin in
        more pixels is measured no worse.

        Parameters
        ----------
        entry : Metric
        level : float
            px/mm.
        """
        wanted = min(level, entry.finest_level_px_mm)
        found = self.levels.get((entry.name, wanted))
        if found is None:
            finest = self._finest.get(entry.name, math.inf)
            if wanted > finest:
                found = self.levels[entry.name, finest]
        return found

    @cached_property
    def _finest(self) -> Mapping[str, float]:
        """Finest level fitted of each metric."""
        finest: dict[str, float] = {}
        for name, level in self.levels:
            finest[name] = max(level, finest.get(name, level))
        return finest

    def capture(self, entry: Metric, group: str, level: float, value: float) -> float:
        """Compute the standard error of one photo's number.

        Parameters
        ----------
        entry : Metric
        group : str
            Region group.
        level : float
            px/mm.
        value : float
            The number itself.

        Returns
        -------
        float
            In the metric's unit; NaN where the value is NaN or the model has no entry.
        """
        return _capture(self.at(entry, level), group, value)

    def uncertainty(self, entry: Metric, group: str, level: float, value: float) -> Uncertainty:
        """Both parts of the standard error of one photo's number, by model and default.

        Parameters
        ----------
        entry : Metric
        group : str
            Region group.
        level : float
            px/mm.
        value : float
            The number itself.

        Returns
        -------
        Uncertainty
        """
        found = self.at(entry, level)
        size = abs(value) if found is None else found.size(value)
        return Uncertainty(_capture(found, group, value), day_to_day(entry).of(size))

    def added_by(
        self, entry: Metric, level: float, value: float, differences: Mapping[str, float]
    ) -> float:
        """Compute the standard deviation that differing captures add to a change.

        Only what exceeds the wandering of a careful clinic counts, because the capture part of
        both photos contains that.

        Parameters
        ----------
        entry : Metric
        level : float
            px/mm.
        value : float
            The number at baseline.
        differences : Mapping[str, float]
            Size of each kind of difference between the two captures.

        Returns
        -------
        float
            In the metric's unit; NaN where the model has no entry.
        """
        found = self.at(entry, level)
        if found is None:
            return math.nan
        excess = math.fsum(
            slope**2 * max(differences[kind] ** 2 - self.usual.get(kind, 0.0) ** 2, 0.0)
            for kind, slope in found.differences.items()
            if kind in differences
        )
        return found.size(value) * math.sqrt(excess)

    def comparable(self, entry: Metric, differences: Mapping[str, float]) -> tuple[str, ...]:
        """List the kinds of difference that are too large to compare this metric.

        Parameters
        ----------
        entry : Metric
        differences : Mapping[str, float]

        Returns
        -------
        tuple of str
            Empty where the metric can be compared.
        """
        limits = self.limits.get(entry.name, {})
        return tuple(k for k, size in differences.items() if size > limits.get(k, math.inf))


def standard_error(
    entry: Metric, group: str, level: float, value: float
) -> tuple[float, float, Flag]:
    """Give the standard error of a number, its day-to-day part, and ``no_sem`` where it has none.

    Parameters
    ----------
    entry : Metric
    group : str
        Region group.
    level : float
        px/mm.
    value : float
        The number itself, not NaN.

    Returns
    -------
    sem, sem_day : float
    doubt : Flag
    """
    # A level finer than a metric's finest repeats its number.
    level = min(level, entry.finest_level_px_mm)
    both = precision_model().uncertainty(entry, group, level, value)
    sem = both.sem
    if math.isfinite(sem):
        return sem, both.day, Flag.NONE
    return sem, math.nan, Flag.NO_SEM if math.isfinite(value) else Flag.NONE


def with_sems(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """Give every measurement its standard error, or the flag ``no_sem``.

    Parameters
    ----------
    measurements : iterable of Measurement

    Returns
    -------
    tuple of Measurement
    """
    entries = metrics()
    group = {region.name: region.group for region in measured_regions()}
    result = []
    for m in measurements:
        if math.isnan(m.value):
            result.append(replace(m, sem=math.nan, sem_day=math.nan))
            continue
        sem, day, doubt = standard_error(entries[m.metric], group[m.region], m.level_px_mm, m.value)
        result.append(replace(m, sem=sem, sem_day=day, flags=m.flags | doubt))
    return tuple(result)


def pooled_takes(values: Sequence[float], *, capture: float, freedom: float) -> tuple[float, float]:
    """Mean of several takes of one session and its standard error.

    The variance seen between the takes is shrunk towards the model's (empirical Bayes after
    Smyth 2004, doi:10.2202/1544-6115.1027): two takes that happen to agree do not make a
    number exact.

    Parameters
    ----------
    values : sequence of float
        The same number in each take, finite.
    capture : float
        Standard error of one photo by the model.
    freedom : float
        Degrees of freedom that the model counts for.

    Returns
    -------
    mean, sem : float
        NaN without a value.
    """
    count = len(values)
    if not count:
        return math.nan, math.nan
    mean = math.fsum(values) / count
    seen = math.fsum((v - mean) ** 2 for v in values)
    variance = (freedom * capture**2 + seen) / (freedom + count - 1)
    return mean, math.sqrt(variance / count)


def day_from_baselines(values: Sequence[float], captures: Sequence[float], default: float) -> float:
    """Day-to-day part from baselines taken on different days before any treatment.

    What the captures alone explain is taken off; the rest is shrunk towards the default, because
    two days tell little.

    Parameters
    ----------
    values : sequence of float
        The number on each day.
    captures : sequence of float
        Its capture part on each day.
    default : float
        Published day-to-day part.

    Returns
    -------
    float
        The default where there are fewer than two days.
    """
    count = len(values)
    if count < 2:
        return default
    mean = math.fsum(values) / count
    seen = math.fsum((v - mean) ** 2 for v in values)
    explained = (count - 1) * math.fsum(c**2 for c in captures) / count
    own = max(seen - explained, 0.0)
    return math.sqrt((_DEFAULT_DAY_FREEDOM * default**2 + own) / (_DEFAULT_DAY_FREEDOM + count - 1))


def parse_precision(data: Mapping[str, Any]) -> PrecisionModel:
    """Read the model from the content of its file.

    Parameters
    ----------
    data : Mapping
        Of format `PRECISION_FORMAT`.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no such content.
    """
    levels = {
        (name, float(level)): LevelPrecision(
            absolute=float(part["absolute"]),
            relative=float(part["relative"]),
            typical=float(part["typical"]),
            freedom=float(part["freedom"]),
            shared=float(part["shared"]),
            groups=MappingProxyType({k: float(v) for k, v in part["groups"].items()}),
            differences=MappingProxyType({k: float(v) for k, v in part["differences"].items()}),
        )
        for name, entry in data["metrics"].items()
        for level, part in entry["levels"].items()
    }
    limits = {
        name: MappingProxyType({k: float(v) for k, v in entry["limits"].items()})
        for name, entry in data["metrics"].items()
    }
    return PrecisionModel(
        command=str(data["command"]),
        sources=str(data["sources"]),
        levels=MappingProxyType(levels),
        usual=MappingProxyType({k: float(v) for k, v in data["usual"].items()}),
        limits=MappingProxyType(limits),
    )


@cache
def precision_model() -> PrecisionModel:
    """Load the model that travels with the package.

    Returns
    -------
    PrecisionModel

    Raises
    ------
    ModelError
        If the file is absent, damaged or of another format.
    """
    remedy = "Install skinscan again; do not replace its data by hand"
    try:
        data = json.loads(precision_path().read_text(encoding="utf-8"))
        found = data["format"]
        if found == PRECISION_FORMAT:
            return parse_precision(data)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            expected="precision.json beside the landmark model",
            found=type(error).__name__,
            remedy=remedy,
        ) from error
    raise ModelError(
        expected=f"precision.json of format {PRECISION_FORMAT}",
        found=f"format {found!r}",
        remedy=remedy,
    )
