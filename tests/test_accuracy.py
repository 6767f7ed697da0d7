"""The accuracy benchmark: every metric is held against something, and sums are right."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import _plots
import _response
import _responses
import accuracy
import doses
import lift_warps
import numpy as np
import pytest
from doses import SEEDS, SETUPS, TONES, Dose

from skinscan.facemap import LEVEL_TOLERANCE
from skinscan.metrics import metrics
from skinscan.phantom import Capture
from skinscan.regions import groups

ALL_METRICS = sorted(metrics())


# --- every metric has a dose, every dose a setup ------------------------------------------------


@pytest.mark.parametrize("name", ALL_METRICS)
def test_every_metric_is_named_after_a_dose_that_can_be_given(name):
    assert doses.dose_of(metrics()[name]) in SETUPS


def test_a_metric_without_a_dose_stops_the_benchmark():
    stray = replace(metrics()["tone.redness"], name="tone.stray", dose="stray")
    with pytest.raises(doses.NoSetupError, match=r"tone\.stray"):
        doses.dose_of(stray)


def test_every_dose_has_one_entry():
    assert set(SETUPS) == set(Dose)


@pytest.mark.parametrize("dose", Dose)
def test_an_entry_is_complete(dose):
    setup = SETUPS[dose]
    assert len(setup.values) >= 12
    assert list(setup.values) == sorted(set(setup.values))
    assert setup.none <= setup.values[0]
    assert setup.full > setup.none
    assert set(setup.groups or ()) <= set(groups())
    assert set(setup.lights) <= set(doses.LIGHTS)


@pytest.mark.parametrize("dose", Dose)
def test_doses_change_the_scene_and_nothing_else_does(dose):
    """Each step is another scene that the phantom accepts, for every tone."""
    setup = SETUPS[dose]
    for tone in TONES:
        shots = [
            _responses.Shot(dose, SEEDS[0], tone, setup.lights[0], value, 3.1)
            for value in setup.values
        ]
        scenes = [shot.scene() for shot in shots]
        assert len(set(scenes)) == len(scenes)
        if dose is not Dose.WHITE_BALANCE:
            assert len({capture for _, capture in scenes}) == 1


def test_a_metric_needs_no_more_pixels_than_its_dose_has():
    for item in metrics().values():
        setup = SETUPS[doses.dose_of(item)]
        # faces are up to 6 % smaller than the mean one
        assert 0.94 * setup.px_per_mm >= LEVEL_TOLERANCE * item.lowest_level_px_mm


def test_there_are_enough_persons_and_tones():
    assert len(SEEDS) >= 5
    assert len(TONES) >= 3
    assert len(SETUPS[Dose.WRINKLE_DEPTH].lights) >= 5


@pytest.mark.parametrize(
    "dose", [Dose.LINE_COUNT, Dose.FINE_LINES, Dose.WRINKLES, Dose.FOLDS, Dose.SPOTS]
)
def test_more_adds_and_moves_nothing(dose):
    setup = SETUPS[dose]
    before: set = set()
    for value in setup.values:
        truth, _ = setup.make(doses.person(101, "middle"), Capture(), value)
        things = set(truth.spots if dose is Dose.SPOTS else truth.wrinkles)
        assert before < things
        before = things


# --- statistics --------------------------------------------------------------------------------


def test_spearman_of_known_orders():
    x = np.arange(8.0)
    assert _response.spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert _response.spearman(x, -(x**3)) == pytest.approx(-1.0)
    # 1 − 6·Σd²/(n(n²−1)) for one swapped pair of eight
    swapped = [0, 1, 2, 4, 3, 5, 6, 7]
    assert _response.spearman(x, swapped) == pytest.approx(1 - 6 * 2 / (8 * 63))
    assert _response.spearman(x, np.ones(8)) == 0.0
    assert np.isnan(_response.spearman([1.0, 2.0, 3.0], [1.0, np.nan, 2.0]))


def test_slope_ignores_one_outlier():
    x = np.arange(12.0)
    y = 3.0 * x - 2.0
    assert _response.slope(x, y) == pytest.approx(3.0)
    y[5] = 500.0
    assert _response.slope(x, y) == pytest.approx(3.0)
    assert np.isnan(_response.slope([1.0, 1.0], [2.0, 3.0]))


def test_power_law_finds_its_exponent():
    x = np.geomspace(0.25, 2.0, 12)
    exponent, r2 = _response.power_law(x, 7.0 * x**0.8)
    assert (exponent, r2) == (pytest.approx(0.8), pytest.approx(1.0))
    _, bent = _response.power_law(x, 7.0 * x**0.8 + 20.0)
    assert bent < 0.99
    assert np.isnan(_response.power_law([1, 2], [1, 2])).all()


def curves_of(rows, tones):
    x = np.linspace(0, 1, len(rows[0]))
    return [
        _responses.Curve("tone.redness", 1, tone, "room", x, x, np.asarray(row, dtype=float))
        for row, tone in zip(rows, tones, strict=True)
    ]


def test_fairness_is_relative_to_middle_skin():
    x = np.linspace(0, 1, 12)
    found = accuracy.response(
        metrics()["tone.redness"],
        Dose.REDNESS,
        curves_of([8 * x, 10 * x + 5, 12.5 * x], ["light", "middle", "dark"]),
    )
    assert found.fairness == {"light": pytest.approx(-0.2), "dark": pytest.approx(0.25)}
    assert found.unfair == pytest.approx(0.25)
    assert found.rising
    np.testing.assert_allclose(found.rhos, 1.0)


def test_a_curve_against_the_others_counts_as_wrong_way_round():
    x = np.linspace(0, 1, 12)
    found = accuracy.response(
        metrics()["tone.redness"],
        Dose.REDNESS,
        curves_of([-x, -x, x], ["light", "middle", "dark"]),
    )
    assert not found.rising
    assert _response.worst(found.rhos) == pytest.approx(-1.0)


def test_regions_without_a_number_are_left_out_of_every_step():
    metric = metrics()["tone.redness"]
    tables = [{metric.name: {"a": k, "b": 100.0 if k else np.nan}} for k in range(4)]
    values = _responses.over_regions(tables, metric, ("a", "b"))
    np.testing.assert_array_equal(values, [0, 1, 2, 3])
    assert np.isnan(_responses.over_regions([{}, {}], metric, ("a",))).all()


# --- plots --------------------------------------------------------------------------------------


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - written by the line above


def test_ticks_are_round_and_inside():
    assert _plots.ticks(0.03, 0.97) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert _plots.ticks(-5.2, 5.2) == pytest.approx([-5, -2.5, 0, 2.5, 5])
    assert _plots.ticks(3.0, 3.0) == [3.0]


def test_dose_response_shows_every_known_point():
    x = np.arange(4.0)
    points = np.array([[0, 1, 2, 3], [0, 2, np.nan, 6.0]])
    series = [_plots.Series("light & fair", x, points, points[0])]
    svg = _plots.dose_response("a < b", "dose, mm", "value, %", series)
    assert svg == _plots.dose_response("a < b", "dose, mm", "value, %", series)
    root = parsed(svg)
    space = "{http://www.w3.org/2000/svg}"
    # one circle per known point and one in the legend
    assert len(root.findall(f".//{space}circle")) == 7 + 1
    texts = [t.text for t in root.iter(f"{space}text")]
    assert {"a < b", "dose, mm", "value, %", "light & fair"} <= set(texts)
    assert "nan" not in svg.lower().replace("nano", "")


def test_heat_map_writes_what_exceeds_the_goal():
    shares = np.array([[1.0, 0.04], [-0.31, np.nan]])
    own = np.array([[True, False], [False, True]])
    root = parsed(_plots.heat_map("title", ["p", "q"], ["m", "n"], shares, own))
    space = "{http://www.w3.org/2000/svg}"
    texts = [t.text for t in root.iter(f"{space}text")]
    assert "100" in texts
    assert "31" in texts
    assert "4" not in texts
    assert len(root.findall(f".//{space}rect")) == 4 + 1


# --- warps of real faces, tried on a phantom ---------------------------------------------------


@pytest.fixture(scope="module")
def warped(studio, plain):
    """A phantom's face, and the picture that its landmarks were found in."""
    capture = Capture.at_scale(2.2)
    return studio.shoot(plain, capture), studio.face(plain, capture)


