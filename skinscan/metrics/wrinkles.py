"""Wrinkles: lines of the skin per region, from `skinscan.metrics.lines`.

What is measured is the contrast of a line in the picture, never its depth in the skin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skinscan.metrics.lines import FINE_BELOW_MM, FOLD_FROM_MM
from skinscan.metrics.registry import OPEN_SKIN, Concern, Dose, Family
from skinscan.metrics.sample import RegionSample
from skinscan.regions import region_mask, region_window

FAMILY = Family(
    "wrinkles",
    Concern.WRINKLES,
    (
        *(group for group in OPEN_SKIN if group != "nose_tip"),
        "upper_lid",
        "tear_trough",
        "lid_bag",
        "marionette",
    ),
)
#: Contrast in % at which a line is about to be seen (Weber fraction of luminance, 1 to 2 %).
_SEEN_PCT = 1.0
#: Factor of width over which a line passes from one class into the next.
_CLASS_BLEND = 1.5
#: With less certain length than this there is no line to take a mean over.
_LEAST_LENGTH_MM = 3.0
_RIDGES = (
    "Multi-scale valley detection after Steger (1998), doi:10.1109/34.659930, with two-sided "
    "contrast and direction priors (docs/metrics)"
)
_NOT_LINES = (
    "relief that the light of the photo does not show",
    "steps of brightness with one shoulder, such as the edge of a shadow",
    "the colour of the skin",
)
_CERTAINTY = (
    "p: certainty of a place on a traced line, 0 at the limit of tracing to 1 clearly above it"
)
_TRACED_LIMITS = (
    "Lines shorter than 4 mm are not seen, those up to 8 mm in part. A line near the limit of "
    "tracing counts in part, so that it comes and goes by degrees; where two pieces are joined in "
    "one photo and not in the next, a step remains. Strands of hair, thin rims of glasses, large "
    "faint spots and shadow edges beside which the skin brightens again can be traced as lines. "
    "Blur loses lines."
)


_CLASSES = (
    "P: length of a traced line inside the region times its certainty, mm; b: its full width at "
    f"half contrast without blur, mm; m(b, g): share that belongs above the limit g, rising from 0 "
    f"at g/{_CLASS_BLEND:g} to 1 at g·{_CLASS_BLEND:g}; A: area of visible skin, cm²"
)


def _above(sample: RegionSample, limit_mm: float) -> NDArray[np.float64]:
    return sample.lines.wider_than(limit_mm, _CLASS_BLEND)


def _density(sample: RegionSample, membership: NDArray[np.float64] | float) -> float:
    return float((sample.line_lengths_mm * membership).sum()) / sample.area_cm2


def _length_density(sample: RegionSample) -> float:
    return _density(sample, 1.0)


def _fine_line_density(sample: RegionSample) -> float:
    return _density(sample, 1.0 - _above(sample, FINE_BELOW_MM))


def _wrinkle_density(sample: RegionSample) -> float:
    return _density(sample, _above(sample, FINE_BELOW_MM) - _above(sample, FOLD_FROM_MM))


def _fold_density(sample: RegionSample) -> float:
    return _density(sample, _above(sample, FOLD_FROM_MM))


def _mean_over_length(sample: RegionSample, values: NDArray[np.float64]) -> float:
    # Certainty counts twice: many faint false lines must not outvote a few true ones.
    lengths = sample.line_lengths_mm * sample.lines.certainties
    enough = lengths.sum() >= _LEAST_LENGTH_MM
    return float(np.average(values, weights=lengths)) if enough else float("nan")


def _contrast(sample: RegionSample) -> float:
    return _mean_over_length(sample, sample.lines.contrasts_pct)


def _width(sample: RegionSample) -> float:
    return _mean_over_length(sample, sample.lines.widths_mm)


def _area_fraction(sample: RegionSample) -> float:
    return _density(sample, sample.lines.widths_mm)


def visible(contrast_pct: NDArray[np.float32]) -> NDArray[np.float32]:
    """Contrast with what is too faint to be seen fading out: c·c²/(c² + 1²) of c %.

    Parameters
    ----------
    contrast_pct : ndarray of float32

    Returns
    -------
    ndarray of float32
        Nearly ``contrast_pct`` where that is large, half of it at 1 %, nearly 0 below 0.5 %.
    """
    squared = contrast_pct * contrast_pct
    return np.asarray(contrast_pct * squared / (squared + np.float32(_SEEN_PCT**2)))


def _severity(sample: RegionSample) -> float:
    known = sample.lines.memory
    key = _severity, sample.region.name
    if key not in known:
        level = sample.lines.valley_level_px_mm
        window = region_window(sample.region.name, level)
        skin = sample.facemap.layers[level].skin[window]
        inside = region_mask(sample.region.name, level)[window] & skin
        contrast = sample.lines.valley[window][inside]
        known[key] = float(visible(contrast).mean()) if len(contrast) else float("nan")
    return known[key]


FAMILY.add(
    "severity",
    "Wrinkle severity",
    unit="%",
    compute=_severity,
    dose=Dose.WRINKLE_DEPTH,
    description=(
        "Mean over the region of c·c²/(c² + n²), where c is the contrast of the best line through "
        "each pixel, 100·Δln Y against the fainter shoulder, and n = 1 % the contrast at which a "
        "line is about to be seen: contrast x width x length per area, with what is too faint to "
        "be seen fading out and no threshold."
    ),
    source=_RIDGES,
    formula=(
        "severity = mean over x of c³/(c² + n²),\nc(x) = max(0, max over d, a of w · [min(S(x + "
        "d·a), S(x − d·a)) − S(x)])\nx: skin of the region; S: 100·ln Y averaged along the line; "
        "a: direction across the line; d: half-width, 0.35 to 2 mm; w: weight of the direction in "
        "this region, 0 to 1; n: 1 %; Y: luminance"
    ),
    responds_to=(
        "contrast, width, length and number of lines and folds",
        "the direction and softness of the light",
        "sharpness of the photo: it falls with blur",
        "weakly: grain of the skin and camera noise, which add a floor",
    ),
    blind_to=(*_NOT_LINES, "valleys wider than about 4 mm"),
    limits=(
        "It measures contrast, not depth: compare photos of the same light and sharpness. Grain "
        "and noise above 1 % still count, so that lines weaker by a third lower the number of a "
        "whole region by less than a third. In small regions (lids, tear trough, temple) the edge "
        "of the skin mask moves it between two photos of unchanged skin. Strands of hair that are "
        "not masked count."
    ),
    lowest=3.0,
)
FAMILY.add(
    "length_density",
    "Length of lines per area",
    unit="mm/cm²",
    compute=_length_density,
    dose=Dose.LINE_COUNT,
    description=(
        "Length of the traced lines inside the region, each place weighed by its certainty, per "
        "area of visible skin. Certainty rises smoothly from 0 to 1 with the contrast there (1.2 "
        "to 2.2 times the grain of the skin around it), with the highest contrast within 10 mm "
        "along the line (1.4 to 3.8), with the mean contrast over 12 mm and more (0.8 to 2.6, "
        "beyond its ends 0), with the contrast across (1 to 2), with the line's length (4 to "
        "8 mm) and with the share of it that is dark (50 to 80 %); the least of these counts."
    ),
    source=_RIDGES,
    formula=(
        "length_density = Σ p·l / A\nl: length of a step of a traced line inside the region, mm; "
        f"{_CERTAINTY}; A: area of visible skin, cm²"
    ),
    responds_to=(
        "number and length of lines, narrow and wide alike",
        "how certain faint lines are, and so contrast, light and sharpness",
    ),
    blind_to=(*_NOT_LINES, "how strong a line is, once it is certain", "lines shorter than 4 mm"),
    limits=_TRACED_LIMITS,
    lowest=3.0,
)
FAMILY.add(
    "contrast",
    "Contrast of lines",
    unit="%",
    compute=_contrast,
    dose=Dose.WRINKLE_DEPTH,
    description=(
        "Mean contrast of the traced lines, 100·Δln Y between the core of the line and the skin "
        "beside it, weighed by length and certainty. Line contrast is not depth."
    ),
    source=_RIDGES,
    formula=(
        "contrast = Σ q·P·c / Σ q·P,  S(x) ≈ a + s·x − c·exp(−x²/2σ²)\nP: length of a line inside "
        "the region times its certainty, mm; q: its mean certainty; c: least squares over all "
        "profiles of the line, within 1.8 widths (at least 0.9 mm, at most 3 mm) of its centre; S: "
        "100·ln Y, Y luminance; x: distance from the centre; σ: width as seen / 2.35; a: own "
        "level of each profile; s: slope"
    ),
    responds_to=(
        "how dark lines are beside the skin around them",
        "the direction and softness of the light",
        "sharpness: a narrow line loses contrast by blur",
    ),
    blind_to=(*_NOT_LINES, "how many lines there are, as long as there is one"),
    limits=(
        "Contrast is not depth. When faint lines fade below the limit of tracing, the mean over "
        "those that remain can rise: a comparison measures the same courses again instead. No "
        "value where less than 3 mm of line is certain. "
        "Lines at or above 50 % contrast and below 1.5 mm width are dropped as hair or rims."
    ),
    lowest=3.0,
)
FAMILY.add(
    "width",
    "Width of lines",
    unit="mm",
    compute=_width,
    dose=Dose.LINE_WIDTH,
    description=(
        "Mean full width of the traced lines at half of their contrast, weighed by length and "
        "certainty, with the known blur of the level taken off in quadrature."
    ),
    source=_RIDGES,
    formula=(
        "width = Σ q·P·b / Σ q·P,  b² = w² − (2.2/r)² − 0.2²\nP: length of a line inside the "
        "region times its certainty, mm; q: its mean certainty; w: median along the line of its "
        "full width at half of its contrast, mm; r: level, px/mm; b is at least 0.4 times the blur"
    ),
    responds_to=(
        "how wide lines are",
        "which lines are found: a faint narrow one that vanishes leaves the wide ones",
        "sharpness: blur widens narrow lines",
    ),
    blind_to=(
        *_NOT_LINES,
        "how many lines there are and how strong they are",
        "width beyond 4.4 mm",
    ),
    limits=(
        "Profiles reach 2.2 mm to either side, so folds of 2.5 mm and more read too narrow. The "
        "blur taken off is that of a sharp photo: a blurred one reads wider. Below half a mm at "
        "4.5 px/mm, a third at 9, widths are hardly told apart. No value "
        "where less than 3 mm of line is certain."
    ),
    lowest=3.0,
)
FAMILY.add(
    "area_fraction",
    "Area covered by lines",
    unit="%",
    compute=_area_fraction,
    dose=Dose.LINE_COUNT,
    description=(
        "Length times width of the traced lines, weighed by certainty, per area of visible skin."
    ),
    source=_RIDGES,
    formula=(
        "area_fraction = 100 · Σ P·b / A\nP: length of a traced line inside the region times its "
        "certainty, mm; b: its full width at half contrast without blur, mm; A: area of visible "
        "skin, mm²"
    ),
    responds_to=(
        "number, length and width of lines",
        "how certain faint lines are, and so contrast, light and sharpness",
    ),
    blind_to=(*_NOT_LINES, "how strong a line is, once it is certain", "lines shorter than 4 mm"),
    limits=_TRACED_LIMITS + " Where lines cross, their common area counts twice.",
    lowest=3.0,
)
FAMILY.add(
    "fine_line_density",
    "Length of fine lines per area",
    unit="mm/cm²",
    compute=_fine_line_density,
    dose=Dose.FINE_LINES,
    description=(
        f"Certain length of traced lines narrower than {FINE_BELOW_MM} mm per area of visible "
        f"skin; a line of {FINE_BELOW_MM} mm counts half here and half as a wrinkle."
    ),
    lowest=6.0,
    source=_RIDGES,
    formula=(f"fine_line_density = Σ P·(1 − m(b, {FINE_BELOW_MM:g})) / A\n{_CLASSES}"),
    responds_to=(
        "number and length of fine lines",
        "blur and light, which move a line into another class or make it less certain",
    ),
    blind_to=(*_NOT_LINES, "wrinkles and folds", "how strong a line is, once it is certain"),
    limits=(
        _TRACED_LIMITS + " A line moves from class to class with blur or light, by degrees. "
        "Hair is as narrow as a fine line."
    ),
)
FAMILY.add(
    "wrinkle_density",
    "Length of wrinkles per area",
    unit="mm/cm²",
    compute=_wrinkle_density,
    dose=Dose.WRINKLES,
    description=(
        f"Certain length of traced lines of {FINE_BELOW_MM} to {FOLD_FROM_MM} mm width per area "
        "of visible skin; a line at a limit counts half here and half in the next class."
    ),
    source=_RIDGES,
    formula=(
        f"wrinkle_density = Σ P·(m(b, {FINE_BELOW_MM:g}) − m(b, {FOLD_FROM_MM:g})) / A\n{_CLASSES}"
    ),
    responds_to=(
        "number and length of wrinkles",
        "blur and light, which move a line into another class or make it less certain",
    ),
    blind_to=(*_NOT_LINES, "fine lines and folds", "how strong a line is, once it is certain"),
    limits=(_TRACED_LIMITS + " A line moves from class to class with blur or light, by degrees."),
    lowest=3.0,
)
FAMILY.add(
    "fold_density",
    "Length of folds per area",
    unit="mm/cm²",
    compute=_fold_density,
    dose=Dose.FOLDS,
    description=(
        f"Certain length of traced lines wider than {FOLD_FROM_MM} mm per area of visible skin; a "
        f"line of {FOLD_FROM_MM} mm counts half here and half as a wrinkle."
    ),
    source=_RIDGES,
    formula=(f"fold_density = Σ P·m(b, {FOLD_FROM_MM:g}) / A\n{_CLASSES}"),
    responds_to=(
        "number and length of folds",
        "blur and light, which move a line into another class or make it less certain",
    ),
    blind_to=(*_NOT_LINES, "fine lines and wrinkles", "how strong a line is, once it is certain"),
    limits=(
        _TRACED_LIMITS + " A line moves from class to class with blur or light, by degrees. "
        "Profiles reach 2.2 mm to either side: of the widest folds only the middle is seen."
    ),
    lowest=3.0,
)
