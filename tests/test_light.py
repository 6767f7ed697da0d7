"""The light read off a face is the lamp that was set, and nothing else moves it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from skinscan.facemap import rectify
from skinscan.landmarks import find_face
from skinscan.light import Light, angle_between_deg, estimate_light
from skinscan.phantom.optics import rotation
from skinscan.phantom.shading import light_of
from skinscan.photo import load_photo


def light_in(rgb) -> Light:
    photo = load_photo(rgb)
    face = find_face(photo)
    return estimate_light(rectify(photo, face, levels=(2.0,)), face)


def towards(x, y, z) -> Light:
    size = math.hypot(x, y, z)
    unit = (x / size, y / size, z / size)
    return Light(unit, unit, 0.5, 0.0, 0.0, 0.0, 0.0, 1.0)


def angle_deg(a, b):
    return math.degrees(math.acos(np.clip(np.dot(a, b), -1, 1)))


@pytest.mark.parametrize(
    "lamp",
    [
        {"light_azimuth_deg": 0.0, "light_elevation_deg": 30.0, "light_softness": 0.3},
        {"light_azimuth_deg": 40.0, "light_elevation_deg": 20.0, "light_softness": 0.2},
        {"light_azimuth_deg": -45.0, "light_elevation_deg": 45.0, "light_softness": 0.4},
        {"light_azimuth_deg": 25.0, "light_elevation_deg": 30.0, "yaw_deg": 12.0},
    ],
)
def test_the_lamp_is_found_where_it_stands(studio, plain, quick, lamp):
    capture = replace(quick, **lamp)
    light = light_in(studio.shoot(plain, capture))
    true = light_of(capture).direction
    assert angle_deg(light.face_xyz, true) < 10
    assert angle_deg(light.camera_xyz, rotation(capture) @ true) < 10
    assert light.camera_azimuth_deg == pytest.approx(capture.light_azimuth_deg, abs=10)
    assert light.camera_elevation_deg == pytest.approx(capture.light_elevation_deg, abs=10)


@pytest.mark.parametrize("field", ["light_azimuth_deg", "light_elevation_deg"])
def test_a_lamp_that_moves_is_seen_to_move(studio, plain, quick, field):
    start = replace(quick, light_azimuth_deg=0.0, light_elevation_deg=30.0)
    moved = replace(start, **{field: getattr(start, field) + 15.0})
    a, b = (light_in(studio.shoot(plain, c)) for c in (start, moved))
    name = field.removeprefix("light_")
    assert getattr(b, name) - getattr(a, name) == pytest.approx(15.0, abs=5)
    assert angle_between_deg(a, b) == pytest.approx(15.0, abs=5)


def test_a_retake_and_another_exposure_move_nothing(studio, plain, quick):
    lights = [
        light_in(studio.shoot(plain, replace(quick, **change)))
        for change in ({}, {"seed": 5}, {"exposure_ev": -0.7}, {"contrast": 0.0})
    ]
    for other in lights[1:]:
        assert angle_between_deg(lights[0], other) < 4
        assert other.directed_share == pytest.approx(lights[0].directed_share, abs=0.12)


def test_a_mirrored_photo_mirrors_the_light(studio, plain, quick):
    rgb = studio.shoot(plain, replace(quick, light_azimuth_deg=40.0, light_softness=0.3))
    light, mirrored = light_in(rgb), light_in(np.ascontiguousarray(rgb[:, ::-1]))
    assert light.azimuth_deg > 25, "positive to the subject's left"
    assert light.left_right_pct > 10
    assert mirrored.azimuth_deg == pytest.approx(-light.azimuth_deg, abs=4)
    assert mirrored.elevation_deg == pytest.approx(light.elevation_deg, abs=4)
    assert mirrored.left_right_pct == pytest.approx(-light.left_right_pct, rel=0.2)
    assert mirrored.directed_share == pytest.approx(light.directed_share, abs=0.05)


def test_softer_light_has_a_smaller_directed_share(studio, plain, quick):
    made = [replace(quick, light_softness=s) for s in (0.1, 0.5, 0.9)]
    shares = [light_in(studio.shoot(plain, c)).directed_share for c in made]
    assert shares[0] > shares[1] + 0.1 > shares[2] + 0.2
    for share, capture in zip(shares, made, strict=True):
        lamp = light_of(capture)
        assert share == pytest.approx(lamp.key / (lamp.key + lamp.ambient), abs=0.15)


def test_the_colour_of_the_lamp_is_seen_beside_another_photo(studio, plain, quick):
    day, bulb = (
        light_in(studio.shoot(plain, replace(quick, light_temperature_k=k)))
        for k in (5500.0, 4500.0)
    )
    assert bulb.red_green_pct > day.red_green_pct + 5
    assert bulb.blue_green_pct < day.blue_green_pct - 5
    assert angle_between_deg(day, bulb) < 4


def test_less_skin_is_less_sure_and_too_little_is_no_light(studio, plain, quick):
    photo = load_photo(studio.shoot(plain, quick))
    face = find_face(photo)
    facemap = rectify(photo, face, levels=(2.0,))
    whole = estimate_light(facemap, face)
    assert 0 < whole.sem_deg < 20

    def keep(top, bottom):
        skin = np.zeros_like(facemap.skin)
        skin[top:bottom] = facemap.skin[top:bottom]
        return estimate_light(replace(facemap, skin=skin), face)

    assert keep(180, 300).sem_deg > whole.sem_deg
    little = keep(200, 215)
    assert np.isnan([*little.face_xyz, *little.camera_xyz]).all()
    assert math.isnan(little.sem_deg)
    assert math.isnan(little.directed_share)


def test_angles_are_those_of_the_vector():
    light = towards(1.0, math.sqrt(2.0), 1.0)
    assert light.azimuth_deg == pytest.approx(45)
    assert light.elevation_deg == pytest.approx(45)
    assert light.camera_azimuth_deg == pytest.approx(45)
    assert light.camera_elevation_deg == pytest.approx(45)
    assert light.side_deg == pytest.approx(30)
    assert angle_between_deg(light, light) == pytest.approx(0, abs=1e-5)
    assert angle_between_deg(towards(0, 0, 1), towards(1, 0, 1)) == pytest.approx(45)
    assert angle_between_deg(towards(0, 0, 1), towards(0, 0, -1)) == pytest.approx(180)
