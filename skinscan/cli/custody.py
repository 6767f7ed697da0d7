"""What the commands for a practice's records do: they speak, ask, and call the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinscan.batch.sources import find_photos
from skinscan.cli.dates import Told, confirm_photos, date_of, read_dates
from skinscan.cli.progress import confirm_person
from skinscan.declaration import Declaration
from skinscan.errors import (
    BadOptionError,
    ComparisonError,
    FaceError,
    PhotoError,
    PhotoKnownError,
    RecordMissingError,
)
from skinscan.landmarks import View
from skinscan.practice import clients, courses, custody, photos
from skinscan.practice.clients import ClientCard
from skinscan.practice.forms import Plan, Settings
from skinscan.practice.principal import TERMINAL
from skinscan.scan import Scan
from skinscan.store import rotation
from skinscan.store.audit import Action
from skinscan.store.backup import Snapshot, back_up, restore, snapshots
from skinscan.store.doctor import examine
from skinscan.store.erasure import keep_reserve
from skinscan.store.inventory import sweep
from skinscan.store.keys import recover
from skinscan.store.records import (
    RECOVERY_NOTE,
    Places,
    Records,
    create_records,
    default_places,
    open_records,
)
from skinscan.store.schema import Note, now

Say = Callable[[str], None]
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Imported:
    """What became of a folder's photos."""

    sessions: int
    photos: int
    known: int
    failed: int


def set_up(settings: Settings, places: Places | None = None) -> tuple[Places, str]:
    """Make the records of a practice; where they lie, and the recovery code."""
    places = places or default_places()
    records, code = create_records(places, settings=settings.to_json())
    keep_reserve(records.database)
    records.close()
    return places, code


def opened() -> Records:
    """Open the records of this machine's user."""
    return open_records(default_places())


def look_up(records: Records, name: str) -> ClientCard:
    """Find a client by identifier or by part of the name.

    Raises
    ------
    RecordMissingError
        None, or more than one.
    """
    everybody = [
        *clients.clients(records, TERMINAL),
        *clients.clients(records, TERMINAL, archived=True),
    ]
    exact = [c for c in everybody if name in (c.id, c.profile.name)]
    found = exact or [c for c in everybody if name.casefold() in c.profile.name.casefold()]
    if len(found) != 1:
        raise RecordMissingError(
            expected="the identifier of a client, or a part of one client's name",
            found=f"{len(found)} clients" if found else "nobody of that name",
            remedy="Run: skinscan clients",
        )
    return found[0]


def doctor(*, clean: bool, say: Say) -> int:
    """Say what is wrong; 0 if nothing severe is, else 1."""
    with opened() as records:
        if clean:
            count = sweep(records)
            with records.database.write() as session:
                records.record(session, Action.SWEPT, detail={"objects": count})
            say(f"{count} left-over files removed.")
        findings = examine(records)
    for finding in findings:
        mark = "!!" if finding.severe else "- "
        where = f" ({finding.subject})" if finding.subject else ""
        say(f"{mark} {finding.kind}{where}: {finding.sentence}")
    severe = sum(f.severe for f in findings)
    say(
        f"{severe} severe, {len(findings) - severe} to take care of."
        if findings
        else "All is well."
    )
    return 1 if severe else 0


def backup(folder: Path, *, keep: int | None) -> Snapshot:
    """Add a snapshot to a backup folder."""
    with opened() as records:
        return back_up(records, folder, keep=keep)


def bring_back(folder: Path, *, snapshot: str | None, code: str | None) -> Snapshot:
    """Restore a snapshot by its name, or the newest."""
    chosen = None
    if snapshot is not None:
        named = {s.folder.name: s for s in snapshots(folder)}
        if snapshot not in named:
            raise BadOptionError(
                expected="the name of a snapshot in this backup",
                found="none of that name",
                remedy="There are: " + (", ".join(named) or "none"),
            )
        chosen = named[snapshot]
    return restore(folder, default_places(), snapshot=chosen, recovery_code=code)


def erase(name: str, *, confirmed: bool, ask: Ask, say: Say) -> bool:
    """Erase a client after the name was typed again; whether it was done."""
    with opened() as records:
        card = look_up(records, name)
        if not confirmed:
            say(f"This erases all photos, notes and results of {card.profile.name}, for ever.")
            if ask("Type the client's name to go on") != card.profile.name:
                say("Not the same name: nothing was erased.")
                return False
        done = custody.erase_client(records, TERMINAL, card.id)
    say(f"Erased: {done.rows} rows, {done.objects} objects, {done.copies} old copies.")
    say("Backups made before still hold them, sealed; the next skinscan backup removes those.")
    return True


