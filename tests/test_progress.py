"""Courses of scans: what is compared, what is claimed, what is said to be missing."""

import json
import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from fake_courses import LINES, START, noisy, scan, weekly, with_other_sha, write_precision

from skinscan import precision
from skinscan.declaration import Declaration, MakeUp
from skinscan.errors import BadOptionError, NotComparableError, UnknownNameError
from skinscan.flags import Flag
from skinscan.landmarks import View
from skinscan.metrics import METRICS_VERSION, Better, Concern, metrics
from skinscan.precision import day_from_baselines, precision_model
from skinscan.progress import (
    DaySource,
    Estimator,
    Event,
    EventKind,
    Scope,
    Verdict,
    compare,
    track,
)
from skinscan.progress.tables import CHANGE_COLUMNS, SESSION_COLUMNS
from skinscan.shape import ScaleSource

#: So much less is beyond doubt with the precision of fake_courses.
HALF = {LINES: 0.5}
DAY = 0.049


@pytest.fixture(autouse=True)
def _precision(tmp_path, monkeypatch):
    path = write_precision(tmp_path)
    monkeypatch.setattr(precision, "precision_path", lambda: path)
    precision_model.cache_clear()
    yield
    precision_model.cache_clear()


def falling(count, to=0.5, **options):
    """Contrast of lines falls evenly from 1 to ``to``; nothing else changes."""
    steps = np.linspace(1.0, to, count)
    return [scan({LINES: float(f)}, **options) for f in steps]


def reasons(change):
    return {r.name for r in change.reasons}


# Two photos -------------------------------------------------------------------------------------


def test_two_photos_of_the_same_skin_claim_nothing():
    progress = compare(scan(), scan())
    assert {c.verdict for c in progress.changes} == {Verdict.NO_CHANGE}
    assert {c.verdict for c in progress.concerns} == {Verdict.NO_CHANGE}


def test_half_of_the_lines_are_an_improvement_of_lines_and_of_nothing_else():
    progress = compare(scan(), scan(HALF))
    claimed = {c.metric for c in progress.changes if c.verdict.claimed}
    assert claimed == {LINES}
    assert progress.concern("wrinkles").verdict is Verdict.IMPROVED
    face = progress.change(LINES)
    assert face.percent == pytest.approx(-50)
    assert face.percent_low < -50 < face.percent_high < 0
    assert (face.verdict, face.estimator) == (Verdict.IMPROVED, Estimator.DIFFERENCE)


def test_twice_the_lines_are_worse_and_more_mirrored_light_is_better():
    progress = compare(scan(), scan({LINES: 2.0, "radiance.specular_fraction": 2.0}))
    assert progress.change(LINES).verdict is Verdict.WORSE
    assert progress.change("radiance.specular_fraction").verdict is Verdict.IMPROVED


def test_standard_error_has_every_part():
    change = compare(scan(), scan(light_deg=3.0)).change(LINES, "chin")
    capture, day, added = 0.4, 10 * DAY, 10 * 0.01 * 3.0
    assert change.sem == pytest.approx(math.sqrt(2 * capture**2 + 2 * day**2 + added**2))
    assert change.low == pytest.approx(-1.96 * change.sem, rel=1e-3)
    assert change.sdc == pytest.approx(2.77 / math.sqrt(2) * change.sem)
    assert change.would_be_found == pytest.approx(3.96 / math.sqrt(2) * change.sem)


def test_whole_face_averages_what_regions_do_not_share():
    face = compare(scan(), scan()).change(LINES)
    inner = [r for r in metrics()[LINES].groups if r not in {"tear_trough", "lid_bag"}]
    paired = {"temple", "crows_feet", "upper_lid", "under_eye", "cheek_malar", "cheek_buccal"}
    regions = sum(2 if g in paired | {"nasolabial", "marionette"} else 1 for g in inner)
    capture = 0.4 * math.sqrt(0.3 + 0.7 / regions)
    assert face.sem == pytest.approx(math.sqrt(2 * capture**2 + 2 * (10 * DAY) ** 2))


