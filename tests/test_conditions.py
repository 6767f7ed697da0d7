"""What a photo tells of its capture, and how two photos differ in that."""

import dataclasses
import json
import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_conditions import conditions, lamp

from skinscan.conditions import (
    KINDS,
    Conditions,
    conditions_from_dict,
    conditions_to_dict,
    differences,
)

#: One change of the capture, the kind that must show it, and by how much.
CHANGES = {
    "light_direction": (conditions(light=lamp(7.0)), 7.0),
    "light_softness": (conditions(light=lamp(directed=0.45)), 0.15),
    "exposure": (conditions(brightness=-60.0), 40.0),
    "colour_cast": (conditions(light=lamp(cast=(3.0, -4.0))), 5.0),
    "yaw": (conditions(yaw_deg=-6.0), 6.0),
    "pitch": (conditions(pitch_deg=5.0), 5.0),
    "roll": (conditions(roll_deg=4.0), 4.0),
    "distance": (conditions(distance_mm=600.0 * math.exp(-0.2)), 20.0),
    "resolution": (conditions(resolution_px_mm=6.0 * math.exp(-0.3)), 30.0),
    "sharpness": (conditions(blur=1.1 * math.exp(0.25)), 25.0),
    "expression": (
        conditions(expression=MappingProxyType({"a smile": 0.32, "an open mouth": 0.01})),
        0.3,
    ),
    "camera": (conditions(camera="Maker Two"), 1.0),
    "smoothing": (conditions(skin_detail=-20.0), 70.0),
    "compression": (conditions(jpeg_quality=70.0), 25.0),
}


def test_every_kind_of_difference_is_tried():
    assert CHANGES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", CHANGES)
def test_each_kind_shows_its_own_change_and_no_other(kind):
    other, size = CHANGES[kind]
    found = differences(other, conditions())
    assert found[kind] == pytest.approx(size, rel=1e-6)
    assert {k for k, v in found.items() if abs(v) > 1e-9} == {kind}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_difference_does_not_depend_on_which_photo_came_first(kind):
    other, _ = CHANGES[kind]
    one, back = differences(other, conditions()), differences(conditions(), other)
    assert one.keys() == back.keys()
    for name, size in one.items():
        assert size == pytest.approx(back[name])


@pytest.mark.parametrize(
    ("field", "kind"),
    [("distance_mm", "distance"), ("jpeg_quality", "compression"), ("skin_detail", "smoothing")],
)
def test_what_cannot_be_told_is_absent_and_not_zero(field, kind):
    assert kind not in differences(conditions(**{field: math.nan}), conditions())


def test_without_a_camera_name_nothing_is_said_about_the_camera():
    assert "camera" not in differences(conditions(camera=""), conditions())
    lens = differences(conditions(camera="", lens="wide"), conditions(lens="tele"))
    assert lens["camera"] == 1.0


def test_blur_explains_lost_detail_and_a_filter_does_not():
    blurred = conditions(skin_detail=10.0, blur=1.1 * math.exp(0.25))
    smoothed = conditions(skin_detail=10.0)
    assert differences(blurred, conditions())["smoothing"] == 0.0
    assert differences(smoothed, conditions())["smoothing"] == pytest.approx(40.0)


@given(
    yaw=st.floats(-30, 30),
    detail=st.floats(-100, 300) | st.just(math.nan),
    quality=st.floats(1, 100) | st.just(math.nan),
    azimuth=st.floats(-80, 80),
    smile=st.floats(0, 1),
)
def test_saved_conditions_come_back_equal(yaw, detail, quality, azimuth, smile):
    before = conditions(
        yaw_deg=yaw,
        skin_detail=detail,
        jpeg_quality=quality,
        light=lamp(azimuth),
        expression=MappingProxyType({"a smile": smile}),
    )
    text = json.dumps(conditions_to_dict(before), allow_nan=False)
    after = conditions_from_dict(json.loads(text))
    for field in dataclasses.fields(Conditions):
        one, other = getattr(before, field.name), getattr(after, field.name)
        if isinstance(one, float):
            np.testing.assert_equal(one, other)
        else:
            assert one == other


def test_a_light_that_could_not_be_told_is_saved_too():
    unknown = dataclasses.replace(lamp(), face_xyz=(math.nan,) * 3, sem_deg=math.nan)
    after = conditions_from_dict(
        json.loads(json.dumps(conditions_to_dict(conditions(light=unknown)), allow_nan=False))
    )
    assert all(math.isnan(v) for v in after.light.face_xyz)
    assert "light_direction" not in differences(after, conditions())
