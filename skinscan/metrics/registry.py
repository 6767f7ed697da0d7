"""What a metric is, and the list of all of them.

A metric is one `Metric` entry beside the function that computes it. Tables, documentation,
the app and the tests read the registry; nothing else has to be told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from skinscan.errors import UnknownNameError
from skinscan.flags import Flag
from skinscan.frame import LEVELS_PX_MM

if TYPE_CHECKING:
    from skinscan.metrics.sample import RegionSample


class Better(StrEnum):
    """Direction of improvement."""

    DOWN = "down"
    UP = "up"
    NEUTRAL = "neutral"


class Concern(StrEnum):
    """What people read first: a named set of metrics."""

    TEXTURE = "texture"
    TONE = "tone"
    WRINKLES = "wrinkles"
    LIFT = "lift"
    UNDER_EYE = "under_eye"
    RADIANCE = "radiance"


class Dose(StrEnum):
    """What a metric is named after, as something a phantom can be given more or less of.

    `benchmarks/doses.py` says how each is rendered; `docs/accuracy.md` shows every metric
    against its own.
    """

    WRINKLE_DEPTH = "wrinkle_depth"
    LINE_COUNT = "line_count"
    FINE_LINES = "fine_lines"
    WRINKLES = "wrinkles"
    FOLDS = "folds"
    LINE_WIDTH = "line_width"
    ROUGHNESS = "roughness"
    PORES = "pores"
    MELANIN = "melanin"
    WHITE_BALANCE = "white_balance"
    REDNESS = "redness"
    MOTTLING = "mottling"
    PIGMENT_PATCH = "pigment_patch"
    SPOTS = "spots"
    UNDER_EYE_SHADOW = "under_eye_shadow"
    UNDER_EYE_BAG = "under_eye_bag"
    CHEEK_FULLNESS = "cheek_fullness"
    BROW_RAISE = "brow_raise"
    LID_APERTURE = "lid_aperture"
    MOUTH_CORNER_RAISE = "mouth_corner_raise"
    JAW_SAG = "jaw_sag"
    FACE_ASYMMETRY = "face_asymmetry"
    SPECULAR = "specular"


@dataclass(frozen=True)
class Measurement:
    """One number with what qualifies it.

    Attributes
    ----------
    metric, region : str
        Names in the registry and in the atlas.
    level_px_mm : float
        Resolution level at which it was taken.
    value : float
        In the metric's unit; NaN always comes with a flag.
    sem : float
        Standard error in the same unit, capture and day to day together; NaN where there is no
        value, or with the flag ``no_sem``.
    sem_day : float
        Its day-to-day part.
    flags : Flag
    """

    metric: str
    region: str
    level_px_mm: float
    value: float
    sem: float
    sem_day: float
    flags: Flag

    @property
    def sem_capture(self) -> float:
        """The part of the standard error that belongs to the photo."""
        return math.sqrt(max(self.sem**2 - self.sem_day**2, 0.0))


@dataclass(frozen=True)
class Metric:
    """A registered, documented measurement.

    Attributes
    ----------
    name : str
        ``family.quantity``.
    family : str
        Module that computes it.
    concern : Concern
        Where people read it.
    title : str
        For people.
    unit : str
        ``""`` for pure numbers.
    better : Better
        Direction of improvement.
    groups : tuple of str
        Region groups it applies to.
    lowest_level_px_mm : float
        Below this level it means nothing: NaN with ``low_resolution``.
    finest_level_px_mm : float
        Levels above this one add nothing: they repeat the value found here.
    description : str
        Definition, in one paragraph.
    source : str
        Published source of the method.
    formula : str
        The definition as a formula of one or two lines, then a line that names every symbol.
    responds_to, blind_to : tuple of str
        What moves the number and what does not, as short phrases.
    limits : str
        Where it goes wrong, in sentences.
    dose : Dose
        What it is named after, as a phantom can have it.
    compute : callable
        RegionSample -> value; may return NaN, which is then flagged as occluded.
    flags : Flag
        Carried by every measurement of this metric.
    needs_skin : bool
        False for shapes, which are measured on landmarks and outline where skin is covered.
    front_only : bool
        Another view gives a flagged number (``wrong_view``).
    """

    name: str
    family: str
    concern: Concern
    title: str
    unit: str
    better: Better
    groups: tuple[str, ...]
    lowest_level_px_mm: float
    description: str
    source: str
    formula: str
    responds_to: tuple[str, ...]
    blind_to: tuple[str, ...]
    limits: str
    dose: Dose
    compute: Callable[[RegionSample], float]
    finest_level_px_mm: float = max(LEVELS_PX_MM)
    flags: Flag = Flag.NONE
    needs_skin: bool = True
    front_only: bool = False


@dataclass(frozen=True)
class Family:
    """Metrics that share a module, a concern and, unless they say otherwise, their regions.

    Attributes
    ----------
    name : str
    concern : Concern
    groups : tuple of str
        Region groups of its metrics.
    needs_skin, front_only : bool
        See `Metric`.
    """

    name: str
    concern: Concern
    groups: tuple[str, ...]
    needs_skin: bool = True
    front_only: bool = False

    def add(
        self,
        quantity: str,
        title: str,
        *,
        unit: str,
        compute: Callable[[RegionSample], float],
        description: str,
        source: str,
        formula: str,
        responds_to: tuple[str, ...],
        blind_to: tuple[str, ...],
        limits: str,
        dose: Dose,
        lowest: float,
        finest: float = max(LEVELS_PX_MM),
        better: Better = Better.DOWN,
        groups: tuple[str, ...] | None = None,
        flags: Flag = Flag.NONE,
    ) -> Metric:
        """Register a metric of this family; see `Metric` for the meaning of each part."""
        return register(
            Metric(
                name=f"{self.name}.{quantity}",
                family=self.name,
                concern=self.concern,
                title=title,
                unit=unit,
                better=better,
                groups=groups or self.groups,
                lowest_level_px_mm=lowest,
                finest_level_px_mm=finest,
                description=description,
                source=source,
                formula=formula,
                responds_to=responds_to,
                blind_to=blind_to,
                limits=limits,
                dose=dose,
                compute=compute,
                flags=flags,
                needs_skin=self.needs_skin,
                front_only=self.front_only,
            )
        )


#: Groups of open skin, which most families measure.
OPEN_SKIN = (
    "forehead_upper",
    "forehead_lower",
    "glabella",
    "temple",
    "crows_feet",
    "under_eye",
    "nose_bridge",
    "nose_tip",
    "cheek_malar",
    "cheek_buccal",
    "nasolabial",
    "upper_lip",
    "chin",
)

_REGISTRY: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Add a metric to the registry; the name must be new."""
    if metric.name in _REGISTRY:
        raise UnknownNameError(
            expected="a metric name that is not taken",
            found=metric.name,
            remedy="Choose another name",
        )
    _REGISTRY[metric.name] = metric
    return metric


def metrics() -> Mapping[str, Metric]:
    """All registered metrics by name."""
    import skinscan.metrics.catalogue  # noqa: F401, PLC0415 - families register on import

    return MappingProxyType(_REGISTRY)


def metric(name: str) -> Metric:
    """Return one metric.

    Raises
    ------
    UnknownNameError
        If there is no metric of that name.
    """
    found = metrics().get(name)
    if found is None:
        raise UnknownNameError(
            expected="the name of a metric, for example wrinkles.severity",
            found=repr(name),
            remedy="`skinscan.metrics.metrics()` lists them",
        )
    return found


def by_family() -> Iterator[tuple[str, tuple[Metric, ...]]]:
    """Families in order of registration, each with its metrics."""
    families: dict[str, tuple[Metric, ...]] = {}
    for item in metrics().values():
        families[item.family] = (*families.get(item.family, ()), item)
    yield from families.items()
