"""``skinscan compare`` and ``skinscan track``: dates, people, tables, exit codes."""

import html
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from fake_courses import LINES, scan, write_precision
from PIL import Image
from typer.testing import CliRunner

import skinscan.scan
from skinscan import precision
from skinscan.batch.sources import find_photos
from skinscan.cli import progress as cli_progress
from skinscan.cli.commands import app
from skinscan.cli.dates import date_of
from skinscan.cli.events import read_events
from skinscan.errors import (
    AnotherPersonError,
    BadOptionError,
    NoFaceError,
    SourceFolderError,
)
from skinscan.metrics import Concern
from skinscan.plots import Unmatched
from skinscan.precision import precision_model
from skinscan.progress import Event, EventKind, track, words
from skinscan.progress.tables import CHANGE_COLUMNS, SESSION_COLUMNS
from skinscan.resources import sample_course_dir

TAKEN = datetime(2026, 5, 1, 12, 0)  # noqa: DTZ001 - EXIF has no time zone


@pytest.fixture(autouse=True)
def _precision(tmp_path, monkeypatch):
    path = write_precision(tmp_path)
    monkeypatch.setattr(precision, "precision_path", lambda: path)
    precision_model.cache_clear()
    yield
    precision_model.cache_clear()


@pytest.fixture(autouse=True)
def _analysis(monkeypatch):
    """A photo holds the factor of the contrast of its lines, or says that it shows nobody."""

    def analyze(path, *, name, largest_face):
        del largest_face
        text = Path(path).read_text(encoding="utf-8")
        if text == "nobody":
            raise NoFaceError(expected="a face", found="none", remedy="Take another photo")
        return replace(scan({LINES: float(text)}), name=name)

    monkeypatch.setattr(cli_progress, "analyze", analyze)
    monkeypatch.setattr(skinscan.scan, "analyze", analyze)


@pytest.fixture
def folder(tmp_path):
    """A client's folder."""
    path = tmp_path / "client"
    path.mkdir()
    for name, content in {"2026-03-03.jpg": "1.0", "2026-03-10.jpg": "0.4"}.items():
        (path / name).write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def tables_only(monkeypatch):
    """Leave out charts and report, which take seconds, where nothing but the tables is read."""
    for name in ("course_chart", "regions_chart", "as_svg", "report"):
        monkeypatch.setattr(cli_progress, name, lambda *_, **__: "")


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


# Dates ------------------------------------------------------------------------------------------


def test_dates_are_trusted_in_the_documented_order():
    name = "2026-03-04/2026-03-03_front.jpg"
    assert date_of(name, date(2026, 3, 1), TAKEN) == date(2026, 3, 1)
    assert date_of(name, None, TAKEN) == date(2026, 3, 3)
    assert date_of("2026-03-04/front.jpg", None, TAKEN) == date(2026, 3, 4)
    assert date_of("2026-03-04/takes/front.jpg", None, TAKEN) == date(2026, 3, 4)
    assert date_of("front.jpg", None, TAKEN) == date(2026, 5, 1)
    with pytest.raises(BadOptionError, match="date"):
        date_of("front.jpg", None, None)


# track ------------------------------------------------------------------------------------------


def test_track_says_what_changed_and_writes_both_tables(folder, tmp_path):
    result = call("track", folder, "-o", tmp_path / "new" / "out")
    assert result.exit_code == 0, result.stderr
    assert "Lines: 60 % softer since 3 March (between" in result.stdout
    assert "2 sessions, photos: 2 front." in result.stderr
    sessions = pd.read_csv(tmp_path / "new" / "out" / "progress.csv")
    changes = pd.read_csv(tmp_path / "new" / "out" / "changes.csv")
    assert tuple(sessions.columns) == SESSION_COLUMNS
    assert tuple(changes.columns) == CHANGE_COLUMNS
    assert set(sessions["session"]) == {"2026-03-03", "2026-03-10"}
    claimed = changes[changes["verdict"] == "improved"]
    assert set(claimed["metric"]) == {LINES}


def test_track_takes_baseline_treated_regions_events_and_locale(folder):
    (folder / "2026-02-24.jpg").write_text("1.0", encoding="utf-8")
    result = call(
        *("track", folder, "--baseline", "2026-02-24", "--baseline", "2026-03-03"),
        *("--treated", "crows_feet", "--event", "peel:2026-03-05", "--locale", "en-US"),
    )
    assert result.exit_code == 0, result.stderr
    assert "Lines in the treated regions: 60 % softer since March 3 (" in result.stdout
    assert "A peel on March 5 may" in result.stdout
    assert "taken from 2 days before" in result.stdout


