"""What is computed all at once, or by a quicker way, equals the plain way."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from skimage.feature import graycomatrix

from skinscan.colour import (
    LUMINANCE_WEIGHTS,
    lab_to_linear,
    linear_to_lab,
    luminance_of_codes,
    to_linear,
)
from skinscan.covers import _hanging, _Polar, _ring_places, _strand_kernels, _worn
from skinscan.frame import map_size, mm_to_map_px
from skinscan.metrics.lines import _certainties
from skinscan.metrics.paths import pixel_paths
from skinscan.metrics.texture import _cooccurrence
from skinscan.metrics.tracing import _quantiles, resample
from skinscan.outline import _spline
from skinscan.pixels import median, quantile

SEEDS = st.integers(0, 10_000)


def skin_like(seed, shape, sigma):
    noise = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return smooth / smooth.std()


@settings(max_examples=30)
@given(SEEDS, st.integers(4, 40))
def test_spline_is_scipys(seed, count):
    rng = np.random.default_rng(seed)
    knots = np.cumsum(rng.uniform(0.5, 2.0, count))
    values = rng.normal(size=(count, 3))
    at = np.linspace(knots[0], knots[-1], 77)
    expected = CubicSpline(knots, values)
    found, slope = _spline(knots, values, at)
    np.testing.assert_allclose(found, expected(at), atol=1e-9)
    np.testing.assert_allclose(slope, expected(at, 1), atol=1e-9)


def one_resampled(points, step):
    smooth = points.copy()
    if len(points) > 4:
        smooth = uniform_filter1d(points, 5, axis=0, mode="nearest")
        smooth[0], smooth[-1] = points[0], points[-1]
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(smooth, axis=0).T))])
    if run[-1] <= 0:
        return smooth[:1]
    at = np.linspace(0.0, run[-1], max(2, round(run[-1] / step) + 1))
    return np.column_stack([np.interp(at, run, smooth[:, k]) for k in (0, 1)])


@settings(max_examples=40)
@given(SEEDS, st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_courses_are_resampled_each_on_its_own(seed, sizes):
    rng = np.random.default_rng(seed)
    courses = [np.cumsum(rng.integers(-1, 2, (n, 2)), axis=0) / 4.5 for n in sizes]
    for found, course in zip(resample(courses, 0.5), courses, strict=True):
        np.testing.assert_allclose(found, one_resampled(course, 0.5), atol=1e-9)


@settings(max_examples=25)
@given(SEEDS)
def test_paths_cover_the_thin_mask_and_step_to_neighbours(seed):
    mask = np.abs(skin_like(seed, (60, 80), 2.0)) < 0.15
    paths = [mm_to_map_px(path, 4.5) for path in pixel_paths(mask, 4.5)]
    assert len(paths) > 3
    for path in paths:
        column, row = np.rint(path).astype(int).T
        assert np.abs(np.diff([column, row])).max() == 1
        assert mask[row, column].all()


def test_a_ring_is_one_path():
    picture = np.zeros((40, 40), np.uint8)
    cv2.circle(picture, (20, 20), 12, 1)
    (path,) = pixel_paths(picture > 0, 4.5)
    assert len(path) == len(np.unique(path, axis=0)) > 50


@settings(max_examples=40)
@given(SEEDS, st.lists(st.integers(0, 30), min_size=1, max_size=8), st.sampled_from([0.5, 0.9]))
def test_quantiles_of_pieces_are_numpys(seed, sizes, share):
    values = np.random.default_rng(seed).normal(size=sum(sizes))
    found = _quantiles(values, np.array(sizes), share)
    pieces = np.split(values, np.cumsum(sizes)[:-1])
    expected = [np.quantile(piece, share) if len(piece) else np.nan for piece in pieces]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=20)
@given(SEEDS, st.lists(st.integers(2, 90), min_size=2, max_size=6))
def test_certainty_does_not_depend_on_the_other_courses(seed, sizes):
    rng = np.random.default_rng(seed)
    grains = [gaussian_filter1d(rng.uniform(0.0, 6.0, n), 1.0) for n in sizes]
    lengths = 0.5 * (np.array(sizes, dtype=np.float64) - 1.0)
    together = _certainties(grains, lengths)
    for k, certainty in enumerate(together):
        (alone,) = _certainties([grains[k]], lengths[k : k + 1])
        np.testing.assert_allclose(certainty, alone, atol=1e-12)


@pytest.mark.parametrize("distance_mm", [0.5, 1.0])
def test_cooccurrence_is_skimages(distance_mm):
    flat = 20.0 * skin_like(3, (70, 90), 1.2)
    plain = skin_like(4, flat.shape, 9.0) > -0.5
    sample = SimpleNamespace(
        plain=plain, flat=flat, layer=SimpleNamespace(level_px_mm=6.0), memory={}
    )
    codes = np.where(plain, np.clip((flat + 64.0) / 4.0, 0, 31) + 1, 0).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    counts = graycomatrix(codes, [round(distance_mm * 6)], angles, levels=33, symmetric=True)
    expected = counts[1:, 1:].sum(axis=(2, 3)).astype(np.float64)
    np.testing.assert_allclose(_cooccurrence(sample, distance_mm), expected / expected.sum())


def test_strands_by_one_transform_are_those_by_filters():
    level = 2.0
    log_y = 10.0 * skin_like(5, map_size(level), 1.0)
    best, _ = _hanging(log_y, level)
    kernels = [kernel for _, kernel in _strand_kernels(level)]
    expected = np.max([np.abs(cv2.filter2D(log_y, cv2.CV_32F, k)) for k in kernels], axis=0)
    np.testing.assert_allclose(best, expected, atol=1e-3 * expected.max())


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 300), st.sampled_from([0.0, 0.1, 0.5, 0.95, 1.0]))
def test_quantiles_are_numpys(seed, count, share):
    values = np.random.default_rng(seed).normal(size=(2, count)).astype(np.float32)
    # In double: older numpy interpolates in single precision.
    expected = np.quantile(values.astype(np.float64), share, axis=1)
    np.testing.assert_allclose(quantile(values, share), expected, atol=1e-6)
    np.testing.assert_allclose(median(values), np.median(values, axis=1), atol=1e-6)


def test_quantiles_of_nothing_are_absent():
    assert np.isnan(quantile(np.zeros(0, dtype=np.float32), 0.5))
    assert np.isnan(median(np.zeros((3, 0)))).all()


def test_lab_is_opencvs_both_ways():
    linear = np.random.default_rng(0).uniform(0.0, 1.0, (40, 50, 3)).astype(np.float32)
    linear[0] *= np.float32(0.01)
    lab = linear_to_lab(linear)
    # Near black OpenCV's table of cube roots is coarse.
    expected = cv2.cvtColor(linear, cv2.COLOR_LRGB2Lab)
    np.testing.assert_allclose(lab[1:], expected[1:], atol=0.01)
    np.testing.assert_allclose(lab, expected, atol=0.05)
    np.testing.assert_allclose(lab_to_linear(lab), linear, atol=1e-4)


def test_luminance_in_strips_is_luminance():
    rgb = np.random.default_rng(0).integers(0, 256, (71, 33, 3), dtype=np.uint8)
    expected = to_linear(rgb) @ LUMINANCE_WEIGHTS
    np.testing.assert_allclose(luminance_of_codes(rgb), expected, atol=1e-6)


def rims(seed, strength, share_shut):
    rng = np.random.default_rng(seed)
    shape = _ring_places()[1].shape[:3]
    evidence = rng.uniform(0.0, 2.5, shape).astype(np.float32)
    evidence[:, :, 30] = rng.uniform(0.6, 1.0, shape[:2]) * strength
    shut = rng.uniform(size=shape) < share_shut
    evidence[shut] = 0.7
    return _Polar(evidence, np.zeros(shape, np.uint8), shut)


@settings(max_examples=30)
@given(SEEDS, st.floats(3.0, 8.0), st.floats(0.0, 0.4))
def test_no_rims_are_given_up_that_the_search_would_find(seed, strength, share_shut):
    angle, px = _ring_places()
    polar = rims(seed, strength, share_shut)
    if _worn(polar.rings(px), angle):
        assert polar.may_be_worn(angle)


def test_rims_are_searched_where_there_are_some_and_only_there():
    angle, px = _ring_places()
    assert _worn(rims(1, 8.0, 0.0).rings(px), angle)
    assert rims(1, 8.0, 0.0).may_be_worn(angle)
    assert not rims(1, 2.0, 0.0).may_be_worn(angle)