def test_neutral_metrics_change_and_open_no_concern_by_themselves():
    darker = {"tone.melanin": 2.0}
    assert compare(scan(), scan(darker)).change("tone.melanin").verdict is Verdict.NO_CHANGE
    both = compare(scan(), scan(darker | {"tone.evenness": 0.3}))
    assert both.change("tone.melanin").verdict is Verdict.CHANGED
    assert both.concern("tone").verdict is Verdict.IMPROVED


def test_metrics_that_disagree_make_a_concern_changed():
    progress = compare(scan(), scan({LINES: 0.5, "wrinkles.width": 2.0}))
    assert progress.concern(Concern.WRINKLES).verdict is Verdict.CHANGED


def test_a_single_region_is_claimed_only_after_its_metric():
    local = {(LINES, "chin"): 0.4}
    alone = compare(scan(), scan(local))
    assert not alone.change(LINES).verdict.claimed
    assert not alone.change(LINES, "chin").verdict.claimed
    declared = compare(scan(), scan(local), treated_regions=["chin"])
    assert declared.change(LINES, "treated").verdict is Verdict.IMPROVED
    assert declared.change(LINES, "chin").verdict is Verdict.IMPROVED
    assert not declared.change(LINES, "forehead_upper").verdict.claimed


def test_claimed_intervals_are_wider_and_exclude_no_change():
    progress = compare(scan(), scan(HALF))
    for change in progress.changes:
        if change.verdict.claimed:
            assert change.coverage > 0.95
            assert change.high < 0
        else:
            assert change.coverage == 0.95


def test_percentages_are_of_something_and_at_most_all_of_it():
    gone = compare(scan(), scan({LINES: 0.0})).change(LINES)
    assert (gone.percent, gone.percent_low) == (-100, -100)
    assert gone.low < -10 < gone.high
    little = compare(scan({LINES: 0.01}), scan()).change(LINES)
    assert little.difference == pytest.approx(9.9)
    assert math.isnan(little.percent)
    assert math.isnan(compare(scan(), scan()).change("tone.redness").percent)


def test_scans_of_a_model_that_knew_more_say_that_nothing_is_known(tmp_path):
    before, after = scan(), scan(HALF)
    data = json.loads((tmp_path / "precision.json").read_text(encoding="utf-8"))
    del data["metrics"][LINES]
    (tmp_path / "precision.json").write_text(json.dumps(data), encoding="utf-8")
    precision_model.cache_clear()
    assert reasons(compare(before, after).change(LINES)) == {"no_sem"}


def test_views_that_differ_are_refused():
    with pytest.raises(NotComparableError, match="same view"):
        compare(scan(), scan(view=View.LEFT))


@pytest.mark.parametrize("versions", [(0, METRICS_VERSION), (METRICS_VERSION, 0), (0, 0)])
def test_scans_of_other_metrics_are_refused(versions):
    scans = [replace(scan(), metrics_version=version) for version in versions]
    with pytest.raises(NotComparableError, match="measured with version 0") as caught:
        track(scans, dates=weekly(2))
    assert "again" in caught.value.remedy
    with pytest.raises(NotComparableError, match="measured with version 0"):
        compare(*scans)


def test_another_skinscan_with_the_same_metrics_is_compared():
    scans = [scan(), replace(scan(HALF), skinscan_version="99.9")]
    assert track(scans, dates=weekly(2)).concern("wrinkles").verdict is Verdict.IMPROVED


def test_scales_that_differ_are_refused():
    other = replace(scan(), scale_source=ScaleSource.IRIS)
    with pytest.raises(NotComparableError, match="scale"):
        compare(scan(), other)


def test_dates_of_two_photos_come_from_the_photos():
    def taken(item, day):
        return replace(item, captured_at=datetime(2026, 3, day, 10, 0))  # noqa: DTZ001 - EXIF has none

    progress = compare(taken(scan(), 3), taken(scan(), 9))
    assert progress.sessions == (date(2026, 3, 3), date(2026, 3, 9))
    assert progress.dated
    for pair in ((taken(scan(), 9), taken(scan(), 3)), (taken(scan(), 3), scan())):
        assert not compare(*pair).dated


