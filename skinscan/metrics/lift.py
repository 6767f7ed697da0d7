"""Lift: where brows, lids, mouth corners and jaw stand, in mm or degrees.

Geometry of landmarks and outline with the pose taken out. It means something only on a
neutral face seen from the front: every number of another face carries its flag. Landmarks move
less than the face does; docs/accuracy.md gives the gain of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skinscan.landmarks import View
from skinscan.metrics.geometry import (
    at_angle,
    corner_height_mm,
    half_width_mm,
    landmark,
    per_side,
    sides,
    sign,
)
from skinscan.metrics.registry import Better, Concern, Dose, Family
from skinscan.metrics.sample import RegionSample
from skinscan.regions import FACE
from skinscan.shape import Shape

FAMILY = Family("lift", Concern.LIFT, (FACE,), needs_skin=False, front_only=True)

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


_LANDMARKS_MOVE = (
    "weakly: light, camera noise, a turned or tilted head and a nearer camera, with which the "
    "model's points wander"
)
_LANDMARKS_BLIND = ("colour and texture of the skin", "how large the face is in the picture")
_LANDMARK_LIMITS = (
    "Only on a neutral face seen from the front. The landmark model leans towards the usual face: "
    "its points move less than the face does. Lengths are mm of the chosen scale, which differs "
    "between people: compare inside one person."
)
_OUTLINE_BLIND = (
    "colour and texture of the skin, as long as the jaw is seen against neck and background",
    "sagging that does not reach the outline as seen from the front",
)
_OUTLINE_LIMITS = (
    "Only from the front with the head level: a raised or lowered chin moves the outline too. "
    "A beard, a scarf or hair in front of the jaw is traced as if it were the jaw, "
    "and so is a shadow on the neck that is stronger than the jaw's own edge; where no edge is "
    "seen there is no value."
)
_ANTHROPOMETRY = (
    "Landmarks and distances after Farkas et al. (2005), doi:10.1097/01.scs.0000171847.58031.9e"
)

FAMILY.add(
    "brow_height",
    "Height of the brow",
    unit="mm",
    compute=per_side(brow_height),
    dose=Dose.BROW_RAISE,
    description=("Height of the brow's upper edge above the corners of the eye, pose taken out."),
    source=_ANTHROPOMETRY,
    formula=(
        "brow_height = f · (mean y of the brow's upper edge − mean y of the corners of the eye)\n"
        "y: height of a landmark in the head's own frame, canonical mm, three on the brow and two "
        "at the eye; f: mm of the chosen scale per canonical mm"
    ),
    responds_to=(
        "height of the brow, by tissue or by expression alike",
        "plucked or painted brows, which move the edge that is seen",
        _LANDMARKS_MOVE,
    ),
    blind_to=(*_LANDMARKS_BLIND, "the shape of the brow, and the lid below it"),
    limits=_LANDMARK_LIMITS,
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    groups=("upper_lid",),
)
FAMILY.add(
    "lid_aperture",
    "Opening of the lids",
    unit="mm",
    compute=per_side(lid_aperture),
    dose=Dose.LID_APERTURE,
    description=(
        "Distance between upper and lower lid margin above and below the iris, pose taken out."
    ),
    source=_ANTHROPOMETRY,
    formula=(
        "lid_aperture = f · (mean y of the upper lid margin − mean y of the lower lid margin)\n"
        "y: height of a landmark in the head's own frame, canonical mm, three on each margin above "
        "and below the iris; f: mm of the chosen scale per canonical mm"
    ),
    responds_to=(
        "drooping or opened lids",
        "a blink, a squint, bright light and the direction of the gaze",
        _LANDMARKS_MOVE,
    ),
    blind_to=(*_LANDMARKS_BLIND, "skin that hangs over the lid without covering its margin"),
    limits=(
        "A blink or a squint is read as a drooping lid: take the photo with the eyes calmly open, "
        "and several times. Lashes and liner move the margin that is seen. " + _LANDMARK_LIMITS
    ),
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    groups=("upper_lid",),
)
FAMILY.add(
    "mouth_corner_angle",
    "Angle of the mouth corner",
    unit="°",
    compute=per_side(mouth_corner_angle),
    dose=Dose.MOUTH_CORNER_RAISE,
    description=(
        "Angle of the line from the middle of the mouth to its corner above the horizontal of the "
        "head."
    ),
    source=_ANTHROPOMETRY,
    formula=(
        "angle = arctan(Δy / Δx)\n"
        "Δx, Δy: outwards and upwards from the middle of the mouth, between the lips, to its "
        "corner, in the head's own frame"
    ),
    responds_to=(
        "raised and drooping corners of the mouth, by tissue or by expression alike",
        "lips that are pressed or parted",
        "a raised or lowered head and the distance of the camera",
        "weakly: light and camera noise, with which the model's points wander",
    ),
    blind_to=(*_LANDMARKS_BLIND, "the scale: it is an angle", "the depth of the marionette line"),
    limits=(
        "A faint smile is read as raised corners. Only on a neutral face seen from "
        "the front. The landmark model leans towards the usual face: its points move less than the "
        "face does."
    ),
    lowest=2.0,
    finest=2.0,
    better=Better.UP,
    groups=("marionette",),
)
FAMILY.add(
    "jaw_sag",
    "Sag of the jaw outline",
    unit="mm",
    compute=per_side(jaw_sag),
    dose=Dose.JAW_SAG,
    description=(
        "Mean distance of the traced jaw outline at the jowl beyond the straight line from the "
        "angle of the jaw to the chin."
    ),
    source=_ANTHROPOMETRY,
    formula=(
        "jaw_sag = f · mean over α of the distance between p(α) and the line from p(15°) to "
        "p(85°)\n"
        "p(α): traced outline in the direction α below the horizontal, seen from 20 mm below the "
        "base of the nose, α = 35° to 55° in steps of 5°; f: mm of the chosen scale per canonical "
        "mm"
    ),
    responds_to=(
        "jowls that show in the outline",
        "the natural roundness of the jaw, and weight",
        "a raised, lowered or turned head",
        "weakly: the light, which moves the edge that is seen",
    ),
    blind_to=_OUTLINE_BLIND,
    limits=(
        "A straight jaw is not zero: every jaw is round between angle and chin, so only changes of "
        "one person mean something. " + _OUTLINE_LIMITS
    ),
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
    description=("Width of the traced outline at the jowls divided by its width at the cheeks."),
    source=_ANTHROPOMETRY,
    formula=(
        "lower_face_ratio = 100 · Σ |x(40°)| / Σ c\n"
        "x(40°): distance of the traced outline from the middle plane 40° below the horizontal, "
        "seen from 20 mm below the base of the nose; c: the same at the cheek, mean from 5 to 35 "
        "mm below the base of the nose; Σ: both sides"
    ),
    responds_to=(
        "width at the jowls, and narrow or hollow cheeks",
        "the distance of the camera",
        "a raised or lowered chin",
        "weakly: the light, which moves the edge that is seen",
    ),
    blind_to=(*_OUTLINE_BLIND, "the scale: it is a ratio"),
    limits="The ratio does not tell a wider jaw from a narrower cheek. " + _OUTLINE_LIMITS,
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
        "corner and in the opening of the lids."
    ),
    source=_ANTHROPOMETRY,
    formula=(
        "asymmetry = √(((r₁ − l₁)² + (r₂ − l₂)² + (r₃ − l₃)²) / 3)\n"
        "r, l: the subject's right and left side: 1 height of the brow, 2 opening of the lids, 3 "
        "height of the mouth corner, mm in the head's own frame"
    ),
    responds_to=(
        "one side hanging lower, or one eye opening less",
        "one-sided expression: a crooked smile, a wink, one raised brow",
        "a turned head: what is left of the pose counts in full",
        "light and camera noise, with which the model's points wander",
    ),
    blind_to=(
        "colour and texture of the skin",
        "differences of jaw, cheek and nose, and of width instead of height",
        "which side is lower",
    ),
    limits=(
        "Nobody's is zero: natural asymmetry and the landmarks' own error are part of it, and a "
        "root mean square never falls below that floor. The landmark model leans towards symmetry. "
        "Only on a neutral face seen from the front. It describes; it is no sign of illness."
    ),
    lowest=2.0,
    finest=2.0,
)
