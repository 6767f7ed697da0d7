"""Charts, the map of change, aligned photos, and the report."""

import base64
import io
import math
import re
import socket
from dataclasses import replace
from datetime import timedelta

import altair as alt
import cv2
import numpy as np
import pytest
from fake_courses import LINES, START, scan, weekly, write_precision
from PIL import Image

from skinscan import analyze, compare, precision, track
from skinscan.errors import ScanFileError
from skinscan.plots import (
    LEAST_MATCHED,
    Picture,
    Unmatched,
    as_svg,
    before_after,
    change_map,
    changemap,
    course_chart,
    difference,
    encoded,
    mapped_metrics,
    region_changes,
    regions_chart,
    report,
    skin_difference,
    timelapse,
)
from skinscan.plots.changemap import described
from skinscan.plots.difference import PICTURE_SIZE
from skinscan.precision import precision_model
from skinscan.progress import Event, EventKind, Verdict, locales, words
from skinscan.progress.locales import Locale, locale
from skinscan.progress.values import Reason
from skinscan.registration import skin_of
from skinscan.resources import sample_course_dir

GREY = (200, 200, 200)


@pytest.fixture(autouse=True)
def _precision(tmp_path, monkeypatch):
    path = write_precision(tmp_path)
    monkeypatch.setattr(precision, "precision_path", lambda: path)
    precision_model.cache_clear()
    yield
    precision_model.cache_clear()


def course(factors=(1.0, 0.9, 0.7, 0.6, 0.5), **options):
    scans = [scan({LINES: f}) for f in factors]
    return track(scans, dates=weekly(len(factors)), **options)


def lines_of(progress):
    return progress.concern("wrinkles").leading


def rows(chart):
    """The sessions of a chart."""
    sets = [layer.data.values for layer in chart.layer]
    return next(values for values in sets if "state" in values[0])


# Course chart -----------------------------------------------------------------------------------


def test_a_chart_shows_percent_of_the_baseline_with_each_sessions_interval_and_threshold():
    progress = course()
    change = lines_of(progress)
    shown = rows(course_chart(progress, change))
    assert [row["session"] for row in shown] == [locale("en-GB").date(d) for d in weekly(5)]
    assert [row["shown"] for row in shown] == pytest.approx([0, -10, -30, -40, -50])
    last = change.points[-1]
    assert shown[-1]["low"] == pytest.approx(100 * last.low / change.before)
    assert shown[-1]["top"] == pytest.approx(100 * last.sdc / change.before)
    assert shown[0]["top"] == shown[1]["top"]  # the baseline borrows its neighbour's
    assert {row["state"] for row in shown} == {"compared"}


def test_a_scale_without_zero_keeps_its_unit():
    progress = course()
    svg = as_svg(course_chart(progress, progress.change("tone.lightness")))
    assert "Change (points)" in svg


def test_a_session_that_is_not_compared_is_a_hollow_mark_with_its_reason():
    scans = [scan(), scan(light_deg=40.0), scan(), scan()]
    progress = track(scans, dates=weekly(4))
    change = lines_of(progress)
    shown = rows(course_chart(progress, change))
    assert shown[1]["state"] == "not compared"
    assert shown[1]["low"] is None
    assert shown[1]["why"] == " ".join(r.sentence for r in change.points[1].reasons)
    assert "not compared" in as_svg(course_chart(progress, change))
    assert "4 sessions, 3 of them compared" in course_chart(progress, change).description


def test_a_doubtful_session_says_why():
    progress = course()
    change = lines_of(progress)
    points = [*change.points[:-1], replace(change.points[-1], in_trend=False)]
    shown = rows(course_chart(progress, replace(change, points=tuple(points))))
    assert shown[-1]["state"] == "compared, doubtful"
    assert "resolution" in shown[-1]["why"]


def test_events_inside_the_course_are_named_and_others_are_not():
    inside = Event(START + timedelta(days=10), EventKind.FILLER)
    outside = Event(START - timedelta(days=10), EventKind.LASER)
    progress = course(events=[inside, outside])
    svg = as_svg(course_chart(progress, lines_of(progress)))
    assert ">filler<" in svg
    assert ">laser<" not in svg


def test_two_photos_without_dates_are_before_and_after():
    progress = compare(scan(), scan({LINES: 0.5}))
    shown = rows(course_chart(progress, lines_of(progress)))
    assert [row["session"] for row in shown] == ["Before", "After"]


def test_a_course_of_one_session_can_be_drawn():
    progress = track([scan()], dates=[START])
    assert as_svg(course_chart(progress, lines_of(progress))).startswith("<svg")