def test_before_stays_before_where_the_dates_say_otherwise():
    progress = compare(scan(), scan(HALF), dates=(START, START - timedelta(days=3)))
    assert progress.change(LINES).difference < 0


# What bars a comparison -------------------------------------------------------------------------


def test_another_lamp_bars_what_it_moves():
    progress = compare(scan(), scan(HALF, light_deg=20.0))
    change = progress.change(LINES)
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert reasons(change) == {"light_direction"}
    assert progress.concern("wrinkles").verdict is Verdict.NOT_COMPARABLE


@pytest.mark.parametrize("side", [0, 1])
def test_just_treated_skin_is_not_compared(side):
    said = [None, None]
    said[side] = Declaration(before_treatment=False)
    progress = compare(scan(), scan(HALF), declared=tuple(said))
    assert {c.verdict for c in progress.concerns} == {Verdict.NOT_COMPARABLE}
    assert reasons(progress.change(LINES)) == {"just_treated"}


def test_make_up_bars_skin_and_not_shape():
    progress = compare(scan(), scan(HALF), declared=(None, Declaration(make_up=MakeUp.WORN)))
    assert progress.change(LINES).verdict is Verdict.NOT_COMPARABLE
    assert progress.change("lift.brow_height").verdict is Verdict.NO_CHANGE


def test_a_smile_bars_what_follows_it_and_is_named():
    smiling = scan({LINES: 2.0}, smile=0.25, flags={"photo": Flag.EXPRESSION})
    progress = compare(scan(), smiling)
    for name, entry in metrics().items():
        bound = entry.family in {"wrinkles", "under_eye", "puffiness", "lift"}
        verdict = progress.change(name).verdict
        assert (verdict is Verdict.NOT_COMPARABLE) == bound, name
    reason = progress.change(LINES).reasons[0]
    assert reason.name == "expression"
    assert "a smile" in reason.sentence


def test_an_expression_is_named_before_anything_else():
    other = scan(smile=0.6, light_deg=20.0)
    assert [r.name for r in compare(scan(), other).change(LINES).reasons] == [
        "expression",
        "light_direction",
    ]


def test_a_greater_change_of_expression_is_named_too():
    change = compare(scan(), scan(smile=0.6)).change("texture.roughness_rq")
    assert [r.name for r in change.reasons] == ["expression"]
    assert "a smile" in change.reasons[0].sentence


def test_flags_are_carried_and_bar_nothing():
    hidden = scan(HALF, flags={"chin": Flag.OCCLUDED})
    change = compare(scan(), hidden).change(LINES, "chin", scope=Scope.REGION)
    assert change.flags & Flag.OCCLUDED
    assert change.verdict is Verdict.IMPROVED


def test_what_cannot_be_measured_says_so():
    progress = compare(scan(), scan(absent=["wrinkles.width", (LINES, "chin")]))
    change = progress.change("wrinkles.width")
    assert (change.verdict, reasons(change)) == (Verdict.NOT_COMPARABLE, {"nothing_found"})
    assert change.p == 1.0
    assert progress.change(LINES, "chin").verdict is Verdict.NOT_COMPARABLE
    face = progress.change(LINES)
    assert face.verdict is Verdict.NO_CHANGE  # over the regions that both show


def test_another_metric_speaks_where_the_first_one_cannot():
    absent = scan(absent=["under_eye.dark_circle_dl"])
    concern = compare(scan(), absent).concern("under_eye")
    assert concern.verdict is Verdict.NO_CHANGE
    assert concern.leading.metric != "under_eye.dark_circle_dl"
    assert math.isfinite(concern.would_be_found)


def test_a_concern_of_which_only_neutral_numbers_are_left_is_not_compared():
    claimable = [n for n, m in metrics().items() if m.better is not Better.NEUTRAL]
    concern = compare(scan(), scan(absent=claimable)).concern("tone")
    assert concern.verdict is Verdict.NOT_COMPARABLE


