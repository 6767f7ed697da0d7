"""Hints before the photo: each change of a frame is answered by the way back."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_conditions import conditions, lamp

from skinscan.facemap import rectify
from skinscan.flags import Flag
from skinscan.landmarks import Pose, View, find_face
from skinscan.photo import load_photo
from skinscan.precision import precision_model
from skinscan.quality import RULES, SIDE_YAW_DEG, Grade, Quality, assess
from skinscan.quality.guidance import (
    FACE_MM,
    First,
    Hint,
    Stand,
    capture_hints,
    expected_scale_px_mm,
    guide,
    placement_hints,
    stand_of,
    tolerance,
)
from skinscan.ui import practice_strings as strings

PHONE = (3024, 4032)
FIRST = Stand(PHONE, 12.0, Pose(1.0, -2.0, 0.5))
#: The same stand in a small frame of the same camera.
SEEN = Stand((360, 480), 12.0 * 480 / 4032, FIRST.pose)


def placed(seen, first=FIRST, *, view=View.FRONT, shot_px=4032):
    return placement_hints(seen, first, view=view, shot_px=shot_px)


def quality(*, poor=(), view=View.FRONT, **changes):
    checks = tuple(
        replace(rule.apply(name, rule.good), verdict=Grade.POOR if name in poor else Grade.GOOD)
        for name, rule in RULES.items()
    )
    return Quality(checks=checks, view=view, conditions=conditions(**changes), flags=Flag.NONE)


def turned(pose, **degrees):
    return replace(pose, **{k: getattr(pose, k) + v for k, v in degrees.items()})


def test_the_same_stand_needs_no_hint():
    assert placed(SEEN) == ()


def test_limits_are_those_of_the_capture_check():
    assert tolerance("yaw") == pytest.approx(RULES["yaw"].good, abs=0.3)
    assert tolerance("pitch") == pytest.approx(RULES["pitch"].good, abs=0.3)
    assert tolerance("light_direction") == pytest.approx(RULES["light_direction"].good, abs=0.5)
    for kind in ("yaw", "pitch", "distance", "exposure", "light_direction"):
        limits = [v[kind] for v in precision_model().limits.values() if kind in v]
        assert np.mean([limit >= 2 * tolerance(kind) for limit in limits]) >= 0.5


@pytest.mark.parametrize(
    ("angle", "less", "more"),
    [
        ("yaw_deg", Hint.TURN_LEFT, Hint.TURN_RIGHT),
        ("pitch_deg", Hint.CHIN_UP, Hint.CHIN_DOWN),
        ("roll_deg", Hint.TILT_LEFT, Hint.TILT_RIGHT),
    ],
)
@pytest.mark.parametrize("first", [FIRST, None])
def test_a_turned_head_is_turned_back(angle, less, more, first):
    for off, hint in ((-9.0, less), (9.0, more), (0.5, None)):
        wanted = FIRST.pose if first else Pose(0.0, 0.0, 0.0)
        at = SEEN if first else replace(SEEN, scale_px_mm=expected_scale_px_mm(SEEN.size_px, None))
        found = placed(replace(at, pose=turned(wanted, **{angle: off})), first)
        assert found == (() if hint is None else (hint,))


@given(st.floats(-1.0, 1.0))
def test_nearer_or_further_is_answered_by_the_way_back(change):
    found = placed(replace(SEEN, scale_px_mm=SEEN.scale_px_mm * math.exp(change)))
    limit = tolerance("distance") / 100.0
    if abs(abs(change) - limit) < 1e-6:
        return
    wanted = () if abs(change) < limit else (Hint.FURTHER_BACK if change > 0 else Hint.CLOSER,)
    assert found == wanted


@given(st.integers(200, 1000), st.sampled_from([(3, 4), (4, 3), (9, 16), (16, 9)]))
def test_the_size_of_a_frame_changes_no_hint(width, shape):
    size = (width, round(width * shape[1] / shape[0]))
    for first in (FIRST, None):
        scale = expected_scale_px_mm(size, first)
        pose = first.pose if first else Pose(0.0, 0.0, 0.0)
        assert placed(Stand(size, scale, pose), first) == ()


def test_a_video_cut_from_the_sensor_asks_for_the_same_distance():
    # 9:16 of a sensor of 3:4, upright: the longer side shows the same.
    assert expected_scale_px_mm((1080, 1920), FIRST) == pytest.approx(12.0 * 1920 / 4032)
    # A lying picture holds the upright photo as a whole.
    assert expected_scale_px_mm((1920, 1080), FIRST) == pytest.approx(12.0 * 1080 / 4032)


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (360, 640)])
def test_without_a_first_photo_the_face_fills_the_outline(size):
    assert expected_scale_px_mm(size, None) * FACE_MM < 0.7 * min(size[1], size[0] * 4 / 3)


@pytest.mark.parametrize("view", [View.LEFT, View.RIGHT])
def test_a_side_view_asks_for_the_side(view):
    seen = Stand((360, 480), expected_scale_px_mm((360, 480), None), Pose(0.0, 0.0, 0.0))
    turn = Hint.TURN_RIGHT if view is View.LEFT else Hint.TURN_LEFT
    assert placed(seen, None, view=view) == (turn,)
    yaw = -SIDE_YAW_DEG if view is View.LEFT else SIDE_YAW_DEG
    assert placed(replace(seen, pose=Pose(yaw, 0.0, 0.0)), None, view=view) == ()


def test_a_face_at_the_edge_comes_first():
    seen = replace(SEEN, whole=False, pose=turned(SEEN.pose, yaw_deg=9.0))
    assert placed(seen) == (Hint.WHOLE_FACE, Hint.TURN_RIGHT)


def test_a_camera_of_few_pixels_is_said():
    assert placed(SEEN, shot_px=640) == (Hint.COARSE,)
    nearer = round(1 + RULES["resolution"].acceptable / SEEN.scale_px_mm * 480)
    assert placed(SEEN, shot_px=nearer) == ()


def test_the_same_light_needs_no_hint():
    assert capture_hints(quality(), quality()) == ()
    assert capture_hints(quality(), None) == ()


@pytest.mark.parametrize(
    ("change", "hint"),
    [(-40.0, Hint.BRIGHTER), (40.0, Hint.DARKER), (-10.0, None), (10.0, None)],
)
def test_darker_asks_for_more_light(change, hint):
    found = capture_hints(quality(brightness=-100.0 + change), quality(brightness=-100.0))
    assert found == (() if hint is None else (hint,))


@pytest.mark.parametrize(
    ("aside", "hint"), [(20.0, Hint.LIGHT_LEFT), (-20.0, Hint.LIGHT_RIGHT), (4.0, None)]
)
def test_a_lamp_that_moved_is_said(aside, hint):
    found = capture_hints(quality(light=lamp(10.0 + aside)), quality(light=lamp(10.0)))
    assert found == (() if hint is None else (hint,))
    above = replace(lamp(), face_xyz=(0.0, math.sin(0.4), math.cos(0.4)))
    assert capture_hints(quality(light=above), quality()) == (Hint.LIGHT_ABOVE,)
    assert capture_hints(quality(), quality(light=above)) == (Hint.LIGHT_BELOW,)


def test_without_a_first_photo_the_light_should_come_from_the_front():
    aside = quality(poor=["light_direction"], light=lamp(-30.0))
    assert capture_hints(aside, None) == (Hint.LIGHT_RIGHT,)
    uneven = quality(poor=["light_evenness"], light=replace(lamp(), left_right_pct=50.0))
    assert capture_hints(uneven, None) == (Hint.LIGHT_LEFT,)


@pytest.mark.parametrize(
    ("check", "hint"),
    [
        ("eyes_open", Hint.EYES),
        ("expression", Hint.RELAX),
        ("glasses", Hint.GLASSES),
        ("visible_skin", Hint.CLEAR),
        ("exposure", Hint.BRIGHTER),
        ("clipping", Hint.DARKER),
    ],
)
def test_what_was_as_bad_in_the_first_photo_is_let_be(check, hint):
    poor = quality(poor=[check])
    assert capture_hints(poor, None) == (hint,)
    assert capture_hints(poor, quality()) == (hint,)
    assert capture_hints(poor, poor) == ()


def test_every_hint_has_its_sentence():
    assert list(strings.CAMERA_HINTS) == [hint.value for hint in Hint]
    assert set(strings.CAMERA_HINTS_ALONE) <= set(strings.CAMERA_HINTS)
    for said in (*strings.CAMERA_HINTS.values(), *strings.CAMERA_HINTS_ALONE.values()):
        assert said.endswith(".")
    for first in ("light_left", "light_right", "brighter", "darker"):
        assert "first photo" not in strings.CAMERA_HINTS_ALONE[first]


def test_the_camera_has_all_its_words_and_no_other():
    script = (files("skinscan.ui.camera") / "camera.js").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:label|fail)\('(\w+)'\)", script))
    assert named <= set(strings.CAMERA)
    by_server = (files("skinscan.ui.web") / "camera.py").read_text(encoding="utf-8")
    said = set(re.findall(r"['\"](\w+)['\"]", script + by_server))
    assert set(strings.CAMERA) <= said


@pytest.fixture(scope="module")
def sitting(studio, plain, quick):
    """A rendered head before the lamp, as the first photo."""
    photo = load_photo(studio.shoot(plain, quick))
    face = find_face(photo)
    first = First(stand_of(face, photo.full_size_px), assess(photo, face, rectify(photo, face)))

    def hints(rgb):
        return guide(load_photo(rgb), first, view=View.FRONT)

    return hints


def test_a_rendered_head_is_led_back(sitting, studio, plain, quick):
    rgb = studio.shoot(plain, quick)
    rows, columns = (slice(round(0.12 * n), round(0.88 * n)) for n in rgb.shape[:2])
    without_coarse = [h for h in sitting(rgb) if h is not Hint.COARSE]
    assert without_coarse == []
    assert sitting(rgb[rows, columns])[0] is Hint.FURTHER_BACK
    assert Hint.BRIGHTER in sitting(studio.shoot(plain, replace(quick, exposure_ev=-0.8)))
    left = sitting(studio.shoot(plain, replace(quick, yaw_deg=quick.yaw_deg + 10.0)))
    assert Hint.TURN_RIGHT in left
    # A phantom rolls against the clock, towards the subject's right shoulder.
    rolled = sitting(studio.shoot(plain, replace(quick, roll_deg=quick.roll_deg + 10.0)))
    assert Hint.TILT_LEFT in rolled
    lamp_left = replace(quick, light_azimuth_deg=quick.light_azimuth_deg + 35.0)
    assert Hint.LIGHT_LEFT in sitting(studio.shoot(plain, lamp_left))
    assert sitting(np.full_like(rgb, 128)) == (Hint.NO_FACE,)
    assert sitting(np.hstack([rgb, rgb])) == (Hint.SEVERAL_FACES,)
