"""What to change before the photo is taken: a small frame of a camera held against the first photo.

Only hints are made of a frame, never a measurement. Where to stand and how to turn come first: the
light is looked at once the head is where it should be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np

from skinscan.errors import FaceTooSmallError, NoFaceError, SeveralFacesError
from skinscan.facemap import rectify
from skinscan.frame import GRID_PX_MM
from skinscan.landmarks import Face, FaceFinder, Pose, View, find_face
from skinscan.light import Light, angle_between_deg
from skinscan.photo import Photo
from skinscan.precision import precision_model
from skinscan.quality.checks import RULES, SIDE_YAW_DEG, Grade, Quality, assess

#: Height of the face, without hair, that the outline stands for, and its share of the window.
FACE_MM: Final = 180.0
OUTLINE_SHARE: Final = 0.6
#: Height over width of the window that the outline stands in, as of a phone held upright.
WINDOW_SHAPE: Final = 4.0 / 3.0

#: Landmarks must stay this share of the picture away from its edge.
_EDGE: Final = 0.01
_ORDER: Final = (Grade.GOOD, Grade.ACCEPTABLE, Grade.POOR)


class Hint(StrEnum):
    """What to do; left and right are the subject's."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    WHOLE_FACE = "whole_face"
    CLOSER = "closer"
    FURTHER_BACK = "further_back"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    CHIN_UP = "chin_up"
    CHIN_DOWN = "chin_down"
    TILT_LEFT = "tilt_left"
    TILT_RIGHT = "tilt_right"
    COARSE = "coarse"
    EYES = "eyes"
    RELAX = "relax"
    GLASSES = "glasses"
    CLEAR = "clear"
    LIGHT_LEFT = "light_left"
    LIGHT_RIGHT = "light_right"
    LIGHT_ABOVE = "light_above"
    LIGHT_BELOW = "light_below"
    BRIGHTER = "brighter"
    DARKER = "darker"


@dataclass(frozen=True)
class Stand:
    """How a head stands in a picture.

    Attributes
    ----------
    size_px : tuple of int
        Width and height of the picture.
    scale_px_mm : float
        Pixels per mm of the face.
    pose : Pose
    whole : bool
        Whether the picture's edge leaves the face whole.
    """

    size_px: tuple[int, int]
    scale_px_mm: float
    pose: Pose
    whole: bool = True


@dataclass(frozen=True)
class First:
    """The first photo of a view.

    Attributes
    ----------
    stand : Stand
    quality : Quality
    """

    stand: Stand
    quality: Quality


@cache
def tolerance(kind: str) -> float:
    """Difference to the first photo that needs no hint.

    Half of the difference from which on half of the metrics are not compared: by the same rule the
    capture check calls a pose good.

    Parameters
    ----------
    kind : str
        A kind of difference that the precision model has limits for.
    """
    limits = [each[kind] for each in precision_model().limits.values() if kind in each]
    return 0.5 * float(np.median(limits))


def stand_of(face: Face, size_px: tuple[int, int]) -> Stand:
    """Tell how a head stands in the picture that it was found in.

    Parameters
    ----------
    face : Face
    size_px : tuple of int
        Width and height of the picture.
    """
    share = face.landmarks_px / np.array(size_px, dtype=np.float64)
    whole = bool((share > _EDGE).all() and (share < 1.0 - _EDGE).all())
    return Stand(size_px, face.scale_mesh_px_mm, face.pose, whole)


def expected_scale_px_mm(size_px: tuple[int, int], first: Stand | None) -> float:
    """Scale that a face should have in a picture of another size, px/mm.

    Parameters
    ----------
    size_px : tuple of int
        Width and height of the picture.
    first : Stand or None
        In the first photo; None where there is none: the face should fill the outline.

    Notes
    -----
    Videos are cut from the sensor across its shorter side, so of two pictures that are both
    upright, or both lying, the longer sides show the same. Otherwise the first photo is laid into
    the picture as a whole. `camera.js` lays the picture of the first photo by the same rule.
    """
    width, height = size_px
    if first is None:
        return OUTLINE_SHARE * min(height, width * WINDOW_SHAPE) / FACE_MM
    was_width, was_height = first.size_px
    if (width > height) == (was_width > was_height):
        factor = max(size_px) / max(first.size_px)
    else:
        factor = min(width / was_width, height / was_height)
    return first.scale_px_mm * factor


