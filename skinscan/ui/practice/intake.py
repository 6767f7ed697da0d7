"""Photos on their way into a session: measured beside the page, so that they outlive it.

A practitioner may leave the page while photos are measured. What is good is saved at once; what is
doubtful waits for a decision and is kept in memory only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Final

from skinscan.errors import (
    AnotherPersonError,
    MirroredPhotoError,
    PhotoKnownError,
    SkinscanError,
)
from skinscan.facemap import FaceMap, rectify
from skinscan.identity import similarity
from skinscan.landmarks import View
from skinscan.practice import courses, photos
from skinscan.practice.photos import Prepared
from skinscan.practice.principal import Principal
from skinscan.quality import Grade, compare
from skinscan.registration import FINEST_PX_MM
from skinscan.scan import Scan
from skinscan.store.canonical import open_canonical
from skinscan.store.records import Records
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.scoring import explain, log_unexpected

#: Files that one upload brings at most.
MOST_FILES: Final = 24


class Fate(StrEnum):
    """What became of a file."""

    KEPT = "kept"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(eq=False)
class Item:
    """A file of an upload.

    Attributes
    ----------
    label : str
        Its name, for whoever chose it.
    fate : Fate or None
        None until it was measured.
    reasons : tuple of str
        Why it is doubtful or was refused.
    verdict, view : str
        Of the photo, where it was measured.
    thumbnail : bytes
        JPEG, where it was measured.
    prepared : Prepared or None
        As long as it waits for a decision.
    """

    label: str
    fate: Fate | None = None
    reasons: tuple[str, ...] = ()
    verdict: str = ""
    view: str = ""
    thumbnail: bytes = field(default=b"", repr=False)
    prepared: Prepared | None = field(default=None, repr=False)


@dataclass(eq=False)
class Intake:
    """An upload into a session.

    Attributes
    ----------
    items : list of Item
    done : int
        How many were measured.
    """

    records: Records
    principal: Principal
    session_id: str
    items: list[Item] = field(default_factory=list)
    done: int = 0
    running: bool = False
    _references: dict[View, tuple[FaceMap, Scan] | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, files: list[tuple[str, bytes]]) -> None:
        """Begin to measure files; returns at once."""
        with self._lock:
            fresh = [(Item(label), data) for label, data in files[:MOST_FILES]]
            self.items += [item for item, _ in fresh]
            self.running = True
        threading.Thread(target=self._work, args=(fresh,), daemon=True).start()

    def keep(self, item: Item) -> None:
        """Save a photo that somebody confirmed.

        Raises
        ------
        SkinscanError
        """
        if item.prepared is not None:
            self._save(item, item.prepared)

    def leave_out(self, item: Item) -> None:
        """Forget a photo that was doubtful."""
        self.items.remove(item)

    @property
    def waiting(self) -> list[Item]:
        """What needs a decision."""
        return [item for item in self.items if item.fate is Fate.WAITING]

    def _work(self, files: list[tuple[Item, bytes]]) -> None:
        try:
            for item, data in files:
                self._take(item, data)
                self.done += 1
        finally:
            self.running = False

    def _take(self, item: Item, data: bytes) -> None:
        try:
            prepared = photos.prepare(data)
            item.view = photo_strings.VIEWS[prepared.scan.view.value].lower()
            item.verdict = str(prepared.scan.quality.verdict)
            item.thumbnail = prepared.look.thumbnail if prepared.look else b""
            item.reasons = tuple(self._doubts(prepared.scan))
            slim = replace(prepared, scan=replace(prepared.scan, pixels=None))
            if item.reasons:
                item.prepared, item.fate = slim, Fate.WAITING
            else:
                self._save(item, slim)
        except SkinscanError as error:
            item.fate, item.reasons = Fate.REFUSED, (_said(error),)
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            log_unexpected(error)
            item.fate, item.reasons = Fate.REFUSED, (photo_strings.PROBLEM_UNEXPECTED,)

    def _save(self, item: Item, prepared: Prepared) -> None:
        photos.add_photo(self.records, self.principal, self.session_id, prepared)
        item.prepared, item.fate, item.reasons = None, Fate.KEPT, ()

    def _doubts(self, scan: Scan) -> list[str]:
        """Say why a photo may be of no use, in plain words, the gravest first."""
        found = []
        reference = self._reference(scan.view)
        if reference is not None and scan.pixels is not None:
            facemap, first = reference
            alike = similarity(facemap, scan.pixels.facemap)
            judged = compare(scan.quality, first.quality, similarity=alike)
            try:
                judged.confirm_person()
            except (AnotherPersonError, MirroredPhotoError) as error:
                found.append(explain(error))
            found += [d.sentence for d in judged.differences if d.grade is Grade.POOR]
        found += [check.sentence for check in scan.quality.checks if check.verdict is Grade.POOR]
        return list(dict.fromkeys(found))

    def _reference(self, view: View) -> tuple[FaceMap, Scan] | None:
        """Find the first photo of the course in a view, as skin."""
        if view not in self._references:
            self._references[view] = self._read_reference(view)
        return self._references[view]

    def _read_reference(self, view: View) -> tuple[FaceMap, Scan] | None:
        ask = partial(_first_of, self.records, self.principal, self.session_id)
        first = ask(view)
        if first is None:
            return None
        webp, capture, _ = photos.open_kept(self.records, self.principal, first.name)
        photo = open_canonical(webp, capture).decode()
        facemap = rectify(photo, first.face)
        # Registration looks at no finer level, and finer ones would fill the memory.
        kept = {lv: layer for lv, layer in facemap.layers.items() if lv <= FINEST_PX_MM}
        return replace(facemap, layers=kept), first


def _first_of(records: Records, principal: Principal, session_id: str, view: View) -> Scan | None:
    held = courses.session(records, principal, session_id)
    for scans in photos.course_scans(records, principal, held.course_id).values():
        for scan in scans:
            if scan.view is view:
                return scan
    return None


def _said(error: SkinscanError) -> str:
    return strings.PHOTO_KNOWN if isinstance(error, PhotoKnownError) else explain(error)


#: By user and session: what is measured goes on when the page is left.
_intakes: dict[tuple[str, str], Intake] = {}
_intakes_lock = threading.Lock()


def intake_of(
    records: Records, principal: Principal, session_id: str, *, make: Callable[..., Intake] = Intake
) -> Intake:
    """Find the upload of a user into a session."""
    key = (principal.user_id or "", session_id)
    with _intakes_lock:
        # What is done and decided is in the records; only what still runs or waits stays here.
        for other, kept in list(_intakes.items()):
            if other[0] == key[0] and other != key and not kept.running and not kept.waiting:
                del _intakes[other]
        if key not in _intakes:
            _intakes[key] = make(records, principal, session_id)
        return _intakes[key]
