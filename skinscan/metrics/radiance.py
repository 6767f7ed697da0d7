"""Radiance: how much of the light is mirrored by the skin's surface, and how the planes stand out.

Taken at 2 px/mm and smoothed over 1 mm and more: pores and lines do not count.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from skinscan.colour import luminance
from skinscan.flags import Flag
from skinscan.metrics.maps import masked_blur
from skinscan.metrics.registry import Better, Concern, Dose, Family
from skinscan.metrics.sample import RegionSample
from skinscan.pixels import median, picked, quantile
from skinscan.regions import FACE, members, region_mask

FAMILY = Family("radiance", Concern.RADIANCE, (FACE,))

#: The planes of the face that catch the light.
_LIT_PLANES = (
    "forehead_upper",
    "forehead_lower",
    "nose_bridge",
    "nose_tip",
    "cheek_malar",
    "chin",
)
#: Smoothing that takes texture out (Gaussian sigma).
_GLOSS_MM, _PLANE_MM = 1.0, 2.0
#: The colour of skin without gloss: that of pixels between these percentiles of brightness.
#: Darker ones are shadow, brighter ones shine.
_MATT_PERCENTILES = (15.0, 50.0)
#: Percentiles between which the planes stand out.
_BRIGHT, _USUAL = 95.0, 50.0
_LEAST_PIXELS = 200


@cache
def _lit_planes(level: float) -> NDArray[np.bool_]:
    inside = [region_mask(r.name, level) for group in _LIT_PLANES for r in members(group)]
    return np.asarray(np.any(inside, axis=0))


def _lit(sample: RegionSample) -> NDArray[np.bool_]:
    return np.asarray(_lit_planes(sample.layer.level_px_mm) & sample.layer.skin)


def _specular_fraction(sample: RegionSample) -> float:
    skin = sample.layer.skin
    lit = _lit(sample)
    if lit.sum() < _LEAST_PIXELS:
        return float("nan")
    sigma = _GLOSS_MM * sample.layer.level_px_mm
    light = masked_blur(sample.maps.linear, skin, sigma)
    brightness = luminance(light)
    seen = brightness[skin]
    low, high = (quantile(seen, share / 100.0) for share in _MATT_PERCENTILES)
    matt = skin & (brightness >= low) & (brightness <= high)
    red, _, blue = picked(light, matt).T
    blue_to_red = float(median(blue / np.maximum(red, 1e-6)))
    if blue_to_red >= 1.0:
        return float("nan")
    red, _, blue = picked(light, lit).T
    gloss = (blue - blue_to_red * red) / (1.0 - blue_to_red)
    return 100.0 * float(gloss.mean() / brightness[lit].mean())


def _luminance_contrast(sample: RegionSample) -> float:
    lit = _lit(sample)
    if lit.sum() < _LEAST_PIXELS:
        return float("nan")
    sigma = _PLANE_MM * sample.layer.level_px_mm
    smooth = masked_blur(sample.layer.log_y, sample.layer.skin, sigma)[lit]
    bright, usual = (quantile(smooth, share / 100.0) for share in (_BRIGHT, _USUAL))
    return float(bright - usual)


FAMILY.add(
    "specular_fraction",
    "Share of mirrored light",
    unit="%",
    compute=_specular_fraction,
    dose=Dose.SPECULAR,
    description=(
        "Share of the light from forehead, nose, cheek bones and chin that the surface mirrors. "
        "Skin returns little blue, a mirror as much as the lamp has: from the blue that exceeds "
        "the ratio of blue to red in the face's matt parts."
    ),
    source="Dichromatic reflection, Shafer (1985), doi:10.1002/col.5080100409",
    formula=(
        "fraction = 100 · mean of g / mean of Y,  g = (B − q·R) / (1 − q)\n"
        "R, B, Y: linear red, blue and luminance, mean within 1 mm (Gaussian sigma), on the lit "
        "planes; g: mirrored light; q: median of B / R in the matt parts, 15th to 50th percentile "
        "of Y on all visible skin"
    ),
    responds_to=(
        "shine by oil, sweat, cream or a moist surface; powder lowers it",
        "how soft the light is, white balance and, less, exposure",
        "a raised or lowered head",
        "the tone of the skin: the same gloss is a larger share of the light of dark skin",
        "bluish reflections of clothes or a window, and paler, less yellow skin on the lit planes",
    ),
    blind_to=(
        "texture, lines and pores: it is smoothed over 1 mm",
        "from which side the lamp shines",
        "glare that the camera clips: it is left out",
    ),
    limits=(
        "It assumes that the lamp is white in the photo and that skin has one colour: blotches, "
        "spots and make-up on the lit planes are read as more or less gloss. Shine is neither "
        "health nor youth; compare only photos of the same light."
    ),
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    flags=Flag.LIGHT_DEPENDENT,
)
FAMILY.add(
    "luminance_contrast",
    "Contrast of the lit planes",
    unit="%",
    compute=_luminance_contrast,
    dose=Dose.SPECULAR,
    description=(
        "Difference between the 95th and the 50th percentile of 100·ln Y, smoothed over 2 mm, on "
        "forehead, nose, cheek bones and chin."
    ),
    source="Gloss in the statistics of luminance: Motoyoshi et al. (2007), doi:10.1038/nature05724",
    formula=(
        "contrast = P95(S) − P50(S)\n"
        "S: 100·ln Y, mean within 2 mm (Gaussian sigma), on forehead, nose, cheek bones and chin; "
        "P95, P50: percentiles; Y: luminance"
    ),
    responds_to=(
        "gloss on the planes that catch the light",
        "how soft, and from how high, the light comes",
        "how prominent cheek bones, nose and forehead are",
        "a raised or lowered head",
    ),
    blind_to=(
        "texture, lines and pores: it is smoothed over 2 mm",
        "exposure and white balance",
        "glare that the camera clips: it is left out",
    ),
    limits=(
        "Shape and light make most of it and gloss a part: compare only photos of the same light "
        "and pose. The camera's tone curve changes it."
    ),
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    flags=Flag.LIGHT_DEPENDENT,
)
