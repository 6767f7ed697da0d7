"""Which dose each metric is named after, until the registry says so itself.

To be deleted when `skinscan.metrics.registry` has `Dose` and `Metric.dose`: import `Dose` from
there, and let `doses.dose_of` return ``metric.dose``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Dose(StrEnum):
    """What a metric is named after, as something a phantom can be given more or less of."""

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


DOSE_OF: Mapping[str, Dose] = {
    "wrinkles.severity": Dose.WRINKLE_DEPTH,
    "wrinkles.contrast": Dose.WRINKLE_DEPTH,
    "wrinkles.length_density": Dose.LINE_COUNT,
    "wrinkles.area_fraction": Dose.LINE_COUNT,
    "wrinkles.fine_line_density": Dose.FINE_LINES,
    "wrinkles.wrinkle_density": Dose.WRINKLES,
    "wrinkles.fold_density": Dose.FOLDS,
    "wrinkles.width": Dose.LINE_WIDTH,
    "texture.roughness_rq": Dose.ROUGHNESS,
    "texture.roughness_rz": Dose.ROUGHNESS,
    "texture.glcm_contrast_0_5mm": Dose.ROUGHNESS,
    "texture.glcm_homogeneity_0_5mm": Dose.ROUGHNESS,
    "texture.glcm_entropy_0_5mm": Dose.ROUGHNESS,
    "texture.glcm_contrast_1mm": Dose.ROUGHNESS,
    "texture.glcm_homogeneity_1mm": Dose.ROUGHNESS,
    "texture.glcm_entropy_1mm": Dose.ROUGHNESS,
    "texture.lbp_entropy": Dose.ROUGHNESS,
    "texture.pore_density": Dose.PORES,
    "texture.pore_area_fraction": Dose.PORES,
    "tone.lightness": Dose.MELANIN,
    "tone.ita": Dose.MELANIN,
    "tone.a": Dose.REDNESS,
    "tone.b": Dose.WHITE_BALANCE,
    "tone.redness": Dose.REDNESS,
    "tone.evenness": Dose.MOTTLING,
    "tone.melanin": Dose.PIGMENT_PATCH,
    "tone.spot_density": Dose.SPOTS,
    "tone.spot_area_fraction": Dose.SPOTS,
}
