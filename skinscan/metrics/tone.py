"""Tone: colour, its evenness, redness, pigment and spots.

Absolute colour belongs to the light and the camera as much as to the skin and carries the
flag ``absolute_colour``; redness and pigment are contrasts inside the same face.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from skinscan.flags import Flag
from skinscan.metrics.registry import OPEN_SKIN, Better, Concern, Dose, Family
from skinscan.metrics.sample import RegionSample, once_per_sample

FAMILY = Family("tone", Concern.TONE, (*OPEN_SKIN, "marionette", "jawline"))

#: A spot exceeds its surroundings by this much melanin (100·optical density), by this many
#: robust spreads of the whole face's skin, and is at least this large.
_SPOT_CONTRAST, _SPOT_SPREADS, _SPOT_AREA_MM2 = 6.0, 4.0, 0.8


def _median(values: NDArray[np.float32]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _lab(channel: int) -> Callable[[RegionSample], float]:
    def compute(sample: RegionSample) -> float:
        return _median(sample.pixels(sample.maps.lab[..., channel]))

    return compute


def _ita(sample: RegionSample) -> float:
    lab = sample.pixels(sample.maps.lab)
    if not len(lab):
        return float("nan")
    lightness, yellow = _median(lab[:, 0]), _median(lab[:, 2])
    return float(np.degrees(np.arctan2(lightness - 50.0, yellow)))


def _evenness(sample: RegionSample) -> float:
    smooth = sample.pixels(sample.maps.slow_chroma)
    if len(smooth) < 20:
        return float("nan")
    spread = 1.4826 * np.median(np.abs(smooth - np.median(smooth, axis=0)), axis=0)
    return float(np.hypot(*spread))


def _pigment(index: int) -> Callable[[RegionSample], float]:
    def compute(sample: RegionSample) -> float:
        maps = sample.maps
        return _median(sample.pixels(maps.pigments)[:, index]) - float(
            maps.pigment_reference[index]
        )

    return compute


@once_per_sample
def _spots(sample: RegionSample) -> tuple[int, float]:
    """Return number and area in mm² of the spots of a region."""
    threshold = max(_SPOT_CONTRAST, _SPOT_SPREADS * sample.maps.spot_spread)
    dark = (sample.cut(sample.maps.spot_contrast) > threshold) & sample.plain
    pieces, count = label(dark)
    area = np.bincount(pieces.ravel(), minlength=count + 1)[1:] / sample.layer.level_px_mm**2
    large = area >= _SPOT_AREA_MM2
    return int(large.sum()), float(area[large].sum())


def _spot_density(sample: RegionSample) -> float:
    return _spots(sample)[0] / sample.area_cm2


def _spot_area_fraction(sample: RegionSample) -> float:
    return _spots(sample)[1] / (100.0 * sample.area_cm2) * 100.0


_CIE = "CIE 15:2018 Colorimetry; sRGB after IEC 61966-2-1"
_PIGMENTS = "Two-pigment separation after Tsumura et al. (1999), doi:10.1364/JOSAA.16.002169"

for _channel, (_name, _title, _dose) in enumerate(
    (
        ("lightness", "Lightness L*", Dose.MELANIN),
        ("a", "Red-green a*", Dose.REDNESS),
        ("b", "Yellow-blue b*", Dose.WHITE_BALANCE),
    )
):
    FAMILY.add(
        _name,
        _title,
        unit="",
        compute=_lab(_channel),
        dose=_dose,
        description=(
            f"Median {_title.split()[-1]} of the region's skin (D65, 2°). Moves with exposure and "
            "white balance: compare only photos of the same light."
        ),
        lowest=2.0,
        finest=2.0,
        source=_CIE,
        better=Better.NEUTRAL,
        flags=Flag.ABSOLUTE_COLOUR,
    )
FAMILY.add(
    "ita",
    "Individual typology angle",
    unit="°",
    compute=_ita,
    dose=Dose.MELANIN,
    description=(
        "arctan((L* - 50) / b*) of the region's median colour: above 55° very light, below -30° "
        "dark. A description of the skin and the light, not a quality."
    ),
    lowest=2.0,
    finest=2.0,
    source="Chardon, Cretois & Hourseau (1991), doi:10.1111/j.1467-2494.1991.tb00561.x",
    better=Better.NEUTRAL,
    flags=Flag.ABSOLUTE_COLOUR,
)
FAMILY.add(
    "evenness",
    "Unevenness of colour",
    unit="ΔE",
    compute=_evenness,
    dose=Dose.MOTTLING,
    description=(
        "Robust spread of a* and b*, smoothed over 1.5 mm, within the region. Responds to blotches "
        "and coloured shadows; not to brightness, lines or pores."
    ),
    lowest=2.0,
    finest=2.0,
    source=_CIE + "; robust spread: 1.4826 times the median absolute deviation",
)
FAMILY.add(
    "redness",
    "Redness",
    unit="100·OD",
    compute=_pigment(0),
    dose=Dose.REDNESS,
    description=(
        "Haemoglobin part of the optical density, region minus the whole face's median. Shading "
        "cancels; the colour of the lamp cancels because the reference is the same face."
    ),
    lowest=2.0,
    finest=2.0,
    source=_PIGMENTS,
)
FAMILY.add(
    "melanin",
    "Pigment",
    unit="100·OD",
    compute=_pigment(1),
    dose=Dose.PIGMENT_PATCH,
    description="Melanin part of the optical density, region minus the whole face's median.",
    lowest=2.0,
    finest=2.0,
    source=_PIGMENTS,
    better=Better.NEUTRAL,
)
FAMILY.add(
    "spot_density",
    "Pigment spots per area",
    unit="/cm²",
    compute=_spot_density,
    dose=Dose.SPOTS,
    description=(
        f"Spots of at least {_SPOT_AREA_MM2} mm² that exceed their surroundings (3 mm) by "
        f"{_SPOT_CONTRAST:g} in melanin and by {_SPOT_SPREADS:g} times the skin's own spread, per "
        "area of visible skin."
    ),
    lowest=3.0,
    finest=3.0,
    source=_PIGMENTS,
)
FAMILY.add(
    "spot_area_fraction",
    "Area of pigment spots",
    unit="%",
    compute=_spot_area_fraction,
    dose=Dose.SPOTS,
    description=f"Share of the visible skin inside spots of at least {_SPOT_AREA_MM2} mm².",
    source=_PIGMENTS,
    lowest=3.0,
    finest=3.0,
)
