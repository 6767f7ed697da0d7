"""The database: alone when writing, one moment when reading, typed errors, private files."""

from __future__ import annotations

import sqlite3
import stat
import threading

import pytest
from made_store import a_client, a_practice, fill
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from skinscan.errors import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseExistsError,
    DatabaseMissingError,
    DatabaseUnavailableError,
    DatabaseUrlError,
    RecordConflictError,
    StorageFullError,
    StoreError,
)
from skinscan.store.database import open_database
from skinscan.store.schema import Client, Note, Scan, Session


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# Opening


def test_file_and_folder_are_for_their_owner_only(sqlite_url, tmp_path):
    database = open_database(sqlite_url, create=True)
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
    assert mode(tmp_path / "data") == 0o700
    files = sorted((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["records.db", "records.db-shm", "records.db-wal"]
    assert {mode(file) for file in files} == {0o600}
    database.close()


def test_a_missing_database_is_not_made_by_the_way(sqlite_url, tmp_path):
    with pytest.raises(DatabaseMissingError):
        open_database(sqlite_url)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_taken_for_a_new_database(sqlite_url):
    open_database(sqlite_url, create=True).close()
    with pytest.raises(DatabaseExistsError):
        open_database(sqlite_url, create=True)


@pytest.mark.parametrize(
    "url",
    ["", "records.db", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "mysql://h/d"],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(DatabaseUrlError):
        open_database(url, create=True)


def test_a_file_that_is_no_database_is_damaged_and_stays(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(DatabaseDamagedError):
        open_database(f"sqlite:///{path}")
    assert path.read_bytes() == b"no database " * 1000


def test_a_server_that_is_not_there_is_unavailable_and_the_password_is_not_told():
    with pytest.raises(DatabaseUnavailableError) as caught:
        open_database("postgresql://me:canary-password@127.0.0.1:1/x", busy_timeout_s=2)
    assert "canary" not in str(caught.value)


def test_a_database_missing_on_the_server(postgresql_server):
    with pytest.raises((DatabaseMissingError, DatabaseUnavailableError)):
        open_database(postgresql_server + "nothing", busy_timeout_s=2)


def test_every_connection_has_the_settings(sqlite_url):
    database = open_database(sqlite_url, create=True, busy_timeout_s=7)
    names = ["journal_mode", "foreign_keys", "busy_timeout", "synchronous", "secure_delete"]
    with database.read() as one, database.read() as other, database.write() as writer:
        for session in (one, other, writer):
            found = [session.execute(text(f"PRAGMA {name}")).scalar() for name in names]
            assert found == ["wal", 1, 7000, 2, 1]
    database.close()


# Transactions


def test_a_write_is_kept_and_an_exception_undoes_all_of_it(database):
    with database.write() as session:
        session.add(Note(key="kept", value={}))

    def fail_half_way():
        with database.write() as session:
            session.add(Note(key="undone", value={}))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    with database.read() as session:
        assert session.scalars(select(Note.key)).all() == ["kept"]


def test_what_was_loaded_stays_readable_afterwards(database):
    with database.write() as session:
        note = Note(key="a", value={"n": 1})
        session.add(note)
    assert note.value == {"n": 1}


def test_a_read_cannot_write(database):
    insert = text("INSERT INTO notes (key, value) VALUES ('a', '{}')")
    with pytest.raises(DatabaseUnavailableError), database.read() as session:
        session.execute(insert)
    with database.write() as session:  # the same connection again, now writing
        session.add(Note(key="b", value={}))
    with database.read() as session:
        assert session.scalars(select(Note.key)).all() == ["b"]


def test_a_read_sees_one_moment(database):
    with database.read() as session:
        count = select(func.count()).select_from(Note)
        assert session.scalar(count) == 0
        with database.write() as other:
            other.add(Note(key="a", value={}))
        assert session.scalar(count) == 0
    with database.read() as session:
        assert session.scalar(count) == 1


def test_no_change_is_lost_between_reading_and_writing(database):
    with database.write() as session:
        session.add(Note(key="n", value={"n": 0}))
    errors = []

    def add():
        try:
            for _ in range(10):
                with database.write() as session:
                    note = session.get_one(Note, "n")
                    note.value = {"n": note.value["n"] + 1}
        except StoreError as error:
            errors.append(error)

    writers = [threading.Thread(target=add) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with database.read() as session:
        assert (errors, session.get_one(Note, "n").value) == ([], {"n": 80})


def test_who_waits_too_long_is_told_that_it_is_busy(database):
    with database.write(), pytest.raises(DatabaseBusyError), database.write():
        pass
    with database.write():  # and it is free again
        pass


# What the tables refuse


def test_a_row_must_refer_to_a_row(database):
    with pytest.raises(RecordConflictError) as caught, database.write() as session:
        session.add(Client(practice_id="0" * 32, key_wrapped=b"k", profile_sealed=b"canary"))
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"


def test_a_client_with_records_cannot_be_deleted_by_the_way(database):
    with database.write() as session:
        client = fill(session)
    with pytest.raises(RecordConflictError), database.write() as session:
        session.execute(text("DELETE FROM clients WHERE id = :id"), {"id": client.id})


def test_a_photo_has_one_current_scan(database):
    with database.write() as session:
        fill(session)
        first = session.scalars(select(Scan)).one()
        again = {"client_id": first.client_id, "photo_id": first.photo_id, "state": first.state}
        session.add(Scan(**again, metrics_version="0", current=False))
    with pytest.raises(RecordConflictError), database.write() as session:
        session.add(Scan(**again, metrics_version="2"))


def test_times_come_back_as_they_were_with_their_zone(database):
    with database.write() as session:
        practice = a_practice()
        session.add(practice)
        session.flush()
        client = a_client(practice)
        session.add(client)
    with database.read() as session:
        found = session.get_one(Client, client.id).created_at
    assert found == client.created_at
    assert found.utcoffset().total_seconds() == 0


def test_two_editors_do_not_overwrite_each_other(database):
    with database.write() as session:
        fill(session)
    with database.read() as session:
        seen = session.scalars(select(Session)).one()
    with database.write() as session:
        session.scalars(select(Session)).one().record_sealed = b"theirs"
    with pytest.raises(RecordConflictError) as caught, database.write() as session:
        session.merge(seen, load=False).record_sealed = b"mine"
    assert isinstance(caught.value.__cause__, StaleDataError)
    with database.read() as session:
        assert session.scalars(select(Session.record_sealed)).one() == b"theirs"


# Disk full


def test_a_full_disk_is_told_and_what_was_saved_stays(sqlite_url):
    database = open_database(sqlite_url, create=True)
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x BLOB)"))
        session.execute(text("INSERT INTO t VALUES (zeroblob(100))"))

    def write_too_much():
        with database.write() as session:
            pages = session.execute(text("PRAGMA page_count")).scalar()
            session.execute(text(f"PRAGMA max_page_count = {pages}"))
            session.execute(text("INSERT INTO t VALUES (zeroblob(1000000))"))

    with pytest.raises(StorageFullError):
        write_too_much()
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM t")).scalar() == 1
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()


def test_an_error_without_a_known_cause_is_not_renamed(database):
    with pytest.raises(DBAPIError), database.read() as session:
        session.execute(text("SELECT FROM WHERE"))


def test_deleted_bytes_are_gone_after_a_checkpoint(sqlite_url, tmp_path):
    database = open_database(sqlite_url, create=True)
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x TEXT)"))
        session.execute(text("INSERT INTO t VALUES ('canary-7f3a')"))
    with database.write() as session:
        session.execute(text("DELETE FROM t"))
    database.close()
    raw = sqlite3.connect(tmp_path / "data" / "records.db")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    left = [file.read_bytes() for file in (tmp_path / "data").iterdir()]
    assert left
    assert not any(b"canary-7f3a" in data for data in left)
