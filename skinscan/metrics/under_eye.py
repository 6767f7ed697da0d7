"""Under the eyes: how much darker than the cheek, and how deep the groove below a bag.

Both are differences inside one face, so exposure and the colour of the lamp cancel. Both follow the
direction of the light, because hollows and bulges are shaded: the flag ``light_dependent`` says so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from skinscan.colour import LUMINANCE_WEIGHTS, lab_to_linear, linear_to_lab, shading
from skinscan.flags import Flag
from skinscan.frame import map_px_to_mm
from skinscan.metrics.registry import Concern, Dose, Family
from skinscan.metrics.sample import RegionSample, once_per_sample
from skinscan.pixels import median, picked, quantile
from skinscan.regions import region_mask

FAMILY = Family("under_eye", Concern.UNDER_EYE, ("under_eye",))

#: The cheek as it is shown beside the under-eye: a round medium skin colour (L*, a*, b*). The
#: contrast to it is then the same whatever the exposure, the lamp and the skin tone.
_STANDARD_CHEEK = np.array([62.0, 12.0, 18.0], dtype=np.float32)

#: Percentiles of brightness between which a region's colour is taken: gloss is brighter, and the
#: cheek bone shines more than the skin under the eye.
_MATT_PERCENTILES = (10.0, 40.0)

#: The profile is taken over this middle share of the region's width, in steps of 1 mm downwards.
_MIDDLE_SHARE, _STEP_MM, _DEEPEST_MM = 0.6, 1.0, 18.0
#: A step of the profile with fewer pixels is left out.
_LEAST_PIXELS = 8
#: Where the groove below a bag is looked for, mm below the region's upper edge.
_GROOVE_FROM_MM, _GROOVE_TO_MM = 6, 10
#: Distance from the groove and half-width of the three means, in steps of the profile: the bulge
#: above, the groove itself, the cheek below (less of which is left inside the region).
_BULGE, _GROOVE, _CHEEK = (-4, 2), (0, 1), (5, 1)


def _matt_light(sample: RegionSample, name: str) -> NDArray[np.float64]:
    level = sample.layer.level_px_mm
    inside = region_mask(name, level) & sample.layer.skin
    light = picked(sample.maps.linear, inside)
    if len(light) < _LEAST_PIXELS:
        return np.full(3, np.nan)
    brightness = light @ LUMINANCE_WEIGHTS
    low, high = (quantile(brightness, share / 100.0) for share in _MATT_PERCENTILES)
    matt = light[(brightness >= low) & (brightness <= high)]
    return np.asarray(median(matt.T), dtype=np.float64)


@once_per_sample
def _beside_standard_cheek(sample: RegionSample) -> NDArray[np.float32]:
    """Colour under the eye if the cheek beside it had the standard colour, L*a*b*, shape (3,)."""
    cheek = _matt_light(sample, sample.region.name.replace(sample.region.group, "cheek_malar"))
    here = _matt_light(sample, sample.region.name)
    if not np.all(cheek > 0):
        return np.full(3, np.nan, dtype=np.float32)
    light = lab_to_linear(_STANDARD_CHEEK[None, None]) * (here / cheek).astype(np.float32)
    return np.asarray(linear_to_lab(light)[0, 0], dtype=np.float32)


def _dark_circle_dl(sample: RegionSample) -> float:
    return float(_STANDARD_CHEEK[0] - _beside_standard_cheek(sample)[0])


def _dark_circle_de(sample: RegionSample) -> float:
    colour = _beside_standard_cheek(sample)
    if not np.isfinite(colour).all():
        return float("nan")
    sign = 1.0 if colour[0] <= _STANDARD_CHEEK[0] else -1.0
    return sign * float(deltaE_ciede2000(_STANDARD_CHEEK, colour))


def _profile(sample: RegionSample) -> NDArray[np.float64]:
    """Shading from the lid downwards, 100·ln, one value per mm; NaN where too little is seen."""
    rows, columns = np.nonzero(sample.mask)
    place = np.column_stack([columns + sample.window[1].start, rows + sample.window[0].start])
    at = map_px_to_mm(place.astype(np.float64), sample.layer.level_px_mm)
    outline = sample.region.outline_mm[:, 0]
    middle, half = 0.5 * (outline.min() + outline.max()), 0.5 * np.ptp(outline)
    near = np.abs(at[:, 0] - middle) < _MIDDLE_SHARE * half
    if not near.any():
        return np.full(round(_DEEPEST_MM / _STEP_MM), np.nan)
    light = shading(sample.maps.linear[sample.window])[rows, columns][near]
    column = columns[near]
    top = np.full(int(column.max()) + 1, -np.inf)
    np.maximum.at(top, column, at[near, 1])
    step = ((top[column] - at[near, 1]) / _STEP_MM).astype(int)
    return np.array(
        [
            float(median(light[step == k])) if (step == k).sum() >= _LEAST_PIXELS else np.nan
            for k in range(round(_DEEPEST_MM / _STEP_MM))
        ]
    )


def _bag(sample: RegionSample) -> float:
    profile = _profile(sample)

    def mean(groove: int, place: tuple[int, int]) -> float:
        middle, half = groove + place[0], place[1]
        part = profile[middle - half : middle + half + 1]
        return float(part.mean()) if len(part) == 2 * half + 1 else float("nan")

    depth = [
        min(mean(k, _BULGE), mean(k, _CHEEK)) - mean(k, _GROOVE)
        for k in range(_GROOVE_FROM_MM, _GROOVE_TO_MM + 1)
    ]
    known = [value for value in depth if np.isfinite(value)]
    return max(known, default=float("nan"))


_CIE = "CIE 15:2018 Colorimetry; colour difference CIEDE2000 after ISO/CIE 11664-6"
_CIRCLE = (
    "c* = Lab(v · u / k),  v: linear R, G, B of the cheek of medium colour v*; u, k: linear R, G, "
    "B of the matt part (10th to 40th percentile of brightness) under the eye and on the cheek "
    "bone, medians"
)
_CIRCLE_BLIND = (
    "exposure and the colour of the lamp, where they are the same on cheek and lid",
    "the skin's own tone",
    "darkness that covers little of the region, such as a line",
)
_CIRCLE_LIMITS = (
    "Pigment, vessels and the shade of a hollow cannot be told apart, and light from above deepens "
    "the shade. A cheek that is shaded, red, tanned or made up changes the reference. Concealer "
    "hides it."
)

FAMILY.add(
    "dark_circle_dl",
    "Dark circle, lightness",
    unit="ΔL*",
    compute=_dark_circle_dl,
    dose=Dose.UNDER_EYE_SHADOW,
    description=(
        "How much darker the skin under the eye is than the cheek bone beside it, as it would "
        "look beside a cheek of medium colour (L* 62, a* 12, b* 18): the ratio of their linear "
        "light, each the median of its matt part. Negative where the under-eye is lighter."
    ),
    source=_CIE,
    formula="ΔL = L*(v*) − L*(c*)\n" + _CIRCLE,
    responds_to=(
        "pigment and vessels under the eye",
        "the shade of a hollow or below a bag",
        "the direction and softness of the light, strongly",
        "weakly: gloss and redness of the cheek, and the distance of the camera",
    ),
    blind_to=_CIRCLE_BLIND,
    limits=_CIRCLE_LIMITS,
    lowest=2.0,
    finest=2.0,
    flags=Flag.LIGHT_DEPENDENT,
)
FAMILY.add(
    "dark_circle_de",
    "Dark circle, colour",
    unit="ΔE00",
    compute=_dark_circle_de,
    dose=Dose.UNDER_EYE_SHADOW,
    description=(
        "Colour difference between the skin under the eye and the cheek bone beside it, taken as "
        "for the lightness; negative where the under-eye is lighter."
    ),
    source=_CIE,
    formula="ΔE = ± ΔE00(v*, c*), negative where c* is lighter than v*\n" + _CIRCLE,
    responds_to=(
        "darkness under the eye of any cause, and its hue: bluish, brown or red",
        "redness of the cheek, which is the reference",
        "the direction and softness of the light, strongly, and its evenness in colour",
    ),
    blind_to=_CIRCLE_BLIND,
    limits=(
        "Near zero the sign jumps, because a difference of hue alone has no direction. "
        + _CIRCLE_LIMITS
    ),
    lowest=2.0,
    finest=2.0,
    flags=Flag.LIGHT_DEPENDENT,
)
FAMILY.add(
    "bag",
    "Groove below the lid",
    unit="%",
    compute=_bag,
    dose=Dose.UNDER_EYE_BAG,
    description=(
        "Depth of the dark groove 6 to 10 mm below the lower lid's lashes against the fainter of "
        "its shoulders, the bulge above and the cheek below: 100·Δln of the light with the two "
        "skin pigments taken out, over the middle of the lid. Below 0 where there is no groove."
    ),
    source="Two-pigment separation after Tsumura et al. (1999), doi:10.1364/JOSAA.16.002169",
    formula=(
        "bag = max over k of [min(s(k − 4 ± 2), s(k + 5 ± 1)) − s(k ± 1)],  k = 6 to 10 mm\n"
        "s(k): mean over that range of the profile, 100·ln of the light with haemoglobin and "
        "melanin taken out, median over the middle 60 % of the region's width; k: mm below its "
        "upper edge"
    ),
    responds_to=(
        "the shadow below a bulge of the lower lid, in light from above",
        "a deep tear trough without a bag, which is as dark a groove",
        "the direction and softness of the light, and a raised or lowered head",
    ),
    blind_to=(
        "the colour of dark circles, as far as it is that of the two pigments",
        "bulges in frontal or very soft light, which throw no shadow",
        "grooves nearer than 6 mm or further than 10 mm below the lashes",
    ),
    limits=(
        "It measures the groove, not the bulge: how far the lid stands out is not known from one "
        "photo. Rims of glasses and thick lashes in the region disturb the profile, and a smile "
        "deepens the groove."
    ),
    lowest=2.0,
    finest=2.0,
    flags=Flag.LIGHT_DEPENDENT,
)