def test_a_region_missing_on_one_side_is_left_out_on_both():
    uneven = {(LINES, "chin"): 9.0}
    face = compare(scan(uneven), scan(absent=[(LINES, "chin")])).change(LINES)
    assert (face.before, face.difference) == pytest.approx((10.0, 0.0))


def test_photos_are_compared_at_the_highest_level_that_both_have():
    progress = compare(scan(), scan(levels=(2.0, 3.0)))
    assert progress.change(LINES).level_px_mm == 3.0
    assert progress.change("tone.redness").level_px_mm == 2.0
    pores = progress.change("texture.pore_density")
    assert (pores.verdict, reasons(pores)) == (Verdict.NOT_COMPARABLE, {"low_resolution"})


def test_a_level_with_a_known_error_goes_before_a_finer_one_without(tmp_path):
    data = json.loads((tmp_path / "precision.json").read_text(encoding="utf-8"))
    for level in ("6", "9"):
        del data["metrics"][LINES]["levels"][level]
    (tmp_path / "precision.json").write_text(json.dumps(data), encoding="utf-8")
    precision_model.cache_clear()
    progress = compare(scan(), scan(HALF))
    assert progress.change(LINES).level_px_mm == 4.5
    assert progress.change(LINES).verdict is Verdict.IMPROVED
    assert progress.change("texture.pore_density").level_px_mm == 6.0


def test_a_metric_is_never_compared_above_its_own_finest_level():
    progress = compare(scan(), scan())
    for name, entry in metrics().items():
        expected = min(entry.finest_level_px_mm, 6.0)
        assert progress.change(name).level_px_mm == expected


# Courses ----------------------------------------------------------------------------------------


def test_a_course_is_a_trend_and_its_order_does_not_matter():
    scans, dates = falling(6), weekly(6)
    progress = track(scans, dates=dates)
    mixed = [3, 0, 5, 1, 4, 2]
    again = track([scans[k] for k in mixed], dates=[dates[k] for k in mixed])
    change = progress.change(LINES)
    assert change == again.change(LINES)
    assert change.estimator is Estimator.TREND
    assert change.percent == pytest.approx(-50)
    assert change.trend.per_week == pytest.approx(-1.0)
    assert change.trend.low < -1.0 < change.trend.high < 0
    assert (change.since, change.until) == (dates[0], dates[-1])
    assert change.verdict is Verdict.IMPROVED


def test_one_bad_session_does_not_decide_a_course():
    scans = falling(8)
    scans[4] = scan({LINES: 3.0})
    assert track(scans, dates=weekly(8)).change(LINES).percent == pytest.approx(-50, abs=5)


def test_softer_lines_count_more_than_the_same_share_of_another_measure():
    def judged(name, to):
        return compare(scan(), scan({name: to})).concern(Concern.WRINKLES)

    softer, others = judged(LINES, 0.75), ("wrinkles.severity", "wrinkles.length_density")
    assert softer.verdict is Verdict.IMPROVED
    assert all(softer.p < judged(name, 0.75).p for name in others)
    # Lines that vanish while those that stay are as dark as ever are found as well.
    vanished = judged("wrinkles.length_density", 0.4)
    assert vanished.verdict is Verdict.IMPROVED
    assert vanished.leading.metric == "wrinkles.length_density"


def test_what_bars_a_comparison_is_named_before_regions_without_a_line():
    smiling = scan(absent=[(LINES, "forehead_upper"), (LINES, "chin")], smile=0.9)
    found = compare(scan(), smiling).concern(Concern.WRINKLES)
    assert found.verdict is Verdict.NOT_COMPARABLE
    names = [r.name for r in found.leading.reasons]
    assert names[0] == "expression"
    assert names[-1] == "nothing_found"


