"""Who may do what: every operation against every kind of person, from a table written by hand."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
from made_records import DAY, office, places, prepared, user

import skinscan.practice
from skinscan.errors import DeniedError, RecordMissingError
from skinscan.practice import clients, courses, custody, photos, rules
from skinscan.practice.forms import Settings, TreatmentNote
from skinscan.practice.principal import ANONYMOUS, TERMINAL, Principal
from skinscan.practice.rules import OPERATIONS, On
from skinscan.progress import EventKind
from skinscan.store.schema import Role

for module in pkgutil.iter_modules(skinscan.practice.__path__):
    importlib.import_module(f"skinscan.practice.{module.name}")

#: o owner, p practitioner, s the client themself, h the client themself where shared, t terminal.
TABLE = {
    "add_client": "opt",
    "clients": "opt",
    "client": "opst",
    "edit_client": "op",
    "assign_client": "o",
    "archive_client": "op",
    "unarchive_client": "op",
    "consents": "opst",
    "give_consent": "opst",
    "withdraw_consent": "ops",
    "ask_deletion": "s",
    "add_course": "opt",
    "courses": "opst",
    "course": "opst",
    "edit_course": "op",
    "close_course": "op",
    "reopen_course": "op",
    "courses_of": "opt",
    "add_session": "opt",
    "sessions": "opst",
    "session": "opst",
    "edit_session": "op",
    "remove_session": "op",
    "report_session": "ops",
    "share_session": "op",
    "unshare_session": "op",
    "add_treatment": "opt",
    "treatments": "opst",
    "remove_treatment": "op",
    "save_photo": "opt",
    "photos": "opht",
    "course_photos": "opst",
    "view_photo": "oph",
    "course_looks": "ops",
    "correct_view": "op",
    "move_photo": "op",
    "remove_photo_rows": "op",
    "session_scans": "opst",
    "course_scans": "opst",
    "open_kept": "opt",
    "save_scan": "opt",
    "save_failure": "opt",
    "session_states": "opst",
    "version": "opst",
    "settings": "opst",
    "change_settings": "ot",
    "logo": "opst",
    "change_logo": "o",
    "deletion_wishes": "ot",
    "audit_lines": "ot",
    "verify_audit": "ot",
    "due_for_erasure": "ot",
    "allow_erasure": "ot",
    "note_export": "ost",
    "allow_batch": "op",
    "note_batch_start": "op",
    "note_batch_download": "op",
    "staff": "opt",
    "account_of_client": "op",
    "allow_managing_staff": "o",
    "allow_managing_user": "o",
    "confirm_other_owner": "o",
    "last_backup": "ot",
    "allow_examining": "ot",
}

#: Functions over several operations, and the operation that lets one in.
COMPOSED = {
    "add_photo": "save_photo",
    "remove_photo": "remove_photo_rows",
    "rescore": "save_scan",
    "kept_skin": "view_photo",
    "erase_client": "allow_erasure",
    "export_client": "note_export",
    "write_export": "note_export",
    "progress": "course",
    "examine_storage": "allow_examining",
    "invite_staff": "allow_managing_staff",
    "invite_client": "account_of_client",
    "reset_client": "account_of_client",
    "reset_staff": "allow_managing_user",
    "disable": "confirm_other_owner",
    "enable": "allow_managing_user",
}

PEOPLE = (
    "owner",
    "carer",
    "colleague",
    "colleague where each has their own",
    "carer where each has their own",
    "client",
    "client before sharing",
    "other client",
    "nobody",
    "unknown user",
    "disabled practitioner",
    "client who says they are the owner",
    "owner of another practice",
    "terminal",
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A practice with one of everything, and who may ask."""
    made = office(places(tmp_path_factory.mktemp("rules")))
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    treatment_id = courses.add_treatment(
        made.records, made.carer, made.client_id, DAY, TreatmentNote(EventKind.SUN)
    )
    made.extra["targets"] = {
        On.CLIENT: made.client_id,
        On.COURSE: made.course_id,
        On.SESSION: made.session_id,
        On.TREATMENT: treatment_id,
        On.PHOTO: photo_id,
        On.USER: made.carer.user_id,
    }
    with made.records.database.write() as session:
        from skinscan.store.schema import Practice

        session.add(Practice(id="e" * 32, key_wrapped=b"w", settings={}))
    made.extra["people"] = {
        "owner": made.owner,
        "carer": made.carer,
        "colleague": made.colleague,
        "colleague where each has their own": made.colleague,
        "carer where each has their own": made.carer,
        "client": made.client,
        "client before sharing": made.client,
        "other client": made.other,
        "nobody": ANONYMOUS,
        "unknown user": Principal("f" * 32, Role.OWNER),
        "disabled practitioner": user(made.records, Role.PRACTITIONER, disabled=True),
        "client who says they are the owner": Principal(made.client.user_id, Role.OWNER),
        "owner of another practice": user(made.records, Role.OWNER, practice_id="e" * 32),
        "terminal": TERMINAL,
    }
    yield made
    made.records.close()


