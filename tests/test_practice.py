"""What happens at a practice: clients, courses, sessions, photos, results, export."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import CANARY, DAY, office, picture, places, prepared

from skinscan.errors import (
    BadInputError,
    ConsentMissingError,
    LookError,
    NoFaceError,
    ObjectMissingError,
    OutputError,
    PhotoKnownError,
    RecordConflictError,
    RecordMissingError,
    StorageFullError,
)
from skinscan.landmarks import View
from skinscan.looks import Pictures
from skinscan.photo import load_photo, open_photo
from skinscan.practice import clients, courses, custody, photos, results
from skinscan.practice.forms import (
    ClientReport,
    Gais,
    Plan,
    PointUsed,
    Profile,
    SessionNotes,
    Settings,
    SkinState,
    TreatmentNote,
)
from skinscan.practice.principal import TERMINAL
from skinscan.progress import EventKind
from skinscan.regions import groups, regions
from skinscan.resources import sample_course_dir
from skinscan.scan import scan_to_json
from skinscan.store import schema
from skinscan.store.canonical import canonical, open_canonical
from skinscan.store.schema import Purpose


@pytest.fixture
def made(tmp_path):
    it = office(places(tmp_path))
    yield it
    it.records.close()


def sample(k=0):
    return sorted(sample_course_dir().glob("*_front.jpg"))[k].read_bytes()


# Forms


@given(st.text(), st.text(max_size=50), st.none() | st.integers(1900, 2100))
def test_a_profile_comes_back_as_it_was_taken(name, notes, year):
    try:
        profile = Profile(name, year, notes=notes)
    except BadInputError:
        return
    assert Profile.from_json(json.loads(json.dumps(profile.to_json()))) == profile
    assert profile.name


def test_nested_forms_come_back():
    notes = SessionNotes(
        regions=(min(groups()), min(regions())),
        points=(PointUsed("ST 36", detail="2 cun"), PointUsed("LED 633 nm")),
        skin=SkinState.CLEAN,
        contraindications_checked=True,
    )
    assert SessionNotes.from_json(json.loads(json.dumps(notes.to_json()))) == notes
    report = ClientReport(result=Gais.WORSE, relaxation=7, sleep_hours=6.5)
    assert ClientReport.from_json(json.loads(json.dumps(report.to_json()))) == report


@pytest.mark.parametrize(
    "make",
    [
        lambda: Profile(""),
        lambda: Profile("x" * 201),
        lambda: Profile("a", born_year=1850),
        lambda: Plan(regions=("knee",)),
        lambda: ClientReport(relaxation=11),
        lambda: ClientReport(sleep_hours=float("nan")),
        lambda: Settings(zone="Mars/Olympus"),
        lambda: Settings(keep_years=0),
    ],
)
def test_what_cannot_be_is_refused_in_words(make):
    with pytest.raises(BadInputError) as raised:
        make()
    assert raised.value.expected
    assert raised.value.found


# Clients


def test_clients_are_found_by_part_of_their_name(made):
    found = clients.clients(made.records, made.carer, search="quetzal")
    assert [card.id for card in found] == [made.client_id]
    assert len(clients.clients(made.records, made.owner)) == 2


def test_archived_clients_are_put_away_and_take_no_photos(made):
    clients.archive_client(made.records, made.carer, made.client_id)
    assert made.client_id not in {c.id for c in clients.clients(made.records, made.carer)}
    assert [c.id for c in clients.clients(made.records, made.carer, archived=True)] == [
        made.client_id
    ]
    with pytest.raises(BadInputError):
        photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    clients.unarchive_client(made.records, made.carer, made.client_id)
    photos.add_photo(made.records, made.carer, made.session_id, prepared(1))


def test_the_practices_notes_are_not_for_the_client(made):
    assert clients.client(made.records, made.carer, made.client_id).profile.notes
    assert clients.client(made.records, made.client, made.client_id).profile.notes == ""
    assert courses.session(made.records, made.carer, made.session_id).notes is not None
    assert courses.session(made.records, made.client, made.session_id).notes is None


def test_consents_stand_one_by_one_and_withdrawing_leaves_the_fact(made):
    clients.give_consent(made.records, made.client, made.client_id, Purpose.RESEARCH)
    clients.give_consent(made.records, made.client, made.client_id, Purpose.RESEARCH)
    clients.withdraw_consent(made.records, made.client, made.client_id, Purpose.ANALYSIS)
    standing = {
        (c.purpose, c.withdrawn_at is None)
        for c in clients.consents(made.records, made.carer, made.client_id)
    }
    assert standing == {(Purpose.ANALYSIS, False), (Purpose.RESEARCH, True)}


def test_without_consent_nothing_is_measured_or_kept(made):
    clients.withdraw_consent(made.records, made.client, made.client_id, Purpose.ANALYSIS)
    with pytest.raises(ConsentMissingError):
        photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    assert list(made.records.vault.objects.list()) == []


# Courses


def test_a_course_tells_when_the_next_session_is_due(made):
    card = courses.course(made.records, made.carer, made.course_id)
    assert (card.held, card.last_on, card.next_on) == (1, DAY, DAY + timedelta(days=7))
    courses.close_course(made.records, made.carer, made.course_id)
    assert courses.course(made.records, made.carer, made.course_id).next_on is None


def test_two_editors_do_not_overwrite_each_other_unseen(made):
    card = courses.session(made.records, made.carer, made.session_id)
    courses.edit_session(
        made.records,
        made.carer,
        card.id,
        SessionNotes(notes="first"),
        held_on=DAY,
        version=card.version,
    )
    with pytest.raises(RecordConflictError):
        courses.edit_session(
            made.records,
            made.colleague,
            card.id,
            SessionNotes(notes="second"),
            held_on=DAY,
            version=card.version,
        )
    again = courses.session(made.records, made.carer, made.session_id)
    assert again.notes.notes == "first"


def test_a_session_with_photos_is_not_removed(made):
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    with pytest.raises(BadInputError):
        courses.remove_session(made.records, made.carer, made.session_id)
    photos.remove_photo(made.records, made.carer, photo_id)
    assert list(made.records.vault.objects.list()) == []
    courses.remove_session(made.records, made.carer, made.session_id)
    assert courses.sessions(made.records, made.carer, made.course_id) == []


def test_a_photo_that_is_removed_while_its_course_is_read_is_not_there(made, monkeypatch):
    kept, gone = (
        photos.add_photo(made.records, made.carer, made.session_id, prepared(k)) for k in (1, 2)
    )
    vault = made.records.vault
    get = type(vault).get

    def removing(*args, **names):
        """As another page does between the look at the rows and the look at the object."""
        monkeypatch.setattr(type(vault), "get", get)
        photos.remove_photo(made.records, made.carer, gone)
        return get(*args, **names)

    def names():
        found = photos.course_scans(made.records, made.carer, made.course_id)
        return {scan.name for scans in found.values() for scan in scans}

    monkeypatch.setattr(type(vault), "get", removing)
    assert names() == {kept}
    assert [card.id for card in photos.photos(made.records, made.carer, made.session_id)] == [kept]
    # What is lost is something else.
    for stored in list(vault.objects.list()):
        vault.objects.delete(stored.name)
    with pytest.raises(ObjectMissingError):
        names()


def test_a_session_in_the_future_is_refused(made):
    with pytest.raises(BadInputError):
        courses.add_session(made.records, made.carer, made.course_id, date(2100, 1, 1))


# Photos


@pytest.mark.parametrize("form", ["jpeg", "noise"])
def test_the_kept_form_loses_no_pixel(form):
    source = sample() if form == "jpeg" else picture(3)
    file = open_photo(source)
    kept = canonical(file)
    again = open_canonical(kept.webp, json.loads(json.dumps(kept.capture)))
    assert np.array_equal(again.decode().rgb, load_photo(source).rgb)
    for name in ("captured_at", "camera", "lens", "focal_length_35mm", "software", "jpeg_quality"):
        assert getattr(again, name) == getattr(file, name), name


def test_measuring_a_kept_photo_again_gives_the_same_scan(made):
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, sample())
    (first,) = photos.session_scans(made.records, made.carer, made.session_id)
    again = photos.rescore(made.records, made.carer, photo_id)
    assert scan_to_json(replace(again, name=photo_id)) == scan_to_json(first)
    (shown,) = photos.session_scans(made.records, made.carer, made.session_id)
    assert scan_to_json(shown) == scan_to_json(first)
    with made.records.database.read() as session:
        rows = session.query(schema.Scan).filter_by(photo_id=photo_id).all()
        assert sorted(row.current for row in rows) == [False, True]


def test_a_photo_is_kept_once(made):
    photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    with pytest.raises(PhotoKnownError):
        photos.add_photo(made.records, made.colleague, made.session_id, prepared(1))
    assert len(list(made.records.vault.objects.list())) == 2


def test_a_picture_without_a_face_leaves_nothing(made):
    with pytest.raises(NoFaceError):
        photos.add_photo(made.records, made.carer, made.session_id, picture(1, 400))
    assert list(made.records.vault.objects.list()) == []
    assert photos.photos(made.records, made.carer, made.session_id) == []


def test_takes_are_counted_and_a_view_can_be_corrected(made):
    ids = [
        photos.add_photo(made.records, made.carer, made.session_id, prepared(k)) for k in range(3)
    ]
    photos.correct_view(made.records, made.carer, ids[0], View.LEFT)
    found = photos.photos(made.records, made.carer, made.session_id)
    assert [(c.id, c.view, c.take) for c in found] == [
        (ids[1], View.FRONT, 2),
        (ids[2], View.FRONT, 3),
        (ids[0], View.LEFT, 1),
    ]


def test_a_photo_moves_only_within_its_client(made):
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    elsewhere = courses.add_session(
        made.records,
        made.carer,
        courses.add_course(made.records, made.carer, made.other_id, Plan(), started_on=DAY),
        DAY,
    )
    with pytest.raises(BadInputError):
        photos.move_photo(made.records, made.carer, photo_id, elsewhere)
    later = courses.add_session(made.records, made.carer, made.course_id, DAY)
    photos.move_photo(made.records, made.carer, photo_id, later)
    assert [c.id for c in photos.photos(made.records, made.carer, later)] == [photo_id]


def test_looking_at_a_photo_is_written_down(made):
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    webp = photos.view_photo(made.records, made.carer, photo_id)
    assert np.array_equal(load_photo(webp).rgb, load_photo(picture(1)).rgb)
    line = custody.audit_lines(made.records, made.owner)[0]
    assert (line.action, line.detail["photo"]) == ("photo.viewed", photo_id)


def test_a_full_disk_is_a_typed_error_and_leaves_nothing(made, monkeypatch):
    import errno

    def full(*_args):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("skinscan.store.objects.write_private", full)
    with pytest.raises(StorageFullError):
        photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    assert photos.photos(made.records, made.carer, made.session_id) == []


def test_a_client_sees_photos_only_of_sessions_that_were_shared(made):
    later = courses.add_session(made.records, made.carer, made.course_id, DAY)
    ids = [
        photos.add_photo(made.records, made.carer, where, prepared(k))
        for k, where in enumerate((made.session_id, later))
    ]
    courses.share_session(made.records, made.carer, later)

    def seen(principal):
        found = photos.course_photos(made.records, principal, made.course_id)
        return {where: [c.id for c in cards] for where, cards in found.items()}

    assert seen(made.carer) == {made.session_id: [ids[0]], later: [ids[1]]}
    assert seen(made.client) == {later: [ids[1]]}


def test_what_is_shown_of_a_photo_is_kept_with_its_scan(made):
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, sample())
    asked = (made.records, made.carer, made.course_id, [photo_id, "f" * 32])
    first = photos.course_looks(*asked)
    assert set(first) == {photo_id}
    assert Pictures.from_bytes(first[photo_id].to_bytes()) == first[photo_id]
    line = custody.audit_lines(made.records, made.owner)[0]
    assert (line.action, line.detail) == ("photo.viewed", {"photos": 1})
    photos.rescore(made.records, made.carer, photo_id)
    assert photos.course_looks(*asked)[photo_id].thumbnail == first[photo_id].thumbnail
    seen = (made.records, made.client, made.course_id, [photo_id])
    assert photos.course_looks(*seen) == {}
    courses.share_session(made.records, made.carer, made.session_id)
    assert set(photos.course_looks(*seen)) == {photo_id}
    photos.remove_photo(made.records, made.carer, photo_id)
    assert list(made.records.vault.objects.list()) == []


@given(st.binary(max_size=300))
def test_other_bytes_are_no_pictures(content):
    with pytest.raises(LookError):
        Pictures.from_bytes(content)


def test_the_last_owner_cannot_be_shut_out(made):
    from skinscan.practice import staff

    audit = made.records.write_down
    with pytest.raises(BadInputError):
        staff.disable(made.records, made.owner, made.owner.user_id, audit=audit)
    staff.disable(made.records, made.owner, made.colleague.user_id, audit=audit)


# Results


def test_progress_comes_from_the_records(made):
    later = courses.add_session(
        made.records,
        made.carer,
        made.course_id,
        DAY + timedelta(days=7),
        SessionNotes(skin=SkinState.CLEAN),
    )
    courses.add_treatment(
        made.records, made.carer, made.client_id, DAY, TreatmentNote(EventKind.SUN)
    )
    assert results.progress(made.records, made.carer, made.course_id) is None
    photos.add_photo(made.records, made.carer, made.session_id, sample(0))
    photos.add_photo(made.records, made.carer, later, sample(7))
    for principal in (made.carer, made.client, TERMINAL):
        progress = results.progress(made.records, principal, made.course_id)
        assert progress.sessions == (DAY, DAY + timedelta(days=7))
        assert len(progress.events) == 1
        assert progress.summary()
        # The same from scans that were read before.
        scans = photos.course_scans(made.records, principal, made.course_id)
        again = results.progress(made.records, principal, made.course_id, scans=scans)
        assert repr(again) == repr(progress)
    with pytest.raises(RecordMissingError):
        results.progress(made.records, made.other, made.course_id, scans=scans)


def test_a_session_that_is_removed_after_its_scans_were_read_is_left_out(made):
    later = courses.add_session(made.records, made.carer, made.course_id, DAY + timedelta(days=7))
    photos.add_photo(made.records, made.carer, made.session_id, sample(0))
    photo_id = photos.add_photo(made.records, made.carer, later, sample(7))
    scans = photos.course_scans(made.records, made.carer, made.course_id)
    photos.remove_photo(made.records, made.carer, photo_id)
    courses.remove_session(made.records, made.carer, later)
    progress = results.progress(made.records, made.carer, made.course_id, scans=scans)
    assert progress.sessions == (DAY,)


# Export


def test_an_export_holds_everything_and_a_clients_own_only_what_they_may_see(made, tmp_path):
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    out = tmp_path / "all.zip"
    custody.export_client(made.records, made.owner, made.client_id, out)
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        told = json.loads(archive.read("client.json"))
        (photo,) = [name for name in names if name.startswith("photos/")]
        assert np.array_equal(load_photo(archive.read(photo)).rgb, load_photo(picture(1)).rgb)
        rows = archive.read("measurements.csv").decode().splitlines()
    assert told["form"] == custody.EXPORT_FORMAT
    assert told["client"]["profile"]["name"] == CANARY
    assert told["courses"][0]["sessions"][0]["notes"]["notes"] == f"notes on {CANARY}"
    assert f"scans/{photo_id}.json" in names
    assert rows[0].startswith("date,photo,view,metric")
    assert len(rows) > 100
    with pytest.raises(OutputError):
        custody.export_client(made.records, made.owner, made.client_id, out)

    own = io.BytesIO()
    custody.write_export(made.records, made.client, made.client_id, own)
    with zipfile.ZipFile(own) as archive:
        assert not [name for name in archive.namelist() if name.startswith("photos/")]
        assert "notes on" not in archive.read("client.json").decode()
    courses.share_session(made.records, made.carer, made.session_id)
    own = io.BytesIO()
    custody.write_export(made.records, made.client, made.client_id, own)
    with zipfile.ZipFile(own) as archive:
        assert len([name for name in archive.namelist() if name.startswith("photos/")]) == 1


def test_retention_names_whom_and_erases_nobody(made):
    custody.change_settings(made.records, made.owner, Settings(keep_years=2))
    today = date(2029, 6, 1)
    due = custody.due_for_erasure(made.records, made.owner, today=today)
    assert [(d.client_id, d.last_on) for d in due][:1] == [(made.client_id, DAY)]
    assert len(clients.clients(made.records, made.owner)) == 2
    assert custody.due_for_erasure(made.records, made.owner, today=date(2027, 1, 1)) == []
