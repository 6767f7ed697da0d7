"""The page: pure functions of the course, and the page itself without a browser."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import runpy
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import fake_courses
import numpy as np
import pytest
import vl_convert

from skinscan import looks
from skinscan.errors import NoFaceError, NotAnImageError, SeveralFacesError, SkinscanError
from skinscan.filenames import date_from_name
from skinscan.flags import SENTENCES, Flag
from skinscan.landmarks import View
from skinscan.metrics import Better, Concern, Measurement, metrics
from skinscan.quality.checks import Check, Grade
from skinscan.regions import measured_regions
from skinscan.resources import app_path
from skinscan.ui import charts, course, markup, pictures, scoring, server, state, strings, theme
from skinscan.ui.course import DateSource, Point, SessionPhoto

ROOT = Path(__file__).resolve().parent.parent
VERDICT_WORDS = re.compile(r"\b(improved|improvement|worse|worsened|progress)\b", re.IGNORECASE)


class FakeScan(SimpleNamespace):
    """What the page reads of a Scan."""

    def draw(self, photo=None, *, mesh=False, regions=True, lines=True):
        del photo, mesh, regions, lines
        return np.full((120, 100, 3), 128, np.uint8)


def make_check(verdict="good"):
    return SimpleNamespace(
        name="light",
        title="Direction of light",
        value=14.0,
        unit="°",
        limit="≤ 20",
        verdict=verdict,
        sentence="Turn towards the window.",
    )


def make_scan(
    sha256="a" * 64,
    *,
    levels=(2.0, 3.0, 4.5),
    verdict="good",
    view=View.FRONT,
    value=2.0,
    sem=math.nan,
    flags=Flag.NONE,
    captured_at=None,
):
    measurements = tuple(
        Measurement(
            metric=metric.name,
            region=region.name,
            level_px_mm=level,
            value=value if level >= metric.lowest_level_px_mm else math.nan,
            sem=sem,
            sem_day=0.0,
            flags=flags | metric.flags | (Flag.NO_SEM if math.isnan(sem) else Flag.NONE),
        )
        for metric in metrics().values()
        for region in measured_regions()
        if region.group in metric.groups
        for level in levels
    )
    landmarks = np.column_stack([np.linspace(20, 80, 478), np.linspace(20, 100, 478)])
    return FakeScan(
        sha256=sha256,
        view=view,
        captured_at=captured_at,
        photo_size_px=(100, 120),
        resolution_px_mm=4.6,
        levels=levels,
        face=SimpleNamespace(landmarks_px=landmarks),
        quality=SimpleNamespace(verdict=verdict, checks=(make_check(verdict),)),
        wrinkles=(SimpleNamespace(length_mm=7.0),),
        measurements=measurements,
        pixels=None,
    )


def make_photo(day, **scan):
    sha256 = f"{day.toordinal():064x}" if "sha256" not in scan else scan.pop("sha256")
    return SessionPhoto(
        label=f"{day}.jpg",
        taken_on=day,
        date_source=DateSource.NAME,
        scan=make_scan(sha256, **scan),
    )


def points_of(*photos):
    level = course.common_level(photos)
    return course.points(photos, level=level, registry=metrics())


D1, D2, D3 = date(2026, 3, 3), date(2026, 3, 10), date(2026, 3, 17)


# Dates


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("2026-03-03_front.jpg", D1),
        ("IMG_20260303_101500.jpg", D1),
        ("2026_03_03.heic", D1),
        ("2026.03.03.png", D1),
        ("client 2026-13-40 2026-03-03.jpg", D1),
        ("2026-02-30.jpg", None),
        ("120260303.jpg", None),
        ("202603031.jpg", None),
        ("2026-0303.jpg", None),
        ("IMG_1234.jpg", None),
        ("", None),
    ],
)
def test_a_date_is_read_from_a_file_name(name, found):
    assert date_from_name(name) == found


def test_the_camera_wins_over_the_name():
    taken = datetime(2026, 3, 10, 9, 30)  # noqa: DTZ001 - cameras store local time
    assert course.session_date("2026-03-03.jpg", taken) == (D2, DateSource.CAMERA)
    assert course.session_date("2026-03-03.jpg", None) == (D1, DateSource.NAME)
    assert course.session_date("x.jpg", None) == (None, DateSource.UNKNOWN)


def test_a_typed_date_says_so_and_the_same_date_changes_nothing():
    photo = make_photo(D1)
    assert photo.dated(D1) is photo
    assert photo.dated(D2).date_source is DateSource.TYPED


# Comparing


def test_the_common_level_is_the_finest_that_all_have():
    fine = make_photo(D1, levels=(2.0, 3.0, 4.5, 6.0))
    coarse = make_photo(D2, levels=(2.0, 3.0))
    assert course.common_level([fine]) == 6.0
    assert course.common_level([fine, coarse]) == 3.0
    assert course.coarsest_days([fine, coarse]) == [D2]
    assert course.coarsest_days([fine]) == []
    assert course.common_level([]) is None
    assert (
        course.common_level([make_photo(D1, levels=(2.0,)), make_photo(D2, levels=(3.0,))]) is None
    )


def test_only_the_common_level_is_compared():
    fine = make_photo(D1, levels=(2.0, 3.0, 4.5, 6.0))
    coarse = make_photo(D2, levels=(2.0, 3.0))
    found = points_of(fine, coarse)
    per_photo = {p.sha256: sum(q.sha256 == p.sha256 for q in found) for p in found}
    assert len(set(per_photo.values())) == 1
    keys = [(p.sha256, p.metric, p.region) for p in found]
    assert len(keys) == len(set(keys))


def test_views_are_told_apart_and_the_front_comes_first():
    front, left = make_photo(D1), make_photo(D2, view=View.LEFT)
    assert course.views([left, front]) == [View.FRONT, View.LEFT]
    assert course.in_order([left, front], View.LEFT) == [left]


def test_photos_without_a_date_are_left_out():
    photo = make_photo(D1)
    undated = SessionPhoto(
        label="x", taken_on=None, date_source=DateSource.UNKNOWN, scan=make_scan("b" * 64)
    )
    assert course.in_order([undated, photo]) == [photo]
    assert course.session_days([undated, photo]) == [D1]


def test_the_difference_averages_takes_and_sides_and_judges_nothing():
    severity = metrics()["wrinkles.severity"]
    found = points_of(
        make_photo(D1, value=2.0, sha256="1" * 64),
        make_photo(D1, value=4.0, sha256="2" * 64),
        make_photo(D2, value=9.0),
        make_photo(D3, value=1.5),
    )
    chosen = course.series(found, severity.name, ["crows_feet_left", "crows_feet_right"])
    change = course.difference(chosen, severity)
    assert (change.first_on, change.latest_on) == (D1, D3)
    assert (change.first, change.latest) == (3.0, 1.5)
    assert change.percent == pytest.approx(-50.0)


def test_the_difference_uses_only_regions_that_both_sessions_show():
    severity = metrics()["wrinkles.severity"]

    def point(day, region, value):
        return Point(
            taken_on=day,
            sha256=str(day),
            metric=severity.name,
            region=region,
            value=value,
            sem=math.nan,
            flags=Flag.NONE,
            poor_photo=False,
        )

    both = [point(D1, "a", 1.0), point(D1, "b", 100.0), point(D2, "a", 2.0)]
    assert course.difference(both, severity).percent == pytest.approx(100.0)
    assert course.difference([point(D1, "a", 1.0), point(D2, "b", 2.0)], severity) is None
    assert course.difference([point(D1, "a", 1.0)], severity) is None


@pytest.mark.parametrize("name", ["tone.redness", "tone.ita", "tone.lightness"])
def test_no_percentage_where_a_ratio_means_nothing(name):
    metric = metrics()[name]
    found = points_of(make_photo(D1, value=0.02), make_photo(D2, value=0.06))
    region = course.regions_of(metric)[0].name
    assert course.difference(course.series(found, name, [region]), metric).percent is None


def test_no_percentage_of_nothing():
    metric = metrics()["wrinkles.severity"]
    found = points_of(make_photo(D1, value=0.0), make_photo(D2, value=1.0))
    chosen = course.series(found, metric.name, ["crows_feet_left"])
    assert course.difference(chosen, metric).percent is None


def test_points_are_marked_by_flags_of_the_photo_and_not_by_general_ones():
    good, flagged = make_photo(D1), make_photo(D2, flags=Flag.UNEVEN_LIGHT)
    poor = make_photo(D3, verdict="poor")
    marked = {p.taken_on: p.marked for p in points_of(good, flagged, poor)}
    assert marked == {D1: False, D2: True, D3: True}


def test_every_concern_with_metrics_has_a_headline():
    registry = metrics()
    shown = {registry[item.metric].concern for item in course.headlines(registry)}
    assert shown == {metric.concern for metric in registry.values()}
    assert set(course.concerns(registry)) == shown
    assert all(course.group_regions(item.group) for item in course.headlines(registry))


# Words


def test_every_value_of_an_enumeration_has_words():
    assert set(strings.CONCERNS) == {c.value for c in Concern}
    assert set(strings.BETTER) == set(strings.BETTER_SENTENCE) == {b.value for b in Better}
    assert set(strings.VIEWS) == {v.value for v in View}
    assert set(strings.DATE_SOURCE) == {s.value for s in DateSource}


def test_every_error_that_a_photo_can_cause_has_a_sentence():
    def leaves(cls):
        below = cls.__subclasses__()
        return {cls} if not below else set().union(*(leaves(c) for c in below))

    from skinscan.errors import FaceError, PhotoError

    causes = {cls.cause for cls in leaves(PhotoError) | leaves(FaceError)}
    not_from_uploads = {"unreadable", "unsupported_source"}
    assert causes - not_from_uploads <= set(strings.PROBLEMS)


def test_the_catalogue_claims_no_change():
    catalogue = [value for name, value in vars(strings).items() if name.isupper()]
    texts = [value for value in catalogue if isinstance(value, str)]
    for value in catalogue:
        if isinstance(value, MappingProxyType):
            texts += list(value.values())
    assert [text for text in texts if VERDICT_WORDS.search(text)] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (0.0123, "0.012"), (-2.5, "−2.50"),
     (0.0, "0.00"), (math.nan, "–")],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert strings.number(value) == text


def test_signs_are_typographic():
    assert strings.signed_percent(-26.4) == "−26 %"
    assert strings.signed_percent(0.2) == "±0 %"
    assert strings.signed(0.5) == "+0.50"
    assert strings.listed(["a"]) == "a"
    assert strings.listed(["a", "b", "c"]) == "a, b and c"


def test_a_file_name_cannot_become_markup():
    shown = markup.plain("![x](http://evil/x.png) <b>*bold*</b> :red[x] $a$\n")
    assert re.sub(r"\\.", "", shown).isalnum() or not re.search(r"(?<!\\)[!\[\]()<>*:$]", shown)
    assert "\n" not in shown
    assert len(markup.plain("x" * 500)) < 70


# Pictures and charts


def test_a_picture_carries_its_own_bytes_and_an_escaped_description():
    tag = pictures.image_tag(b"\xff\xd8", alt='"><script>', css="a")
    assert 'src="data:image/jpeg;base64,/9g="' in tag
    assert "<script>" not in tag


def test_pictures_are_reduced():
    jpeg = looks.encode(np.zeros((2000, 1000, 3), np.uint8), 500)
    assert jpeg[:2] == b"\xff\xd8"
    assert len(looks.thumbnail(make_scan())) > 100


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("base", ["light", "dark"])
def test_colours_have_contrast(base):
    options = theme.THEME_OPTIONS
    ground = options[f"{base}.backgroundColor"]
    second = options[f"{base}.secondaryBackgroundColor"]
    for name in ("textColor", "linkColor"):
        assert contrast(options[f"{base}.{name}"], ground) >= 4.5
        assert contrast(options[f"{base}.{name}"], second) >= 4.5
    assert contrast(options[f"{base}.primaryColor"], "#ffffff") >= 4.5
    assert contrast(theme.CHART_TEXT[base], ground) >= 4.5
    assert min(contrast(colour, ground) for colour in theme.LINE_COLOURS) >= 3.0


def test_lines_differ_in_colour_and_dash():
    styles = [theme.line_style(k) for k in range(36)]
    assert len(set(styles)) == 36
    assert len({dash for _, dash in styles[:6]}) == 6


def chart_of(*photos, metric="wrinkles.severity", region="crows_feet_left", place=""):
    chosen = course.series(points_of(*photos), metric, [region])
    return charts.course_chart(chosen, metrics()[metric], place=place, theme="light").to_dict()


@pytest.mark.parametrize("place", ["", "Crow's feet"])
def test_a_chart_has_unit_description_and_a_zero(place):
    made = chart_of(make_photo(D1), make_photo(D2), place=place)
    metric = metrics()["wrinkles.severity"]
    assert metric.title in made["description"]
    assert metric.unit in made["description"]
    axes = [layer["encoding"]["y"] for layer in made["layer"]]
    assert metric.unit in axes[0]["title"]
    assert axes[0]["scale"]["domainMin"] == 0


def test_axes_write_dates_and_numbers_as_the_locale_does(monkeypatch):
    elsewhere = replace(strings.WRITTEN, decimal=";", short_months=("M",) * 12)
    monkeypatch.setattr(strings, "WRITTEN", elsewhere)
    made = chart_of(make_photo(D1), make_photo(D2))
    svg = vl_convert.vegalite_to_svg(made)
    assert f">{D1.day} M<" in svg
    assert re.search(r">\d+;\d+<", svg)
    assert not re.search(r">[^<]*(Mar|\d\.\d)[^<]*<", svg)


def test_bars_are_drawn_only_where_the_uncertainty_is_known():
    def marks(made):
        return [layer["mark"]["type"] for layer in made["layer"]]

    assert "rule" not in marks(chart_of(make_photo(D1), make_photo(D2)))
    known = chart_of(make_photo(D1, sem=0.5), make_photo(D2, sem=0.5))
    assert "rule" in marks(known)
    rows = next(rows for rows in known["datasets"].values() if "low" in rows[0])
    assert rows[0]["low"] == pytest.approx(2.0 - 1.96 * 0.5)


def test_points_that_need_care_are_hollow_and_say_why():
    made = chart_of(make_photo(D1), make_photo(D2, flags=Flag.BLURRED), make_photo(D3))
    shapes = {
        (layer["mark"]["shape"], layer["mark"]["filled"])
        for layer in made["layer"]
        if layer["mark"]["type"] == "point"
    }
    assert shapes == {("circle", True), ("diamond", False)}
    assert SENTENCES[Flag.BLURRED] in str(made["datasets"])


# Scoring


def test_only_results_of_the_sample_course_are_shared(monkeypatch):
    monkeypatch.setattr(scoring, "analyze", lambda data: make_scan(scoring.digest(data)))
    monkeypatch.setattr(scoring, "_sample_results", {})
    uploads = [
        scoring.Upload(label="s", data=b"sample", sample=True),
        scoring.Upload(label="p", data=b"person"),
    ]
    scoring.measure_all(uploads, known={}, progress=lambda *_: None)
    assert set(scoring._sample_results) == {scoring.digest(b"sample")}


def test_what_went_wrong_is_said_in_words(monkeypatch):
    def fail(_data):
        raise NotAnImageError(expected="a photo", found="text", remedy="Choose a photo")

    monkeypatch.setattr(scoring, "analyze", fail)
    problem = scoring.measure(scoring.Upload(label="a.jpg", data=b"x"))
    assert problem == scoring.Problem(label="a.jpg", sentence=strings.PROBLEMS["not_an_image"])


def test_an_unknown_cause_says_its_remedy():
    error = SkinscanError(expected="a", found="b", remedy="Do this")
    assert scoring.explain(error) == "Do this."


def test_an_unforeseen_error_is_calm_and_its_log_names_nobody(monkeypatch, caplog):
    def fail(_data):
        raise RuntimeError("Anna Example")

    monkeypatch.setattr(scoring, "analyze", fail)
    with caplog.at_level(logging.ERROR):
        problem = scoring.measure(scoring.Upload(label="Anna.jpg", data=b"x"))
    assert problem.sentence == strings.PROBLEM_UNEXPECTED
    assert "RuntimeError" in caplog.text
    assert "Anna" not in caplog.text


def test_a_photo_is_measured_once(monkeypatch):
    calls = []

    def fake(data):
        calls.append(data)
        return make_scan(scoring.digest(data))

    monkeypatch.setattr(scoring, "analyze", fake)
    known = {}
    upload = scoring.Upload(label="2026-03-03.jpg", data=b"one")
    for _ in range(2):
        photos, problems = scoring.measure_all([upload], known=known, progress=lambda *_: None)
    assert calls == [b"one"]
    assert problems == []
    assert photos[0].taken_on == D1


def test_a_page_holds_so_many_photos_and_says_how_many_were_left_out():
    visit = state.Visit()
    one = scoring.Upload(label="a", data=b"")
    visit.queue([one] * (state.MAX_PHOTOS + 3))
    assert len(visit.pending) == state.MAX_PHOTOS
    assert visit.left_out == 3


def test_what_is_removed_is_forgotten():
    visit = state.Visit()
    photo = make_photo(D1)
    drawn = looks.draw_all(photo.scan)
    visit.measured[photo.sha256] = scoring.Measured(scan=photo.scan, pictures=drawn)
    visit.take([photo], [])
    visit.remove(photo.sha256)
    assert (visit.photos, visit.measured) == ({}, {})


# The server


def test_the_server_is_told_to_keep_to_itself():
    flags = server.streamlit_arguments(server.Serving(port=8123))
    assert "--server.address=127.0.0.1" in flags
    assert "--server.port=8123" in flags
    assert "--browser.gatherUsageStats=false" in flags
    assert "--client.showErrorDetails=none" in flags
    assert "--server.enableXsrfProtection=true" in flags
    assert any(flag.startswith("--server.allowedHosts=") for flag in flags)
    assert server.Serving(port=8123).url == "http://127.0.0.1:8123"


def test_streamlit_knows_every_option():
    from streamlit import config

    known = set(config._config_options_template)
    used = {flag[2:].split("=")[0] for flag in server.streamlit_arguments(server.Serving(port=1))}
    assert used - known == set()


def test_the_upload_limit_is_the_one_of_the_photo():
    from skinscan.photo import PhotoLimits

    assert PhotoLimits().max_bytes == server.MAX_UPLOAD_MB * 2**20


def test_an_upload_is_not_written_to_a_temporary_file():
    from starlette.formparsers import MultiPartParser
    from starlette.requests import Request

    server.keep_uploads_in_memory()
    assert MultiPartParser.spool_max_size > server.MAX_UPLOAD_MB * 2**20
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    body = head + b"x" * (3 * 2**20) + b"\r\n--b--\r\n"
    scope = {
        "type": "http",
        "method": "PUT",
        "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
    }

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def rolled():
        form = await Request(scope, receive).form()
        spool = form["f"].file
        result = spool._rolled
        await form.close()
        return result

    assert asyncio.run(rolled()) is False


def test_the_list_of_import_folders_stays_as_it_is_while_the_script_runs(monkeypatch):
    from streamlit.runtime.scriptrunner.exec_code import modified_sys_path

    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("ui")])
    server.keep_import_path()
    server.keep_import_path()
    kept = list(sys.path)
    assert kept.count(str(server.script_path().parent)) == 1
    for path in (server.script_path(), server.script_path().resolve()):
        with modified_sys_path(str(path)):
            assert sys.path == kept
    assert sys.path == kept


def test_the_server_starts_with_both(monkeypatch):
    called = []
    for name in ("keep_import_path", "keep_uploads_in_memory"):
        monkeypatch.setattr(server, name, lambda name=name: called.append(name))
    runpy.run_path(str(app_path()))
    assert called == ["keep_import_path", "keep_uploads_in_memory"]


# The page


def fake_analyze(data):
    text = data.decode("ascii", errors="replace")
    if text.startswith("cat"):
        raise NoFaceError(expected="a face", found="none", remedy="Photograph a face")
    if text.startswith("group"):
        raise SeveralFacesError(expected="one face", found="3", remedy="One person")
    if text.startswith("boom"):
        raise RuntimeError("secret detail")
    poor = Check("light", "Light", 14.0, "°", "≤ 20", Grade.POOR, "Turn to the window.")
    factor = 0.5 if "softer" in text else 1.0
    checks = [poor] if "poor" in text else []
    return fake_courses.drawn_scan(
        scoring.digest(data), {"wrinkles.contrast": factor}, checks=checks
    )


@pytest.fixture
def app(monkeypatch, app_test):
    monkeypatch.setattr(scoring, "analyze", fake_analyze)
    monkeypatch.setattr(scoring, "_sample_results", {})
    monkeypatch.setattr("skinscan.ui.scoring.sample_course_dir", lambda: ROOT / "no such folder")

    def script():
        from skinscan.ui.page import foot, quick_look
        from skinscan.ui.strings import PRIVACY_FORGOTTEN

        quick_look()
        foot(PRIVACY_FORGOTTEN)

    return app_test.from_function(script, default_timeout=30)


def upload(app, *files):
    app.file_uploader[0].set_value([(name, data, "image/jpeg") for name, data in files])
    return app.run()


def text_of(app):
    parts = [
        e.value for kind in ("title", "header", "subheader", "markdown") for e in app.get(kind)
    ]
    return "\n".join(parts + [e.proto.body for e in app.get("html")])


def test_the_first_view_says_what_to_do(app):
    app.run()
    assert not app.exception
    assert app.button(key="open_sample").label == strings.SAMPLE_BUTTON
    page = text_of(app)
    for line in strings.DISCLAIMERS:
        assert markup.escaped(line) in page


def test_a_missing_sample_course_is_said(app):
    app.run().button(key="open_sample").click().run()
    assert not app.exception
    assert strings.SAMPLE_MISSING in text_of(app)


def test_two_sessions_and_three_bad_files(app):
    app.run()
    upload(
        app,
        ("2026-03-03.jpg", b"first"),
        ("2026-03-10.jpg", b"second poor"),
        ("cat.jpg", b"cat"),
        ("group.jpg", b"group"),
        ("boom.jpg", b"boom"),
    )
    assert not app.exception
    page = text_of(app)
    assert strings.OVERVIEW_TITLE in page
    assert strings.PROGRESS_TITLE in page
    assert strings.PROBLEMS["no_face"] in page
    assert strings.PROBLEMS["several_faces"] in page
    assert strings.PROBLEM_UNEXPECTED in page
    assert "secret detail" not in page
    assert strings.PHOTOS_NEED_A_LOOK.format(count=1, total=2) in page
    assert strings.NUMBERS_TITLE in page
    assert len(app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart")) >= 6


def test_photos_reach_the_page_only_inside_it(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"second"))
    assert text_of(app).count('src="data:image/jpeg;base64,') == 3
    assert not app.get("imgs")
    assert not app.get("download_button")


def test_a_photo_without_a_date_is_asked_for_and_then_joins(app):
    app.run()
    upload(app, ("IMG_1.jpg", b"first"), ("2026-03-10.jpg", b"second"))
    assert strings.DATE_MISSING_TITLE in text_of(app)
    assert strings.ONE_SESSION in text_of(app)
    key = f"date_{scoring.digest(b'first')}"
    app.date_input(key=key).set_value(D1).run()
    assert not app.exception
    assert strings.DATE_MISSING_TITLE not in text_of(app)
    assert strings.PROGRESS_TITLE in text_of(app)


def words_in(app):
    return re.sub(r'src="data:[^"]*"', "", text_of(app))


def test_what_changed_is_said_first_and_nothing_is_claimed_below(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"softer"))
    assert not app.exception
    page = words_in(app)
    assert "Lines: 50 % softer since 3 March" in page
    assert page.count("no detectable change; a change of") == 5
    # Headers stand before HTML in this text, so the claims are looked for in what follows it.
    numbers = page.split(strings.NUMBERS_TEXT)[1]
    assert not VERDICT_WORDS.search(numbers)


def test_unchanged_numbers_claim_nothing(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"second"))
    page = words_in(app)
    assert page.count("no detectable change; a change of") == 6
    assert not VERDICT_WORDS.search(page)


def test_photos_of_two_days_lie_on_each_other(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"a"), ("2026-03-10.jpg", b"bb"), ("2026-03-17.jpg", b"ccc"))
    assert len(app.get("bidi_component")) == 1
    app.selectbox(key="pair_before").set_value(scoring.digest(b"bb")).run()
    app.toggle(key="show_motion").set_value(True).run()
    assert not app.exception
    assert len(app.get("bidi_component")) == 2


@pytest.mark.parametrize("concern", list(Concern))
def test_every_concern_has_its_table_of_changes(app, concern):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"softer"))
    app.button_group(key="regions_concern").set_value(concern).run()
    assert not app.exception
    assert strings.UNEXPECTED not in text_of(app)
    assert strings.CHANGE_CAPTION in text_of(app)


def test_another_person_is_kept_out_until_somebody_confirms(app, monkeypatch):
    def doubt(scan, _references):
        stranger = scan.sha256 == scoring.digest(b"stranger")
        return strings.PROBLEMS["another_person"] if stranger else ""

    monkeypatch.setattr(scoring, "_doubt", doubt)
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"stranger"))
    assert strings.PROBLEMS["another_person"] in text_of(app)
    held = app.session_state["skinscan_state"]
    assert len(held.photos) == 1
    app.button(key="keep_doubtful").click().run()
    assert not app.exception
    assert len(held.photos) == 2
    assert strings.PROGRESS_TITLE in text_of(app)


def test_a_date_can_be_corrected_and_a_photo_left_out(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"second"))
    second = scoring.digest(b"second")
    app.date_input(key=f"date_{second}").set_value(D3).run()
    assert strings.long_date(D3) in text_of(app)
    assert strings.DATE_SOURCE["typed"] in text_of(app)
    app.button(key=f"remove_{second}").click().run()
    assert not app.exception
    assert strings.ONE_SESSION in text_of(app)


def test_every_kind_of_metric_can_be_opened(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"second"))
    kinds = {}
    for metric in metrics().values():
        kind = (metric.concern, metric.better, metric.unit, metric.lowest_level_px_mm)
        kinds.setdefault(kind, metric)
    opened = None
    for metric in kinds.values():
        if metric.concern is not opened:
            opened = metric.concern
            app.selectbox(key="concern").set_value(opened).run()
        app.selectbox(key=f"metric_{opened.value}").set_value(metric.name).run()
        assert not app.exception
        assert strings.UNEXPECTED not in text_of(app)
        shown = text_of(app)
        for said in (metric.description, *metric.responds_to, *metric.blind_to, metric.limits):
            assert markup.escaped(said) in shown


def test_no_region_chosen_is_said(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"), ("2026-03-10.jpg", b"second"))
    app.multiselect[0].set_value([]).run()
    assert strings.NO_REGION in text_of(app)


def test_a_new_course_forgets_everything(app):
    app.run()
    upload(app, ("2026-03-03.jpg", b"first"))
    app.button(key="new_course").click().run()
    held = app.session_state["skinscan_state"]
    assert (held.photos, held.measured, held.pending) == ({}, {}, [])
    assert strings.SAMPLE_TITLE in text_of(app)


def test_the_address_can_open_the_sample_course(app, monkeypatch, tmp_path):
    for day in (D1, D2):
        (tmp_path / f"{day}_front.jpg").write_bytes(str(day).encode())
    (tmp_path / "truth.json").write_text("{}")
    monkeypatch.setattr("skinscan.ui.scoring.sample_course_dir", lambda: tmp_path)
    app.query_params["course"] = "sample"
    app.run()
    assert not app.exception
    assert strings.COURSE_SAMPLE in text_of(app)
    assert strings.OVERVIEW_TITLE in text_of(app)
