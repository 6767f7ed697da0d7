"""Is this photo good enough to measure? One check per thing a photographer can change.

Each check has a value, its limits, a verdict and one sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import from_linear
from skinscan.conditions import Conditions, conditions_of
from skinscan.facemap import COLOUR_LEVEL_PX_MM, LEVEL_TOLERANCE, FaceMap
from skinscan.flags import Flag
from skinscan.frame import GRID_PX_MM, atlas_mesh, map_size
from skinscan.landmarks import Face, View
from skinscan.light import Light, estimate_light
from skinscan.photo import Photo
from skinscan.pixels import median, picked, quantile
from skinscan.regions import region_mask, regions
from skinscan.skinmask import EYE, fill_outline, mirror_index


class Grade(StrEnum):
    """How far a photo can be trusted in one respect."""

    GOOD = "good"
    ACCEPTABLE = "acceptable"
    POOR = "poor"


_ORDER = (Grade.GOOD, Grade.ACCEPTABLE, Grade.POOR)


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes
    ----------
    name, title : str
        Identifier, and the words for people.
    value : float
    unit : str
    limit : str
        What counts as good.
    verdict : Grade
    sentence : str
        What the photographer should do; praise is not needed.
    """

    name: str
    title: str
    value: float
    unit: str
    limit: str
    verdict: Grade
    sentence: str


@dataclass(frozen=True)
class Quality:
    """All checks of one photo.

    Attributes
    ----------
    checks : tuple of Check
    view : View
        The view that was meant.
    conditions : Conditions
        How the photo was taken, for comparing it with another one.
    flags : Flag
        What every measurement of this photo has to carry.
    """

    checks: tuple[Check, ...]
    view: View
    conditions: Conditions
    flags: Flag

    @property
    def light(self) -> Light:
        """Light of the photo."""
        return self.conditions.light

    @property
    def verdict(self) -> Grade:
        """The worst verdict of all checks."""
        return max((c.verdict for c in self.checks), key=_ORDER.index, default=Grade.GOOD)

    def check(self, name: str) -> Check:
        """Return the check of that name."""
        return next(c for c in self.checks if c.name == name)


@dataclass(frozen=True)
class Rule:
    """Limits of one check, and what to say.

    Attributes
    ----------
    title, unit : str
        For people.
    good, acceptable : float
        Limits of the two better verdicts.
    do, fine : str
        What to do when it is not good; what to say when it is.
    flag : Flag
        Set on every measurement of the photo when the verdict is poor.
    higher_is_better : bool
    """

    title: str
    unit: str
    good: float
    acceptable: float
    do: str
    fine: str
    flag: Flag = Flag.NONE
    higher_is_better: bool = False

    def apply(self, name: str, value: float, *, note: str = "") -> Check:
        """Judge a value; ``note`` is added to the sentence unless all is good."""
        sign = 1.0 if self.higher_is_better else -1.0
        if not np.isfinite(value):
            verdict = Grade.POOR
        elif sign * value >= sign * self.good:
            verdict = Grade.GOOD
        elif sign * value >= sign * self.acceptable:
            verdict = Grade.ACCEPTABLE
        else:
            verdict = Grade.POOR
        relation = "at least" if self.higher_is_better else "at most"
        sentence = self.fine if verdict is Grade.GOOD else self.do
        return Check(
            name=name,
            title=self.title,
            value=value,
            unit=self.unit,
            limit=f"{relation} {self.good:g}",
            verdict=verdict,
            sentence=sentence + note if verdict is not Grade.GOOD else sentence,
        )


