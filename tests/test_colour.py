"""Colour against published values, and pigments that neither shading nor the lamp can move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab

from skinscan.colour import (
    LUMINANCE_WEIGHTS,
    SRGB_TO_LINEAR,
    from_linear,
    linear_to_lab,
    luminance,
    separate_pigments,
    to_linear,
)

#: sRGB primaries and greys in CIE L*a*b* (D65, 2°), as tabulated by Lindbloom (brucelindbloom.com).
PUBLISHED_LAB = {
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (128, 128, 128): (53.59, 0.0, 0.0),
    (255, 255, 0): (97.14, -21.55, 94.48),
}
#: Unit dose of haemoglobin and melanin in 100·ln density of red, green, blue (colour.py's source).
HAEMOGLOBIN, MELANIN = np.array([0.03, 1.0, 0.6]), np.array([0.69, 1.0, 1.70])

light = st.tuples(*[st.floats(0.05, 0.8)] * 3)


def lab_of(codes):
    return linear_to_lab(to_linear(np.array([[codes]], dtype=np.uint8)))[0, 0]


def pigments_of(linear):
    return separate_pigments(np.asarray(linear, dtype=np.float32))


@pytest.mark.parametrize(("codes", "lab"), PUBLISHED_LAB.items())
def test_lab_is_the_published_one(codes, lab):
    np.testing.assert_allclose(lab_of(codes), lab, atol=0.15)


def test_lab_agrees_with_scikit_image_everywhere():
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    codes = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    difference = linear_to_lab(to_linear(codes)) - rgb2lab(codes)
    # One code of 255 is up to 0.8 in a* or b*, so that this is well below what a photo knows.
    assert np.abs(difference).max() < 0.25


def test_srgb_curve_meets_the_standard():
    assert SRGB_TO_LINEAR[0] == 0
    assert SRGB_TO_LINEAR[255] == 1
    # IEC 61966-2-1: code 10 is on the straight part, code 188 is close to one half.
    assert SRGB_TO_LINEAR[10] == pytest.approx(10 / 255 / 12.92, rel=1e-6)
    assert SRGB_TO_LINEAR[188] == pytest.approx(0.50289, abs=1e-5)
    assert np.diff(SRGB_TO_LINEAR).min() > 0


def test_every_code_survives_the_round_trip():
    codes = np.arange(256, dtype=np.uint8)
    back = np.rint(from_linear(to_linear(codes)) * 255)
    np.testing.assert_array_equal(back, codes)


def test_light_outside_the_gamut_is_clipped():
    np.testing.assert_allclose(from_linear(np.array([-1.0, 2.0])), [0.0, 1.0], atol=1e-6)


def test_luminance_of_white_is_one_and_green_weighs_most():
    assert LUMINANCE_WEIGHTS.sum() == pytest.approx(1.0)
    primaries = np.eye(3, dtype=np.float32)[None]
    np.testing.assert_allclose(luminance(primaries), [[0.2126, 0.7152, 0.0722]])


@given(light, st.floats(0.2, 1.2))
def test_shading_leaves_pigments_alone(linear, dimmed):
    before, after = pigments_of(linear), pigments_of(np.array(linear) * dimmed)
    np.testing.assert_allclose(after, before, atol=0.01)


@given(light, st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_doses_of_pigment_come_back_exactly(linear, haemoglobin, melanin):
    density = (haemoglobin * HAEMOGLOBIN + melanin * MELANIN) / 100.0
    change = pigments_of(np.array(linear) * np.exp(-density)) - pigments_of(linear)
    np.testing.assert_allclose(change, [haemoglobin, melanin], atol=0.05)


@given(light, light, st.tuples(*[st.floats(0.7, 1.4)] * 3))
def test_the_lamp_cancels_in_the_difference_of_two_places(one, other, lamp):
    plain = pigments_of(one) - pigments_of(other)
    tinted = pigments_of(np.array(one) * lamp) - pigments_of(np.array(other) * lamp)
    np.testing.assert_allclose(tinted, plain, atol=0.05)


def test_black_is_finite():
    assert np.isfinite(pigments_of(np.zeros((2, 2, 3)))).all()
