"""``skinscan compare`` and ``skinscan track``: dates, people, tables, exit codes."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from fake_courses import SEVERITY, scan, write_precision
from typer.testing import CliRunner

import skinscan.scan
from skinscan import precision
from skinscan.batch.sources import find_photos
from skinscan.cli import progress as cli_progress
from skinscan.cli.commands import app
from skinscan.cli.dates import date_of, read_dates
from skinscan.cli.progress import parse_event
from skinscan.errors import (
    AnotherPersonError,
    BadOptionError,
    NoFaceError,
    SourceFolderError,
)
from skinscan.precision import precision_model
from skinscan.progress import Event, EventKind
from skinscan.progress.tables import CHANGE_COLUMNS, SESSION_COLUMNS

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
    """A photo holds the factor of its wrinkle severity, or says that it shows nobody."""

    def analyze(path, *, name, largest_face):
        del largest_face
        text = Path(path).read_text(encoding="utf-8")
        if text == "nobody":
            raise NoFaceError(expected="a face", found="none", remedy="Take another photo")
        return replace(scan({SEVERITY: float(text)}), name=name)

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


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


# Dates ------------------------------------------------------------------------------------------


def test_dates_are_trusted_in_the_documented_order():
    name = "2026-03-04/2026-03-03_front.jpg"
    assert date_of(name, {name: date(2026, 3, 1)}, TAKEN) == date(2026, 3, 1)
    assert date_of(name, {}, TAKEN) == date(2026, 3, 3)
    assert date_of("2026-03-04/front.jpg", {}, TAKEN) == date(2026, 3, 4)
    assert date_of("2026-03-04/takes/front.jpg", {}, TAKEN) == date(2026, 3, 4)
    assert date_of("front.jpg", {}, TAKEN) == date(2026, 5, 1)
    with pytest.raises(BadOptionError, match="date"):
        date_of("front.jpg", {}, None)


def test_a_table_of_dates_is_read(tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text("\ufeffphoto,date,note\na/b.jpg, 2026-03-03 ,x\n", encoding="utf-8")
    assert read_dates(path) == {"a/b.jpg": date(2026, 3, 3)}


@pytest.mark.parametrize(
    "content", ["photo,date\na.jpg,soon\n", "photo\na.jpg\n", "photo,date\na.jpg\n"]
)
def test_a_table_without_dates_is_refused(tmp_path, content):
    path = tmp_path / "dates.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadOptionError, match="CSV"):
        read_dates(path)
    with pytest.raises(BadOptionError, match="CSV"):
        read_dates(tmp_path / "absent.csv")


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
    assert set(claimed["metric"]) == {SEVERITY}


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


def test_track_takes_dates_from_a_table(folder, tmp_path):
    table = tmp_path / "dates.csv"
    table.write_text("photo,date\n2026-03-10.jpg,2026-04-01\n", encoding="utf-8")
    result = call("track", folder, "--dates", table, "-o", tmp_path)
    assert result.exit_code == 0, result.stderr
    sessions = pd.read_csv(tmp_path / "progress.csv")["session"]
    assert set(sessions) == {"2026-03-03", "2026-04-01"}


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


def test_events_are_read():
    assert parse_event("sun:2026-03-05") == Event(date(2026, 3, 5), EventKind.SUN)


# compare ----------------------------------------------------------------------------------------


def test_compare_speaks_of_two_photos(folder, tmp_path):
    before, after = sorted(folder.iterdir())
    result = call("compare", before, after, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "Lines: 60 % softer between the two photos (between" in result.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.html", "progress.csv", "changes.csv", "course_wrinkles.svg"} <= written
    assert f"map_{SEVERITY}.overlay.jpg" in written
    with pytest.raises(SourceFolderError):  # none of it is taken for a photo
        find_photos([tmp_path / "out"])


def test_track_writes_the_report_on_paper(folder, tmp_path):
    result = call("track", folder, "-o", tmp_path / "out", "--practice", "Praxis Łódź")
    assert result.exit_code == 0, result.stderr
    content = (tmp_path / "out" / "progress.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/Lang (en)" in content
