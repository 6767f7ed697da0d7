"""Backups: a folder that grows by what is new; each snapshot in it is complete and verified.

``objects/`` holds sealed photos and scans as they lie in the vault; they never change, so a backup
copies only new ones. ``snapshots/TIME/`` holds the database, as an SQLite file whatever the
practice uses, and a manifest of all that belongs to it. The master key is in no backup: the
database carries it sealed with the recovery code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from skinscan.durable import make_private_folder, sync_file, sync_folder, write_private
from skinscan.errors import (
    BackupDamagedError,
    BackupMissingError,
    DatabaseExistsError,
    ObjectDamagedError,
    ObjectMissingError,
    RecoveryCodeError,
    SealError,
)
from skinscan.store import audit, migrations
from skinscan.store.audit import Action
from skinscan.store.database import Database, Mode, open_database
from skinscan.store.erasure import remember_erased, remembered_erased, remove_rows, scrub
from skinscan.store.inventory import named_objects
from skinscan.store.keys import Keyring, load_keyring, recover, save_keyring
from skinscan.store.objects import FolderObjects, ObjectStore, open_objects
from skinscan.store.records import (
    RECOVERY_NOTE,
    Places,
    Records,
    practice_key_place,
)
from skinscan.store.schema import Base, Erased, Note, Practice, now
from skinscan.store.vault import check

#: Key of the note that tells of the last backup.
BACKUP_NOTE = "backup"

_FORMAT = 1
_STAMP = "%Y%m%dT%H%M%S%fZ"
_DATABASE = "records.db"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Snapshot:
    """One backup.

    Attributes
    ----------
    folder : Path
    made_at : datetime
    copied : int or None
        Objects that were new in it; known only when it has just been made.
    """

    folder: Path
    made_at: datetime
    copied: int | None = None


def back_up(records: Records, folder: Path, *, keep: int | None = None) -> Snapshot:
    """Add a snapshot to a backup folder.

    Parameters
    ----------
    records : Records
    folder : Path
        Made if missing; on another disk, best in another place.
    keep : int, optional
        How many snapshots stay; all by default. Those from before an erasure are removed anyway
        once this one stands: they would keep what was erased.

    Raises
    ------
    ObjectMissingError, ObjectDamagedError
        The vault itself is damaged: run doctor. No snapshot is made.
    StorageFullError, StoreError
    """
    made_at = now()
    snapshot = folder / "snapshots" / made_at.strftime(_STAMP)
    partial = snapshot.with_name(snapshot.name + ".part")
    make_private_folder(partial)
    try:
        copied, manifest = _fill(records, folder, partial, made_at)
        os.rename(partial, snapshot)  # noqa: PTH104 - one name for tests to cut the power at
        sync_folder(snapshot.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    with records.database.write() as session:
        note = session.get(Note, BACKUP_NOTE) or Note(key=BACKUP_NOTE)
        note.value = {"at": made_at.isoformat(), "objects": len(manifest)}
        session.add(note)
        records.record(session, Action.BACKED_UP, detail={"objects": len(manifest)})
    _prune(records, folder, keep=keep)
    return Snapshot(snapshot, made_at, copied)


def snapshots(folder: Path) -> list[Snapshot]:
    """List the snapshots of a backup folder, oldest first."""
    return [
        Snapshot(path, datetime.strptime(path.name, _STAMP).replace(tzinfo=UTC))
        for path in sorted((folder / "snapshots").glob("*Z"))
    ]


def verify(folder: Path, snapshot: Snapshot | None = None) -> Snapshot:
    """Check every byte of a snapshot, by default of the newest.

    Raises
    ------
    BackupMissingError
        There is none.
    BackupDamagedError
        Something is missing or changed.
    """
    chosen = snapshot or _newest(folder)
    content = _manifest(chosen.folder)
    database = chosen.folder / _DATABASE
    if not database.is_file() or _sha256(database) != content["database_sha256"]:
        raise _damaged("a database that is missing or was changed")
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise _damaged("a database that contradicts itself")
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            raise _damaged("rows that refer to nothing")
    objects = FolderObjects(folder / "objects")
    for name, sha256 in content["objects"].items():
        try:
            check(objects.get(name), bytes.fromhex(sha256))
        except ObjectMissingError as error:
            raise _damaged("an object missing") from error
        except ObjectDamagedError as error:
            raise _damaged("an object changed") from error
    return chosen


def restore(
    folder: Path,
    places: Places,
    *,
    snapshot: Snapshot | None = None,
    recovery_code: str | None = None,
) -> Snapshot:
    """Put a snapshot in the place of the records: verified first, then exchanged at once.

    Clients who were erased since stay erased. The database that was there before is kept beside it,
    named ``.before-restore-TIME``; objects that only it names are swept an hour later.

    Parameters
    ----------
    folder : Path
        Of backups.
    places : Places
        A PostgreSQL database must be empty.
    snapshot : Snapshot, optional
        The newest by default.
    recovery_code : str, optional
        Needed where the key file is lost.

    Raises
    ------
    BackupMissingError, BackupDamagedError
    RecoveryCodeError
        The key file does not open these records, and there is no code or a wrong one.
    DatabaseExistsError
        The PostgreSQL database holds records.
    StoreError
    """
    chosen = verify(folder, snapshot)
    with _working_copy(chosen.folder / _DATABASE, places) as path:
        database = open_database(f"sqlite:///{path}")
        try:
            migrations.upgrade(database)
            keyring, new_key_file = _keyring(database, places, recovery_code)
            erased = remembered_erased(places.key_file) | _erased_now(places)
            _finish(database, keyring, erased, chosen)
        finally:
            database.close()
        if new_key_file:
            # Whatever key file is there opens other records; it is not ours to destroy.
            if places.key_file.exists():
                places.key_file.rename(_set_aside(places.key_file))
            save_keyring(keyring, places.key_file)
        remember_erased(places.key_file, erased)
        _copy_objects(folder, path, open_objects(places.objects))
        if places.sqlite_file is not None:
            _exchange(path, places.sqlite_file)
        else:
            _load(path, places)
    return chosen


def _fill(
    records: Records, folder: Path, partial: Path, made_at: datetime
) -> tuple[int, dict[str, str]]:
    target = partial / _DATABASE
    _copy_database(records.database, target)
    copy = open_database(f"sqlite:///{target}")
    try:
        with copy.read() as session:
            names = {entry.name: entry for entry in named_objects(session)}
    finally:
        copy.close()
    _collapse(target)
    kept = FolderObjects(folder / "objects")
    lying = {entry.name: entry.size for entry in kept.list() if entry.whole}
    copied = 0
    for name, entry in names.items():
        if lying.get(name) != entry.size:
            sealed = records.vault.objects.get(name)
            check(sealed, entry.sha256)
            kept.put(name, sealed)
            copied += 1
    manifest = {name: entry.sha256.hex() for name, entry in names.items()}
    content = {
        "skinscan backup": _FORMAT,
        "made_at": made_at.isoformat(),
        "database_sha256": _sha256(target),
        "objects": manifest,
    }
    write_private(partial / _MANIFEST, json.dumps(content, indent=0).encode())
    return copied, manifest


def _copy_database(database: Database, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if database.path is not None:
        with (
            closing(sqlite3.connect(database.path)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    else:
        other = open_database(f"sqlite:///{target}")
        try:
            migrations.upgrade(other)
            with (
                database.connection(Mode.READ) as source_rows,
                other.connection(Mode.MIGRATE) as rows,
            ):
                _copy_rows(source_rows, rows)
        finally:
            other.close()
    sync_file(target)


def _copy_rows(source: Connection, target: Connection) -> None:
    for table in _tables():
        for part in source.execute(select(table)).mappings().partitions(1000):
            target.execute(insert(table), [dict(row) for row in part])


def _tables() -> list[Any]:
    # Clients and users refer to each other: references are checked at the end of the transaction
    # on SQLite (they are off while migrating), and `_load` breaks the circle on PostgreSQL.
    return list(Base.metadata.sorted_tables)


def _collapse(path: Path) -> None:
    """Leave one file without a journal, so that its digest covers all of it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    sync_file(path)


