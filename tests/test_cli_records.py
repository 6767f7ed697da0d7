"""The commands for a practice's records, from setting up to restoring."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from dataclasses import replace
from types import ModuleType

import pytest
from _practice import prepared, sample_scan
from fake_jobs import read_or_die
from typer.testing import CliRunner

from skinscan.cli import custody as work
from skinscan.cli.commands import app
from skinscan.cli.demo import side_by_side
from skinscan.errors import NoFaceError, WorkerError
from skinscan.practice import clients, courses, photos
from skinscan.practice.forms import Plan
from skinscan.practice.principal import TERMINAL
from skinscan.store import schema

COMMANDS = (
    ("setup",),
    ("clients",),
    ("add-client",),
    ("import",),
    ("doctor",),
    ("backup",),
    ("restore",),
    ("export",),
    ("erase",),
    ("retention",),
    ("rotate-key",),
)


def call(*arguments, typed=None):
    return CliRunner().invoke(
        app, [str(a) for a in arguments], input=typed, env={"COLUMNS": "80", "TERM": "dumb"}
    )


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKINSCAN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SKINSCAN_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    monkeypatch.delenv("SKINSCAN_DATABASE", raising=False)
    monkeypatch.delenv("SKINSCAN_OBJECTS", raising=False)
    return tmp_path


@pytest.fixture
def practice(home):  # noqa: ARG001 - it says where
    """A practice with one client; the recovery code."""
    code = call("setup", "--practice", "Rose Street").stdout.strip()
    assert call("add-client", "Ada Client", "--consent").exit_code == 0
    return code


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of two sessions whose photos cost no measuring."""
    where = tmp_path / "photos"
    where.mkdir()
    for name in ("2026-03-03_front.jpg", "2026-03-10_front.jpg", "2026-03-17_front.jpg"):
        (where / name).write_text(name, encoding="utf-8")

    def prepare(source):
        if b"17" in source:
            raise NoFaceError(expected="a face", found="none", remedy="Take another photo")
        ready = prepared(int.from_bytes(source[8:10]))
        return replace(ready, scan=replace(sample_scan(), captured_at=None))

    monkeypatch.setattr(photos, "prepare", prepare)
    return where


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_help_has_examples_and_fits_80_columns(command):
    result = call(*command, "--help")
    text = re.sub(r"\x1b\[[0-9;]*m", "", result.output)
    assert result.exit_code == 0
    assert f"skinscan {command[0]}" in text.split("Examples")[1]
    assert max(map(len, text.splitlines())) <= 80


def test_without_records_every_command_says_so_without_a_traceback(home, tmp_path):
    del home
    for command in (("clients",), ("doctor",), ("rotate-key", "--yes"), ("audit", "verify")):
        result = call(*command)
        assert result.exit_code == 2, command
        assert "key file" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_setting_up_twice_changes_nothing(practice, home):
    before = (home / "keys" / "master.key").read_bytes()
    assert call("setup", "--practice", "Other").exit_code == 2
    assert (home / "keys" / "master.key").read_bytes() == before
    assert len(practice) == 44


def test_only_the_code_is_on_standard_output(home):
    del home
    result = call("setup", "--practice", "Rose Street")
    assert re.fullmatch(r"([0-9A-Z]{4}-){8}[0-9A-Z]{4}\n", result.stdout)


def test_a_folder_becomes_sessions_and_a_second_run_adds_nothing(practice, folder):
    del practice
    result = call("import", folder, "--client", "ada")
    assert result.exit_code == 1  # one photo has no face
    assert "2 photos added, 0 known already, 1 could not" in result.stderr
    assert "2 new sessions" in result.stderr
    result = call("import", folder, "--client", "ada")
    assert "0 photos added, 2 known already" in result.stderr
    assert "0 new sessions" in result.stderr
    with work.opened() as records:
        (card,) = clients.clients(records, TERMINAL)
        (course,) = courses.courses(records, TERMINAL, card.id)
        held = courses.sessions(records, TERMINAL, course.id)
    assert [s.held_on.isoformat() for s in held] == ["2026-03-03", "2026-03-10"]