def test_skin_without_a_line_is_judged_by_what_is_left():
    absent = (LINES, "wrinkles.width")
    unchanged = compare(scan(absent=absent), scan(absent=absent)).concern(Concern.WRINKLES)
    assert unchanged.verdict is Verdict.NO_CHANGE
    assert unchanged.leading.metric not in absent
    assert unchanged.would_be_found > 0
    fewer = {"wrinkles.severity": 0.4}
    softer = compare(scan(absent=absent), scan(fewer, absent=absent)).concern(Concern.WRINKLES)
    assert softer.verdict is Verdict.IMPROVED


def test_a_resting_brow_moves_by_millimetres_however_high_it_stands():
    low, high = (
        compare(scan({"lift.brow_height": f}), scan({"lift.brow_height": f})) for f in (0.5, 1.5)
    )
    for progress in (low, high):
        change = progress.change("lift.brow_height")
        assert change.sem > math.sqrt(2.0) * 0.46
    assert low.change("lift.brow_height").sem < high.change("lift.brow_height").sem  # capture


def test_one_session_is_no_change():
    progress = track([scan()], dates=[START])
    assert {c.verdict for c in progress.changes} == {Verdict.NOT_COMPARABLE}
    assert reasons(progress.change(LINES)) == {"only_one_session"}
    assert len(progress.table()) == sum(c.scope is Scope.REGION for c in progress.changes)


def test_takes_of_a_day_are_pooled_and_the_same_file_counts_once():
    before, after = scan(), scan()
    single = track([before, after], dates=weekly(2)).change(LINES, "chin")
    takes = [before, *(with_other_sha(before) for _ in range(3)), after]
    dates = [START] * 4 + [weekly(2)[1]]
    pooled = track(takes, dates=dates).change(LINES, "chin")
    assert pooled.points[0].takes == 4
    assert pooled.sem < single.sem
    # Takes that agree do not make a number exact: 8 of 11 degrees of freedom are the model's.
    capture = 0.4 * math.sqrt(8 / 11 / 4)
    assert pooled.sem == pytest.approx(math.sqrt(capture**2 + 0.4**2 + 2 * (10 * DAY) ** 2))
    twice = track([before, before, after], dates=[START, START, weekly(2)[1]])
    assert twice.change(LINES, "chin").sem == single.sem


def test_a_treated_take_gives_way_to_one_before_the_needles():
    dates = [START, START, weekly(2)[1], weekly(2)[1]]
    swollen = [Declaration(before_treatment=False), None]
    progress = track(
        [scan({LINES: 0.1}), scan(), scan({LINES: 0.1}), scan()],
        dates=dates,
        declared=swollen * 2,
    )
    change = progress.change(LINES)
    assert (change.verdict, change.difference) == (Verdict.NO_CHANGE, 0.0)
    assert [p.takes for p in change.points] == [1, 1]


def test_a_session_that_cannot_be_compared_is_marked_and_left_out():
    scans = falling(6)
    scans[3] = scan({LINES: 5.0}, light_deg=30.0)
    change = track(scans, dates=weekly(6)).change(LINES)
    assert change.percent == pytest.approx(-50)
    assert [p.in_trend for p in change.points] == [True, True, True, False, True, True]
    assert [r.name for r in change.points[3].reasons] == ["light_direction"]
    assert change.points[3].value == pytest.approx(50.0)  # still there to be looked at
    assert math.isnan(change.points[3].difference)


def test_the_change_ends_with_the_latest_session_that_can_be_compared():
    scans = falling(6)
    scans[5] = scan(light_deg=30.0)
    change = track(scans, dates=weekly(6)).change(LINES)
    assert change.until == weekly(6)[4]


def test_one_small_photo_does_not_degrade_the_course():
    scans = falling(6)
    scans[3] = scan({LINES: 0.7}, levels=(2.0, 3.0))
    change = track(scans, dates=weekly(6)).change(LINES)
    assert change.level_px_mm == 6.0
    assert [p.level_px_mm for p in change.points] == [6.0, 6.0, 6.0, 3.0, 6.0, 6.0]
    assert [p.in_trend for p in change.points] == [True, True, True, False, True, True]
    assert math.isfinite(change.points[3].difference)
    # Colour is not finer at 6 than at 2 px/mm: nothing is lost of it.
    colour = track(scans, dates=weekly(6)).change("tone.evenness")
    assert all(p.in_trend for p in colour.points)


