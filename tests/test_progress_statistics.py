"""Errors, trends and the choice of claims: arithmetic against simulated truth."""

import math

import numpy as np
import pytest
from _courses import CONCERNS, evenly_precise, simulate
from hypothesis import given
from hypothesis import strategies as st

from skinscan.metrics import Concern
from skinscan.progress.judging import concern_weights
from skinscan.progress.selection import Q, headline_weights, selected, simes
from skinscan.progress.statistics import (
    TREND_SESSIONS,
    Estimate,
    Reading,
    baseline_of,
    capture_of_contrast,
    capture_of_mean,
    course_estimate,
    found_at,
    p_value,
    pair_estimate,
    theil_sen,
)
from skinscan.progress.words import HEADLINES

DRAWS = 20_000


def reading(day, value=0.0, *, capture=1.0, added=0.0):
    return Reading(float(day), value, capture, added)


def weekly(count, **parts):
    return [reading(7 * k, **parts) for k in range(count)]


# Roll-ups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [0.0, 0.3, 1.0])
def test_error_of_a_mean_is_that_of_simulated_regions(shared):
    rng = np.random.default_rng(1)
    sems = np.array([0.5, 1.0, 2.0, 1.5])
    common = rng.standard_normal((DRAWS, 1)) * math.sqrt(shared)
    own = rng.standard_normal((DRAWS, 4)) * math.sqrt(1 - shared)
    seen = ((common + own) * sems).mean(axis=1).std()
    assert capture_of_mean(list(sems), shared=shared) == pytest.approx(seen, rel=0.02)


def test_error_of_a_contrast_is_that_of_simulated_regions():
    rng = np.random.default_rng(2)
    inside, outside, shared = np.array([1.0, 1.2]), np.array([0.8, 1.0, 1.4]), 0.4
    common = rng.standard_normal((DRAWS, 1)) * math.sqrt(shared)
    own = rng.standard_normal((DRAWS, 5)) * math.sqrt(1 - shared)
    errors = (common + own) * np.concatenate([inside, outside])
    seen = (errors[:, :2].mean(axis=1) - errors[:, 2:].mean(axis=1)).std()
    found = capture_of_contrast(list(inside), list(outside), shared=shared)
    assert found == pytest.approx(seen, rel=0.02)


def test_two_baselines_are_surer_than_one():
    one, two = baseline_of(weekly(1)), baseline_of(weekly(2))
    assert two.capture == pytest.approx(one.capture / math.sqrt(2))
    assert two.day == 3.5
    later = reading(70)
    alone = pair_estimate(one, later, day_to_day=1.0, baselines=1)
    both = pair_estimate(two, later, day_to_day=1.0, baselines=2)
    assert alone.sem == pytest.approx(2.0)
    assert both.sem == pytest.approx(math.sqrt(3.0))


# Change and interval ----------------------------------------------------------------------------


def test_pair_adds_all_parts_of_the_error():
    before, after = reading(0, 10.0), reading(7, 8.0, capture=2.0, added=0.5)
    estimate = pair_estimate(before, after, day_to_day=1.5, baselines=1)
    assert estimate.difference == -2.0
    assert estimate.sem == pytest.approx(math.sqrt(1 + 4 + 0.25 + 2 * 1.5**2))


def test_thresholds_are_those_of_the_design():
    estimate = Estimate(0.0, math.sqrt(2.0))  # a number of SEM 1, twice
    assert (estimate.sdc, estimate.would_be_found) == pytest.approx((2.77, 3.96))
    assert found_at(0.05, estimate.sem) == pytest.approx(estimate.would_be_found, rel=0.01)
    low, high = estimate.interval()
    assert (low, high) == pytest.approx((-2.772, 2.772), rel=1e-3)


def test_unknown_error_is_no_evidence():
    assert p_value(5.0, math.nan) == p_value(math.nan, 1.0) == p_value(5.0, 0.0) == 1.0
    assert p_value(1.959964, 1.0) == pytest.approx(0.05, rel=1e-5)


def test_fewer_sessions_than_a_trend_needs_give_a_difference():
    series = weekly(TREND_SESSIONS - 1)
    estimate = course_estimate(series[0], series[1:], day_to_day=0.0, baselines=1)
    assert math.isnan(estimate.weekly)
    assert estimate.sem == pytest.approx(math.sqrt(2.0))


