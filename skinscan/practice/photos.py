"""Photos and their scans: taken in, measured, looked at, measured again."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, update

from skinscan.errors import (
    ObjectMissingError,
    PhotoKnownError,
    RecordConflictError,
    RecordMissingError,
    SkinscanError,
)
from skinscan.facemap import rectify
from skinscan.landmarks import View
from skinscan.looks import Pictures, draw_all
from skinscan.metrics import METRICS_VERSION
from skinscan.photo import open_photo
from skinscan.practice.clients import confirm_active, confirm_consent
from skinscan.practice.forms import bad
from skinscan.practice.principal import Principal
from skinscan.practice.rules import Desk, On, Who, check, operation, unknown
from skinscan.registration import Skin, skin_of
from skinscan.scan import SCAN_FORMAT, Scan, analyze, scan_from_json, scan_to_json
from skinscan.store import schema
from skinscan.store.audit import Action
from skinscan.store.canonical import Canonical, canonical, open_canonical, open_pixels
from skinscan.store.records import Records
from skinscan.store.schema import Role, ScanState, new_id
from skinscan.store.sealing import Key, keyed_digest, seal_json, unseal_json
from skinscan.store.vault import Kind, Receipt

_STAFF = (Who.OWNER, Who.PRACTITIONER)


@dataclass(frozen=True)
class PhotoCard:
    """A photo of a session.

    Attributes
    ----------
    id, client_id, session_id : str
    view : View
    take : int
        From 1.
    size_px : tuple of int
        Width and height.
    created_at : datetime
    metrics_version : str or None
        Of the scan that is shown; None where there is none.
    """

    id: str
    client_id: str
    session_id: str
    view: View
    take: int
    size_px: tuple[int, int]
    created_at: datetime
    metrics_version: str | None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo that was read and measured and is not saved yet.

    Attributes
    ----------
    kept : Canonical
    scan : Scan
        With pixels, for a look at it before it is saved.
    look : Pictures or None
        What is shown of it.
    """

    kept: Canonical
    scan: Scan
    look: Pictures | None = None


@dataclass(frozen=True)
class ScanReceipts:
    """What the records keep of a scan's objects.

    Attributes
    ----------
    scan : Receipt
    look : Receipt or None
    """

    scan: Receipt
    look: Receipt | None


def metrics_version() -> str:
    """Tell the version of metrics and scan format of this program."""
    return f"{METRICS_VERSION}/{SCAN_FORMAT}"


def prepare(source: bytes, *, view: View | None = None) -> Prepared:
    """Read and measure a photo without saving anything.

    Parameters
    ----------
    source : bytes
        The file as it was uploaded.
    view : View, optional
        Which view was meant; recognised by default.

    Raises
    ------
    PhotoError, FaceError
        It cannot be measured; the class tells why.
    """
    kept = canonical(open_photo(source))
    scan = analyze(kept.open(), name="", view=view)
    return Prepared(kept, scan, draw_all(scan))


def add_photo(
    records: Records,
    principal: Principal,
    session_id: str,
    source: bytes | Prepared,
    *,
    view: View | None = None,
) -> str:
    """Take a photo into a session: when this returns it is safe, with its scan.

    Parameters
    ----------
    records : Records
    principal : Principal
    session_id : str
    source : bytes or Prepared
        The file as it was uploaded, or what `prepare` made of it.
    view : View, optional
        Which view was meant; recognised by default.

    Returns
    -------
    str
        Identifier of the photo.

    Raises
    ------
    DeniedError, RecordMissingError, ConsentMissingError
    PhotoError, FaceError
        It cannot be measured; nothing was saved.
    PhotoKnownError
        The client has this picture already.
    StorageFullError, ObjectStoreUnavailableError, StoreError
        It could not be saved; nothing was.
    """
    # Before any work: a stranger must not make the server decode pictures.
    client_id = check(records, principal, "save_photo", session_id) or ""
    prepared = source if isinstance(source, Prepared) else prepare(source, view=view)
    with records.database.read() as session:
        key = records.client_key(session, client_id)
    photo_id, scan_id = new_id(), new_id()
    try:
        photo = records.vault.put(
            key, prepared.kept.webp, client_id=client_id, kind=Kind.PHOTO, object_id=photo_id
        )
        scan = _put_scan(records, key, client_id, scan_id, prepared.scan, prepared.look)
        # The rows last: what they name is on the disk.
        save_photo(
            records,
            principal,
            session_id,
            photo_id=photo_id,
            scan_id=scan_id,
            view=view or prepared.scan.view,
            kept=prepared.kept,
            photo=photo,
            scan=scan,
        )
    except BaseException:
        _forget(records, client_id, Kind.PHOTO, photo_id)
        _forget_scan(records, client_id, scan_id)
        raise
    return photo_id