def _prune(records: Records, folder: Path, *, keep: int | None) -> None:
    with records.database.read() as session:
        last_erasure = session.scalar(select(func.max(Erased.at)))
    found = snapshots(folder)
    stale = [s for s in found[:-1] if last_erasure is not None and s.made_at <= last_erasure]
    if keep is not None:
        stale += [s for s in found[: -max(1, keep)] if s not in stale]
    for snapshot in stale:
        shutil.rmtree(snapshot.folder)
    needed: set[str] = set()
    for snapshot in snapshots(folder):
        needed |= set(_manifest(snapshot.folder)["objects"])
    kept = FolderObjects(folder / "objects")
    for entry in list(kept.list()):
        if entry.name not in needed:
            kept.delete(entry.name)


@contextmanager
def _working_copy(source: Path, places: Places) -> Iterator[Path]:
    """Copy a snapshot's database to where it is to go, under another name."""
    final = places.sqlite_file or source
    make_private_folder(final.parent)
    path = final.with_name(f"{final.name}.restore-{os.getpid()}.part")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        shutil.copyfile(source, path)
        yield path
    finally:
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()


def _keyring(database: Database, places: Places, recovery_code: str | None) -> tuple[Keyring, bool]:
    """Find the keys that open a restored database; whether they are new to this machine."""
    with database.read() as session:
        practice = session.scalar(select(Practice).limit(1))
        note = session.get(Note, RECOVERY_NOTE)
    if practice is None:
        raise _damaged("no practice")
    place = practice_key_place(practice.id)
    if places.key_file.exists():
        keyring = load_keyring(places.key_file)
        try:
            keyring.unwrap(practice.key_wrapped, place=place)
        except SealError:
            pass
        else:
            return keyring, False
    if recovery_code is None or note is None:
        raise RecoveryCodeError(
            expected="the key file of these records, or their recovery code",
            found="neither",
            remedy="Give the recovery code that was printed when the records were made",
        )
    keyring = recover(note.value["wrapped"], recovery_code)
    keyring.unwrap(practice.key_wrapped, place=place)
    return keyring, True