@given(
    st.floats(-5, 5),
    st.lists(st.integers(1, 30), min_size=TREND_SESSIONS - 1, max_size=10),
)
def test_a_straight_course_is_followed_exactly(slope, gaps):
    days = np.concatenate([[0], np.cumsum(gaps)])
    series = [reading(d, 3.0 + slope * d) for d in days]
    estimate = course_estimate(series[0], series[1:], day_to_day=1.0, baselines=1)
    assert estimate.weekly == pytest.approx(7 * slope, abs=1e-9)
    assert estimate.difference == pytest.approx(slope * days[-1], abs=1e-9)


@pytest.mark.parametrize("bad", range(1, 7))
def test_one_bad_session_does_not_carry_the_trend_away(bad):
    days = np.arange(8) * 7.0
    values = -0.1 * days
    values[bad] += 1000.0
    assert theil_sen(days, values) == pytest.approx(-0.1)


def test_weights_do_what_a_plain_median_of_slopes_cannot():
    # Two sessions a day apart in the middle of a course: their slope is noise.
    days = np.array([0.0, 30.0, 31.0, 60.0])
    assert theil_sen(days, np.array([0.0, 3.0, 8.0, 6.0])) == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize(
    "days",
    [
        [0, 7, 14, 21],
        [0, 7, 14, 21, 28, 35, 42, 49],
        [0, 3, 7, 10, 14, 17, 21, 24, 28, 31, 35, 90],
        [0, 7, 14, 60],
    ],
    ids=["four", "eight", "follow-up", "short, follow-up"],
)
def test_interval_of_a_trend_covers_the_truth(days):
    rng = np.random.default_rng(3)
    capture, day_to_day_sd = 1.0, 0.7
    at = np.array(days, dtype=float)
    series = [reading(d, capture=capture) for d in days]
    estimate = course_estimate(series[0], series[1:], day_to_day=day_to_day_sd, baselines=1)
    noise = rng.standard_normal((DRAWS, len(days))) * math.hypot(capture, day_to_day_sd)
    errors = theil_sen(at, noise) * at[-1]
    assert np.mean(np.abs(errors) < 1.96 * estimate.sem) == pytest.approx(0.95, abs=0.008)
    # The tails count as much, because claims are made there.
    assert np.mean(np.abs(errors) > 3.0 * estimate.sem) < 0.0027 * 1.6


@pytest.mark.parametrize(
    "extent",
    [[0, 0, 0, 0, 1, 1, 1, 1], np.linspace(0, 1, 8), [0, 0, 0, 1, 0, 0, 0, 0]],
    ids=["lamp replaced half-way", "drifting", "one session"],
)
def test_interval_covers_the_truth_when_the_capture_drifts(extent):
    rng = np.random.default_rng(4)
    at, added = np.arange(8) * 7.0, 2.0 * np.asarray(extent)
    series = [reading(d, added=a) for d, a in zip(at, added, strict=True)]
    estimate = course_estimate(series[0], series[1:], day_to_day=0.0, baselines=1)
    noise = rng.standard_normal((DRAWS, 8)) + added * rng.standard_normal((DRAWS, 1))
    errors = theil_sen(at, noise) * at[-1]
    assert np.mean(np.abs(errors) < 1.96 * estimate.sem) > 0.943


# Selection --------------------------------------------------------------------------------------


def test_simes_is_that_of_the_paper():
    p = {"a": 0.01, "b": 0.04, "c": 0.9}
    assert simes(p) == pytest.approx(min(3 * 0.01, 1.5 * 0.04, 0.9))
    assert simes({}) == 1.0
    weighted = simes(p, weights={"a": 1.0, "b": 2.0, "c": 1.0})
    assert weighted == pytest.approx(min(4 * 0.01, 4 / 3 * 0.04, 0.9))


def test_what_is_read_first_has_its_share_of_the_weight():
    names = dict.fromkeys("abcd", 1.0)
    assert headline_weights(names, "c") == {"a": 1, "b": 1, "c": 3, "d": 1}
    assert headline_weights(names, "c", share=0.75) == {"a": 1, "b": 1, "c": 9, "d": 1}
    assert headline_weights(names, "not compared") == dict.fromkeys("abcd", 1)
    assert headline_weights({"a": 1.0}, "a") == {"a": 1}


