"""Lift: where brows, lids, mouth corners and jaw stand, in mm or degrees.

Geometry of landmarks and outline with the pose taken out. It means something only on a
neutral face seen from the front: every number of another face carries its flag. Landmarks move
less than the face does; docs/accuracy.md gives the gain of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from skinscan.landmarks import View
from skinscan.metrics.geometry import (
    at_angle,
    corner_height_mm,
    half_width_mm,
    landmark,
    sides,
    sign,
)
from skinscan.metrics.registry import Better, Concern, Dose, Family
from skinscan.metrics.sample import RegionSample
from skinscan.shape import Shape

FAMILY = Family("lift", Concern.LIFT, ("face",), needs_skin=False, front_only=True)

#: Upper edge of the brow, upper and lower lid margin of the subject's right eye.
_BROW = (63, 105, 66)
_UPPER_LID, _LOWER_LID = (158, 159, 160), (153, 145, 144)
_MOUTH_CORNER, _STOMION = 61, (13, 14)

#: Angles round the middle of the lower face, degrees below the horizontal: where the chord
#: of the jaw starts and ends, and where the jowl hangs.
_CHORD_DEG = (15.0, 85.0)
_JOWL_DEG = (35.0, 40.0, 45.0, 50.0, 55.0)


def _mean_y(shape: Shape, side: View, points: Sequence[int]) -> float:
    return float(np.mean([landmark(shape, side, i)[1] for i in points]))


def brow_height(shape: Shape, side: View) -> float:
    """Height of the brow above the line through the corners of the eye, mm."""
    height = _mean_y(shape, side, _BROW) - corner_height_mm(shape, side)
    return height * shape.length_factor


def lid_aperture(shape: Shape, side: View) -> float:
    """Distance between the lid margins above and below the iris, mm."""
    opening = _mean_y(shape, side, _UPPER_LID) - _mean_y(shape, side, _LOWER_LID)
    return opening * shape.length_factor


def mouth_corner_angle(shape: Shape, side: View) -> float:
    """Angle of the line from the middle of the mouth to its corner above the horizontal."""
    middle = shape.landmarks_mm[list(_STOMION)].mean(axis=0)
    dx, dy = (landmark(shape, side, _MOUTH_CORNER) - middle)[:2]
    return float(np.degrees(np.arctan2(dy, sign(side) * dx)))


def jaw_sag(shape: Shape, side: View) -> float:
    """How far the jowl hangs beyond the straight line from jaw angle to chin, mm."""
    start, end = (at_angle(shape, side, angle) for angle in _CHORD_DEG)
    along = end - start
    normal = np.array([-along[1], along[0]]) / np.hypot(*along)
    jowl: NDArray[np.float64] = np.array([at_angle(shape, side, angle) for angle in _JOWL_DEG])
    return float(np.abs((jowl - start) @ normal).mean()) * shape.length_factor


def _per_side(feature: Callable[[Shape, View], float]) -> Callable[[RegionSample], float]:
    def compute(sample: RegionSample) -> float:
        side = sample.region.side
        if side is None:
            return float(np.mean([feature(sample.shape, s) for s in sides()]))
        return feature(sample.shape, side)

    return compute


def _lower_face_ratio(sample: RegionSample) -> float:
    shape = sample.shape
    jowl = sum(abs(at_angle(shape, side, _JOWL_DEG[1])[0]) for side in sides())
    cheek = sum(half_width_mm(shape, side) for side in sides())
    return 100.0 * float(jowl / cheek)


def _asymmetry(sample: RegionSample) -> float:
    shape = sample.shape

    def heights(side: View) -> NDArray[np.float64]:
        corner = corner_height_mm(shape, side) * shape.length_factor
        mouth = float(landmark(shape, side, _MOUTH_CORNER)[1]) * shape.length_factor
        return np.array([brow_height(shape, side) + corner, lid_aperture(shape, side), mouth])

    right, left = (heights(side) for side in sides())
    return float(np.sqrt(np.mean((right - left) ** 2)))


_ANTHROPOMETRY = (
    "Landmarks and distances after Farkas et al. (2005), doi:10.1097/01.scs.0000171847.58031.9e"
)

FAMILY.add(
    "brow_height",
    "Height of the brow",
    unit="mm",
    compute=_per_side(brow_height),
    dose=Dose.BROW_RAISE,
    description=(
        "Height of the brow's upper edge above the line through the corners of the eye, pose "
        "taken out. Responds to raised and lowered brows, also by expression."
    ),
    source=_ANTHROPOMETRY,
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    groups=("upper_lid",),
)
FAMILY.add(
    "lid_aperture",
    "Opening of the lids",
    unit="mm",
    compute=_per_side(lid_aperture),
    dose=Dose.LID_APERTURE,
    description=(
        "Distance between upper and lower lid margin above and below the iris, pose taken out. "
        "Responds to drooping lids, and as much to a blink or a squint."
    ),
    source=_ANTHROPOMETRY,
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    groups=("upper_lid",),
)
FAMILY.add(
    "mouth_corner_angle",
    "Angle of the mouth corner",
    unit="°",
    compute=_per_side(mouth_corner_angle),
    dose=Dose.MOUTH_CORNER_RAISE,
    description=(
        "Angle of the line from the middle of the mouth to its corner above the horizontal of the "
        "head. Responds to raised and drooping corners, and as much to a smile."
    ),
    source=_ANTHROPOMETRY,
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    groups=("marionette",),
)
FAMILY.add(
    "jaw_sag",
    "Sag of the jaw outline",
    unit="mm",
    compute=_per_side(jaw_sag),
    dose=Dose.JAW_SAG,
    description=(
        "Mean distance of the traced jaw outline at the jowl beyond the straight line from the "
        "angle of the jaw to the chin. Responds to jowls; a beard, a scarf or hair in front of "
        "the jaw is traced as if it were the jaw."
    ),
    source=_ANTHROPOMETRY,
    lowest=2.0,
    finest=2.0,
    groups=("jawline",),
)
FAMILY.add(
    "lower_face_ratio",
    "Width of the lower face",
    unit="%",
    compute=_lower_face_ratio,
    dose=Dose.JAW_SAG,
    description=(
        "Width of the traced outline at the jowls divided by its width at the cheeks. Needs no "
        "scale; a nearer camera makes it smaller."
    ),
    source=_ANTHROPOMETRY,
    lowest=2.0,
    finest=2.0,
)
FAMILY.add(
    "asymmetry",
    "Asymmetry",
    unit="mm",
    compute=_asymmetry,
    dose=Dose.FACE_ASYMMETRY,
    description=(
        "Root mean square difference between the subject's sides in the height of brow and mouth "
        "corner and in the opening of the lids. Nobody's is zero: natural asymmetry and the "
        "landmarks' own error are part of it."
    ),
    source=_ANTHROPOMETRY,
    lowest=2.0,
    finest=2.0,
)