#: Pose and side light follow from the curves (docs/figures/precision.md): acceptable is the
#: difference up to which half of the metrics are compared, good half of it, so that two good
#: photos are comparable whichever way each is off (tests/test_quality.py). Differences between two
#: photos are judged by `skinscan.quality.comparability`. The other limits are first settings by
#: reasoning from design, section 6: the curves give no limit to a photo on its own there.
RULES: Mapping[str, Rule] = {
    "resolution": Rule(
        "Pixels per millimetre",
        "px/mm",
        6.0 * LEVEL_TOLERANCE,
        3.0 * LEVEL_TOLERANCE,
        "Come closer or send the original photo: fine lines need 6 pixels per millimetre.",
        "Enough pixels for fine lines.",
        higher_is_better=True,
    ),
    "sharpness": Rule(
        "Blur, as a multiple of the best possible",
        "",
        1.25,
        1.6,
        "Focus on the eyes, hold still and add light; clean the lens.",
        "Sharp.",
        flag=Flag.BLURRED,
    ),
    "exposure": Rule(
        "Brightness of the whites of the eyes",
        "of 255",
        105.0,
        80.0,
        "Brighten the light or the exposure: the face is too dark, and noise hides its detail.",
        "Bright enough.",
        flag=Flag.DARK,
        higher_is_better=True,
    ),
    "clipping": Rule(
        "Over-exposed skin",
        "%",
        0.5,
        3.0,
        "Lower the exposure or soften the light: part of the skin is burnt out.",
        "No burnt-out skin.",
        flag=Flag.CLIPPED,
    ),
    "light_direction": Rule(
        "Light from the side",
        "°",
        8.5,
        17.0,
        "Face the light: it comes from the side.",
        "The light comes from the front.",
        flag=Flag.UNEVEN_LIGHT,
    ),
    "light_evenness": Rule(
        "Left and right brightness",
        "%",
        25.0,
        45.0,
        "Even out the light: one half of the face is darker than the other.",
        "Both halves of the face are equally lit.",
        flag=Flag.UNEVEN_LIGHT,
    ),
    "yaw": Rule(
        "Head turned",
        "°",
        4.0,
        8.0,
        "Turn the nose to the camera.",
        "Facing as this view asks.",
        flag=Flag.OFF_POSE,
    ),
    "pitch": Rule(
        "Head up or down",
        "°",
        3.7,
        7.4,
        "Hold the camera at eye height and the chin level.",
        "Chin level.",
        flag=Flag.OFF_POSE,
    ),
    "roll": Rule(
        "Head tilted",
        "°",
        6.0,
        15.0,
        "Keep the head upright.",
        "Upright.",
        flag=Flag.OFF_POSE,
    ),
    "expression": Rule(
        "Expression",
        "",
        0.25,
        0.45,
        "Relax the face: lips closed, no smile, brows at rest.",
        "Neutral expression.",
        flag=Flag.EXPRESSION,
    ),
    "eyes_open": Rule(
        "Eyes closing",
        "",
        0.4,
        0.6,
        "Open the eyes and look into the camera.",
        "Eyes open.",
        flag=Flag.EYES_CLOSED,
    ),
    "visible_skin": Rule(
        "Skin that can be seen",
        "%",
        88.0,
        70.0,
        "Clear hair, glasses and hands from the face.",
        "Nothing covers the face.",
        higher_is_better=True,
    ),
    "glasses": Rule(
        "Glasses",
        "% of the face",
        0.0,
        100.0,
        "Take the glasses off: rims hide skin, lenses bend and shade it.",
        "No glasses seen.",
    ),
    "background": Rule(
        "Background unrest",
        "L*",
        12.0,
        30.0,
        "Use a plain, matt background: a busy one disturbs the exposure.",
        "Plain background.",
    ),
}

#: Expressions that move what is measured: blendshapes, and the word for people.
_EXPRESSIONS: Mapping[str, tuple[str, ...]] = {
    "a smile": ("mouthSmileLeft", "mouthSmileRight"),
    "an open mouth": ("jawOpen",),
    "drawn-together brows": ("browDownLeft", "browDownRight"),
    "pressed lips": ("mouthPressLeft", "mouthPressRight"),
    "pursed lips": ("mouthPucker",),
    "a raised upper lip": ("mouthUpperUpLeft", "mouthUpperUpRight"),
}
#: Brow blendshapes read high on many neutral faces (long brows, deep-set eyes).
_DISCOUNT: Mapping[str, float] = {"drawn-together brows": 0.5, "pursed lips": 0.5}

_EYE_OUTLINE = (130, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25)
#: Blur is judged at this level at most: more pixels would not change the verdict.
_BLUR_LEVEL = 6.0
#: Width of the edges around an eye in a sharp photo: their own, and the camera's.
_EDGE_MM, _EDGE_PX = 0.45, 2.3
#: Red is at least this many times blue in the paler skins, in any usable light.
_LEAST_HUE = 1.02
#: Yaw of a good side view.
SIDE_YAW_DEG = 40.0


