"""Wrinkles: lines of the skin per region, from `skinscan.metrics.lines`.

What is measured is the contrast of a line in the picture, never its depth in the skin.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skinscan.metrics.lines import FINE_BELOW_MM, FOLD_FROM_MM
from skinscan.metrics.registry import Better, Concern, Metric, register
from skinscan.metrics.sample import RegionSample
from skinscan.regions import region_mask, region_window

_GROUPS = (
    "forehead_upper",
    "forehead_lower",
    "glabella",
    "temple",
    "crows_feet",
    "upper_lid",
    "under_eye",
    "tear_trough",
    "lid_bag",
    "nose_bridge",
    "cheek_malar",
    "cheek_buccal",
    "nasolabial",
    "upper_lip",
    "marionette",
    "chin",
)
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


def _severity(sample: RegionSample) -> float:
    level = sample.lines.valley_level_px_mm
    window = region_window(sample.region.name, level)
    skin = sample.facemap.layers[level].skin[window]
    inside = region_mask(sample.region.name, level)[window] & skin
    return float(sample.lines.valley[window][inside].mean()) if inside.any() else float("nan")


def _add(
    quantity: str,
    title: str,
    unit: str,
    compute: Callable[[RegionSample], float],
    description: str,
    *,
    lowest: float = 3.0,
) -> None:
    register(
        Metric(
            name=f"wrinkles.{quantity}",
            family="wrinkles",
            concern=Concern.WRINKLES,
            title=title,
            unit=unit,
            better=Better.DOWN,
            groups=_GROUPS,
            lowest_level_px_mm=lowest,
            description=description,
            source=_RIDGES,
            compute=compute,
        )
    )


_add(
    "severity",
    "Wrinkle severity",
    "%",
    _severity,
    "Mean over the region of the contrast of the best line through each pixel, 100·Δln Y "
    "against the fainter shoulder, before any threshold: contrast x width x length per area. "
    "Responds to lines, folds and, weakly, to grain and camera noise; not to spots and not to "
    "the edges of shadows. Moves with the direction of the light.",
)
_add(
    "length_density",
    "Length of lines per area",
    "mm/cm²",
    _length_density,
    "Length of the traced lines inside the region per area of visible skin. Lines are traced "
    "from four times the skin's own grain, so a faint line can appear or vanish as a whole.",
)
_add(
    "contrast",
    "Contrast of lines",
    "%",
    _contrast,
    "Length-weighted mean contrast of the traced lines, 100·Δln Y between the centre and the "
    "fainter shoulder. Line contrast is not depth: it changes 2 to 3 % for every degree that "
    "the light turns across the line.",
)
_add(
    "width",
    "Width of lines",
    "mm",
    _width,
    "Length-weighted mean full width of the traced lines at half of their contrast. Never "
    "less than the blur of the photo.",
)
_add(
    "area_fraction",
    "Area covered by lines",
    "%",
    _area_fraction,
    "Length times width of the traced lines per area of visible skin.",
)
_add(
    "fine_line_density",
    "Length of fine lines per area",
    "mm/cm²",
    _fine_line_density,
    f"Traced lines narrower than {FINE_BELOW_MM} mm, length per area of visible skin.",
    lowest=6.0,
)
_add(
    "wrinkle_density",
    "Length of wrinkles per area",
    "mm/cm²",
    _wrinkle_density,
    f"Traced lines of {FINE_BELOW_MM} to {FOLD_FROM_MM} mm width, length per area of visible skin.",
)
_add(
    "fold_density",
    "Length of folds per area",
    "mm/cm²",
    _fold_density,
    f"Traced lines at least {FOLD_FROM_MM} mm wide, length per area of visible skin.",
)
