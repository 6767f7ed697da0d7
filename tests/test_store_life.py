"""Backup, restore, doctor, erasure, audit: what happens to the data over the years."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from made_records import CANARY, Office, office, places, prepared, user
from made_store import new_postgresql
from sqlalchemy import text

from skinscan.errors import (
    AuditError,
    BackupDamagedError,
    BackupMissingError,
    RecordMissingError,
    RecoveryCodeError,
    StorageFullError,
    StoreError,
)
from skinscan.practice import clients, custody, photos
from skinscan.practice.principal import TERMINAL
from skinscan.store import erasure
from skinscan.store.backup import BACKUP_NOTE, back_up, restore, snapshots, verify
from skinscan.store.database import Mode
from skinscan.store.doctor import examine
from skinscan.store.erasure import keep_reserve, remembered_erased
from skinscan.store.inventory import sweep
from skinscan.store.keys import save_keyring
from skinscan.store.records import RECOVERY_NOTE, Places, open_records
from skinscan.store.schema import Erased, Note, Role, now


@pytest.fixture
def made(tmp_path):
    it = office(places(tmp_path), photo=True)
    yield it
    it.records.close()


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return [
            line
            for line in connection.iterdump()
            if not line.startswith(('INSERT INTO "audit"', 'INSERT INTO "notes"'))
        ]


def bytes_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def healthy(it):
    """Do what doctor nags about, so that it has nothing to say."""
    with it.records.database.write() as session:
        note = session.get(Note, RECOVERY_NOTE)
        note.value = {**note.value, "proven_at": now().isoformat()}
    keep_reserve(it.records.database)


# Backup and restore


def test_a_restore_brings_everything_back_byte_for_byte(made, tmp_path):
    rows = dump(made.records.database.path)
    objects = bytes_of(tmp_path / "data" / "objects")
    back_up(made.records, tmp_path / "backup")
    made.records.close()
    for path in sorted((tmp_path / "data").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    restore(tmp_path / "backup", made.records.places)
    assert dump(tmp_path / "data" / "records.db") == rows
    assert bytes_of(tmp_path / "data" / "objects") == objects
    with open_records(made.records.places) as records:
        assert photos.view_photo(records, made.carer, made.extra["photo"])


def test_a_second_backup_copies_only_what_is_new(made, tmp_path):
    first = back_up(made.records, tmp_path / "backup")
    photos.add_photo(made.records, made.carer, made.session_id, prepared(2))
    second = back_up(made.records, tmp_path / "backup")
    assert (first.copied, second.copied) == (2, 2)
    assert back_up(made.records, tmp_path / "backup").copied == 0
    assert len(snapshots(tmp_path / "backup")) == 3
    back_up(made.records, tmp_path / "backup", keep=2)
    assert len(snapshots(tmp_path / "backup")) == 2
    verify(tmp_path / "backup")


def test_the_recovery_code_opens_a_backup_whose_key_is_lost(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    made.records.close()
    elsewhere = Places.of(tmp_path / "new" / "data", tmp_path / "new" / "keys" / "master.key")
    with pytest.raises(RecoveryCodeError):
        restore(tmp_path / "backup", elsewhere)
    with pytest.raises(RecoveryCodeError):
        restore(tmp_path / "backup", elsewhere, recovery_code="AAAA")
    assert not elsewhere.key_file.exists()
    restore(tmp_path / "backup", elsewhere, recovery_code=made.code)
    with open_records(elsewhere) as records:
        (card,) = photos.photos(records, made.carer, made.session_id)
        assert photos.view_photo(records, made.carer, card.id)


def test_the_master_key_is_in_no_backup(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    ring = made.records.keyring
    secret = ring.masters[ring.current].secret
    for content in bytes_of(tmp_path / "backup").values():
        assert secret not in content
        assert secret.hex().encode() not in content
        assert b"Quetzalcoatl" not in content


@pytest.mark.parametrize(
    "harm", ["object missing", "object changed", "database changed", "manifest"]
)
def test_a_damaged_backup_replaces_nothing(made, tmp_path, harm):
    back_up(made.records, tmp_path / "backup")
    made.records.close()
    objects = sorted(p for p in (tmp_path / "backup" / "objects").rglob("*") if p.is_file())
    (snapshot,) = (tmp_path / "backup" / "snapshots").iterdir()
    if harm == "object missing":
        objects[0].unlink()
    else:
        path = {
            "object changed": objects[0],
            "database changed": snapshot / "records.db",
            "manifest": snapshot / "manifest.json",
        }[harm]
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    before = dump(tmp_path / "data" / "records.db")
    with pytest.raises(BackupDamagedError):
        restore(tmp_path / "backup", made.records.places)
    assert dump(tmp_path / "data" / "records.db") == before
    assert not list((tmp_path / "data").glob("*.part*"))


def test_an_empty_folder_is_no_backup(made, tmp_path):
    with pytest.raises(BackupMissingError):
        restore(tmp_path / "nothing", made.records.places)


def test_what_a_restore_replaces_is_kept_beside_it(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    later = clients.add_client(
        made.records, made.carer, clients.client(made.records, made.carer, made.other_id).profile
    )
    made.records.close()
    restore(tmp_path / "backup", made.records.places)
    (aside,) = (tmp_path / "data").glob("records.db.before-restore-*Z")
    with closing(sqlite3.connect(aside)) as connection:
        assert connection.execute("SELECT count(*) FROM clients WHERE id = ?", (later,)).fetchone()[
            0
        ]
    with open_records(made.records.places) as records:
        assert len(clients.clients(records, made.owner)) == 2


def test_whoever_was_signed_in_when_it_was_made_is_not_after_a_restore(made, tmp_path):
    from skinscan.store.schema import Login

    with made.records.database.write() as session:
        session.add(Login(digest=b"d" * 32, user_id=made.owner.user_id))
    back_up(made.records, tmp_path / "backup")
    made.records.close()
    restore(tmp_path / "backup", made.records.places)
    with open_records(made.records.places) as records, records.database.read() as session:
        assert session.query(Login).count() == 0


def test_a_practice_moves_from_sqlite_to_postgresql_and_back(made, tmp_path, postgresql_server):
    back_up(made.records, tmp_path / "backup")
    made.records.close()
    moved = Places(
        new_postgresql(postgresql_server), str(tmp_path / "o"), made.records.places.key_file
    )
    restore(tmp_path / "backup", moved)
    with open_records(moved) as records:
        assert photos.view_photo(records, made.carer, made.extra["photo"])
        card = clients.client(records, made.owner, made.client_id)
        assert (card.profile.name, card.practitioner_id) == (CANARY, made.carer.user_id)
        custody.verify_audit(records, TERMINAL)
        with pytest.raises(StoreError), records.database.connection(Mode.WRITE) as connection:
            connection.execute(text("DELETE FROM audit"))
        back_up(records, tmp_path / "second")
        custody.erase_client(records, TERMINAL, made.client_id)
        assert [f for f in examine(records) if f.severe] == []
    back = Places.of(tmp_path / "again", made.records.places.key_file)
    restore(tmp_path / "second", back)
    with open_records(back) as records:
        with pytest.raises(RecordMissingError):
            clients.client(records, made.owner, made.client_id)  # erased meanwhile: stays so
        assert clients.client(records, made.owner, made.other_id)
        custody.verify_audit(records, TERMINAL)


# Erasure


def test_an_erased_client_is_nowhere(made, tmp_path):
    with made.records.database.read() as session:
        key = made.records.client_key(session, made.client_id)
        from skinscan.store.schema import Client

        wrapped = session.get(Client, made.client_id).key_wrapped
        sealed = session.get(Client, made.client_id).profile_sealed
    blobs = list(bytes_of(tmp_path / "data" / "objects" / made.client_id).values())
    done = custody.erase_client(made.records, made.owner, made.client_id)
    assert done.objects == 2
    assert done.rows >= 6
    left = bytes_of(tmp_path)
    assert len(blobs) == 2
    for path, content in left.items():
        for secret in (wrapped, sealed, key.secret, *(blob[40:80] for blob in blobs)):
            assert secret not in content, path
        assert b"Quetzalcoatl" not in content
    with pytest.raises(RecordMissingError):
        clients.client(made.records, made.owner, made.client_id)
    assert clients.client(made.records, made.owner, made.other_id)
    assert [f.kind for f in examine(made.records) if f.severe] == []
    assert custody.verify_audit(made.records, TERMINAL)


def test_an_erasure_survives_the_restore_of_an_older_backup(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    custody.erase_client(made.records, made.owner, made.client_id)
    made.records.close()
    (tmp_path / "data" / "records.db").unlink()
    restore(tmp_path / "backup", made.records.places)
    with open_records(made.records.places) as records:
        with pytest.raises(RecordMissingError):
            clients.client(records, made.owner, made.client_id)
        assert [e.name for e in records.vault.objects.list(made.client_id)] == []
        with records.database.read() as session:
            assert session.get(Erased, made.client_id) is not None
        assert [f for f in examine(records) if f.severe] == []


def test_the_next_backup_drops_snapshots_that_still_hold_the_erased(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    custody.erase_client(made.records, made.owner, made.client_id)
    back_up(made.records, tmp_path / "backup")
    assert len(snapshots(tmp_path / "backup")) == 1
    assert list((tmp_path / "backup" / "objects").rglob("photo-*")) == []
    verify(tmp_path / "backup")


def test_erasing_removes_copies_that_upgrades_left(made, tmp_path):
    copy = tmp_path / "data" / "records.db.before-20260101T000000000000-from-0001"
    copy.write_bytes(made.records.database.path.read_bytes())
    assert custody.erase_client(made.records, made.owner, made.client_id).copies == 1
    assert not copy.exists()


def test_a_full_disk_does_not_prevent_an_erasure(made, monkeypatch):
    assert keep_reserve(made.records.database)
    reserve = made.records.database.path.with_name("reserve")
    real, asked = erasure.remove_rows, []

    def full(session, client_id):
        asked.append(reserve.exists())
        if reserve.exists():
            raise StorageFullError(expected="room", found="none", remedy="Make room")
        return real(session, client_id)

    monkeypatch.setattr(erasure, "remove_rows", full)
    custody.erase_client(made.records, made.owner, made.client_id)
    assert asked == [True, False]
    assert reserve.exists()


def test_an_erasure_cut_off_after_its_rows_is_finished_by_the_sweep(made, monkeypatch):
    def stop(_name):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(made.records.vault.objects), "delete", lambda _self, name: stop(name))
    with suppress(KeyboardInterrupt):
        custody.erase_client(made.records, made.owner, made.client_id)
    monkeypatch.undo()
    assert len(list(made.records.vault.objects.list(made.client_id))) == 2
    assert sweep(made.records, min_age_s=0) == 2
    assert remembered_erased(made.records.places.key_file) == {made.client_id}


# Doctor


def test_doctor_has_nothing_to_say_of_healthy_records(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    healthy(made)
    assert examine(made.records) == []


def plant(it: Office, tmp_path):
    """Damage one thing each; what doctor must find, exactly."""
    records = it.records
    ids = [photos.add_photo(records, it.carer, it.session_id, prepared(k)) for k in range(10, 13)]
    folder = tmp_path / "data" / "objects" / it.client_id
    (folder / f"photo-{ids[0]}").unlink()
    path = folder / f"photo-{ids[1]}"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    (folder / f"photo-{'d' * 32}").write_bytes(b"orphan")
    (folder / f"photo-{'e' * 32}.0123456789abcdef.part").write_bytes(b"half")
    records.places.key_file.chmod(0o644)
    with records.database.write() as session:
        session.execute(
            text("UPDATE clients SET key_wrapped = :w WHERE id = :i"),
            {"w": b"x" * 60, "i": it.other_id},
        )
        note = session.get(Note, BACKUP_NOTE)
        note.value = {**note.value, "at": (now() - timedelta(days=30)).isoformat()}
        note = session.get(Note, RECOVERY_NOTE)
        note.value = {**note.value, "proven_at": None}
    with closing(sqlite3.connect(records.database.path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE photos SET session_id = ? WHERE id = ?", ("f" * 32, ids[2]))
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = NULL WHERE number = 3")
        connection.commit()
    return {
        ("object_missing", f"{it.client_id}/photo-{ids[0]}"),
        ("object_corrupt", f"{it.client_id}/photo-{ids[1]}"),
        ("object_orphaned", f"{it.client_id}/photo-{'d' * 32}"),
        ("temporary_file", f"{it.client_id}/photo-{'e' * 32}.0123456789abcdef.part"),
        ("key_readable", ""),
        ("client_key_broken", it.other_id),
        ("backup_old", ""),
        ("recovery_unproven", ""),
        ("reference_broken", "photos"),
        ("audit_broken", ""),
    }


def test_doctor_finds_exactly_what_was_planted(made, tmp_path):
    back_up(made.records, tmp_path / "backup")
    healthy(made)
    planted = plant(made, tmp_path)
    found = examine(made.records)
    assert {(f.kind, f.subject) for f in found} == planted
    assert len(found) == len(planted)
    assert all(f.sentence.endswith(".") for f in found)


def test_doctor_tells_when_key_and_data_lie_together(tmp_path):
    it = office(Places.of(tmp_path / "data", tmp_path / "data" / "keys" / "master.key"))
    assert "key_in_data" in {f.kind for f in examine(it.records)}
    it.records.close()


def test_doctor_reports_an_old_master_that_still_opens(made):
    made.records.close()
    save_keyring(made.records.keyring.with_new_master(), made.records.places.key_file, replace=True)
    with open_records(made.records.places) as records:
        assert "rotation_unfinished" in {f.kind for f in examine(records)}


# Audit


def test_the_trail_refuses_to_be_changed(made):
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(StoreError), made.records.database.connection(Mode.WRITE) as connection:
            connection.execute(text(statement))
    assert custody.verify_audit(made.records, TERMINAL) > 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET action = 'nothing' WHERE number = 4",
        "UPDATE audit SET detail = '{}' WHERE action = 'photo.added'",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)",
        "UPDATE audit SET at = '2020-01-01 00:00:00' WHERE number = 1",
        "DELETE FROM audit",
    ],
)
def test_whoever_gets_round_the_triggers_is_found_out(made, statement):
    with closing(sqlite3.connect(made.records.database.path)) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute(statement)
        connection.commit()
    with pytest.raises(AuditError):
        custody.verify_audit(made.records, TERMINAL)


def test_the_trail_names_nobody(made):
    lines = custody.audit_lines(made.records, TERMINAL, most=1000)
    assert "Quetzalcoatl" not in str(lines)
    user(made.records, Role.OWNER)
