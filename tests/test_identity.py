"""The same skin is known again over a course; another's and a mirrored one are seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from skinscan.facemap import rectify
from skinscan.identity import LEAST_PATCHES, Similarity, Verdict, similarity
from skinscan.landmarks import find_face
from skinscan.phantom import FaceTruth, Person, default_wrinkles, with_wrinkles
from skinscan.photo import load_photo

SOUND = Similarity(score=0.9, mirrored_score=0.1, patches=100, level_px_mm=3.0, detail_pct=3.0)


def facemap_of(rgb):
    photo = load_photo(np.ascontiguousarray(rgb))
    return rectify(photo, find_face(photo))


@pytest.fixture(scope="module")
def baseline(studio, lined, far):
    return studio.scan(lined, far).pixels.facemap


@pytest.fixture(scope="module")
def later(studio, lined, far):
    """Photo of the same client weeks later: softer lines, redder, other pose and light."""
    truth = replace(with_wrinkles(lined, 0.6), redness_od=0.05, under_eye_shadow_dl=1.0)
    return studio.shoot(truth, replace(far, yaw_deg=4.0, light_azimuth_deg=25.0, seed=9))


@pytest.fixture(scope="module")
def other(studio, far):
    truth = FaceTruth(person=Person(seed=77), wrinkles=default_wrinkles(77))
    return studio.shoot(truth, far)


def test_the_same_client_weeks_later(baseline, later):
    found = similarity(baseline, facemap_of(later))
    assert found.verdict is Verdict.SAME
    assert found.score > 2 * found.mirrored_score


def test_a_mirrored_photo(baseline, later):
    assert similarity(baseline, facemap_of(later[:, ::-1])).verdict is Verdict.MIRRORED


@pytest.mark.parametrize("turn", [1, -1])
def test_another_person_either_way_round(baseline, other, turn):
    assert similarity(baseline, facemap_of(other[:, ::turn])).verdict is Verdict.ANOTHER


def test_a_small_photo_accuses_nobody(baseline, other):
    small = cv2.resize(other, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    found = similarity(baseline, facemap_of(small))
    assert found.level_px_mm == 2.0
    assert found.verdict is Verdict.UNSURE


def test_a_blurred_photo_accuses_nobody(baseline, later):
    found = similarity(baseline, facemap_of(cv2.GaussianBlur(later, (0, 0), 7)))
    assert found.verdict in {Verdict.UNSURE, Verdict.SAME}
    assert found.detail_pct < 0.5 * similarity(baseline, facemap_of(later)).detail_pct


def test_a_covered_face_accuses_nobody(baseline, other):
    stranger = facemap_of(other)
    layers = {}
    for level, layer in stranger.layers.items():
        skin = layer.skin.copy()
        skin[round(len(skin) * 0.35) :] = False
        layers[level] = replace(layer, skin=skin)
    found = similarity(baseline, replace(stranger, layers=layers))
    assert 0 < found.patches < LEAST_PATCHES
    assert found.verdict is Verdict.UNSURE


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.SAME),
        ({"score": 0.1, "mirrored_score": 0.9}, Verdict.MIRRORED),
        ({"score": 0.1}, Verdict.ANOTHER),
        ({"score": 0.17}, Verdict.UNSURE),
        ({"score": 0.1, "level_px_mm": 2.0}, Verdict.UNSURE),
        ({"score": 0.1, "detail_pct": 0.9}, Verdict.UNSURE),
        ({"score": 0.1, "detail_pct": np.nan}, Verdict.UNSURE),
        ({"score": 0.1, "patches": LEAST_PATCHES - 1}, Verdict.UNSURE),
        ({"patches": LEAST_PATCHES - 1}, Verdict.UNSURE),
    ],
)
def test_what_the_numbers_say(change, verdict):
    assert replace(SOUND, **change).verdict is verdict
