"""The audit trail: who did what to whom and when, in a chain that shows every change.

Lines hold identifiers, kinds and counts, never names or content. Each line's digest covers the one
before it and is made with a key, so that whoever can write to the database but has not the key file
cannot make a line up; a trigger of the database refuses to change or delete one. The head of the
chain is kept apart, so that lines cut off at its end are missed too. What it cannot show: somebody
with the key file writing the trail anew, or the whole database being exchanged for an older copy.
"""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from skinscan.errors import AuditError
from skinscan.store import schema
from skinscan.store.schema import AuditEntry, Note
from skinscan.store.sealing import Key, keyed_digest

_HEAD = "audit"

Detail = dict[str, str | int | bool | None]


class Action(StrEnum):
    """What is written down, besides what `accounts.events.Event` names."""

    PRACTICE_CREATED = "practice.created"
    SETTINGS_CHANGED = "settings.changed"
    CLIENT_ADDED = "client.added"
    CLIENT_CHANGED = "client.changed"
    CLIENT_ARCHIVED = "client.archived"
    CLIENT_UNARCHIVED = "client.unarchived"
    CLIENT_EXPORTED = "client.exported"
    CLIENT_ERASED = "client.erased"
    DELETION_ASKED = "client.deletion_asked"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    COURSE_CHANGED = "course.changed"
    SESSION_CHANGED = "session.changed"
    SESSION_REMOVED = "session.removed"
    SESSION_SHARED = "session.shared"
    SESSION_UNSHARED = "session.unshared"
    TREATMENT_CHANGED = "treatment.changed"
    PHOTO_ADDED = "photo.added"
    PHOTO_VIEWED = "photo.viewed"
    PHOTO_CHANGED = "photo.changed"
    PHOTO_REMOVED = "photo.removed"
    BATCH_STARTED = "batch.started"
    BATCH_DOWNLOADED = "batch.downloaded"
    DENIED = "denied"
    BACKED_UP = "backup.made"
    RESTORED = "backup.restored"
    KEY_ROTATED = "key.rotated"
    RECOVERY_PROVEN = "recovery.proven"
    SWEPT = "litter.swept"


def record(
    session: Session,
    key: Key,
    action: str,
    *,
    actor: str | None = None,
    subject: str | None = None,
    detail: Detail | None = None,
) -> AuditEntry:
    """Write a line in the transaction of what it tells of: both happen, or neither.

    Parameters
    ----------
    session : Session
        Of `Database.write`, which is alone, so that numbers have no gaps.
    key : Key
        The practice's.
    action : Action
    actor : str, optional
        Identifier of the user; None is the machine's terminal, or nobody known.
    subject : str, optional
        Identifier of whom or what it was done to.
    detail : dict, optional
        Kinds and counts.
    """
    last = session.scalar(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1))
    entry = AuditEntry(
        number=last.number + 1 if last else 1,
        at=schema.now(),
        actor=actor,
        action=str(action),
        subject=subject,
        detail=detail or {},
        previous=last.digest if last else b"",
    )
    entry.digest = _digest(key, entry)
    session.add(entry)
    head = session.get(Note, _HEAD)
    if head is None:
        head = Note(key=_HEAD, value={})
        session.add(head)
    head.value = {"number": entry.number, "digest": entry.digest.hex()}
    session.flush()
    return entry


def verify(session: Session, key: Key) -> int:
    """Check every line of the trail.

    Returns
    -------
    int
        How many lines there are.

    Raises
    ------
    AuditError
        Names the first line that was changed, is missing, or was cut off.
    """
    previous = b""
    number = 0
    for entry in session.scalars(
        select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=1000)
    ):
        number += 1
        intact = (
            entry.number == number
            and entry.previous == previous
            and hmac.compare_digest(entry.digest, _digest(key, entry))
        )
        if not intact:
            raise _broken(f"line {number} changed or missing")
        previous = entry.digest
    head = session.get(Note, _HEAD)
    kept = head.value if head else {"number": 0, "digest": ""}
    if kept != {"number": number, "digest": previous.hex()}:
        raise _broken(f"lines missing after line {number}")
    return number


def count(session: Session) -> int:
    """Tell how many lines there are."""
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def _digest(key: Key, entry: AuditEntry) -> bytes:
    at: datetime = entry.at
    content = [
        entry.number,
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.subject,
        entry.detail,
        entry.previous.hex(),
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return keyed_digest(key, text.encode(), use="audit")


def _broken(found: str) -> AuditError:
    return AuditError(
        expected="an audit trail in which every line follows from the one before",
        found=found,
        remedy="Keep a copy of the database as it is, and find out who had access to it",
    )