def test_small_photos_in_most_sessions_do():
    scans = [scan(), scan(), *(scan(levels=(2.0, 3.0)) for _ in range(3))]
    change = track(scans, dates=weekly(5)).change(LINES)
    assert change.level_px_mm == 3.0
    assert all(p.in_trend for p in change.points)


# Views ------------------------------------------------------------------------------------------


def test_a_region_is_followed_in_the_view_that_shows_it_most_often():
    dates, scans = [], []
    for k, day in enumerate(weekly(5)):
        for view in (View.FRONT, View.LEFT) if k in {0, 1} else (View.LEFT,):
            scans.append(scan(view=view))
            dates.append(day)
    progress = track(scans, dates=dates)
    assert progress.change(LINES, "crows_feet_left").view is View.LEFT
    assert progress.change(LINES, "crows_feet_right").view is View.FRONT
    assert progress.change("lift.brow_height", "upper_lid_left").view is View.FRONT
    right = progress.change(LINES, "crows_feet_right")
    assert [bool(p.reasons) for p in right.points] == [False, False, True, True, True]
    assert right.points[2].reasons[0].name == "missing_view"
    assert right.until == weekly(5)[1]


def test_a_view_that_the_baseline_lacks_is_not_compared():
    progress = track([scan(), scan(view=View.LEFT)], dates=weekly(2))
    assert {c.verdict for c in progress.changes} == {Verdict.NOT_COMPARABLE}
    assert reasons(progress.change(LINES)) == {"missing_view"}


# Baselines --------------------------------------------------------------------------------------


def test_another_baseline_replaces_the_first():
    scans = [scan({LINES: 2.0}), scan(), scan(HALF)]
    change = track(scans, dates=weekly(3), baseline=weekly(3)[1]).change(LINES)
    assert change.percent == pytest.approx(-50)
    assert change.since == weekly(3)[1]
    assert change.points[0].reasons[0].name == "before_baseline"


def test_two_baselines_tell_how_skin_changes_from_day_to_day():
    scans = [scan({LINES: 0.7}), scan({LINES: 1.3}), scan()]
    progress = track(scans, dates=weekly(3), baseline=weekly(3)[:2])
    change = progress.change(LINES, "chin")
    assert (change.before, change.difference) == pytest.approx((10.0, 0.0))
    captures = (7 * 0.04, 13 * 0.04)
    day = day_from_baselines((7.0, 13.0), captures, 10 * DAY)
    assert day > 2 * 10 * DAY
    pooled = math.hypot(*captures) / 2
    assert change.sem == pytest.approx(math.sqrt(pooled**2 + 0.4**2 + 1.5 * day**2))
    assert progress.day_source is change.day_source is DaySource.OWN_BASELINES
    assert track(scans, dates=weekly(3)).day_source is DaySource.PUBLISHED


@pytest.mark.parametrize("baseline", [date(2020, 1, 1), (), "last"])
def test_a_baseline_without_photos_is_refused(baseline):
    with pytest.raises(BadOptionError, match="baseline"):
        track([scan()], dates=[START], baseline=baseline)


def test_every_scan_needs_a_date():
    with pytest.raises(BadOptionError, match="date"):
        track([scan()], dates=[])
    with pytest.raises(BadOptionError, match="scan"):
        track([], dates=[])


def test_one_photo_in_two_sessions_is_a_mistake():
    item = scan()
    with pytest.raises(BadOptionError, match="two dates"):
        track([item, item], dates=weekly(2))


# Treated regions and events ---------------------------------------------------------------------


