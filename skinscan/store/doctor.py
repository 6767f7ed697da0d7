"""Doctor: everything that can be wrong with the records, found and named; it changes nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from skinscan.errors import AuditError, SealError
from skinscan.store import audit, migrations
from skinscan.store.backup import BACKUP_NOTE
from skinscan.store.database import Mode
from skinscan.store.erasure import keep_reserve, remembered_erased
from skinscan.store.inventory import litter, named_objects, state_of
from skinscan.store.records import RECOVERY_NOTE, Records, client_key_place
from skinscan.store.schema import Client, Note, now

#: After this long without a backup doctor complains.
BACKUP_AGE = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes
    ----------
    kind : str
        As "object_missing".
    subject : str
        Name of an object, identifier of a row, or empty.
    sentence : str
        What it means and what to do.
    severe : bool
        Whether something is lost or open; otherwise it is a matter of care.
    """

    kind: str
    subject: str
    sentence: str
    severe: bool = True


def examine(records: Records) -> list[Finding]:
    """Look through everything: every object is read, every line of the audit trail checked."""
    return [
        *_database(records),
        *_objects(records),
        *_keys(records),
        *_audit(records),
        *_care(records),
    ]


def _database(records: Records) -> Iterator[Finding]:
    database = records.database
    if database.path is None:
        return  # PostgreSQL enforces references; its pages are the server's business
    with database.connection(Mode.READ) as connection:
        for (said,) in connection.execute(text("PRAGMA integrity_check")):
            if said != "ok":
                yield Finding(
                    "database_damaged", "", "The database is damaged: restore the last backup."
                )
                break
        for table, *_ in connection.execute(text("PRAGMA foreign_key_check")):
            yield Finding(
                "reference_broken",
                str(table),
                "A row refers to one that is gone: restore the last backup.",
            )


def _objects(records: Records) -> Iterator[Finding]:
    with records.database.read() as session:
        named = list(named_objects(session))
    sentences = {
        "missing": "An object is missing: restore the last backup.",
        "corrupt": "An object was changed or damaged: restore the last backup.",
    }
    for entry in named:
        state = state_of(records.vault.objects, entry)
        if state != "intact":
            yield Finding(f"object_{state}", entry.name, sentences[state])
    for found in litter(records, min_age_s=0.0):
        kind = "object_orphaned" if found.whole else "temporary_file"
        yield Finding(
            kind,
            found.name,
            "Left by a write that was cut off: skinscan doctor --sweep removes it.",
            severe=False,
        )


def _keys(records: Records) -> Iterator[Finding]:
    key_file = records.places.key_file
    if stat.S_IMODE(key_file.stat().st_mode) & 0o077:
        yield Finding(
            "key_readable", "", "Others on this machine can read the key file: chmod 600 it."
        )
    for folder in _data_folders(records):
        if key_file.resolve().is_relative_to(folder.resolve()):
            yield Finding(
                "key_in_data",
                "",
                "The key lies in the data folder: who takes one has both. Move it, and name it "
                "with SKINSCAN_KEY_FILE.",
            )
            break
    with records.database.read() as session:
        for client in session.query(Client).yield_per(500):
            try:
                records.keyring.unwrap(client.key_wrapped, place=client_key_place(client.id))
            except SealError:
                yield Finding(
                    "client_key_broken", client.id, "A client's key cannot be opened: restore."
                )
        for client_id in remembered_erased(key_file):
            if session.get(Client, client_id) is not None:
                yield Finding(
                    "erased_client_back",
                    client_id,
                    "An erased client is back, by a database that was not restored with skinscan: "
                    "erase them again.",
                )
    if len(records.keyring.masters) > 1:
        yield Finding(
            "rotation_unfinished", "", "A change of the master key was cut off: run it again."
        )


def _audit(records: Records) -> Iterator[Finding]:
    try:
        with records.database.read() as session:
            audit.verify(session, records.practice_key)
    except AuditError as error:
        yield Finding("audit_broken", "", f"The audit trail: {error.found}. {error.remedy}.")


def _care(records: Records) -> Iterator[Finding]:
    with records.database.read() as session:
        backup, recovery = session.get(Note, BACKUP_NOTE), session.get(Note, RECOVERY_NOTE)
        at = datetime.fromisoformat(backup.value["at"]) if backup else None
        proven = bool(recovery and recovery.value.get("proven_at"))
    if at is None:
        yield Finding(
            "backup_missing", "", "There is no backup yet: skinscan backup FOLDER.", severe=False
        )
    elif now() - at > BACKUP_AGE:
        days = (now() - at).days
        yield Finding("backup_old", "", f"The last backup is {days} days old.", severe=False)
    if not proven:
        yield Finding(
            "recovery_unproven",
            "",
            "Nobody has shown yet that the recovery code was kept: skinscan recovery prove.",
            severe=False,
        )
    path = records.database.path
    if path is None:
        return
    for copy in migrations.copies_of(path):
        yield Finding(
            "old_copy",
            copy.name,
            "The database as it was before an upgrade or a restore; delete it once all is well.",
            severe=False,
        )
    if not keep_reserve(records.database):
        yield Finding("disk_full", "", "The disk is nearly full: make room.", severe=False)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("database_readable", "", "Others on this machine can read the database.")


def _data_folders(records: Records) -> list[Path]:
    folders = []
    if records.database.path is not None:
        folders.append(records.database.path.parent)
    if "://" not in records.places.objects:
        folders.append(Path(records.places.objects))
    return folders