def expressions_of(face: Face) -> Mapping[str, float]:
    """Strength in 0..1 of each expression that moves what is measured, by its name for people.

    Parameters
    ----------
    face : Face
    """
    return {
        name: float(np.mean([face.expression.get(s, 0.0) for s in shapes]))
        * _DISCOUNT.get(name, 1.0)
        for name, shapes in _EXPRESSIONS.items()
    }


def expression_of(face: Face) -> tuple[float, str]:
    """Strongest expression in 0..1 and its name for people.

    Parameters
    ----------
    face : Face
    """
    strength = expressions_of(face)
    name = max(strength, key=lambda k: strength[k])
    return strength[name], name


def _blur(facemap: FaceMap) -> float:
    """Width of the sharpest edges around the eyes, as a multiple of the least to be expected.

    A step of contrast C blurred to a width w has a slope of C / w. Lids, lashes and the
    iris border are steps in every face, whatever its skin: about 0.45 mm wide themselves,
    and never less than 2.3 px.
    """
    level = max(lv for lv in facemap.layers if lv <= _BLUR_LEVEL)
    layer = facemap.layers[level]
    smallest = []
    for window, mask in _eye_windows(level):
        light = np.exp(np.clip(layer.log_y[window], -600.0, 0.0) / 200.0)
        low, high = (quantile(light[mask], share) for share in (0.05, 0.95))
        gy = cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3) / 8.0
        gx = cv2.Sobel(light, cv2.CV_32F, 1, 0, ksize=3) / 8.0
        slope = float(quantile(np.hypot(gx, gy)[mask], 0.99)) * level
        if slope > 0 and high > low:
            smallest.append(float(high - low) / slope)
    if not smallest:
        return float("nan")
    return min(smallest) / float(
        np.hypot(_EDGE_MM, _EDGE_PX / min(level, facemap.resolution_px_mm))
    )


@cache
def _eye_windows(
    level: float,
) -> tuple[tuple[tuple[slice, slice], NDArray[np.bool_]], ...]:
    """Both eyes with their lids: the rows and columns that enclose them, and the mask there."""
    vertices = atlas_mesh().vertices_mm[:, :2]
    found = []
    for side in (1.0, -1.0):
        inside = fill_outline(vertices[list(_EYE_OUTLINE)] * [side, 1.0], level) > 0
        rows, columns = np.nonzero(inside)
        window = (
            slice(int(rows.min()), int(rows.max()) + 1),
            slice(int(columns.min()), int(columns.max()) + 1),
        )
        found.append((window, inside[window]))
    return tuple(found)


def _background_unrest(photo: Photo, face: Face) -> float:
    """Spread of lightness beside the head, above the shoulders, L*."""
    height, width = photo.rgb.shape[:2]
    points = photo.from_full_px(face.landmarks_px)
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low
    bottom = int(np.clip(high[1] - 0.3 * size[1], 1, height))
    strips = [
        photo.rgb[:bottom, : max(int(low[0] - 0.35 * size[0]), 0)],
        photo.rgb[:bottom, min(int(high[0] + 0.35 * size[0]), width) :],
    ]
    grey = [
        np.ascontiguousarray(cv2.cvtColor(s[::2], cv2.COLOR_RGB2GRAY)[:, ::2])
        for s in strips
        if min(s.shape[:2]) > 8
    ]
    if not grey:
        return 0.0
    counts = [cv2.calcHist([g], [0], None, [256], [0, 256]) for g in grey]
    seen = np.cumsum(np.sum(counts, axis=0, dtype=np.float64))
    # Percentiles between the two codes that lie around each place in the order of all.
    place = np.array([0.05, 0.95]) * (seen[-1] - 1)
    below = np.floor(place)
    lower, upper = (np.searchsorted(seen, at, side="right") for at in (below, np.ceil(place)))
    low_p, high_p = lower + (place - below) * (upper - lower)
    return float(high_p - low_p) * (100.0 / 255.0)


def _visible_share(facemap: FaceMap, view: View) -> float:
    """Share of the regions that this view should show in which skin is seen, %."""
    wanted = np.zeros(map_size(GRID_PX_MM), dtype=bool)
    for region in regions().values():
        # Every fringe ends somewhere on the upper forehead; its lower part must be free.
        if region.seen_from(view) and region.group != "forehead_upper":
            wanted |= region_mask(region.name, GRID_PX_MM)
    facing = np.nan_to_num(facemap.facing) > 0.5
    wanted &= facing
    return 100.0 * float(facemap.skin[wanted].mean()) if wanted.any() else 0.0