def test_treated_regions_are_set_against_the_others():
    treated = {(LINES, f"crows_feet_{side}"): 0.5 for side in ("left", "right")}
    progress = track(
        [scan(), scan(treated)], dates=weekly(2), treated_regions=["crows_feet", "chin"]
    )
    assert progress.treated_regions == ("chin", "crows_feet_left", "crows_feet_right")
    inside, outside, contrast = (
        progress.change(LINES, place)
        for place in ("treated", "untreated", "treated_minus_untreated")
    )
    assert inside.difference == pytest.approx(-10 / 3)
    assert outside.difference == 0.0
    assert contrast.difference == pytest.approx(-10 / 3)
    assert contrast.low < -10 / 3 < contrast.high
    assert math.isnan(contrast.percent)


def test_what_happens_to_the_whole_face_is_no_difference_between_regions():
    progress = track([scan(), scan({LINES: 0.4})], dates=weekly(2), treated_regions=["crows_feet"])
    assert progress.change(LINES, "treated").verdict is Verdict.IMPROVED
    assert progress.change(LINES, "treated_minus_untreated").verdict is Verdict.NO_CHANGE


def test_unknown_regions_are_refused():
    for name in ("nose", "face"):
        with pytest.raises(UnknownNameError, match="regions"):
            track([scan()], dates=[START], treated_regions=[name])


@pytest.mark.parametrize(
    ("days", "attributable"), [(-1, True), (0, False), (10, False), (36, True)]
)
def test_events_inside_the_course_bar_attribution_and_nothing_else(days, attributable):
    event = Event(START + timedelta(days=days), EventKind.FILLER)
    progress = track(falling(6), dates=weekly(6), events=[event])
    change = progress.change(LINES)
    assert change.verdict is Verdict.IMPROVED
    assert change.attributable is attributable
    assert change.events == (() if attributable else (event,))


# The value and its tables -----------------------------------------------------------------------


def test_tables_are_tidy():
    progress = track(falling(4), dates=weekly(4))
    table, overview = progress.table(), progress.overview()
    assert tuple(table.columns) == SESSION_COLUMNS
    assert tuple(overview.columns) == CHANGE_COLUMNS
    assert not table.duplicated(["metric", "region", "session"]).any()
    assert not overview.duplicated(["metric", "scope", "place"]).any()
    assert len(overview) == len(progress.changes)
    chin = table[(table["metric"] == LINES) & (table["region"] == "chin")]
    assert list(chin["session"]) == [d.isoformat() for d in weekly(4)]
    assert list(chin["verdict"]) == ["", "", "", "improved"]
    assert set(table["metric"]) == set(metrics())


def test_every_metric_and_concern_has_its_change():
    progress = track(falling(4), dates=weekly(4))
    assert [c.concern for c in progress.concerns] == list(Concern)
    for name in metrics():
        assert progress.change(name).scope is Scope.FACE
    with pytest.raises(UnknownNameError):
        progress.change(LINES, "nose_tip")
    with pytest.raises(UnknownNameError):
        progress.change("wrinkles.nothing")
    with pytest.raises(UnknownNameError):
        progress.concern("health")


def test_what_the_course_would_have_found_is_more_than_one_number_alone_would():
    for concern in track(falling(4, to=1.0), dates=weekly(4)).concerns:
        assert concern.would_be_found > concern.leading.would_be_found


def test_unchanged_skin_in_noisy_photos_is_not_claimed_to_have_changed():
    rng = np.random.default_rng(7)
    for _ in range(4):
        scans = [scan(noisy({}, rng)) for _ in range(4)]
        progress = track(scans, dates=weekly(4))
        assert not any(c.verdict.claimed for c in progress.changes)


def test_half_of_the_lines_are_found_in_noisy_photos():
    rng = np.random.default_rng(8)
    wrinkles = [
        n for n, m in metrics().items() if m.family == "wrinkles" and m.better is Better.DOWN
    ]
    truth = [dict.fromkeys(wrinkles, f) for f in np.linspace(1.0, 0.5, 6)]
    progress = track([scan(noisy(t, rng)) for t in truth], dates=weekly(6))
    change = progress.change(LINES)
    assert change.verdict is Verdict.IMPROVED
    assert change.percent_low < -50 < change.percent_high
    assert progress.concern(Concern.WRINKLES).verdict is Verdict.IMPROVED