@pytest.mark.parametrize(("name", "kind"), lift_warps.KINDS.items())
def test_a_warp_moves_what_it_says(warped, name, kind):
    _, face = warped
    along, _ = lift_warps.frame(face)
    for mm in (-3.0, 2.0):
        pushes = kind.push(face, mm)
        goal = lift_warps.moved(pushes, face.landmarks_px, along)
        true = kind.read(goal, face) - kind.read(face.landmarks_px, face)
        if kind.unit == "mm":
            assert true == pytest.approx(mm, rel=0.15), name
        else:
            # the mouth is about 50 mm wide
            assert true == pytest.approx(np.degrees(mm / 25.0), rel=0.2), name
        eyes = [33, 133, 159, 145, 263, 362, 386, 374]
        still = np.linalg.norm((goal - face.landmarks_px)[eyes], axis=1) / face.scale_mesh_px_mm
        assert still.max() < 0.1, "the eyes stay"


def test_the_picture_moves_with_the_points(warped):
    rgb, face = warped
    along, up = lift_warps.frame(face)
    px = face.scale_mesh_px_mm
    pushes = lift_warps.brows(face, 3.0)
    after = lift_warps.warp(rgb, pushes, along)
    x, y = np.round(face.landmarks_px[105]).astype(int)
    shift = np.round(3.0 * px * up).astype(int)
    before = rgb[y - 6 : y + 7, x - 6 : x + 7].astype(int)
    moved = after[y + shift[1] - 6 : y + shift[1] + 7, x + shift[0] - 6 : x + shift[0] + 7]
    assert (
        np.abs(before - moved).mean()
        < 0.3 * np.abs(before - after[y - 6 : y + 7, x - 6 : x + 7]).mean()
    )
    chin = np.round(face.landmarks_px[152]).astype(int)
    cut = (slice(chin[1] - 6, chin[1] + 7), slice(chin[0] - 6, chin[0] + 7))
    np.testing.assert_array_equal(rgb[cut], after[cut])