def test_the_alternative_text_holds_verdict_and_interval():
    progress = course()
    change = lines_of(progress)
    text = course_chart(progress, change).description
    assert change.verdict.value in text
    assert f"{change.percent:+.1f} %".replace("-", "−") in text


ELSEWHERE = Locale(
    "de-XX",
    ",",
    ".",
    "{day}. {month}",
    "{day}. {month} {year}",
    months=tuple(f"Monat{k}" for k in range(1, 13)),
    short_months=tuple(f"Mo{k}" for k in range(1, 13)),
    language="de",
)


def test_charts_write_dates_and_numbers_as_the_locale_does(monkeypatch):
    monkeypatch.setattr(locales, "LOCALES", {"de-XX": ELSEWHERE})
    progress = course()
    change = progress.change("lift.jaw_sag")
    chart = course_chart(progress, change, locale="de-XX")
    svg = as_svg(chart)
    assert re.search(r">\d+\. Mo[34]<", svg)
    assert not re.search(r">[^<]*\b(Mar|Apr)\b", svg)
    assert re.search(r">−?\d+,\d+<", svg)
    assert not re.search(r">−?\d+\.\d+<", svg)
    assert rows(chart)[0]["session"] == "3. Monat3 2026"
    assert re.search(r"\d,\d", rows(chart)[-1]["low_text"])
    assert '<html lang="de">' in report(progress, locale="de-XX")


def test_an_axis_of_large_numbers_groups_them_as_the_locale_does():
    rows_ = [{"y": -2_345_678.5}, {"y": 1000.5}]
    axis = alt.Axis(labelExpr=ELSEWHERE.number_label, values=[-2_345_678.5, 1000.5], format=",.1f")
    chart = alt.Chart(alt.Data(values=rows_)).mark_point().encode(y=alt.Y("y:Q", axis=axis))
    svg = as_svg(chart)
    assert ">−2.345.678,5<" in svg
    assert ">1.000,5<" in svg


def test_american_dates_begin_with_the_month():
    progress = course()
    svg = as_svg(course_chart(progress, lines_of(progress), locale="en-US"))
    assert re.search(r">Mar \d+<", svg)
    assert not re.search(r">\d+ Mar<", svg)


def test_every_region_has_its_own_small_chart_on_one_scale():
    progress = course()
    chart = regions_chart(progress, LINES)
    changes = region_changes(progress, LINES)
    drawn = chart.to_dict()
    values = drawn["data"]["values"]
    headings = list(dict.fromkeys(row["region"] for row in values))
    assert headings == drawn["facet"]["sort"]
    assert len(headings) == len(changes) > 20
    scales = {
        str(layer["encoding"]["y"]["scale"]["domain"])
        for layer in drawn["spec"]["layer"]
        if "scale" in layer["encoding"]["y"]
    }
    assert len(scales) == 1
    svg = as_svg(chart)
    assert svg.count(f">{words.VERDICTS[Verdict.IMPROVED]}<") == len(changes)
    assert words.REGIONS_UNCLAIMED in str(
        regions_chart(course((1.0, 1.0, 1.0, 1.0)), LINES).description
    )


def test_what_no_region_measured_has_no_small_charts():
    progress = track([scan(absent=[LINES]) for _ in range(2)], dates=weekly(2))
    assert region_changes(progress, LINES) == [] or regions_chart(progress, LINES)