@operation(On.SESSION, *_STAFF, Who.TERMINAL, writes=True)
def save_photo(
    desk: Desk,
    session_id: str,
    *,
    photo_id: str,
    scan_id: str,
    view: View,
    kept: Canonical,
    photo: Receipt,
    scan: ScanReceipts,
) -> None:
    """Write the rows of a photo whose objects lie in the vault; `add_photo` does both."""
    client_id = desk.target.client_id
    confirm_active(desk)
    confirm_consent(desk, client_id)
    key = desk.client_key
    mac = keyed_digest(key, kept.pixels_sha256, use="pixels")
    known = desk.session.scalar(
        select(schema.Photo.id).where(
            schema.Photo.client_id == client_id, schema.Photo.pixels_mac == mac
        )
    )
    if known is not None:
        raise PhotoKnownError(
            expected="a new picture",
            found="one that is kept for this client already",
            remedy="Choose another photo; this one need not be added again",
        )
    desk.session.add(
        schema.Photo(
            id=photo_id,
            client_id=client_id,
            session_id=session_id,
            view=view.value,
            take=_next_take(desk, session_id, view),
            width_px=kept.size_px[0],
            height_px=kept.size_px[1],
            source_sealed=seal_json(key, kept.capture, place=_source(photo_id)),
            pixels_mac=mac,
            object_sha256=photo.sha256,
            object_bytes=photo.size,
            made_by=desk.made_by,
        )
    )
    desk.session.flush()
    _add_scan(desk, photo_id, scan_id, scan)
    desk.record(Action.PHOTO_ADDED, detail={"photo": photo_id})


@operation(On.SESSION, *_STAFF, Who.SELF_IF_SHARED, Who.TERMINAL)
def photos(desk: Desk, session_id: str) -> list[PhotoCard]:
    """List the photos of a session: front, left, right, and takes in order."""
    return _cards(desk, schema.Photo.session_id == session_id)


@operation(On.COURSE, *_STAFF, Who.SELF, Who.TERMINAL)
def course_photos(desk: Desk, course_id: str) -> dict[str, list[PhotoCard]]:
    """List the photos of a course by session; the client gets those that were shared."""
    held = _held(desk, course_id)
    found: dict[str, list[PhotoCard]] = {}
    for card in _cards(desk, schema.Photo.session_id.in_(held)):
        found.setdefault(card.session_id, []).append(card)
    return found


@operation(On.PHOTO, *_STAFF, Who.SELF_IF_SHARED, writes=True)
def view_photo(desk: Desk, photo_id: str) -> bytes:
    """Read a photo to look at it, lossless WebP; that it was looked at is written down."""
    row = desk.target
    content = _object(desk, desk.client_key, row, Kind.PHOTO, row.object_sha256)
    desk.record(Action.PHOTO_VIEWED, detail={"photo": photo_id})
    return content


def kept_skin(records: Records, principal: Principal, scan: Scan) -> Skin:
    """Read a photo's skin, to subtract another from it; written down as any look at the photo.

    Parameters
    ----------
    records : Records
    principal : Principal
    scan : Scan
        Of the photo, as `course_scans` gives it: its name is the photo's identifier.

    Raises
    ------
    DeniedError, RecordMissingError, StoreError
    """
    webp = view_photo(records, principal, scan.name)
    return skin_of(rectify(open_pixels(webp).decode(), scan.face))


