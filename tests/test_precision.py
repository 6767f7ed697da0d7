"""How sure a number is: the model, takes, baselines, and what differing captures add."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinscan import precision
from skinscan.errors import ModelError, UnknownNameError
from skinscan.flags import Flag
from skinscan.metrics import Measurement, metric, metrics
from skinscan.precision import (
    DayToDay,
    day_from_baselines,
    day_to_day,
    parse_precision,
    pooled_takes,
    precision_model,
    with_sems,
)

SEVERITY = "wrinkles.severity"


def data(**changes):
    level = {
        "absolute": 0.3,
        "relative": 0.04,
        "typical": 10.0,
        "freedom": 6.0,
        "shared": 0.3,
        "groups": {"glabella": 2.0},
        "differences": {"light_direction": 0.02, "pitch": 0.01},
    } | changes
    return {
        "format": precision.PRECISION_FORMAT,
        "command": "made for a test",
        "sources": "none",
        "usual": {"pitch": 1.0},
        "metrics": {SEVERITY: {"levels": {"3": level}, "limits": {"light_direction": 5.0}}},
    }


@pytest.fixture
def model():
    return parse_precision(data())


# The model --------------------------------------------------------------------------------------


def test_capture_error_has_a_constant_and_a_proportional_part(model):
    entry = metric(SEVERITY)
    assert model.capture(entry, "cheek_malar", 3.0, 0.0) == pytest.approx(0.3)
    assert model.capture(entry, "cheek_malar", 3.0, 10.0) == pytest.approx(math.hypot(0.3, 0.4))
    assert model.capture(entry, "glabella", 3.0, 10.0) == pytest.approx(2 * math.hypot(0.3, 0.4))


def test_nothing_is_claimed_about_what_was_not_fitted(model):
    assert math.isnan(model.capture(metric(SEVERITY), "cheek_malar", 2.0, 1.0))
    assert math.isnan(model.capture(metric("tone.a"), "cheek_malar", 2.0, 1.0))
    assert math.isnan(model.capture(metric(SEVERITY), "cheek_malar", 3.0, math.nan))
    assert math.isnan(model.added_by(metric("tone.a"), 2.0, 1.0, {"pitch": 1.0}))


def test_more_pixels_than_were_fitted_are_no_worse(model):
    entry = metric(SEVERITY)
    finer = model.capture(entry, "chin", 9.0, 4.0)
    assert finer == model.capture(entry, "chin", 3.0, 4.0) > 0


def test_levels_above_the_finest_repeat_its_error():
    raw = data()
    raw["metrics"] = {
        "tone.a": {"levels": {"2": raw["metrics"][SEVERITY]["levels"]["3"]}, "limits": {}}
    }
    found = parse_precision(raw)
    entry = metric("tone.a")
    assert found.capture(entry, "chin", 9.0, 4.0) == found.capture(entry, "chin", 2.0, 4.0)


@given(
    light=st.floats(0, 40), more=st.floats(0, 40), pitch=st.floats(0, 20), value=st.floats(-50, 50)
)
def test_differing_captures_widen_and_never_narrow(light, more, pitch, value):
    model = parse_precision(data())
    entry = metric(SEVERITY)
    less = model.added_by(entry, 3.0, value, {"light_direction": light, "pitch": pitch})
    wider = model.added_by(entry, 3.0, value, {"light_direction": light + more, "pitch": pitch})
    assert 0 <= less <= wider
    assert model.added_by(entry, 3.0, value, {}) == 0.0
    # What a careful clinic wanders by is in the capture part already.
    usual = model.added_by(entry, 3.0, value, {"pitch": 1.0})
    assert usual == 0.0
    # A kind that the model does not know adds nothing; it may bar.
    assert model.added_by(entry, 3.0, value, {"never heard of": 9.0}) == 0.0


def test_a_difference_beyond_its_limit_bars_the_metric_and_no_other(model):
    entry = metric(SEVERITY)
    assert model.comparable(entry, {"light_direction": 4.9, "pitch": 30.0}) == ()
    assert model.comparable(entry, {"light_direction": 5.1}) == ("light_direction",)
    assert model.comparable(metric("tone.a"), {"light_direction": 50.0}) == ()


# The file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', json.dumps(data() | {"format": 99})]
)
def test_a_damaged_model_is_refused(tmp_path, monkeypatch, text):
    path = tmp_path / "precision.json"
    path.write_text(text)
    monkeypatch.setattr(precision, "precision_path", lambda: path)
    with pytest.raises(ModelError):
        precision_model.__wrapped__()


def test_the_model_that_travels_knows_every_metric_at_a_level_of_its_own():
    model = precision_model()
    for entry in metrics().values():
        levels = [lv for name, lv in model.levels if name == entry.name]
        assert levels, f"{entry.name}: run benchmarks/precision.py --write-model"
        assert min(levels) >= entry.lowest_level_px_mm
        for level in levels:
            part = model.levels[entry.name, level]
            assert part.absolute + part.relative > 0
            assert part.freedom > 0


def test_every_metric_has_a_day_to_day_part_with_its_source():
    for entry in metrics().values():
        found = day_to_day(entry)
        assert (found.percent > 0) != (found.amount > 0)
        assert found.percent < 20
        assert len(found.source) > 10


def test_a_day_to_day_part_goes_with_the_size_or_is_an_amount():
    relative, amount = DayToDay(5.0, "a share"), DayToDay(0.0, "millimetres", amount=0.46)
    assert [relative.of(size) for size in (10.0, 20.0)] == pytest.approx([0.5, 1.0])
    assert [amount.of(size) for size in (10.0, 20.0)] == pytest.approx([0.46, 0.46])
    # A brow rests no better where it stands lower.
    assert day_to_day(metric("lift.brow_height")).of(25.0) == day_to_day(
        metric("lift.brow_height")
    ).of(15.0)


def test_a_family_without_a_day_to_day_part_is_an_error(monkeypatch):
    monkeypatch.setattr(precision, "DAY_TO_DAY", {})
    with pytest.raises(UnknownNameError, match="day-to-day"):
        day_to_day(metric(SEVERITY))


# Measurements -----------------------------------------------------------------------------------


def measurement(value, *, level=3.0, flags=Flag.NONE):
    return Measurement(
        metric=SEVERITY,
        region="glabella",
        level_px_mm=level,
        value=value,
        sem=math.nan,
        sem_day=math.nan,
        flags=flags,
    )


def test_measurements_get_both_parts(monkeypatch, model):
    monkeypatch.setattr(precision, "precision_model", lambda: model)
    (found,) = with_sems([measurement(10.0, flags=Flag.DARK)])
    day = day_to_day(metric(SEVERITY)).of(10.0)
    assert found.sem_day == pytest.approx(day)
    assert found.sem_capture == pytest.approx(2 * math.hypot(0.3, 0.4))
    assert found.sem == pytest.approx(math.hypot(found.sem_capture, day))
    assert found.flags == Flag.DARK


def test_a_number_without_an_error_says_so_and_no_number_needs_none(monkeypatch, model):
    monkeypatch.setattr(precision, "precision_model", lambda: model)
    unknown, absent = with_sems(
        [measurement(1.0, level=2.0), measurement(math.nan, flags=Flag.OCCLUDED)]
    )
    assert math.isnan(unknown.sem)
    assert unknown.flags == Flag.NO_SEM
    assert math.isnan(absent.sem)
    assert absent.flags == Flag.OCCLUDED


# Takes and baselines ------------------------------------------------------------------------------


def test_takes_are_shrunk_towards_the_model():
    mean, sem = pooled_takes([5.0, 5.0], capture=0.4, freedom=6.0)
    assert mean == 5.0
    # Two takes that agree are better than one, but not exact.
    assert 0.4 / math.sqrt(2) * 0.9 < sem < 0.4 / math.sqrt(2)
    _, scattered = pooled_takes([4.0, 6.0], capture=0.4, freedom=6.0)
    assert scattered > sem
    assert pooled_takes([5.0], capture=0.4, freedom=6.0) == (5.0, pytest.approx(0.4))
    assert all(math.isnan(v) for v in pooled_takes([], capture=0.4, freedom=6.0))


def test_many_takes_speak_for_themselves():
    rng = np.random.default_rng(1)
    values = rng.normal(10.0, 1.0, 400)
    _, sem = pooled_takes(list(values), capture=0.1, freedom=4.0)
    assert sem == pytest.approx(values.std(ddof=1) / 20, rel=0.05)


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=6),
    capture=st.floats(0.01, 10),
    freedom=st.floats(1, 60),
)
def test_pooling_does_not_depend_on_the_order(values, capture, freedom):
    one = pooled_takes(values, capture=capture, freedom=freedom)
    other = pooled_takes(values[::-1], capture=capture, freedom=freedom)
    assert one == pytest.approx(other)
    assert one[1] > 0


def test_baselines_that_agree_lower_the_default_and_those_that_do_not_raise_it():
    default = 1.0
    agree = day_from_baselines([10.0, 10.0], [0.3, 0.3], default)
    differ = day_from_baselines([10.0, 14.0], [0.3, 0.3], default)
    assert 0 < agree < default < differ
    assert day_from_baselines([10.0], [0.3], default) == default


def test_what_the_captures_explain_is_no_day_to_day_change():
    # Differences of 1.41 captures are what captures of 1 give: nothing is left for the skin.
    assert day_from_baselines([10.0, 11.4], [1.0, 1.0], 0.5) < 0.5
