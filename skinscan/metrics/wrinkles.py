"""Wrinkles: lines of the skin per region, from `skinscan.metrics.lines`.

What is measured is the contrast of a line in the picture, never its depth in the skin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skinscan.metrics.lines import FINE_BELOW_MM, FOLD_FROM_MM
from skinscan.metrics.registry import OPEN_SKIN, Concern, Family
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
_SEEN_PCT = 2.0
_RIDGES = (
    "Multi-scale valley detection after Steger (1998), doi:10.1109/34.659930, with two-sided "
    "contrast and direction priors (docs/metrics)"
)


def _density(sample: RegionSample, narrowest: float, widest: float) -> float:
    chosen = [narrowest <= line.width_mm < widest for line in sample.lines.lines]
    return float(sample.line_lengths_mm[chosen].sum()) / sample.area_cm2


def _length_density(sample: RegionSample) -> float:
    return _density(sample, 0.0, np.inf)


def _fine_line_density(sample: RegionSample) -> float:
    return _density(sample, 0.0, FINE_BELOW_MM)


def _wrinkle_density(sample: RegionSample) -> float:
    return _density(sample, FINE_BELOW_MM, FOLD_FROM_MM)


def _fold_density(sample: RegionSample) -> float:
    return _density(sample, FOLD_FROM_MM, np.inf)


def _mean_over_length(sample: RegionSample, values: list[float]) -> float:
    lengths = sample.line_lengths_mm
    return float(np.average(values, weights=lengths)) if lengths.sum() > 0 else float("nan")


def _contrast(sample: RegionSample) -> float:
    return _mean_over_length(sample, [line.contrast_pct for line in sample.lines.lines])


def _width(sample: RegionSample) -> float:
    return _mean_over_length(sample, [line.width_mm for line in sample.lines.lines])


def _area_fraction(sample: RegionSample) -> float:
    widths = np.array([line.width_mm for line in sample.lines.lines])
    return float((sample.line_lengths_mm * widths).sum()) / (sample.area_cm2 * 100.0) * 100.0


def visible(contrast_pct: NDArray[np.float32]) -> NDArray[np.float32]:
    """Contrast with what is too faint to be seen fading out: c·c²/(c² + 2²) of c %.

    Parameters
    ----------
    contrast_pct : ndarray of float32

    Returns
    -------
    ndarray of float32
        Nearly ``contrast_pct`` where that is large, half of it at 2 %, nearly 0 below 1 %.
    """
    squared = contrast_pct * contrast_pct
    return np.asarray(contrast_pct * squared / (squared + np.float32(_SEEN_PCT**2)))


def _severity(sample: RegionSample) -> float:
    level = sample.lines.valley_level_px_mm
    window = region_window(sample.region.name, level)
    skin = sample.facemap.layers[level].skin[window]
    inside = region_mask(sample.region.name, level)[window] & skin
    if not inside.any():
        return float("nan")
    return float(visible(sample.lines.valley[window][inside]).mean())


FAMILY.add(
    "severity",
    "Wrinkle severity",
    unit="%",
    compute=_severity,
    description=(
        "Mean over the region of c·c²/(c² + n²), where c is the contrast of the best line through "
        "each pixel, 100·Δln Y against the fainter shoulder, and n = 2 % the contrast at which a "
        "line is about to be seen: contrast x width x length per area, with what is too faint to "
        "be seen fading out and no threshold. Responds to lines, folds and, weakly, to grain and "
        "camera noise; not to spots and not to the edges of shadows. Moves with the direction of "
        "the light."
    ),
    source=_RIDGES,
    lowest=3.0,
)
FAMILY.add(
    "length_density",
    "Length of lines per area",
    unit="mm/cm²",
    compute=_length_density,
    description=(
        "Length of the traced lines inside the region per area of visible skin. A line is traced "
        "where it reaches three times the grain of the skin around it; over 10 mm it must have two "
        "and a half times the grain in the mean, a shorter line more, a longer one less. So a "
        "faint line can appear or vanish as a whole."
    ),
    source=_RIDGES,
    lowest=3.0,
)
FAMILY.add(
    "contrast",
    "Contrast of lines",
    unit="%",
    compute=_contrast,
    description=(
        "Length-weighted mean contrast of the traced lines, 100·Δln Y between the centre and the "
        "fainter shoulder. Line contrast is not depth: it changes 2 to 3 % for every degree that "
        "the light turns across the line."
    ),
    source=_RIDGES,
    lowest=3.0,
)
FAMILY.add(
    "width",
    "Width of lines",
    unit="mm",
    compute=_width,
    description=(
        "Length-weighted mean full width of the traced lines at half of their contrast. Never "
        "less than the blur of the photo."
    ),
    source=_RIDGES,
    lowest=3.0,
)
FAMILY.add(
    "area_fraction",
    "Area covered by lines",
    unit="%",
    compute=_area_fraction,
    description="Length times width of the traced lines per area of visible skin.",
    source=_RIDGES,
    lowest=3.0,
)
FAMILY.add(
    "fine_line_density",
    "Length of fine lines per area",
    unit="mm/cm²",
    compute=_fine_line_density,
    description=f"Traced lines narrower than {FINE_BELOW_MM} mm, length per area of visible skin.",
    lowest=6.0,
    source=_RIDGES,
)
FAMILY.add(
    "wrinkle_density",
    "Length of wrinkles per area",
    unit="mm/cm²",
    compute=_wrinkle_density,
    description=(
        f"Traced lines of {FINE_BELOW_MM} to {FOLD_FROM_MM} mm width, length per area of visible "
        "skin."
    ),
    source=_RIDGES,
    lowest=3.0,
)
FAMILY.add(
    "fold_density",
    "Length of folds per area",
    unit="mm/cm²",
    compute=_fold_density,
    description=f"Traced lines at least {FOLD_FROM_MM} mm wide, length per area of visible skin.",
    source=_RIDGES,
    lowest=3.0,
)