@pytest.mark.usefixtures("tables_only")
def test_track_takes_dates_from_a_table(folder, tmp_path):
    table = tmp_path / "dates.csv"
    table.write_text("photo,date\n2026-03-10.jpg,2026-04-01\n", encoding="utf-8")
    result = call("track", folder, "--dates", table, "-o", tmp_path)
    assert result.exit_code == 0, result.stderr
    sessions = pd.read_csv(tmp_path / "progress.csv")["session"]
    assert set(sessions) == {"2026-03-03", "2026-04-01"}


def test_track_takes_declarations_from_the_table(folder, tmp_path):
    table = tmp_path / "dates.csv"
    text = "photo,date,make_up,just_treated\n2026-03-10.jpg,,{},{}\n"
    said = {}
    for make_up, treated in (("none", "no"), ("worn", "no"), ("", "yes")):
        table.write_text(text.format(make_up, treated), encoding="utf-8")
        result = call("track", folder, "--dates", table)
        assert result.exit_code == 0, result.stderr
        said[make_up, treated] = result.stdout
    assert "Lines: 60 % softer since 3 March" in said["none", "no"]
    assert "not compared. One of the photos was taken with make-up" in said["worn", "no"]
    assert "Line of the jaw: no detectable change" in said["worn", "no"]
    assert "Lift: not compared. One of the photos was taken just after" in said["", "yes"]


def test_track_refuses_a_table_that_tells_of_photos_elsewhere(folder, tmp_path):
    table = tmp_path / "dates.csv"
    table.write_text("photo,date,make_up\n2026-03-11.jpg,,worn\n", encoding="utf-8")
    result = call("track", folder, "--dates", table)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "found 1 others" in result.stderr
    assert "2026-03-11" not in result.stderr