def test_what_a_table_declares_is_not_lost_when_a_folder_is_imported(practice, folder, tmp_path):
    del practice
    table = tmp_path / "dates.csv"
    name = min(path.name for path in folder.iterdir())
    table.write_text(f"photo,date,make_up\n{name},,worn\n", encoding="utf-8")
    result = call("import", folder, "--client", "ada", "--dates", table)
    assert result.exit_code == 2
    assert "by session" in result.stderr
    table.write_text(f"photo,date,make_up\n{name},2026-03-09,\n", encoding="utf-8")
    call("import", folder, "--client", "ada", "--dates", table)
    with work.opened() as records:
        (card,) = clients.clients(records, TERMINAL)
        (course,) = courses.courses(records, TERMINAL, card.id)
        held = courses.sessions(records, TERMINAL, course.id)
    assert "2026-03-09" in [s.held_on.isoformat() for s in held]


def test_which_course_must_be_said_where_several_are_open(practice, folder):
    del practice
    with work.opened() as records:
        (card,) = clients.clients(records, TERMINAL)
        ids = [
            courses.add_course(records, TERMINAL, card.id, Plan(), started_on=schema.now().date())
            for _ in range(2)
        ]
    result = call("import", folder, "--client", "ada")
    assert result.exit_code == 2
    assert all(course_id in result.stderr for course_id in ids)
    assert call("import", folder, "--client", "ada", "--course", ids[1]).exit_code == 1


def test_from_backup_to_erasure_to_restore(practice, folder, home):
    call("import", folder, "--client", "ada")
    assert call("recovery", "prove", typed=f"{practice.lower()}\n").exit_code == 0
    assert call("recovery", "prove", typed="AAAA-BBBB\n").exit_code == 2
    assert "4 new objects" in call("backup", home / "backup").stderr
    assert call("doctor").stdout.strip() == "All is well."
    assert "intact" in call("audit", "verify").stderr
    assert "photo.added" in call("audit", "show").stdout

    out = home / "ada.zip"
    assert call("export", "ada", "-o", out).exit_code == 0
    assert len([n for n in zipfile.ZipFile(out).namelist() if n.startswith("photos/")]) == 2

    assert call("restore", home / "backup", typed="\n").exit_code == 2
    shutil.rmtree(home / "data")
    (home / "keys" / "master.key").unlink()
    assert call("restore", home / "backup", "--yes").exit_code == 2
    done = call("restore", home / "backup", "--yes", "--recovery-code", typed=f"{practice}\n")
    assert done.exit_code == 0, done.output
    assert "Ada Client" in call("clients").stdout
    assert call("doctor").exit_code == 0

    assert call("erase", "ada").exit_code == 2  # nobody there to agree
    assert "Ada Client" in call("clients").stdout
    assert call("erase", "ada", "--yes").exit_code == 0
    assert call("clients").stdout == ""
    call("restore", home / "backup", "--yes")
    assert call("clients").stdout == ""
    assert call("doctor").exit_code == 0


def test_a_new_master_key_means_a_new_recovery_code(practice):
    assert call("rotate-key").exit_code == 2  # nobody there to agree
    code = call("rotate-key", "--yes").stdout.strip()
    assert code != practice
    assert call("recovery", "prove", typed=f"{practice}\n").exit_code == 2
    assert call("recovery", "prove", typed=f"{code}\n").exit_code == 0


def test_retention_needs_to_be_told_to_erase(home, folder):
    del home
    call("setup", "--practice", "Rose Street", "--keep-years", "1")
    call("add-client", "Ada Client", "--consent")
    call("import", folder, "--client", "ada")
    assert "Nobody is due" in call("retention").stdout
    with work.opened() as records, records.database.write() as session:
        for held in session.query(schema.Session):
            held.held_on = held.held_on.replace(year=2020)
    assert "1 due. Nothing was erased" in call("retention").stdout
    assert "Nothing was erased" in call("retention", "--erase").stdout
    assert call("clients").stdout
    assert "1 clients erased" in call("retention", "--erase", "--yes").stdout
    assert call("clients").stdout == ""


def test_doctor_ends_with_1_when_something_is_lost(practice, folder, home):
    del practice
    call("import", folder, "--client", "ada")
    next((home / "data" / "objects").rglob("photo-*")).unlink()
    result = call("doctor")
    assert result.exit_code == 1
    assert "object_missing" in result.stdout


def test_a_demo_whose_measuring_is_killed_says_what_to_do(tmp_path, monkeypatch):
    # Processes start as their parent's main module, which a page under test exchanges.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    files = [tmp_path / name for name in ("a", "b", "c")]
    for path, text in zip(files, ("one", "two", "three"), strict=True):
        path.write_text(text)
    assert list(side_by_side(read_or_die, files)) == ["one", "two", "three"]
    files[1].write_text("die")
    with pytest.raises(WorkerError, match="ended from outside"):
        list(side_by_side(read_or_die, files))
