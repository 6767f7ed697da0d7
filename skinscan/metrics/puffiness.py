"""Puffiness beyond the lids: how full cheeks and jaw stand out, against the width of the eyes.

Widths of the traced outline divided by the distance between the outer corners of the eyes,
which does not swell. A face turns, leans and comes nearer to the camera by more than it swells
in a day: these numbers move slowly and their intervals are wide.
"""

from __future__ import annotations

import numpy as np

from skinscan.landmarks import View
from skinscan.metrics.geometry import at_angle, half_width_mm, outer_corners_mm, per_side
from skinscan.metrics.registry import Concern, Dose, Family
from skinscan.shape import Shape

FAMILY = Family(
    "puffiness", Concern.UNDER_EYE, ("cheek_buccal",), needs_skin=False, front_only=True
)

#: Directions in which the width of the jaw is taken, degrees below the horizontal.
_JAW_DEG = (25.0, 35.0, 45.0)


def _share(width_mm: float, shape: Shape) -> float:
    return 200.0 * width_mm / outer_corners_mm(shape)


def _cheek_width(shape: Shape, side: View) -> float:
    return _share(half_width_mm(shape, side), shape)


def _jaw_width(shape: Shape, side: View) -> float:
    return _share(float(np.mean([abs(at_angle(shape, side, a)[0]) for a in _JAW_DEG])), shape)


_WIDTH_BLIND = (
    "the size of the face and the scale of the photo: it is a ratio",
    "swelling that stands out to the front only",
    "colour and texture of the skin, as long as the edge is seen",
)
_WIDTH_LIMITS = (
    "Posture, clenched teeth and the distance of the camera move it as swelling does. "
    "A beard, hair or a scarf beside the face is traced as if it were the face; where no "
    "edge is seen there is no value. Fat, muscle and water cannot be told apart."
)
_SOURCE = "Proportions after Farkas et al. (2005), doi:10.1097/01.scs.0000171847.58031.9e"

FAMILY.add(
    "cheek_width",
    "Fullness of the cheek",
    unit="%",
    compute=per_side(_cheek_width),
    dose=Dose.CHEEK_FULLNESS,
    description=(
        "Distance of the traced cheek outline from the middle of the face, mean from 5 to 35 mm "
        "below the base of the nose, as a share of half the distance between the outer corners of "
        "the eyes."
    ),
    source=_SOURCE,
    formula=(
        "cheek_width = 100 · mean of |x(h)| / (e / 2)\n"
        "x(h): distance of the traced outline from the middle plane at h = 5 to 35 mm below the "
        "base of the nose; e: distance between the outer corners of the eyes; pose taken out"
    ),
    responds_to=(
        "fullness of the cheek that shows in the outline",
        "weight, and clenched or full cheeks",
        "the distance of the camera, a smile, and what is left of a turned head",
        "weakly: the light, which moves the edge that is seen",
    ),
    blind_to=_WIDTH_BLIND,
    limits=_WIDTH_LIMITS,
    lowest=2.0,
    finest=2.0,
)
FAMILY.add(
    "jaw_width",
    "Fullness of the jaw",
    unit="%",
    compute=per_side(_jaw_width),
    dose=Dose.JAW_SAG,
    description=(
        "Distance of the traced jaw outline from the middle of the face between mouth and jowl, "
        "as a share of half the distance between the outer corners of the eyes."
    ),
    source=_SOURCE,
    formula=(
        "jaw_width = 100 · mean of |x(α)| / (e / 2)\n"
        "x(α): distance of the traced outline from the middle plane in the directions α = 25°, 35° "
        "and 45° below the horizontal, seen from 20 mm below the base of the nose; e: distance "
        "between the outer corners of the eyes; pose taken out"
    ),
    responds_to=(
        "fullness of the jaw that shows in the outline",
        "jowls, weight and the muscle of chewing",
        "the distance of the camera, an open mouth, and what is left of a turned or raised head",
        "weakly: the light, which moves the edge that is seen",
    ),
    blind_to=_WIDTH_BLIND,
    limits="Swelling and jowls cannot be told apart. " + _WIDTH_LIMITS,
    lowest=2.0,
    finest=2.0,
    groups=("jawline",),
)