def test_track_takes_events_from_a_table(folder, tmp_path):
    table = tmp_path / "events.csv"
    table.write_text(
        'date,kind,note\n2026-03-05,peel,"cheeks, <b>glycolic</b>"\n2026-01-05,laser,\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    options = ("--events", table, "--event", "sun:2026-03-06", "--event", "peel:2026-03-05")
    result = call("track", folder, *options, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("A peel on 5 March may") == 1
    assert "Much sun on 6 March may" in result.stdout
    assert "laser" not in result.stdout  # before the course
    svg = (out / "course_wrinkles.svg").read_text(encoding="utf-8")
    assert svg.count(">peel<") == 1
    assert svg.count(">sun<") == 1
    assert ">laser<" not in svg
    events = pd.read_csv(out / "changes.csv")["events"].dropna().unique()
    assert set(events) == {"peel:2026-03-05|sun:2026-03-06"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<li>5 March 2026: peel – cheeks, &lt;b&gt;glycolic&lt;/b&gt;</li>" in page
    assert "<li>5 January 2026: laser</li>" in page


def test_events_from_a_table_are_those_of_the_python_argument(tmp_path):
    table = tmp_path / "events.csv"
    table.write_text("date,kind,note\n2026-03-05,peel,x\n", encoding="utf-8")
    scans, dates = [scan(), scan({LINES: 0.4})], [date(2026, 3, 3), date(2026, 3, 10)]
    said = [
        track(scans, dates=dates, events=events).overview()
        for events in (read_events(table), [Event(date(2026, 3, 5), EventKind.PEEL)])
    ]
    pd.testing.assert_frame_equal(*said)
    assert not said[0]["attributable"].all()


def test_track_goes_on_without_a_photo_that_shows_nobody(folder):
    (folder / "2026-03-17.jpg").write_text("nobody", encoding="utf-8")
    result = call("track", folder)
    assert result.exit_code == 1
    assert "2026-03-17.jpg: Expected a face" in result.stderr
    assert "Lines: 60 % softer" in result.stdout


def test_track_needs_a_date_for_every_photo(folder):
    (folder / "portrait.jpg").write_text("1.0", encoding="utf-8")
    result = call("track", folder)
    assert result.exit_code == 2
    assert "portrait.jpg" in result.stderr
    assert "--dates" in result.stderr


def test_track_needs_a_photo_that_can_be_measured(folder):
    for path in folder.iterdir():
        path.write_text("nobody", encoding="utf-8")
    assert call("track", folder).exit_code == 2


@pytest.mark.parametrize("command", ["compare", "track"])
def test_another_person_stops_until_it_is_confirmed(folder, monkeypatch, command):
    def refuse(*_):
        raise AnotherPersonError(expected="the same skin", found="another's", remedy="Look again")

    monkeypatch.setattr(cli_progress, "confirm_person", refuse)
    paths = [folder] if command == "track" else sorted(folder.iterdir())
    stopped = call(command, *paths)
    assert (stopped.exit_code, stopped.stdout) == (2, "")
    assert "another's" in stopped.stderr
    assert call(command, *paths, "--same-person").exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--event", "party:2026-03-05"),
        ("--event", "peel:today"),
        ("--baseline", "soon"),
        ("--baseline", "2020-01-01"),
        ("--treated", "elbow"),
        ("--locale", "xx"),
    ],
)
def test_wrong_options_end_with_a_sentence(folder, options):
    result = call("track", folder, *options)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("skinscan: Expected")
    assert result.stdout == ""


# What is written -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured():
    """Two photos of the sample course, analysed once, with their pixels."""
    days = ("2026-03-03", "2026-04-21")
    paths = [sample_course_dir() / f"{day}_front.jpg" for day in days]
    return dict(zip(days, map(skinscan.scan.analyze, paths), strict=True))


@pytest.fixture
def photos(tmp_path, monkeypatch, measured):
    """A folder of both, whose lines fade by half."""
    folder = tmp_path / "client"
    folder.mkdir()

    def analyze(path, *, name, largest_face):
        del largest_face
        found = measured[Path(path).stem]
        half = 0.5 if Path(path).stem == max(measured) else 1.0
        numbers = [
            replace(n, value=half * n.value) if n.metric == LINES else n
            for n in measured[min(measured)].measurements
        ]
        return replace(found, name=name, measurements=tuple(numbers))

    monkeypatch.setattr(cli_progress, "analyze", analyze)
    for day in measured:
        (folder / f"{day}.jpg").touch()
    return folder


def alternatives(page):
    """The alternative text of every picture of a page."""
    return [html.unescape(text) for text in re.findall(r'<img alt="([^"]*)"', page)]


def test_track_writes_a_chart_of_regions_a_difference_and_a_time_lapse(photos, tmp_path):
    out = tmp_path / "out"
    result = call("track", photos, "-o", out)
    assert result.exit_code == 0, result.stderr
    written = {path.name for path in out.iterdir()}
    assert {f"regions_{concern.value}.svg" for concern in Concern} <= written
    assert "Crow's feet" in (out / "regions_wrinkles.svg").read_text(encoding="utf-8")
    with Image.open(out / "timelapse.overlay.webp") as film:  # noqa: TID251 - our own file
        assert (film.format, film.n_frames) == ("WEBP", 2)
    with Image.open(out / "difference.overlay.jpg") as picture:  # noqa: TID251 - same
        assert (picture.format, picture.width) == ("JPEG", 640)
    assert {"before_after.overlay.jpg", "lines.overlay.jpg"} <= written
    shown = alternatives((out / "report.html").read_text(encoding="utf-8"))
    assert words.DIFFERENCE_ALT in shown
    assert words.REPORT_MOTION_ALT in shown
    with pytest.raises(SourceFolderError):  # none of it is taken for a photo
        find_photos([out])


def test_what_cannot_be_subtracted_is_said_in_the_shell_and_in_the_report(
    photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(cli_progress, "difference", lambda *_: Unmatched(0.1234))
    out = tmp_path / "out"
    result = call("track", photos, "-o", out)
    assert result.exit_code == 0, result.stderr
    sentence = words.DIFFERENCE_NONE.format(share="12", least="50")
    assert sentence in result.stderr
    assert "difference.overlay.jpg" not in {path.name for path in out.iterdir()}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert sentence in html.unescape(page).replace("\u00a0", " ")


# compare ----------------------------------------------------------------------------------------


def test_compare_speaks_of_two_photos(folder, tmp_path):
    before, after = sorted(folder.iterdir())
    result = call("compare", before, after, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "Lines: 60 % softer between the two photos (between" in result.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.html", "progress.csv", "changes.csv", "course_wrinkles.svg"} <= written
    assert f"map_{LINES}.overlay.jpg" in written
    with pytest.raises(SourceFolderError):  # none of it is taken for a photo
        find_photos([tmp_path / "out"])


def test_track_writes_the_report_on_paper(folder, tmp_path):
    result = call("track", folder, "-o", tmp_path / "out", "--practice", "Praxis Łódź")
    assert result.exit_code == 0, result.stderr
    content = (tmp_path / "out" / "progress.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/Lang (en)" in content
