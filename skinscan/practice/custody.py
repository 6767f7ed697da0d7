"""Taking care of the data: export, erasure, retention, audit, settings."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select

from skinscan.errors import OutputError
from skinscan.practice import clients, courses, photos
from skinscan.practice.forms import Settings
from skinscan.practice.principal import Principal
from skinscan.practice.rules import Desk, On, Who, check, operation
from skinscan.report import kept_logo
from skinscan.scan import TABLE_COLUMNS, scan_to_json
from skinscan.store import audit, emblem, schema
from skinscan.store.audit import Action
from skinscan.store.erasure import Erasure, erase
from skinscan.store.records import Records
from skinscan.store.schema import AuditEntry, now

_STAFF = (Who.OWNER, Who.PRACTITIONER)

#: Version of the form of an export.
EXPORT_FORMAT = 1

_READ_ME = """Export of skinscan, form {format}.
client.json        everything that was written down: profile, consents, courses, sessions
measurements.csv   every number that was measured, one line each
scans/             the full result of each photo (JSON)
photos/            the photos, lossless WebP, named by date, view and take
Numbers measure cosmetic appearance; they diagnose nothing.
"""


@dataclass(frozen=True)
class AuditLine:
    """A line of the audit trail."""

    number: int
    at: datetime
    actor: str | None
    action: str
    subject: str | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Due:
    """A client whom the rule of retention says to erase.

    Attributes
    ----------
    client_id : str
    last_on : date
        Of the last session, or the day on which the client was added.
    """

    client_id: str
    last_on: date


@operation(On.PRACTICE, *_STAFF, Who.SELF, Who.TERMINAL)
def settings(desk: Desk) -> Settings:
    """Read the choices of the owner."""
    return Settings.from_json(_practice(desk).settings)


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL, writes=True)
def change_settings(desk: Desk, wanted: Settings) -> None:
    """Change the choices of the owner."""
    _practice(desk).settings = wanted.to_json()
    desk.record(Action.SETTINGS_CHANGED)


@operation(On.PRACTICE, *_STAFF, Who.SELF, Who.TERMINAL)
def logo(desk: Desk) -> bytes | None:
    """Read the practice's logo, PNG; None where there is none."""
    return emblem.read(desk.session, desk.records.practice_key)


@operation(On.PRACTICE, Who.OWNER, writes=True)
def change_logo(desk: Desk, source: bytes | None) -> None:
    """Keep another logo, or none.

    Parameters
    ----------
    source : bytes or None
        A PNG, JPEG or WebP file; it is decoded and encoded anew.

    Raises
    ------
    LogoError
        Nothing was changed.
    """
    content = None if source is None else kept_logo(source)
    emblem.keep(desk.session, desk.records.practice_key, content)
    desk.record(Action.SETTINGS_CHANGED, detail={"what": "logo"})


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL)
def audit_lines(desk: Desk, *, after: int = 0, most: int = 200) -> list[AuditLine]:
    """Read the newest lines of the audit trail whose number is above one, newest first."""
    rows = desk.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.number > after)
        .order_by(AuditEntry.number.desc())
        .limit(most)
    )
    return [AuditLine(r.number, r.at, r.actor, r.action, r.subject, r.detail) for r in rows]


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL)
def verify_audit(desk: Desk) -> int:
    """Check the audit trail; how many lines it has.

    Raises
    ------
    AuditError
    """
    return audit.verify(desk.session, desk.records.practice_key)


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL)
def deletion_wishes(desk: Desk) -> list[str]:
    """List the clients who ask for erasure, the longest waiting first: identifiers only."""
    return list(
        desk.session.scalars(
            select(schema.Client.id)
            .where(
                schema.Client.practice_id == desk.records.practice_id,
                schema.Client.deletion_asked_at.is_not(None),
            )
            .order_by(schema.Client.deletion_asked_at, schema.Client.id)
        )
    )


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL)
def due_for_erasure(desk: Desk, *, today: date | None = None) -> list[Due]:
    """List whom the rule of retention says to erase; nothing is erased by itself."""
    years = Settings.from_json(_practice(desk).settings).keep_years
    if years is None:
        return []
    today = today or now().date()
    # 29 February has no namesake in most years.
    before = date(today.year - years, today.month, min(today.day, 28))
    rows = desk.session.execute(
        select(schema.Client.id, schema.Client.created_at, func.max(schema.Session.held_on))
        .outerjoin(schema.Session, schema.Session.client_id == schema.Client.id)
        .group_by(schema.Client.id, schema.Client.created_at)
    )
    found = [Due(row[0], row[2] or row[1].date()) for row in rows]
    return sorted((d for d in found if d.last_on < before), key=lambda d: (d.last_on, d.client_id))