@operation(On.COURSE, *_STAFF, Who.SELF, writes=True)
def course_looks(desk: Desk, course_id: str, photo_ids: Sequence[str]) -> dict[str, Pictures]:
    """Read what is shown of photos of a course; that they were looked at is written down.

    Parameters
    ----------
    photo_ids : sequence of str
        Those that the client may not see, that belong to another course or that have no pictures
        are left out.
    """
    held = _held(desk, course_id)
    rows = desk.session.execute(
        select(schema.Scan, schema.Photo.id)
        .join(schema.Photo, schema.Scan.photo_id == schema.Photo.id)
        .where(
            schema.Photo.id.in_(photo_ids),
            schema.Photo.session_id.in_(held),
            schema.Scan.current,
            schema.Scan.look_sha256.is_not(None),
        )
    ).all()
    key, found = desk.client_key, {}
    for row, photo_id in rows:
        with suppress(RecordMissingError):
            look = _object(desk, key, row, Kind.LOOK, row.look_sha256)
            found[photo_id] = Pictures.from_bytes(look)
    if found:
        desk.record(Action.PHOTO_VIEWED, detail={"photos": len(found)})
    return found


@operation(On.PHOTO, *_STAFF, writes=True)
def correct_view(desk: Desk, photo_id: str, view: View) -> None:  # noqa: ARG001
    """Say which view a photo is, where it was not recognised; measuring again heeds it."""
    row = desk.target
    if row.view != view.value:
        row.take = _next_take(desk, row.session_id, view)
        row.view = view.value
        desk.record(Action.PHOTO_CHANGED, detail={"photo": row.id, "what": "view"})


@operation(On.PHOTO, *_STAFF, writes=True)
def move_photo(desk: Desk, photo_id: str, session_id: str) -> None:
    """Move a photo to another session of the same client."""
    row = desk.target
    target = desk.session.get(schema.Session, session_id)
    if target is None or target.client_id != row.client_id:
        raise bad("a session of the same client", "another one")
    row.take = _next_take(desk, session_id, View(row.view))
    row.session_id = session_id
    desk.record(Action.PHOTO_CHANGED, detail={"photo": photo_id, "what": "session"})


def remove_photo(records: Records, principal: Principal, photo_id: str) -> None:
    """Remove a photo with all its scans: the rows first, then the objects."""
    for client_id, kind, object_id in remove_photo_rows(records, principal, photo_id):
        _forget(records, client_id, kind, object_id)


@operation(On.PHOTO, *_STAFF, writes=True)
def remove_photo_rows(desk: Desk, photo_id: str) -> list[tuple[str, Kind, str]]:
    """Remove the rows of a photo; the objects that nothing names any more."""
    row = desk.target
    scans = desk.session.scalars(select(schema.Scan).where(schema.Scan.photo_id == photo_id)).all()
    left = [(row.client_id, Kind.PHOTO, photo_id)]
    left += [(row.client_id, kind, scan.id) for scan in scans for kind in (Kind.SCAN, Kind.LOOK)]
    for scan in scans:
        desk.session.delete(scan)
    desk.session.flush()
    desk.session.delete(row)
    desk.record(Action.PHOTO_REMOVED, detail={"photo": photo_id})
    return left


@operation(On.SESSION, *_STAFF, Who.SELF, Who.TERMINAL)
def session_scans(desk: Desk, session_id: str) -> list[Scan]:
    """Read what was measured in the photos of a session: numbers, no pixels."""
    return _scans(desk, [session_id])


@operation(On.COURSE, *_STAFF, Who.SELF, Who.TERMINAL)
def course_scans(desk: Desk, course_id: str) -> dict[str, list[Scan]]:
    """Read what was measured in a course, by session."""
    ids = list(
        desk.session.scalars(
            select(schema.Session.id)
            .where(schema.Session.course_id == course_id)
            .order_by(schema.Session.held_on, schema.Session.created_at)
        )
    )
    return {session_id: _scans(desk, [session_id]) for session_id in ids}


