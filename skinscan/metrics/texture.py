"""Texture: grain, pattern and pores of the illumination-free skin.

Roughness is optical: the contrast of the picture in the band of skin relief, not a height.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from skinscan.metrics.grain import (
    Roughness,
    count_dots,
    local_binary_patterns,
    pairs_of,
    roughness_of,
)
from skinscan.metrics.registry import OPEN_SKIN, Better, Concern, Dose, Family
from skinscan.metrics.sample import RegionSample, once_per_sample

FAMILY = Family("texture", Concern.TEXTURE, OPEN_SKIN)
_PORE_GROUPS = ("nose_bridge", "nose_tip", "cheek_malar", "cheek_buccal", "forehead_lower", "chin")

#: Grey levels of the co-occurrence matrix over this range of contrast in %: wide enough for the
#: mirrored relief of dark skin, so that nothing piles up at the ends.
_GLCM_LEVELS, _GLCM_RANGE_PCT = 32, 128.0
_GLCM_STEP_PCT = _GLCM_RANGE_PCT / _GLCM_LEVELS
_TILE_MM = 6.0
#: Less skin between lines carries no roughness.
_LEAST_PIXELS = 20.0
#: A neighbour counts as darker only by more than this contrast: less is noise as often as skin.
_LBP_STEP_PCT = 8.0
#: Pores: Gaussian sigma of the detector, least contrast, least roundness.
_PORE_SIGMA_MM, _PORE_CONTRAST_PCT, _PORE_ROUNDNESS = 0.16, 5.0, 0.35


def _tile_px(sample: RegionSample) -> int:
    return max(4, round(_TILE_MM * sample.layer.level_px_mm))


@once_per_sample
def _roughness(sample: RegionSample) -> Roughness:
    band, presence = sample.cut(sample.maps.roughness_band), sample.cut(sample.lines.presence)
    return roughness_of(band, presence, sample.mask, tile_px=_tile_px(sample))


def _roughness_rq(sample: RegionSample) -> float:
    skin = _roughness(sample)
    if skin.weight <= _LEAST_PIXELS:
        return float("nan")
    # The band is about zero, so that little is lost by the difference.
    square = skin.second / skin.weight - (skin.first / skin.weight) ** 2
    return math.sqrt(max(square, 0.0))


def _roughness_rz(sample: RegionSample) -> float:
    skin = _roughness(sample)
    enough = skin.counts >= 0.5 * _tile_px(sample) ** 2
    if not enough.any():
        return float("nan")
    return float((skin.highest[enough] - skin.lowest[enough]).mean())


@once_per_sample
def _cooccurrence(sample: RegionSample, distance_mm: float) -> NDArray[np.float64] | None:
    """Symmetric co-occurrence matrix over four directions, skin only, normalised."""
    skin = sample.plain
    if np.count_nonzero(skin) < 100:
        return None
    pairs = pairs_of(
        sample.flat,
        skin,
        steps=_GLCM_LEVELS,
        step=_GLCM_STEP_PCT,
        distance_px=max(1, round(distance_mm * sample.layer.level_px_mm)),
    )
    total = pairs.sum()
    return pairs / total if total > 0 else None


@cache
def _squared_steps(steps: int) -> NDArray[np.int64]:
    """Square of the difference between the two steps of each pair, shape (steps, steps)."""
    one, other = np.indices((steps, steps))
    return np.asarray((one - other) ** 2, dtype=np.int64)


def _glcm(quantity: str, distance_mm: float) -> Callable[[RegionSample], float]:
    def compute(sample: RegionSample) -> float:
        pairs = _cooccurrence(sample, distance_mm)
        if pairs is None:
            return float("nan")
        if quantity == "entropy":
            seen = pairs[pairs > 0]
            return float(-(seen * np.log2(seen)).sum())
        squared = _squared_steps(len(pairs))
        if quantity == "homogeneity":
            return float((pairs / (1.0 + squared)).sum())
        # The root has the unit of roughness: a square would double every unfairness.
        return _GLCM_STEP_PCT * math.sqrt(float((pairs * squared).sum()))

    return compute


def _lbp_entropy(sample: RegionSample) -> float:
    skin = sample.plain
    count = np.count_nonzero(skin)
    if count < 100:
        return float("nan")
    codes = local_binary_patterns(sample.flat, threshold=_LBP_STEP_PCT)
    share = np.bincount(codes[skin], minlength=10) / count
    seen = share[share > 0]
    return float(-(seen * np.log2(seen)).sum())


@once_per_sample
def _pores(sample: RegionSample) -> tuple[int, int]:
    return count_dots(
        sample.flat,
        sample.plain,
        sigma_px=_PORE_SIGMA_MM * sample.layer.level_px_mm,
        least=_PORE_CONTRAST_PCT,
        roundness=_PORE_ROUNDNESS,
    )


def _pore_density(sample: RegionSample) -> float:
    return _pores(sample)[0] / sample.area_cm2


def _pore_area_fraction(sample: RegionSample) -> float:
    skin = np.count_nonzero(sample.plain)
    return 100.0 * _pores(sample)[1] / skin if skin else np.nan


_ROUGHNESS = "Definition after ISO 21920-2, applied to optical contrast instead of height"
_HARALICK = "Haralick, Shanmugam & Dinstein (1973), doi:10.1109/TSMC.1973.4309314"

_TEXTURE_MOVES = (
    "relief as the light of the photo shows it: hard light from the side shows more",
    "fine mottling of pigment and blood, and pores",
    "camera noise, sharpening and the compression of the file, which add texture",
    "blur, noise reduction and beauty filters, which take it away",
)
_TEXTURE_BLIND = (
    "the colour of the skin, and exposure as far as noise and tone curve stay the same",
    "shading, folds and patches wider than a few millimetres",
    "traced lines: they are left out",
)
_BAND_LIMITS = (
    "What is finer than two pixels of the level is not seen: about 0.7 mm at 3 px/mm and 0.3 mm at "
    "6 px/mm, so compare numbers of the same level. Sharpness and noise change it as much as "
    "skin does. Untraced faint lines and downy hair count as texture."
)
_PAIR_LIMITS = (
    f"Contrast beyond ±{_GLCM_RANGE_PCT / 2:g} % is cut off. Noise raises the difference of "
    "neighbours as relief does, and blur lowers it. Untraced faint lines and downy hair count as "
    "texture."
)
_P_OF_PAIRS = (
    "p(i, j): share of pairs of plain skin with contrasts i and j, in steps of "
    f"{_GLCM_STEP_PCT:g} %, four directions; contrast of a place: 100·ln Y minus its mean within "
    "3 mm (Gaussian sigma); Y: luminance"
)
_PORE_MOVES = (
    "number and darkness of visible pores",
    "stubble, downy hair and freckles of that size",
    "sharpness: blur hides pores; sharpening and noise make some",
    "the light: pores are darker in hard light from the side",
    "exposure, through noise and the camera's tone curve",
)
_PORE_BLIND = (
    "the colour of the skin",
    "dots much larger than 0.5 mm, such as spots",
    "lines: what is not round, and what lies on a traced line, is left out",
)
_PORE_LIMITS = (
    "Needs 6 px/mm and a sharp photo; at 6 and at 9 px/mm different dots are seen, so compare "
    "numbers of the same level. What is counted is dark dots, whether a pore or not."
)

FAMILY.add(
    "roughness_rq",
    "Roughness Rq",
    unit="%",
    compute=_roughness_rq,
    dose=Dose.ROUGHNESS,
    description=(
        "Root mean square of the contrast of structures of 0.3 to 2 mm, traced lines left out. "
        "Optical, not topographic."
    ),
    source=_ROUGHNESS,
    formula=(
        "Rq = √(mean of (q − mean q)²),  q = S − mean of S over about 0.4 mm (Gaussian sigma)\n"
        "S: 100·ln Y on the region's skin outside traced lines; q: its part below a wavelength of "
        "2 mm; Y: luminance"
    ),
    responds_to=_TEXTURE_MOVES,
    blind_to=_TEXTURE_BLIND,
    limits="Relief, pigment and noise cannot be told apart. " + _BAND_LIMITS,
    lowest=3.0,
    finest=6.0,
)
FAMILY.add(
    "roughness_rz",
    "Roughness Rz",
    unit="%",
    compute=_roughness_rz,
    dose=Dose.ROUGHNESS,
    description=(
        "Mean over tiles of 6 mm of the span between the darkest and the brightest point in the "
        "contrast of structures of 0.3 to 2 mm, traced lines left out. Optical, not topographic."
    ),
    source=_ROUGHNESS,
    formula=(
        "Rz = mean over tiles of (max q − min q)\n"
        "q: 100·ln Y below a wavelength of 2 mm, on the region's skin outside traced lines; tiles: "
        "6 mm wide, at least half of them such skin; Y: luminance"
    ),
    responds_to=(*_TEXTURE_MOVES, "single dark or bright points: it rests on extremes"),
    blind_to=_TEXTURE_BLIND,
    limits="One hair or one pore decides a tile's span. " + _BAND_LIMITS,
    lowest=3.0,
    finest=6.0,
)
for _mm, _label, _level in ((0.5, "0_5mm", 6.0), (1.0, "1mm", 3.0)):
    FAMILY.add(
        f"glcm_contrast_{_label}",
        f"Co-occurrence contrast at {_mm:g} mm",
        unit="%",
        compute=_glcm("contrast", _mm),
        dose=Dose.ROUGHNESS,
        description=(
            f"Root mean square difference of contrast between places of skin {_mm:g} mm apart on "
            "the illumination-free layer."
        ),
        source=_HARALICK,
        formula=(
            f"contrast = {_GLCM_STEP_PCT:g} % · √(Σ p(i, j) · (i − j)²), pairs {_mm:g} mm apart\n"
            + _P_OF_PAIRS
        ),
        responds_to=_TEXTURE_MOVES,
        blind_to=_TEXTURE_BLIND,
        limits=_PAIR_LIMITS,
        lowest=_level,
        finest=_level,
    )
    FAMILY.add(
        f"glcm_homogeneity_{_label}",
        f"Co-occurrence homogeneity at {_mm:g} mm",
        unit="",
        compute=_glcm("homogeneity", _mm),
        dose=Dose.ROUGHNESS,
        description=(
            f"Share of alike pairs of skin {_mm:g} mm apart on the illumination-free layer, 0..1."
        ),
        source=_HARALICK,
        formula=f"homogeneity = Σ p(i, j) / (1 + (i − j)²), pairs {_mm:g} mm apart\n" + _P_OF_PAIRS,
        responds_to=_TEXTURE_MOVES,
        blind_to=_TEXTURE_BLIND,
        limits="Falls with all that adds texture. " + _PAIR_LIMITS,
        lowest=_level,
        finest=_level,
        better=Better.UP,
    )
    FAMILY.add(
        f"glcm_entropy_{_label}",
        f"Co-occurrence entropy at {_mm:g} mm",
        unit="bit",
        compute=_glcm("entropy", _mm),
        dose=Dose.ROUGHNESS,
        description=f"Disorder of pairs of skin {_mm:g} mm apart on the illumination-free layer.",
        source=_HARALICK,
        formula=f"entropy = −Σ p(i, j) · log₂ p(i, j), pairs {_mm:g} mm apart\n" + _P_OF_PAIRS,
        responds_to=_TEXTURE_MOVES,
        blind_to=_TEXTURE_BLIND,
        limits="At most 10 bit; small regions have too few pairs to reach their entropy. "
        + _PAIR_LIMITS,
        lowest=_level,
        finest=_level,
    )
FAMILY.add(
    "lbp_entropy",
    "Pattern entropy",
    unit="bit",
    compute=_lbp_entropy,
    dose=Dose.ROUGHNESS,
    description=(
        "Entropy of the uniform local binary patterns (8 neighbours at 1.5 px of 3 px/mm: 0.5 mm) "
        f"of the illumination-free layer, differences below {_LBP_STEP_PCT:g} % left out."
    ),
    source=(
        "Ojala, Pietikäinen & Mäenpää (2002), doi:10.1109/TPAMI.2002.1017623, with a threshold"
    ),
    formula=(
        "entropy = −Σ p(k) · log₂ p(k)\n"
        "p(k): share of the region's skin outside traced lines that has pattern k of ten: which of "
        f"8 neighbours 0.5 mm away are darker than the centre by more than {_LBP_STEP_PCT:g} % "
        "contrast"
    ),
    responds_to=(
        "how much of the skin has differences beyond the threshold, and of how many shapes",
        *_TEXTURE_MOVES,
    ),
    blind_to=(
        *_TEXTURE_BLIND,
        "very smooth skin: where no difference exceeds the threshold, it is 0",
    ),
    limits=(
        "At most 3.3 bit, and it grows ever less on very rough skin. It answers to uneven "
        "pigmentation nearly as to relief. " + _BAND_LIMITS
    ),
    lowest=3.0,
    finest=3.0,
)
FAMILY.add(
    "pore_density",
    "Visible pores per area",
    unit="/cm²",
    compute=_pore_density,
    dose=Dose.PORES,
    description=(
        "Dark round dots of about 0.2 to 0.5 mm with at least 5 % contrast, per area of visible "
        "skin."
    ),
    source="Blob detection after Lindeberg (1998), doi:10.1023/A:1008045108935",
    formula=(
        "density = N / A\n"
        "N: peaks of c above 5 % outside traced lines; c = 2σ²·κ, κ: smaller second derivative of "
        "the contrast smoothed with σ = 0.16 mm, where it is at least 0.35 of the larger one; "
        "A: area of visible skin, cm²"
    ),
    responds_to=_PORE_MOVES,
    blind_to=_PORE_BLIND,
    limits=_PORE_LIMITS,
    lowest=6.0,
    groups=_PORE_GROUPS,
)
FAMILY.add(
    "pore_area_fraction",
    "Area of visible pores",
    unit="%",
    compute=_pore_area_fraction,
    dose=Dose.PORES,
    description="Share of the visible skin inside dark round dots of about 0.2 to 0.5 mm.",
    source="Blob detection after Lindeberg (1998), doi:10.1023/A:1008045108935",
    formula=(
        "area_fraction = 100 · area of c > 5 % / area of skin outside traced lines\n"
        "c = 2σ²·κ, κ: smaller second derivative of the contrast smoothed with σ = 0.16 mm, where "
        "it is at least 0.35 of the larger one"
    ),
    responds_to=(*_PORE_MOVES, "the darkness of a pore: a darker one exceeds 5 % over more area"),
    blind_to=_PORE_BLIND,
    limits="The detector has one size, so this is no measure of a pore's own width. "
    + _PORE_LIMITS,
    lowest=6.0,
    groups=_PORE_GROUPS,
)