def retire(*, erase_them: bool, confirmed: bool, ask: Ask, say: Say) -> int:
    """Say whom the rule of retention says to erase, and do it if asked; how many were due."""
    with opened() as records:
        due = custody.due_for_erasure(records, TERMINAL)
        for entry in due:
            card = clients.client(records, TERMINAL, entry.client_id)
            say(f"{card.profile.name}: last session {entry.last_on.isoformat()} ({card.id})")
        if not due:
            say("Nobody is due.")
        elif not erase_them:
            say(f"{len(due)} due. Nothing was erased (add --erase).")
        elif confirmed or ask(f"Type {len(due)} to erase them for ever") == str(len(due)):
            for entry in due:
                custody.erase_client(records, TERMINAL, entry.client_id)
            say(f"{len(due)} clients erased.")
        else:
            say("Nothing was erased.")
        return len(due)


def rotate_key() -> tuple[int, str]:
    """Make a new master key; keys wrapped, and the new recovery code."""
    return rotation.rotate(default_places(), actor=None)


def prove_recovery(code: str) -> None:
    """Show that the recovery code on paper opens these records.

    Raises
    ------
    RecoveryCodeError
    """
    with opened() as records:
        with records.database.read() as session:
            note = session.get(Note, RECOVERY_NOTE)
            wrapped = str(note.value["wrapped"]) if note else ""
        recover(wrapped, code)
        with records.database.write() as session:
            note = session.get(Note, RECOVERY_NOTE)
            if note is not None:
                note.value = {**note.value, "proven_at": now().isoformat()}
            records.record(session, Action.RECOVERY_PROVEN)


def import_folder(
    folder: Path,
    *,
    client: str,
    course: str | None,
    dates: Path | None,
    same_person: bool,
    say: Say,
) -> Imported:
    """Bring a folder of dated photos in as sessions; run again, it adds only what is missing."""
    told = read_dates(dates) if dates is not None else {}
    _confirm_only_dates(told)
    with opened() as records:
        card = look_up(records, client)
        found = find_photos([folder])
        confirm_photos(told, {photo.name for photo in found})
        counts = {"photos": 0, "known": 0, "failed": 0}
        references: dict[View, Scan] = {}
        course_id = course or _course_for(records, card.id)
        held = {}
        if course_id is not None:
            held = {s.held_on: s.id for s in courses.sessions(records, TERMINAL, course_id)}
        made = 0
        for photo in found:
            try:
                prepared = photos.prepare(Path(photo.path).read_bytes())
                day = date_of(
                    photo.name, told.get(photo.name, Told()).taken_on, prepared.scan.captured_at
                )
            except (PhotoError, FaceError) as error:
                say(f"{photo.name}: {error}")
                counts["failed"] += 1
                continue
            first = references.setdefault(prepared.scan.view, prepared.scan)
            if not same_person and first is not prepared.scan:
                try:
                    confirm_person(prepared.scan, first)
                except ComparisonError:
                    say(f"{photo.name}:")
                    raise
            if course_id is None:
                course_id = courses.add_course(records, TERMINAL, card.id, Plan(), started_on=day)
            if day not in held:
                held[day] = courses.add_session(records, TERMINAL, course_id, day)
                made += 1
            try:
                photos.add_photo(records, TERMINAL, held[day], prepared)
            except PhotoKnownError:
                counts["known"] += 1
            else:
                counts["photos"] += 1
                say(f"{photo.name}: {day.isoformat()}, {prepared.scan.view.value}")
    return Imported(made, **counts)


def _confirm_only_dates(told: Mapping[str, Told]) -> None:
    """Stop where declarations would be lost: records hold the state of the skin by session."""
    if any(entry.declared != Declaration() for entry in told.values()):
        raise BadOptionError(
            expected="photos and dates only, because records keep make-up and treatment by session",
            found="a photo with make_up or just_treated",
            remedy="Empty those columns, and note it in the session after importing",
        )


def _course_for(records: Records, client_id: str) -> str | None:
    """Choose the client's open course where there is only one."""
    found: Sequence[courses.CourseCard] = [
        c for c in courses.courses(records, TERMINAL, client_id) if c.closed_at is None
    ]
    if len(found) > 1:
        raise BadOptionError(
            expected="one open course",
            found=f"{len(found)} of them",
            remedy="Name it with --course: " + ", ".join(c.id for c in found),
        )
    return found[0].id if found else None