@operation(On.PHOTO, *_STAFF, Who.TERMINAL)
def open_kept(desk: Desk, photo_id: str) -> tuple[bytes, dict[str, object], View]:
    """Read a photo with what its file told, for measuring; `rescore` does that."""
    row = desk.target
    key = desk.client_key
    webp = _object(desk, key, row, Kind.PHOTO, row.object_sha256)
    capture = unseal_json(key, row.source_sealed, place=_source(photo_id))
    return webp, capture, View(row.view)


def rescore(records: Records, principal: Principal, photo_id: str) -> Scan | None:
    """Measure a kept photo with this program's metrics; older results stay.

    Returns
    -------
    Scan or None
        None where it could not be measured: the older result is still shown.
    """
    client_id = check(records, principal, "save_scan", photo_id) or ""
    webp, capture, view = open_kept(records, principal, photo_id)
    scan_id = new_id()
    try:
        scan = analyze(open_canonical(webp, capture), name="", view=view)
    except SkinscanError as error:
        save_failure(records, principal, photo_id, failure=error.cause)
        return None
    with records.database.read() as session:
        key = records.client_key(session, client_id)
    try:
        receipts = _put_scan(records, key, client_id, scan_id, scan, draw_all(scan))
        save_scan(records, principal, photo_id, scan_id=scan_id, receipts=receipts)
    except BaseException:
        _forget_scan(records, client_id, scan_id)
        raise
    return replace(scan, pixels=None)


@operation(On.PHOTO, *_STAFF, Who.TERMINAL, writes=True)
def save_scan(desk: Desk, photo_id: str, *, scan_id: str, receipts: ScanReceipts) -> None:
    """Write the row of a scan that lies in the vault; `rescore` does both."""
    confirm_consent(desk, desk.target.client_id)
    _add_scan(desk, photo_id, scan_id, receipts)
    desk.record(Action.PHOTO_CHANGED, detail={"photo": photo_id, "what": "scan"})


@operation(On.PHOTO, *_STAFF, Who.TERMINAL, writes=True)
def save_failure(desk: Desk, photo_id: str, *, failure: str) -> None:
    """Write down that measuring failed; what was shown stays."""
    desk.session.add(
        schema.Scan(
            client_id=desk.target.client_id,
            photo_id=photo_id,
            metrics_version=metrics_version(),
            state=ScanState.FAILED,
            failure=failure,
            current=False,
        )
    )
    desk.record(Action.PHOTO_CHANGED, detail={"photo": photo_id, "what": "failure"})


def _add_scan(desk: Desk, photo_id: str, scan_id: str, receipts: ScanReceipts) -> None:
    desk.session.execute(
        update(schema.Scan)
        .where(schema.Scan.photo_id == photo_id, schema.Scan.current)
        .values(current=False)
    )
    desk.session.add(
        schema.Scan(
            id=scan_id,
            client_id=desk.client_id or "",
            photo_id=photo_id,
            metrics_version=metrics_version(),
            state=ScanState.SCORED,
            object_sha256=receipts.scan.sha256,
            object_bytes=receipts.scan.size,
            look_sha256=receipts.look.sha256 if receipts.look else None,
            look_bytes=receipts.look.size if receipts.look else None,
        )
    )
    desk.session.flush()


def _put_scan(  # noqa: PLR0917 - what an object is made of
    records: Records, key: Key, client_id: str, scan_id: str, scan: Scan, look: Pictures | None
) -> ScanReceipts:
    vault = records.vault
    kept = vault.put(key, _packed(scan), client_id=client_id, kind=Kind.SCAN, object_id=scan_id)
    drawn = None
    if look is not None:
        drawn = vault.put(
            key, look.to_bytes(), client_id=client_id, kind=Kind.LOOK, object_id=scan_id
        )
    return ScanReceipts(kept, drawn)