def erase_client(records: Records, principal: Principal, client_id: str) -> Erasure:
    """Erase a client: rows, key, photos, scans; it cannot be undone.

    Raises
    ------
    DeniedError, RecordMissingError, StoreError
    """
    check(records, principal, "allow_erasure", client_id)
    return erase(records, client_id, actor=principal.user_id)


@operation(On.CLIENT, Who.OWNER, Who.TERMINAL)
def allow_erasure(desk: Desk, client_id: str) -> None:
    """Ask only whether one may; `erase_client` does it."""


def export_client(records: Records, principal: Principal, client_id: str, path: Path) -> None:
    """Write all that there is of a client into a ZIP file: whole, or not at all.

    A client gets what they may see: no notes of the practice, and photos that were shared.

    Raises
    ------
    DeniedError, RecordMissingError
    OutputError
        The file cannot be written, or is there already.
    StoreError
    """
    check(records, principal, "note_export", client_id)
    partial = path.with_name(path.name + ".part")
    try:
        handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                write_export(records, principal, client_id, file)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, path)
        finally:
            partial.unlink()
    except OSError as error:
        raise OutputError(
            expected="a new file in a folder that can be written to",
            found=(error.strerror or type(error).__name__).lower(),
            remedy="Choose another name or folder",
        ) from error


def write_export(records: Records, principal: Principal, client_id: str, file: BinaryIO) -> None:
    """Write the ZIP file of `export_client` into an open file, one photo in memory at a time."""
    note_export(records, principal, client_id)
    told: dict[str, Any] = {
        "form": EXPORT_FORMAT,
        "client": _plain(clients.client(records, principal, client_id)),
        "consents": [_plain(c) for c in clients.consents(records, principal, client_id)],
        "treatments": [_plain(t) for t in courses.treatments(records, principal, client_id)],
        "courses": [],
    }
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["date", *TABLE_COLUMNS])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for course in courses.courses(records, principal, client_id):
            entry: dict[str, Any] = _plain(course)
            entry["sessions"] = []
            for session in courses.sessions(records, principal, course.id):
                entry["sessions"].append(_plain(session))
                scans = photos.session_scans(records, principal, session.id)
                for scan in scans:
                    archive.writestr(f"scans/{scan.name}.json", scan_to_json(scan))
                    rows.writerows([session.held_on.isoformat(), *row] for row in scan.rows())
                if session.shared_at is None and not _sees_all(principal):
                    continue
                for card in photos.photos(records, principal, session.id):
                    name = f"{session.held_on}_{card.view.value}_{card.take}_{card.id}.webp"
                    content = (
                        photos.open_kept(records, principal, card.id)[0]
                        if principal.terminal
                        else photos.view_photo(records, principal, card.id)
                    )
                    archive.writestr(f"photos/{name}", content)
            told["courses"].append(entry)
        archive.writestr("client.json", json.dumps(told, ensure_ascii=False, indent=1, default=str))
        archive.writestr("measurements.csv", table.getvalue())
        archive.writestr("README.txt", _READ_ME.format(format=EXPORT_FORMAT))


@operation(On.CLIENT, Who.OWNER, Who.SELF, Who.TERMINAL, writes=True)
def note_export(desk: Desk, client_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Write down that a client's data are exported; `export_client` does it."""
    desk.record(Action.CLIENT_EXPORTED)


def _sees_all(principal: Principal) -> bool:
    return principal.terminal or principal.role is not schema.Role.CLIENT


def _practice(desk: Desk) -> schema.Practice:
    practice = desk.session.get(schema.Practice, desk.records.practice_id)
    if practice is None:
        raise RuntimeError("open records have a practice")
    return practice


def _plain(card: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    content: dict[str, Any] = asdict(card)
    return content