def placement_hints(
    seen: Stand, first: Stand | None, *, view: View, shot_px: int | None = None
) -> tuple[Hint, ...]:
    """Say where to stand and how to turn.

    Parameters
    ----------
    seen : Stand
        In a frame of the camera.
    first : Stand or None
        In the first photo of the view; None where there is none.
    view : View
        That is to be taken.
    shot_px : int, optional
        Longer side of the photo that the camera will give; by default that of the frame.

    Returns
    -------
    tuple of Hint
        The most important one first; empty where all is well.
    """
    hints = [] if seen.whole else [Hint.WHOLE_FACE]
    nearer = 100.0 * math.log(seen.scale_px_mm / expected_scale_px_mm(seen.size_px, first))
    if abs(nearer) > tolerance("distance"):
        hints.append(Hint.FURTHER_BACK if nearer > 0 else Hint.CLOSER)
    if first is not None:
        wanted, yaw_limit, pitch_limit = first.pose, tolerance("yaw"), tolerance("pitch")
    else:
        yaw = {View.FRONT: 0.0, View.RIGHT: SIDE_YAW_DEG, View.LEFT: -SIDE_YAW_DEG}[view]
        wanted, pitch_limit = Pose(yaw, 0.0, 0.0), RULES["pitch"].good
        yaw_limit = RULES["yaw"].good * (1.0 if view is View.FRONT else 2.0)
    for off, limit, less, more in (
        (
            seen.pose.yaw_deg - wanted.yaw_deg,
            yaw_limit,
            Hint.TURN_LEFT,
            Hint.TURN_RIGHT,
        ),
        (
            seen.pose.pitch_deg - wanted.pitch_deg,
            pitch_limit,
            Hint.CHIN_UP,
            Hint.CHIN_DOWN,
        ),
        (
            seen.pose.roll_deg - wanted.roll_deg,
            RULES["roll"].good,
            Hint.TILT_LEFT,
            Hint.TILT_RIGHT,
        ),
    ):
        if abs(off) > limit:
            hints.append(less if off < 0 else more)
    enlarged = (shot_px or max(seen.size_px)) / max(seen.size_px)
    if seen.scale_px_mm * enlarged < RULES["resolution"].acceptable and Hint.CLOSER not in hints:
        hints.append(Hint.COARSE)
    return tuple(hints)


def capture_hints(seen: Quality, first: Quality | None) -> tuple[Hint, ...]:
    """Say what to change of the face, what covers it, and of the light.

    Parameters
    ----------
    seen : Quality
        Of a frame of the camera.
    first : Quality or None
        Of the first photo of the view; None where there is none.

    Returns
    -------
    tuple of Hint
        The most important one first; empty where all is well.
    """
    named = (
        ("eyes_open", Hint.EYES),
        ("expression", Hint.RELAX),
        ("glasses", Hint.GLASSES),
        ("visible_skin", Hint.CLEAR),
    )
    hints = [hint for name, hint in named if _is_worse(name, seen, first)]
    light = seen.conditions.light
    turned = _lamp_alone(seen) if first is None else _lamp_moved(light, first.conditions.light)
    hints += [] if turned is None else [turned]
    change = 0.0 if first is None else seen.conditions.brightness - first.conditions.brightness
    if _is_worse("clipping", seen, first) or change > tolerance("exposure"):
        hints.append(Hint.DARKER)
    elif _is_worse("exposure", seen, first) or change < -tolerance("exposure"):
        hints.append(Hint.BRIGHTER)
    return tuple(hints)


def _is_worse(name: str, seen: Quality, first: Quality | None) -> bool:
    """Tell whether a check fails that the first photo did not fail as badly."""
    allowed = Grade.GOOD if first is None else first.check(name).verdict
    return _ORDER.index(seen.check(name).verdict) > _ORDER.index(allowed)


def _lamp_alone(seen: Quality) -> Hint | None:
    """Tell from which side the light comes, where it comes from one."""
    light = seen.conditions.light
    if seen.check("light_direction").verdict is not Grade.GOOD:
        return Hint.LIGHT_LEFT if light.side_deg > 0 else Hint.LIGHT_RIGHT
    if seen.check("light_evenness").verdict is not Grade.GOOD:
        return Hint.LIGHT_LEFT if light.left_right_pct > 0 else Hint.LIGHT_RIGHT
    return None


def _lamp_moved(light: Light, first: Light) -> Hint | None:
    """Tell to which side the lamp has moved, seen from the face."""
    # Where either cannot be told, the angle is NaN, and there is no hint.
    if not angle_between_deg(light, first) > tolerance("light_direction"):
        return None
    aside = light.side_deg - first.side_deg
    upward = light.elevation_deg - first.elevation_deg
    if abs(aside) >= abs(upward):
        return Hint.LIGHT_LEFT if aside > 0 else Hint.LIGHT_RIGHT
    return Hint.LIGHT_ABOVE if upward > 0 else Hint.LIGHT_BELOW


def guide(
    frame: Photo,
    first: First | None,
    *,
    view: View,
    shot_px: int | None = None,
    finder: FaceFinder | None = None,
) -> tuple[Hint, ...]:
    """Look at a frame of a camera, and say what to change before the photo is taken.

    Parameters
    ----------
    frame : Photo
        Small: a few hundred px are enough.
    first : First or None
        The first photo of the view; None where there is none.
    view : View
        That is to be taken.
    shot_px : int, optional
        Longer side of the photo that the camera will give; by default that of the frame.
    finder : FaceFinder, optional
        Landmark model; the process's own by default.

    Returns
    -------
    tuple of Hint
        The most important one first; empty where the photo can be taken.
    """
    try:
        face = find_face(frame, finder=finder)
    except NoFaceError:
        return (Hint.NO_FACE,)
    except SeveralFacesError:
        return (Hint.SEVERAL_FACES,)
    except FaceTooSmallError:
        return (Hint.CLOSER,)
    stand = stand_of(face, frame.full_size_px)
    placed = placement_hints(
        stand, None if first is None else first.stand, view=view, shot_px=shot_px
    )
    if set(placed) - {Hint.COARSE}:
        return placed
    # The coarsest level has all that light and covers are read from.
    quality = assess(frame, face, rectify(frame, face, levels=(GRID_PX_MM,)), view=view)
    return capture_hints(quality, None if first is None else first.quality) + placed