def _erased_now(places: Places) -> set[str]:
    """Ask the database that will be replaced, if it can still be read, who was erased."""
    path = places.sqlite_file
    if path is None or not path.is_file():
        return set()
    try:
        with closing(sqlite3.connect(path)) as connection:
            return {row[0] for row in connection.execute("SELECT client_id FROM erased")}
    except sqlite3.Error:
        return set()  # damaged: that is why it is restored; the list beside the key counts


def _finish(database: Database, keyring: Keyring, erased: set[str], snapshot: Snapshot) -> None:
    with database.write() as session:
        practice = session.scalar(select(Practice).limit(1))
        if practice is None:
            raise _damaged("no practice")
        key = keyring.unwrap(practice.key_wrapped, place=practice_key_place(practice.id))
        audit.verify(session, key)
        for client_id in sorted(erased):
            remove_rows(session, client_id)
        # Who was signed in when the backup was made must not be so again.
        for table in ("logins", "tokens"):
            session.execute(Base.metadata.tables[table].delete())
        audit.record(
            session,
            key,
            Action.RESTORED,
            detail={"made_at": snapshot.made_at.isoformat(), "erased": len(erased)},
        )
    scrub(database)


def _copy_objects(folder: Path, database: Path, target: ObjectStore) -> None:
    kept = FolderObjects(folder / "objects")
    copy = open_database(f"sqlite:///{database}")
    try:
        with copy.read() as session:
            names = list(named_objects(session))
    finally:
        copy.close()
    lying = {entry.name: entry.size for entry in target.list()}
    for entry in names:
        if lying.get(entry.name) == entry.size:
            try:
                check(target.get(entry.name), entry.sha256)
            except Exception:  # noqa: BLE001, S110 - whatever is wrong with it, it is replaced
                pass
            else:
                continue
        target.put(entry.name, kept.get(entry.name))


def _exchange(path: Path, final: Path) -> None:
    _collapse(path)
    if final.exists():
        # A damaged one is kept as it is.
        with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(final)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        aside = _set_aside(final)
        final.rename(aside)
        for end in ("-wal", "-shm"):
            journal = final.with_name(final.name + end)
            if journal.exists():
                journal.rename(aside.with_name(aside.name + end))
    path.rename(final)
    sync_folder(final.parent)


def _load(path: Path, places: Places) -> None:
    """Bring a restored database into an empty PostgreSQL database."""
    target = open_database(places.database)
    source = open_database(f"sqlite:///{path}")
    try:
        migrations.upgrade(target)
        with source.connection(Mode.READ) as rows, target.connection(Mode.WRITE) as into:
            if into.execute(select(func.count()).select_from(Practice)).scalar():
                raise DatabaseExistsError(
                    expected="an empty PostgreSQL database",
                    found="the records of a practice",
                    remedy="Create an empty database and name it",
                )
            clients, users = Base.metadata.tables["clients"], Base.metadata.tables["users"]
            carers = []
            for table in _ordered():
                found = [dict(row) for row in rows.execute(select(table)).mappings()]
                if table is clients:
                    carers = [(r["id"], r["practitioner_id"]) for r in found]
                    found = [r | {"practitioner_id": None} for r in found]
                for at in range(0, len(found), 1000):
                    into.execute(insert(table), found[at : at + 1000])
                if table is users:
                    for client_id, user_id in carers:
                        into.execute(
                            clients.update()
                            .where(clients.c.id == client_id)
                            .values(practitioner_id=user_id)
                        )
    finally:
        source.close()
        target.close()


def _ordered() -> list[Any]:
    names = [table.name for table in _tables()]
    # Rows of users refer to clients; the way back is set afterwards.
    first = ["practices", "clients", "users"]
    rest = [name for name in names if name not in first]
    return [Base.metadata.tables[name] for name in first + rest]


def _set_aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.before-restore-{datetime.now(UTC).strftime(_STAMP)}")


def _newest(folder: Path) -> Snapshot:
    found = snapshots(folder)
    if not found:
        raise BackupMissingError(
            expected="a backup in this folder",
            found="none",
            remedy="Name the folder that was given to: skinscan backup",
        )
    return found[-1]


def _manifest(snapshot: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((snapshot / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged("a manifest that is missing or cannot be read") from error
    if content.get("skinscan backup") != _FORMAT:
        raise _damaged("a backup of another format")
    return content


def _damaged(found: str) -> BackupDamagedError:
    return BackupDamagedError(
        expected="a backup as it was made",
        found=found,
        remedy="Use another snapshot or another backup; nothing was changed",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