def _forget_scan(records: Records, client_id: str, scan_id: str) -> None:
    for kind in (Kind.SCAN, Kind.LOOK):
        _forget(records, client_id, kind, scan_id)


def _scans(desk: Desk, session_ids: Sequence[str]) -> list[Scan]:
    rows = desk.session.execute(
        select(schema.Scan, schema.Photo)
        .join(schema.Photo, schema.Scan.photo_id == schema.Photo.id)
        .where(
            schema.Photo.session_id.in_(session_ids),
            schema.Scan.current,
            schema.Scan.state == ScanState.SCORED,
        )
        .order_by(schema.Photo.view, schema.Photo.take)
    ).all()
    key, found = desk.client_key, []
    for row, photo in rows:
        with suppress(RecordMissingError):
            content = _object(desk, key, row, Kind.SCAN, row.object_sha256)
            scan = scan_from_json(zlib.decompress(content).decode())
            found.append(replace(scan, name=photo.id))
    return found


def _object(
    desk: Desk, key: Key, row: schema.Photo | schema.Scan, kind: Kind, sha256: bytes | None
) -> bytes:
    """Read what a row names.

    Raises
    ------
    RecordMissingError
        The row was removed after it was read, and the object after it.
    """
    if sha256 is None:
        raise RecordConflictError(
            expected="a row with its object",
            found="one without",
            remedy="Run: skinscan doctor",
        )
    try:
        return desk.records.vault.get(
            key, client_id=row.client_id, kind=kind, object_id=row.id, sha256=sha256
        )
    except ObjectMissingError:
        # The desk sees the records as they were; what is lost and what was removed, only now.
        with desk.records.database.read() as session:
            if session.get(type(row), row.id) is not None:
                raise
        raise unknown() from None


def _packed(scan: Scan) -> bytes:
    return zlib.compress(scan_to_json(scan).encode())


def _next_take(desk: Desk, session_id: str, view: View) -> int:
    last = desk.session.scalar(
        select(func.max(schema.Photo.take)).where(
            schema.Photo.session_id == session_id, schema.Photo.view == view.value
        )
    )
    return (last or 0) + 1


def _forget(records: Records, client_id: str, kind: Kind, object_id: str) -> None:
    """Delete an object unless a row names it; what cannot be decided now, a sweep finds later."""
    row = schema.Photo if kind is Kind.PHOTO else schema.Scan
    try:
        with records.database.read() as session:
            # A commit may have reached the disk although its confirmation was lost.
            if session.get(row, object_id) is None:
                records.vault.delete(client_id=client_id, kind=kind, object_id=object_id)
    except SkinscanError:
        return


def _held(desk: Desk, course_id: str) -> Select[str]:
    """Sessions of a course whose photos may be seen."""
    held = select(schema.Session.id).where(schema.Session.course_id == course_id)
    if desk.user is not None and desk.user.role is Role.CLIENT:
        held = held.where(schema.Session.shared_at.is_not(None))
    return held


def _cards(desk: Desk, which: ColumnElement[bool]) -> list[PhotoCard]:
    found = desk.session.execute(
        select(schema.Photo, schema.Scan.metrics_version)
        .outerjoin(
            schema.Scan,
            (schema.Scan.photo_id == schema.Photo.id)
            & schema.Scan.current
            & (schema.Scan.state == ScanState.SCORED),
        )
        .where(which)
    ).all()
    order = list(View)
    cards = [_card(row, version) for row, version in found]
    return sorted(cards, key=lambda card: (order.index(card.view), card.take))


def _card(row: schema.Photo, version: str | None) -> PhotoCard:
    return PhotoCard(
        row.id,
        row.client_id,
        row.session_id,
        View(row.view),
        row.take,
        (row.width_px, row.height_px),
        row.created_at,
        version,
    )


def _source(photo_id: str) -> str:
    return f"photos.source/{photo_id}"