def test_charts_are_saved_without_a_network(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    progress = course()
    chart = course_chart(progress, lines_of(progress))
    chart.save(tmp_path / "x.html", inline=True)
    chart.save(tmp_path / "x.png")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", page)
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


# Map of change ----------------------------------------------------------------------------------


def colours(picture):
    """How many pixels are bluish, reddish and grey, above the colour bar."""
    face = picture[:-130].astype(int)
    excess = face[..., 2] - face[..., 0]
    grey = np.abs(face - GREY).max(axis=2) < 3
    return [int(part.sum()) for part in (excess > 60, excess < -60, grey)]


def test_only_claimed_regions_are_coloured_blue_for_better():
    progress = course((1.0, 0.8, 0.6, 0.2, 0.01))
    blue, vermilion, _ = colours(change_map(progress, LINES))
    assert blue > 10_000
    assert vermilion == 0
    assert "Crow's feet (left) −" in described(progress, LINES)


def test_the_scale_of_the_map_is_written_as_the_locale_does(monkeypatch):
    said = []

    def kept(canvas, texts, **_options):
        said.extend(text for _, _, text in texts)
        return canvas

    monkeypatch.setattr(changemap, "lettered", kept)
    monkeypatch.setattr(changemap, "_scale_end", lambda _: 0.5)
    monkeypatch.setattr(locales, "LOCALES", {"de-XX": ELSEWHERE})
    change_map(course(), LINES, locale="de-XX")
    assert {"−0,5 %", "+0,5 %"} <= set(said)


def test_worse_is_vermilion():
    progress = course((1.0, 1.2, 1.6, 1.9, 2.0))
    blue, vermilion, _ = colours(change_map(progress, LINES))
    assert vermilion > 10_000
    assert blue == 0


def test_without_a_claim_the_face_is_grey():
    progress = course((1.0, 1.0, 1.0, 1.0))
    assert mapped_metrics(progress) == []
    blue, vermilion, grey = colours(change_map(progress, LINES))
    assert (blue, vermilion) == (0, 0)
    assert grey > 10_000
    assert "no change is claimed" in described(progress, LINES)


def test_the_subjects_right_lies_on_the_left():
    regions = [c.place for c in course().changes if c.metric == LINES and "_right" in c.place]
    progress = track(
        [scan({(LINES, r): f for r in regions}) for f in (1.0, 0.5, 0.2, 0.05)],
        dates=weekly(4),
    )
    picture = change_map(progress, LINES)
    half = picture.shape[1] // 2
    right, left = (colours(picture[:, part])[0] for part in (np.s_[:half], np.s_[half:]))
    assert right > 5_000
    assert left < 0.05 * right


# Photos -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    """The first photo of the sample course, and the same turned, shrunk and shifted."""
    path = sample_course_dir() / "2026-03-03_front.jpg"
    first = analyze(path)
    rgb = first.pixels.photo.rgb
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 4.0, 0.93)
    turn[:, 2] += (12, -9)
    moved = cv2.warpAffine(rgb, turn, (width, height), borderValue=(190, 190, 190))
    return first, analyze(Image.fromarray(moved))


def test_a_moved_photo_comes_to_lie_on_the_first(sample):
    photos, lines = before_after(*sample)
    half = (photos.shape[1] - 16) // 2
    left, right = (photos[56:, s].astype(float) for s in (np.s_[:half], np.s_[-half:]))
    middle = np.s_[150:650, 150:490]
    apart = np.abs(left[middle] - right[middle]).mean()
    shifted = np.abs(left[middle] - np.roll(right, 4, axis=1)[middle]).mean()
    assert apart < 2.0
    assert shifted > 1.5 * apart
    assert (photos != lines).any()


def test_the_same_skin_differs_by_nothing_and_a_spot_is_seen_where_it_is(sample):
    first, moved = sample
    same = difference(first, moved)
    kept = skin_difference(*(skin_of(scan.pixels.facemap) for scan in (first, moved)))
    assert np.array_equal(kept.picture, same.picture)
    assert same.picture.shape[1::-1] == PICTURE_SIZE
    known = np.isfinite(same.contrast_pct)
    assert known.mean() > 0.2
    assert np.percentile(np.abs(same.contrast_pct[known]), 95) < 4.0

    face = first.pixels.facemap
    layer = face.layers[same.level_px_mm]
    darker, brighter = layer.log_y.copy(), layer.log_y + 30.0
    rows_, columns = np.nonzero(known)
    k = len(rows_) // 2
    at = (int(columns[k]), int(rows_[k]))
    spot = cv2.circle(np.zeros_like(darker), at, 4, 25.0, -1)
    for log_y, dark in ((darker - spot, True), (brighter, False)):
        layers = dict(face.layers) | {same.level_px_mm: replace(layer, log_y=log_y)}
        pixels = replace(first.pixels, facemap=replace(face, layers=layers))
        found = difference(first, replace(first, pixels=pixels))
        if dark:
            assert found.contrast_pct[at[1], at[0]] < -10.0
        else:  # exposure alone is no difference
            assert np.nanmax(np.abs(found.contrast_pct)) < 1.0


def test_two_faces_have_no_picture_of_their_difference(sample):
    first, moved = sample
    face = moved.pixels.facemap
    rng = np.random.default_rng(1)
    layers = {
        lv: replace(layer, log_y=rng.normal(-100, 3, layer.log_y.shape).astype(np.float32))
        for lv, layer in face.layers.items()
    }
    pixels = replace(moved.pixels, facemap=replace(face, layers=layers))
    found = difference(first, replace(moved, pixels=pixels))
    assert isinstance(found, Unmatched)
    assert 0 <= found.matched_share < LEAST_MATCHED
    with pytest.raises(ScanFileError, match="photos"):
        difference(replace(first, pixels=None), moved)


def test_saved_scans_have_no_photos_to_show(sample):
    with pytest.raises(ScanFileError, match="photos"):
        before_after(replace(sample[0], pixels=None), sample[1])