def _exposure_code(facemap: FaceMap, *, eyes_closed: bool) -> float:
    """8-bit code of the whites of the eyes (90th percentile between the lids).

    Dark skin in good light and light skin in bad light are equally dark; the whites are
    not. With closed eyes the lit skin is taken instead.
    """
    level = max(lv for lv in facemap.layers if lv <= COLOUR_LEVEL_PX_MM)
    layer = facemap.layers[level]
    if eyes_closed:
        seen, share = layer.log_y[layer.skin], 0.75
    else:
        seen, share = layer.log_y[_between_lids(level)], 0.9
    if not len(seen):
        return float("nan")
    light = np.exp(quantile(seen, share) / 100.0)
    return 255.0 * float(from_linear(np.array([light]))[0])


@cache
def _between_lids(level: float) -> NDArray[np.bool_]:
    vertices = atlas_mesh().vertices_mm[:, :2]
    outlines = (vertices[list(EYE)], vertices[mirror_index()[list(EYE)]])
    return np.asarray(sum(fill_outline(o, level) for o in outlines) > 0)


def assess(photo: Photo, face: Face, facemap: FaceMap, *, view: View | None = None) -> Quality:
    """Check one photo.

    Parameters
    ----------
    photo : Photo
    face : Face
    facemap : FaceMap
    view : View, optional
        The view that was meant; by default the one recognised from the yaw.

    Returns
    -------
    Quality
    """
    view = view or face.view
    light = estimate_light(facemap, face)
    strength, named = expression_of(face)
    wanted_yaw = {View.FRONT: 0.0, View.RIGHT: SIDE_YAW_DEG, View.LEFT: -SIDE_YAW_DEG}[view]
    blink = max(face.expression.get("eyeBlinkLeft", 0.0), face.expression.get("eyeBlinkRight", 0.0))
    values = {
        "resolution": facemap.resolution_px_mm,
        "sharpness": _blur(facemap),
        "exposure": _exposure_code(facemap, eyes_closed=blink > RULES["eyes_open"].good),
        "clipping": 100.0 * float(facemap.clipped.sum() / max(int(facemap.visible.sum()), 1)),
        "light_direction": abs(light.side_deg) * min(1.0, 2.0 * light.directed_share),
        "light_evenness": abs(light.left_right_pct) if view is View.FRONT else 0.0,
        "yaw": abs(face.pose.yaw_deg - wanted_yaw) * (1.0 if view is View.FRONT else 0.5),
        "pitch": abs(face.pose.pitch_deg),
        "roll": abs(face.pose.roll_deg),
        "expression": strength,
        "eyes_open": blink,
        "visible_skin": _visible_share(facemap, view),
        "glasses": 100.0 * float(facemap.covers.glasses.sum() / max(int(facemap.visible.sum()), 1)),
        "background": _background_unrest(photo, face),
    }
    notes = {"expression": f" Seen: {named}."}
    checks = tuple(
        rule.apply(name, float(values[name]), note=notes.get(name, ""))
        for name, rule in RULES.items()
    )
    flags = Flag.NONE
    for check in checks:
        if check.verdict is Grade.POOR:
            flags |= RULES[check.name].flag
    if _colourless(facemap):
        flags |= Flag.COLOURLESS
    conditions = conditions_of(
        photo, face, facemap, light=light, blur=values["sharpness"], expression=expressions_of(face)
    )
    return Quality(checks=checks, view=view, conditions=conditions, flags=flags)


def _colourless(facemap: FaceMap) -> bool:
    """Whether the skin has no hue: a black-and-white photo saved as a colour one."""
    base = facemap.layers[min(facemap.layers)]
    if base.linear is None or not base.skin.any():
        return False
    red, green, blue = median(picked(base.linear, base.skin).T)
    return bool(max(red, green, blue) < _LEAST_HUE * max(min(red, green, blue), 1e-6))


__all__ = ["RULES", "SIDE_YAW_DEG", "Check", "Grade", "Quality", "Rule", "assess"]
