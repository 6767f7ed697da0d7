"""Tone: colour, its evenness, redness, pigment and spots.

Absolute colour belongs to the light and the camera as much as to the skin and carries the
flag ``absolute_colour``; redness and pigment are contrasts inside the same face.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skinscan.flags import Flag
from skinscan.metrics.registry import OPEN_SKIN, Better, Concern, Dose, Family
from skinscan.metrics.sample import ON_A_LINE, RegionSample, once_per_sample
from skinscan.metrics.spots import (
    LEAST_AREA_MM2,
    LEAST_CONTRAST_PCT,
    LEAST_SPREADS,
    RAMP_PCT,
)
from skinscan.pixels import median
from skinscan.regions import region_mask

FAMILY = Family("tone", Concern.TONE, (*OPEN_SKIN, "marionette", "jawline"))

#: A spot that lies on a traced line by more than this share belongs to the line.
_ON_LINE = 0.5


def _median(values: NDArray[np.float32]) -> float:
    return float(median(values)) if len(values) else float("nan")


@once_per_sample
def _median_lab(sample: RegionSample) -> tuple[float, float, float]:
    lightness, red, yellow = np.ascontiguousarray(sample.pixels(sample.maps.lab).T)
    return _median(lightness), _median(red), _median(yellow)


def _lab(channel: int) -> Callable[[RegionSample], float]:
    def compute(sample: RegionSample) -> float:
        return _median_lab(sample)[channel]

    return compute


def _ita(sample: RegionSample) -> float:
    lightness, _, yellow = _median_lab(sample)
    return float(np.degrees(np.arctan2(lightness - 50.0, yellow)))


def _evenness(sample: RegionSample) -> float:
    smooth = np.ascontiguousarray(sample.pixels(sample.maps.slow_chroma).T)
    if smooth.shape[1] < 20:
        return float("nan")
    middle = median(smooth)[:, None]
    spread = 1.4826 * median(np.abs(smooth - middle))
    return float(np.hypot(*spread))


@once_per_sample
def _pigments(sample: RegionSample) -> NDArray[np.float32]:
    return np.ascontiguousarray(sample.pixels(sample.maps.pigments).T)


def _pigment(index: int) -> Callable[[RegionSample], float]:
    def compute(sample: RegionSample) -> float:
        return _median(_pigments(sample)[index]) - float(sample.maps.pigment_reference[index])

    return compute


@once_per_sample
def _spots(sample: RegionSample) -> tuple[float, float]:
    """Return number and area in mm² of the spots of a region, faint ones counted in part."""
    spots = sample.maps.spots
    count = len(spots.weight)
    if not count:
        return 0.0, 0.0
    inside = region_mask(sample.region.name, sample.layer.level_px_mm)[tuple(spots.place_px.T)]
    if not inside.any():
        return 0.0, 0.0
    lined = spots.share_inside(sample.lines.presence >= ON_A_LINE)
    weight = np.where(inside & (lined <= _ON_LINE), spots.weight, 0.0)
    return float(weight.sum()), float((weight * spots.area_mm2).sum())


def _spot_density(sample: RegionSample) -> float:
    return _spots(sample)[0] / sample.area_cm2


def _spot_area_fraction(sample: RegionSample) -> float:
    return _spots(sample)[1] / (100.0 * sample.area_cm2) * 100.0


_CIE = "CIE 15:2018 Colorimetry; sRGB after IEC 61966-2-1"
_PIGMENTS = "Two-pigment separation after Tsumura et al. (1999), doi:10.1364/JOSAA.16.002169"
_RED_DENSITY = (
    "Melanin as optical density after Tsumura et al. (1999), doi:10.1364/JOSAA.16.002169, of red "
    "light alone, which haemoglobin hardly absorbs; roundness from second moments"
)

_COLOUR_MOVES = (
    "the colour of the skin",
    "exposure, white balance and the camera's own processing",
    "the colour of the lamp, and of walls and clothes that reflect it",
)
_FINE_BLIND = "lines, pores and spots that cover less than half of the region: it is a median"
_ABSOLUTE = (
    "Absolute colour belongs to the light and the camera as much as to the skin: two photos are "
    "comparable only with the same lamp, camera and settings. It says nothing about health."
)
_TWO_PIGMENTS = (
    "H, M from −100·ln(R, G, B) = h·H + m·M + s, with h = (0.03, 1, 0.6) and m = (0.69, 1, 1.7); "
    "R, G, B: linear light; s: shading; face: all visible skin"
)
_PIGMENT_BLIND = (
    "exposure and the colour of the lamp, to first order: the reference is the same face",
    "shade without gloss, which dims red, green and blue alike",
    "what the whole face shares, such as a flush or a tan: only differences inside the face remain",
)
_SPOT_RULE = (
    f"spot: place of at least {LEAST_AREA_MM2} mm² outside traced lines, at most twice as long as "
    "wide, where D exceeds half of its peak P; "
    f"w = (P − T) / {RAMP_PCT:g} limited to 0..1, T = max({LEAST_CONTRAST_PCT:g}, "
    f"{LEAST_SPREADS:g}·spread); D: −100·ln R smoothed over 0.4 mm minus its mean within 3 mm; "
    "R: linear red light; spread: robust spread of D over the face"
)
_SPOT_MOVES = (
    "freckles, lentigines and other brown spots of about 1 to 5 mm",
    "moles, and marks of make-up that look like pigment",
    "deep pits, and shadows as round as a spot",
    "sharpness and resolution, for the smallest ones",
)
_SPOT_BLIND = (
    "spots below 1 mm across, and those of less than 10 % contrast",
    "patches larger than about 6 mm: their surroundings are as dark as they are",
    "spots within 1 mm of hair, lashes, lips or whatever else is no skin",
    "exposure to first order, and the colour of the lamp",
    "most of the contrast of red spots: blood hardly absorbs red",
)
_SPOT_LIMITS = (
    "A spot must also exceed the skin's own spread, so faint ones are missed where skin is "
    "mottled. Spots that touch count as one, or as none where they form a chain. Red light cannot "
    "tell pigment from shade: what is left of relief by the rule of roundness counts. Small "
    "numbers: one spot more or less is much of a region's density."
)

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
            f"Median {_title.split()[-1]} of the region's skin (D65, 2°). Compare only photos of "
            "the same light and camera."
        ),
        lowest=2.0,
        finest=2.0,
        source=_CIE,
        formula=(
            f"{_name} = median of {_title.split()[-1]}\n"
            f"{_title.split()[-1]}: CIE L*a*b* (D65, 2°) of each place of the region's skin at 2 "
            "px/mm, from sRGB"
        ),
        responds_to=_COLOUR_MOVES,
        blind_to=(_FINE_BLIND,),
        limits=_ABSOLUTE,
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
    formula=(
        "ITA = arctan((L* − 50) / b*) · 180° / π\nL*, b*: medians of the region's skin, CIE "
        "L*a*b* (D65, 2°)"
    ),
    responds_to=_COLOUR_MOVES,
    blind_to=(_FINE_BLIND, "a*, and so most of redness"),
    limits=(
        _ABSOLUTE
        + " The published classes hold for a colorimeter on the skin, not for a photo; near "
        "b* = 0 the angle jumps."
    ),
    better=Better.NEUTRAL,
    flags=Flag.ABSOLUTE_COLOUR,
)
FAMILY.add(
    "evenness",
    "Unevenness of colour",
    unit="%",
    compute=_evenness,
    dose=Dose.MOTTLING,
    description=(
        "Robust spread of the chromaticity, smoothed over 1.5 mm, within the region, in per cent "
        "of the ratios of linear red and blue to green."
    ),
    lowest=2.0,
    finest=2.0,
    source=(
        "Log-chromaticity after Finlayson et al. (2006), doi:10.1109/TPAMI.2006.18; robust "
        "spread: 1.4826 times the median absolute deviation"
    ),
    formula=(
        "evenness = √(s(100·ln(R/G))² + s(100·ln(B/G))²),  s(v) = 1.4826 · median of |v − median "
        "v|\nR, G, B: linear light, mean within 1.5 mm (Gaussian sigma), over the region's skin; "
        "s: robust spread"
    ),
    responds_to=(
        "blotches and flushes with soft borders inside the region",
        "coloured shadows, mixed light and reflections of clothes",
        "gloss that covers part of the region",
        "make-up, which lowers it",
    ),
    blind_to=(
        "lines, pores and whatever is much smaller than 1.5 mm",
        "blotches that cover a small part of the region: the spread is robust",
        "colour that differs between regions",
    ),
    limits=(
        "Two lamps of different colour make any skin uneven. Gloss hides part of the colour, most "
        "on dark skin."
    ),
)
FAMILY.add(
    "redness",
    "Redness",
    unit="100·OD",
    compute=_pigment(0),
    dose=Dose.REDNESS,
    description=("Haemoglobin part of the optical density, region minus the whole face's median."),
    lowest=2.0,
    finest=2.0,
    source=_PIGMENTS,
    formula="redness = median of H in the region − median of H on the face\n" + _TWO_PIGMENTS,
    responds_to=(
        "more blood in this region than in the rest of the face",
        "partly: melanin, because camera colour is not pigment optics",
        "the direction and softness of the light: gloss on a region hides its colour",
        "make-up and coloured light on part of the face",
    ),
    blind_to=_PIGMENT_BLIND,
    limits=(
        "A small difference: percentages of it mean little, and photos with automatic white "
        "balance differ by much of its size. Where much of the face is red, the reference is red "
        "too and the number is too small."
    ),
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
    formula="melanin = median of M in the region − median of M on the face\n" + _TWO_PIGMENTS,
    responds_to=(
        "more pigment in this region than in the rest of the face",
        "stubble and downy hair, which are dark as pigment is",
        "the direction and softness of the light: gloss on a region hides its colour",
        "make-up and coloured light on part of the face",
    ),
    blind_to=(*_PIGMENT_BLIND, _FINE_BLIND),
    limits=(
        "A small difference: percentages of it mean little. It tells neither how deep the pigment "
        "lies nor what caused it. Camera colour is not pigment optics: part of a melanin "
        "difference is read as redness."
    ),
    better=Better.NEUTRAL,
)
FAMILY.add(
    "spot_density",
    "Pigment spots per area",
    unit="/cm²",
    compute=_spot_density,
    dose=Dose.SPOTS,
    description=(
        f"Round spots of at least {LEAST_AREA_MM2} mm² that are darker in red light than their "
        f"surroundings (3 mm) by more than {LEAST_CONTRAST_PCT:g} % and {LEAST_SPREADS:g} times "
        "the skin's own spread, per area of visible skin. Faint spots count in part."
    ),
    lowest=3.0,
    finest=3.0,
    source=_RED_DENSITY,
    formula="density = Σ w / A\nA: area of visible skin, cm²; " + _SPOT_RULE,
    responds_to=(*_SPOT_MOVES, "how dark a faint spot is: it counts in part"),
    blind_to=_SPOT_BLIND,
    limits=_SPOT_LIMITS,
)
FAMILY.add(
    "spot_area_fraction",
    "Area of pigment spots",
    unit="%",
    compute=_spot_area_fraction,
    dose=Dose.SPOTS,
    description=(
        f"Share of the visible skin inside round spots of at least {LEAST_AREA_MM2} mm², each as "
        "wide as it is at half of its contrast. Faint spots count in part."
    ),
    source=_RED_DENSITY,
    formula="area_fraction = 100 · Σ w·a / A\na: area of a spot; A: area of visible skin; "
    + _SPOT_RULE,
    responds_to=(*_SPOT_MOVES, "how dark a faint spot is: it counts in part"),
    blind_to=_SPOT_BLIND,
    limits=_SPOT_LIMITS,
    lowest=3.0,
    finest=3.0,
)