LETTERS = {
    "owner": "o",
    "carer": "p",
    "colleague": "p",
    "carer where each has their own": "p",
    "client": "sh",
    "client before sharing": "s",
    "terminal": "t",
}


def expected(person, letters, on):
    if person == "colleague where each has their own":
        return "p" in letters and on in (On.PRACTICE, On.USER)
    if person == "other client":
        return "s" in letters and on is On.PRACTICE
    return bool(set(LETTERS.get(person, "")) & set(letters))


def test_the_table_names_every_operation():
    assert set(TABLE) == set(OPERATIONS)
    assert len(PEOPLE) >= 9


def test_every_public_function_that_takes_a_principal_has_a_rule():
    found = {}
    for module in pkgutil.iter_modules(skinscan.practice.__path__):
        loaded = importlib.import_module(f"skinscan.practice.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if function.__module__ != loaded.__name__ or name.startswith("_") or loaded is rules:
                continue
            names = list(inspect.signature(function).parameters)
            if "principal" in names or hasattr(function, "__wrapped__"):
                found[name] = function
    assert set(found) == set(TABLE) | set(COMPOSED)
    assert set(COMPOSED.values()) <= set(TABLE)


@pytest.mark.parametrize("person", PEOPLE)
def test_each_operation_lets_in_whom_it_should_and_nobody_else(scene, person):
    own = "own" in person
    custody.change_settings(scene.records, TERMINAL, Settings(own_clients_only=own))
    if person == "client":
        courses.share_session(scene.records, scene.carer, scene.session_id)
    else:
        courses.unshare_session(scene.records, scene.carer, scene.session_id)
    principal = scene.extra["people"][person]
    cells = 0
    for name, letters in TABLE.items():
        on = OPERATIONS[name].on
        target = scene.extra["targets"].get(on)
        wanted = expected(person, letters, on)
        assert rules.may(scene.records, principal, name, target) is wanted, name
        if not wanted:
            module = importlib.import_module(
                next(
                    f"skinscan.practice.{m.name}"
                    for m in pkgutil.iter_modules(skinscan.practice.__path__)
                    if hasattr(
                        vars(importlib.import_module(f"skinscan.practice.{m.name}")).get(name),
                        "__wrapped__",
                    )
                )
            )
            arguments = [] if on is On.PRACTICE else [target]
            with pytest.raises((DeniedError, RecordMissingError)):
                getattr(module, name)(scene.records, principal, *arguments)
        cells += 1
    assert cells == len(OPERATIONS)


def test_what_one_may_not_know_of_looks_like_what_does_not_exist(scene):
    custody.change_settings(scene.records, TERMINAL, Settings())
    errors = []
    for target in (scene.client_id, "0" * 32, "", "'; --"):
        with pytest.raises(RecordMissingError) as raised:
            clients.client(scene.records, scene.other, target)
        errors.append(str(raised.value))
    assert len(set(errors)) == 1


def test_a_stranger_learns_nothing_even_of_what_exists(scene):
    for target in (scene.client_id, "0" * 32):
        with pytest.raises(DeniedError):
            clients.client(scene.records, ANONYMOUS, target)


def test_refusals_of_known_people_are_written_down_and_those_of_strangers_are_not(scene):
    before = len(custody.audit_lines(scene.records, TERMINAL, most=10_000))
    with pytest.raises(DeniedError):
        custody.audit_lines(scene.records, scene.carer)
    with pytest.raises(DeniedError):
        custody.audit_lines(scene.records, ANONYMOUS)
    lines = custody.audit_lines(scene.records, TERMINAL, most=10_000)
    assert len(lines) == before + 1
    assert (lines[0].action, lines[0].actor) == ("denied", scene.carer.user_id)
    assert lines[0].detail == {"operation": "audit_lines"}


@pytest.mark.parametrize("function", ["export_client", "erase_client"])
def test_composed_functions_ask_first(scene, tmp_path, function):
    arguments = [tmp_path / "out.zip"] if function == "export_client" else []
    with pytest.raises(RecordMissingError):
        getattr(custody, function)(scene.records, scene.other, scene.client_id, *arguments)
    with pytest.raises(DeniedError):
        getattr(custody, function)(scene.records, scene.carer, scene.client_id, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_stranger_cannot_make_the_server_decode_pictures(scene, monkeypatch):
    def never(*_args, **_kwargs):
        raise AssertionError("decoded")

    monkeypatch.setattr(photos, "prepare", never)
    with pytest.raises(RecordMissingError):
        photos.add_photo(scene.records, scene.other, scene.session_id, b"x")
    with pytest.raises(DeniedError):
        photos.add_photo(scene.records, ANONYMOUS, scene.session_id, b"x")