def test_a_time_lapse_holds_the_photos_still(sample):
    first, moved = sample
    data = timelapse([(first, "3 March"), (moved, "10 March")])
    with Image.open(io.BytesIO(data)) as film:  # noqa: TID251 - the file as written is the test
        assert film.n_frames == 2
        assert film.info["loop"] == 0
        frames = []
        for k in range(2):
            film.seek(k)
            frames.append(np.asarray(film.convert("RGB"), dtype=float))
    assert frames[0].shape[1] == 640
    middle = np.s_[206:706, 150:490]
    apart = np.abs(frames[0] - frames[1])[middle].mean()
    assert np.abs(frames[0] - np.roll(frames[1], 4, axis=1))[middle].mean() > 1.3 * apart
    assert (frames[0][:56] != frames[1][:56]).any()  # another date


def test_a_time_lapse_needs_two_sessions_with_their_photos(sample):
    with pytest.raises(ValueError, match="two"):
        timelapse([(sample[0], "")])
    with pytest.raises(ScanFileError, match="photos"):
        timelapse([(replace(sample[0], pixels=None), "")])


# Report -----------------------------------------------------------------------------------------


def loads(page):
    """Every address that a page would load."""
    found = re.findall(r"(?:src|href|srcset|action|poster|data)\s*=\s*[\"']?([^\"'\s>]+)", page)
    return found + re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", page)


def test_the_report_loads_nothing_and_runs_nothing():
    picture = Picture("A photo", "A face", np.zeros((8, 8, 3), dtype=np.uint8))
    page = report(course(), pictures=[picture])
    addresses = loads(page)
    progress = course()
    several = sum(len(region_changes(progress, c.leading.metric)) > 1 for c in progress.concerns)
    assert several == 5  # radiance is measured in one place
    assert len(addresses) == 6 + several + 1 + 1  # charts, regions, map, photo
    assert all(a.startswith("data:image/") for a in addresses)
    assert "<script" not in page
    assert "<link" not in page
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page
    for vector in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page):
        svg = base64.b64decode(vector).decode()
        assert "<script" not in svg
        assert "<image" not in svg
        assert not [a for a in loads(svg) if not a.startswith("#")]


def test_the_report_says_what_the_summary_says_and_what_it_is_not():
    progress = course()
    page = report(progress).replace("\u00a0", " ")
    for sentence in progress.summary():
        assert sentence in page
    assert "diagnoses nothing" in page
    assert "Results vary" in page
    assert "licensed practitioner" in page
    assert page.count("<img alt=") == page.count("<img ")


def test_the_report_tabulates_interval_and_verdict():
    progress = course()
    change = lines_of(progress)
    page = report(progress).replace("\u00a0", " ")
    assert f"{change.percent:.0f}".replace("-", "−") in page
    assert f"({100 * change.coverage:.0f} %)" in page or f"({100 * change.coverage:.1f} %)" in page
    assert f'<td class="claimed">{Verdict.IMPROVED.value}</td>' in page


def test_the_report_says_what_could_not_be_shown():
    page = report(course(), remarks=["No picture: <b>12 %</b> agree."])
    assert "<p>No picture: &lt;b&gt;12\u00a0%&lt;/b&gt; agree.</p>" in page
    assert words.REPORT_PHOTOS in page


def test_the_report_lists_differences_between_photos():
    page = report(track([scan(), scan(light_deg=40.0)], dates=weekly(2)))
    assert "10 March 2026: " in page
    assert "wrinkles and fine lines" in page


def test_what_comes_from_outside_is_escaped():
    progress = course((1.0, 0.5))
    hostile = "<script>alert('x')</script>\"&"
    leading = lines_of(progress)
    bad = replace(
        leading,
        points=(
            *leading.points[:-1],
            replace(leading.points[-1], reasons=(Reason("x", hostile),), difference=math.nan),
        ),
    )
    concerns = tuple(
        replace(c, leading=bad) if c.leading is leading else c for c in progress.concerns
    )
    picture = Picture(hostile, hostile, np.zeros((8, 8, 3), dtype=np.uint8))
    page = report(replace(progress, concerns=concerns), pictures=[picture])
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("days", [1, 2])
def test_a_report_of_hardly_anything_can_be_written(days):
    progress = track([scan(smile=0.9 * k) for k in range(days)], dates=weekly(days))
    assert report(progress).endswith("</html>\n")


def test_decimals_follow_the_locale():
    assert re.search(r"\d,\d", report(course(), locale="en-ZA"))


def test_a_picture_keeps_its_colours():
    picture = np.full((16, 16, 3), (200, 10, 30), dtype=np.uint8)
    with Image.open(io.BytesIO(encoded(picture, ".png"))) as image:  # noqa: TID251 - our own
        assert (np.asarray(image) == picture).all()