def test_of_lines_contrast_counts_most_and_of_the_others_the_first_counts_half():
    for concern in Concern:
        tested = {e.name: 1.0 for e in ERRORS.entries if e.concern is concern}
        weights = concern_weights(tested, concern)
        share = weights[HEADLINES[concern]] / sum(weights.values())
        assert share == pytest.approx(0.75 if concern is Concern.WRINKLES else 0.5)
    assert HEADLINES[Concern.WRINKLES] == LINES


def test_selection_is_that_of_benjamini_and_hochberg():
    # Their own example (1995, section 3.2): four of fifteen.
    p = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
    chosen, left = selected(dict(enumerate(p)), level=0.05)
    assert chosen == {0, 1, 2, 3}
    assert left == pytest.approx(0.05 * 4 / 15)
    assert selected({0: 0.5}, level=0.05) == (frozenset(), 0.0)


WEIGHTED = st.lists(st.tuples(st.floats(1e-6, 1.0), st.floats(0.1, 10.0)), min_size=1, max_size=12)


@given(WEIGHTED)
def test_concern_passes_exactly_when_one_of_its_metrics_does(pairs):
    p_values = {k: p for k, (p, _) in enumerate(pairs)}
    weights = {k: w for k, (_, w) in enumerate(pairs)}
    passes = simes(p_values, weights=weights)
    for level in (0.999 * passes, 1.001 * passes):
        chosen, _ = selected(p_values, level=level, weights=weights)
        assert bool(chosen) == (level > passes)


@given(WEIGHTED)
def test_intervals_of_the_chosen_exclude_no_change(pairs):
    p_values = {k: p for k, (p, _) in enumerate(pairs)}
    chosen, left = selected(p_values, level=Q, weights={k: w for k, (_, w) in enumerate(pairs)})
    assert all(p_values[k] <= left <= Q for k in chosen)


# Whole courses ----------------------------------------------------------------------------------

COURSES = 3000
ERRORS = evenly_precise(relative=0.05, shared=0.3)
WRINKLES = CONCERNS.index(Concern.WRINKLES)
LINES = "wrinkles.contrast"


@pytest.mark.parametrize("sessions", [2, 4, 8])
def test_a_course_without_change_is_claimed_to_have_changed_in_five_percent_at_most(sessions):
    still = simulate(ERRORS, sessions, courses=COURSES, seed=0)
    share = still.concerns.any(axis=1).mean()
    # Its own standard error over 3000 courses is 0.4 %: refuted would be 5.8 % and more.
    assert share < 0.05 + 2 * math.sqrt(0.05 * 0.95 / COURSES)
    assert share > 0.02  # and the procedure is not asleep
    assert np.mean(np.abs(still.error) < 1.96) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(
    "extent",
    [np.arange(8) >= 4, np.linspace(0, 1, 8), np.arange(8) == 7],
    ids=["changed half-way", "drifting", "only at the end"],
)
def test_a_drifting_capture_does_not_become_a_change(extent):
    drift = np.outer(extent, np.full(len(ERRORS.entries), 0.08))
    outcome = simulate(ERRORS, 8, courses=COURSES, seed=1, drift=drift)
    assert outcome.concerns.any(axis=1).mean() < 0.05 + 2 * math.sqrt(0.05 * 0.95 / COURSES)


def test_a_fifth_less_of_all_wrinkle_metrics_is_found():
    less = {e.name: -0.2 for e in ERRORS.entries if e.concern is Concern.WRINKLES}
    found = simulate(ERRORS, 8, courses=COURSES, seed=2, change=less).concerns
    assert found[:, WRINKLES].mean() > 0.75
    false = np.delete(found, WRINKLES, axis=1).sum(axis=1)
    assert np.mean(false / np.maximum(found.sum(axis=1), 1)) < Q  # false among all claims


def test_what_would_probably_have_been_found_is_found_in_four_courses_of_five():
    k = [e.name for e in ERRORS.entries].index(LINES)
    series = weekly(8, capture=float(ERRORS.capture[k]))
    day = float(ERRORS.day[k])
    sem = course_estimate(series[0], series[1:], day_to_day=day, baselines=1).sem
    size = found_at(0.75 * Q / len(CONCERNS), sem)  # of the weight, on what is read first
    found = simulate(ERRORS, 8, courses=COURSES, seed=3, change={LINES: -size})
    assert found.concerns[:, WRINKLES].mean() == pytest.approx(0.8, abs=0.03)
