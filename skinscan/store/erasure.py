"""Erasing a client: rows, key and objects; neither this disk nor a backup brings them back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from skinscan.durable import write_private
from skinscan.errors import StorageFullError
from skinscan.store import migrations, schema
from skinscan.store.audit import Action
from skinscan.store.database import Database, translated
from skinscan.store.records import Records
from skinscan.store.schema import (
    Client,
    Consent,
    Course,
    Erased,
    Login,
    Photo,
    Scan,
    Token,
    Treatment,
    User,
)

#: Room kept free for the journal of an erasure, so that a full disk does not prevent one, bytes.
RESERVE_BYTES = 8 * 2**20

_RESERVE = "reserve"


@dataclass(frozen=True)
class Erasure:
    """What an erasure removed.

    Attributes
    ----------
    rows, objects, copies : int
        Of the database, of the vault, and copies that upgrades had left.
    """

    rows: int
    objects: int
    copies: int


def erase(records: Records, client_id: str, *, actor: str | None) -> Erasure:
    """Erase a client.

    The rows go first, and with them the key: from then on the objects are noise, whatever
    happens. Cut off after that, the sweep removes the objects, and a second call is harmless.

    Parameters
    ----------
    records : Records
    client_id : str
    actor : str or None
        Who did it; None at the terminal.

    Raises
    ------
    StorageFullError, StoreError
    """

    def rows() -> int:
        with records.database.write() as session:
            removed = remove_rows(session, client_id)
            records.record(
                session,
                Action.CLIENT_ERASED,
                actor=actor,
                subject=client_id,
                detail={"rows": removed},
            )
            return removed

    removed = _with_reserve(records.database, rows)
    remember_erased(records.places.key_file, {client_id})
    objects = 0
    for entry in list(records.vault.objects.list(client_id)):
        records.vault.objects.delete(entry.name)
        objects += 1
    copies = scrub(records.database)
    keep_reserve(records.database)
    return Erasure(removed, objects, copies)


def remove_rows(session: Session, client_id: str) -> int:
    """Delete all rows of a client in the order that references allow; how many."""
    users = select(User.id).where(User.client_id == client_id)
    session.execute(update(Client).where(Client.id == client_id).values(practitioner_id=None))
    removed = 0
    for statement in (
        delete(Scan).where(Scan.client_id == client_id),
        delete(Photo).where(Photo.client_id == client_id),
        delete(Treatment).where(Treatment.client_id == client_id),
        delete(Consent).where(Consent.client_id == client_id),
        delete(schema.Session).where(schema.Session.client_id == client_id),
        delete(Course).where(Course.client_id == client_id),
        delete(Login).where(Login.user_id.in_(users)),
        delete(Token).where(Token.user_id.in_(users)),
        delete(Token).where(Token.client_id == client_id),
        delete(User).where(User.client_id == client_id),
        delete(Client).where(Client.id == client_id),
    ):
        result = session.execute(statement, execution_options={"synchronize_session": False})
        removed += max(0, result.rowcount)  # type: ignore[attr-defined]
    if session.get(Erased, client_id) is None:
        session.add(Erased(client_id=client_id))
    return removed


def scrub(database: Database) -> int:
    """Remove what deleted rows leave behind on an SQLite disk: journal, free pages, old copies.

    Returns
    -------
    int
        How many copies there were.
    """
    if database.path is None:
        return 0  # PostgreSQL: its own vacuum and archives, see docs/records.md
    with translated(), closing(sqlite3.connect(database.path, timeout=30)) as connection:
        connection.isolation_level = None
        # Deleted content was overwritten with zeros (secure_delete), in the journal too: that must
        # reach the file, and the journal be emptied.
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            connection.execute("PRAGMA wal_checkpoint(RESTART)")
    copies = migrations.copies_of(database.path)
    for copy in copies:
        copy.unlink()
    return len(copies)


def erased_file(key_file: Path) -> Path:
    """Tell where the identifiers of erased clients are kept outside of all backups."""
    return key_file.with_name(key_file.name + ".erased")


def remembered_erased(key_file: Path) -> set[str]:
    """Read which clients were erased, whatever a restored database says."""
    path = erased_file(key_file)
    return set(json.loads(path.read_text(encoding="ascii"))) if path.is_file() else set()


def remember_erased(key_file: Path, client_ids: set[str]) -> None:
    """Keep which clients were erased, beside the key file."""
    known = remembered_erased(key_file)
    if client_ids <= known:
        return
    content = json.dumps(sorted(known | client_ids), indent=0) + "\n"
    write_private(erased_file(key_file), content.encode())


def keep_reserve(database: Database) -> bool:
    """Keep room for an erasure on a disk that will be full; whether there is."""
    if database.path is None:
        return True
    path = _reserve_path(database)
    if path.is_file() and path.stat().st_size == RESERVE_BYTES:
        return True
    try:
        write_private(path, bytes(RESERVE_BYTES))
    except OSError:
        return False
    return True


def _with_reserve(database: Database, work: Callable[[], int]) -> int:
    try:
        return work()
    except StorageFullError:
        if database.path is None or not _reserve_path(database).is_file():
            raise
        _reserve_path(database).unlink()
        return work()


def _reserve_path(database: Database) -> Path:
    if database.path is None:
        raise RuntimeError("a server's disk is not ours")
    return database.path.with_name(_RESERVE)
