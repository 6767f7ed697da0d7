"""CSV files that people fill in: events, and what is told of photos."""

import contextlib
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skinscan.cli.dates import Told, read_dates
from skinscan.cli.events import parse_event, read_events
from skinscan.declaration import Declaration, MakeUp
from skinscan.errors import BadOptionError
from skinscan.progress import Event, EventKind

DAY = date(2026, 3, 24)


@pytest.fixture
def sheet(tmp_path):
    """Write a file."""

    def written(content):
        path = tmp_path / "sheet.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


# Events -----------------------------------------------------------------------------------------


def test_an_event_is_read_from_an_option():
    assert parse_event("sun:2026-03-05") == Event(date(2026, 3, 5), EventKind.SUN)


def test_events_are_read_with_their_notes(sheet):
    rows = ("kind, date ,note,who", ' Filler,2026-03-24,"lips,\n 1 ml",x', "", "sun,2026-03-25,,")
    text = "\ufeff" + "\r\n".join(rows)
    found = read_events(sheet(text))
    assert found == (Event(DAY, EventKind.FILLER), Event(date(2026, 3, 25), EventKind.SUN))
    assert [event.note for event in found] == ["lips, 1 ml", ""]


def test_the_column_of_notes_may_be_absent(sheet):
    assert read_events(sheet("date,kind\n2026-03-24,laser\n")) == (Event(DAY, EventKind.LASER),)


def test_semicolons_separate_cells_too(sheet):
    found = read_events(sheet("date;kind;note\n2026-03-24;peel;mild, 10 %\n"))
    assert [event.note for event in found] == ["mild, 10 %"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "no column date"),
        ("date,note\n2026-03-24,x\n", "no column kind"),
        ("date,kind,date\n", "two columns of one name"),
        ("date,kind\n24.3.2026,secret\n", "no date in line 2"),
        ("date,kind\n2026-03-24,sun\n\n2026-03-25,secret\n", "an unknown kind in line 4"),
        ("date,kind\n2026-03-24\n", "1 cells in line 2"),
        ("date,kind\n2026-03-24,sun,secret\n", "3 cells in line 2"),
        ("date,kind\n2026-03-24,sun\n2026-03-24,SUN\n", "an event in line 3 that stands there"),
        (f"date,kind,note\n2026-03-24,sun,{'x' * 201}\n", "a note of 201 characters in line 2"),
        ("date,kind,note\n2026-03-24,sun,a\x07b\n", "a note with control characters in line 2"),
        ('date,kind,note\n2026-03-24,sun,"a\n', "broken quotes near line 2"),
        (b"date,kind\n\xff\xfe,sun\n", "bytes that are no UTF-8 text"),
    ],
)
def test_bad_rows_end_with_their_place_and_not_their_content(sheet, content, found):
    with pytest.raises(BadOptionError) as caught:
        read_events(sheet(content))
    assert caught.value.found.startswith(found)
    assert "--events" in caught.value.remedy
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadOptionError, match="no such file") as caught:
        read_events(tmp_path / "secret.csv")
    assert "secret" not in str(caught.value)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_gives_events_or_a_sentence(sheet, content):
    path = sheet(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    for read in (read_events, read_dates):
        with contextlib.suppress(BadOptionError):
            read(path)


@given(st.lists(st.tuples(st.dates(), st.sampled_from(EventKind)), unique=True, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_event_that_is_written_is_read(sheet, events):
    lines = [f"{on.isoformat()},{kind.value}" for on, kind in events]
    found = read_events(sheet("\n".join(["date,kind", *lines])))
    assert found == tuple(Event(on, kind) for on, kind in events)


# Photos -----------------------------------------------------------------------------------------


def test_dates_and_declarations_of_photos_are_read(sheet):
    text = (
        "photo,date,just_treated,make_up\na/b.jpg, 2026-03-24 ,,\nc.jpg,,yes,Worn\nd.jpg,,no,none\n"
    )
    assert read_dates(sheet(text)) == {
        "a/b.jpg": Told(DAY),
        "c.jpg": Told(None, Declaration(make_up=MakeUp.WORN, before_treatment=False)),
        "d.jpg": Told(None, Declaration(make_up=MakeUp.NONE)),
    }


def test_other_columns_are_passed_over(sheet):
    found = read_dates(sheet("\ufeffphoto,date,remark\na.jpg,2026-03-24,x\n"))
    assert found == {"a.jpg": Told(DAY)}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("photo\na.jpg\n", "no column date"),
        ("photo,date\nsecret.jpg,soon\n", "no date in line 2"),
        ("photo,date\na.jpg\n", "1 cells in line 2"),
        ("photo,date\n,2026-03-24\n", "no photo in line 2"),
        ("photo,date\na.jpg,\na.jpg,2026-03-24\n", "a photo twice in line 3"),
        ("photo,date,make_up\na.jpg,,secret\n", "an unknown make_up in line 2"),
        ("photo,date,just_treated\na.jpg,,secret\n", "neither yes nor no in line 2"),
    ],
)
def test_bad_rows_about_photos_end_with_their_place(sheet, content, found):
    with pytest.raises(BadOptionError, match="CSV") as caught:
        read_dates(sheet(content))
    assert caught.value.found == found
    assert "--dates" in caught.value.remedy
    assert "secret" not in str(caught.value)
