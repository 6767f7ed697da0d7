"""The practice's records, opened: database, vault and keys in one hand."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from skinscan.durable import make_private_folder
from skinscan.errors import DatabaseExistsError, ErasedError, RecordMissingError
from skinscan.store import audit, migrations
from skinscan.store.database import Database, open_database
from skinscan.store.keys import (
    Keyring,
    load_keyring,
    new_keyring,
    new_recovery_code,
    save_keyring,
    wrap_for_recovery,
)
from skinscan.store.objects import open_objects
from skinscan.store.schema import Client, Erased, Note, Practice, new_id
from skinscan.store.sealing import Key, new_key
from skinscan.store.vault import Vault

#: Key of the note that tells of the recovery code.
RECOVERY_NOTE = "recovery"


@dataclass(frozen=True)
class Places:
    """Where the records lie.

    Attributes
    ----------
    database : str
        Address of the database.
    objects : str
        Folder or URL of the object store.
    key_file : Path
    """

    database: str
    objects: str
    key_file: Path

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file; None on a server."""
        if not self.database.startswith("sqlite"):
            return None
        return Path(self.database.removeprefix("sqlite:///"))

    @classmethod
    def of(cls, data: Path, key_file: Path) -> Places:
        """Put database and objects into one folder, and the key elsewhere."""
        return cls(f"sqlite:///{data / 'records.db'}", str(data / "objects"), key_file)


def default_places() -> Places:
    """Tell where the records of this machine's user lie; the environment may say otherwise.

    ``SKINSCAN_DATA`` names the folder, ``SKINSCAN_KEY_FILE`` the key file, ``SKINSCAN_DATABASE``
    and ``SKINSCAN_OBJECTS`` addresses where they are no part of the folder.
    """
    home = Path.home()
    shared = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(os.environ.get("SKINSCAN_DATA") or shared / "skinscan").absolute()
    key_file = Path(os.environ.get("SKINSCAN_KEY_FILE") or config / "skinscan" / "master.key")
    places = Places.of(data, key_file.absolute())
    return Places(
        os.environ.get("SKINSCAN_DATABASE") or places.database,
        os.environ.get("SKINSCAN_OBJECTS") or places.objects,
        places.key_file,
    )


@dataclass(frozen=True, eq=False)
class Records:
    """Open records.

    Attributes
    ----------
    places : Places
    database : Database
    vault : Vault
    keyring : Keyring
    practice_id : str
    practice_key : Key
        Seals what is told of staff, and keys the audit trail.
    """

    places: Places
    database: Database
    vault: Vault
    keyring: Keyring
    practice_id: str
    practice_key: Key = field(repr=False)

    def client_key(self, session: Session, client_id: str) -> Key:
        """Open a client's key.

        Raises
        ------
        ErasedError, RecordMissingError
        SealError
        """
        client = session.get(Client, client_id)
        if client is None:
            if session.get(Erased, client_id) is not None:
                raise ErasedError(
                    expected="a client", found="one who was erased", remedy="Nothing can be done"
                )
            raise RecordMissingError(
                expected="a client", found="none", remedy="Choose a client from the list"
            )
        return self.keyring.unwrap(client.key_wrapped, place=client_key_place(client_id))

    def record(
        self,
        session: Session,
        action: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        detail: audit.Detail | None = None,
    ) -> None:
        """Write a line of the audit trail in a transaction."""
        audit.record(
            session, self.practice_key, action, actor=actor, subject=subject, detail=detail
        )

    def write_down(
        self,
        session: Session,
        action: str,
        /,
        *,
        actor: str | None,
        subject: str | None,
        detail: audit.Detail,
    ) -> None:
        """Write a line of the audit trail for `store.accounts`, as its `Audit` asks."""
        self.record(session, action, actor=actor, subject=subject, detail=detail)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def client_key_place(client_id: str) -> str:
    """Tell the place that a client's wrapped key is bound to."""
    return f"clients.key/{client_id}"


def practice_key_place(practice_id: str) -> str:
    """Tell the place that a practice's wrapped key is bound to."""
    return f"practices.key/{practice_id}"


def create_records(
    places: Places, *, settings: dict[str, object] | None = None
) -> tuple[Records, str]:
    """Make empty records.

    Parameters
    ----------
    places : Places
        Neither key file nor database may be there; a PostgreSQL database must be empty.
    settings : dict, optional
        Of the practice.

    Returns
    -------
    records : Records
    recovery_code : str
        To be printed and kept on paper; it is not kept anywhere else.

    Raises
    ------
    KeyFileError, DatabaseExistsError, DatabaseError
    """
    keyring = new_keyring()
    # The key first: nothing may ever be sealed with a key that is not on a disk.
    save_keyring(keyring, places.key_file)
    try:
        database = open_database(places.database, create=places.sqlite_file is not None)
    except BaseException:
        places.key_file.unlink()
        raise
    try:
        migrations.upgrade(database)
        code = new_recovery_code()
        practice_id, practice_key = new_id(), new_key()
        with database.write() as session:
            _confirm_empty(session)
            session.add(
                Practice(
                    id=practice_id,
                    key_wrapped=keyring.wrap(practice_key, place=practice_key_place(practice_id)),
                    settings=settings or {},
                )
            )
            session.add(
                Note(
                    key=RECOVERY_NOTE,
                    value={"wrapped": wrap_for_recovery(keyring, code), "proven_at": None},
                )
            )
            session.flush()
            audit.record(session, practice_key, audit.Action.PRACTICE_CREATED, subject=practice_id)
    except BaseException:
        database.close()
        places.key_file.unlink()
        raise
    if "://" not in places.objects:
        make_private_folder(Path(places.objects))
    vault = Vault(open_objects(places.objects))
    return Records(places, database, vault, keyring, practice_id, practice_key), code


def open_records(places: Places, *, upgrade: bool = True) -> Records:
    """Open the records of a practice.

    Parameters
    ----------
    places : Places
    upgrade : bool
        Bring tables of an older version up to date first; otherwise they are refused.

    Raises
    ------
    KeyFileError, DatabaseMissingError, SealError, StoreError
    """
    keyring = load_keyring(places.key_file)
    database = open_database(places.database)
    try:
        if upgrade:
            migrations.upgrade(database)
        migrations.require_current(database)
        practice = _practice(database)
        key = keyring.unwrap(practice.key_wrapped, place=practice_key_place(practice.id))
    except BaseException:
        database.close()
        raise
    return Records(places, database, Vault(open_objects(places.objects)), keyring, practice.id, key)


def _confirm_empty(session: Session) -> None:
    if session.scalar(select(Practice.id).limit(1)) is not None:
        raise DatabaseExistsError(
            expected="an empty database",
            found="the records of a practice",
            remedy="Open them, or choose another database",
        )


def _practice(database: Database) -> Practice:
    with database.read() as session:
        practice = session.scalar(select(Practice).limit(1))
    if practice is None:
        raise RecordMissingError(
            expected="the records of a practice",
            found="an empty database",
            remedy="Run: skinscan setup",
        )
    return practice