# --- from end to end ------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_doses_from_render_to_report(tmp_path, capsys):
    arguments = [
        *("--persons", "1"),
        *("--steps", "3"),
        *("--doses", "redness,white_balance"),
        *("--px-limit", "2.0"),
        *("--workers", "1"),
        *("--results", str(tmp_path / "kept")),
        *("--write", str(tmp_path / "docs")),
    ]
    accuracy.main(arguments)
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "docs/figures/accuracy.json").read_text(encoding="utf-8"))
    assert set(found["metrics"]) == {"tone.redness", "tone.a", "tone.b"}
    for name, item in found["metrics"].items():
        assert name in said
        assert item["spearman"]["worst"] == pytest.approx(1.0), name
        assert item["rises"]
        assert set(item["slope"]) == set(TONES)
        svg = (tmp_path / f"docs/figures/accuracy/{name}.svg").read_text(encoding="utf-8")
        assert parsed(svg).tag.endswith("svg")
    parsed((tmp_path / "docs/figures/accuracy/selectivity.svg").read_text(encoding="utf-8"))
    kept = sorted((tmp_path / "kept").rglob("*.json"))
    times = [p.stat().st_mtime_ns for p in kept]
    accuracy.main(arguments)
    assert [p.stat().st_mtime_ns for p in kept] == times, "nothing is measured twice"
    assert capsys.readouterr().out == said
