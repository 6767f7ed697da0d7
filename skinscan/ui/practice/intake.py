"""Photos on their way into a session: measured beside the page, so that they outlive it.

A practitioner may leave the page while photos are measured. What is good is saved at once; what is
doubtful waits for a decision and is kept in memory only.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
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
from skinscan.practice import courses, photos, results
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

#: Files that one upload brings at most, and that wait to be measured at most.
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
    _queue: deque[tuple[Item, bytes]] = field(default_factory=deque)
    _firsts: tuple[object, dict[View, Scan]] = field(default_factory=lambda: (None, {}))
    _skins: dict[str, FaceMap] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, files: list[tuple[str, bytes]]) -> int:
        """Begin to measure files; returns at once.

        Returns
        -------
        int
            How many were taken: no more than `MOST_FILES` wait at a time.
        """
        with self._lock:
            room = max(0, MOST_FILES - len(self._queue))
            fresh = [(Item(label), data) for label, data in files[:room]]
            self.items += [item for item, _ in fresh]
            self.items += [
                Item(label, Fate.REFUSED, (strings.PHOTO_TOO_MANY,)) for label, _ in files[room:]
            ]
            self._queue.extend(fresh)
            begins = bool(fresh) and not self.running
            self.running = self.running or begins
        if begins:
            threading.Thread(target=self._work, daemon=True).start()
        return len(fresh)

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

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            self._take(*taken)
            self.done += 1

    def _next(self) -> tuple[Item, bytes] | None:
        with self._lock:
            # Under the lock, so that nothing is put in after the last look.
            self.running = bool(self._queue)
            if not self.running:
                self._skins.clear()  # faces, which nobody may ask for again
            return self._queue.popleft() if self._queue else None

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
        first = self.first(scan.view)
        if first is not None and scan.pixels is not None:
            alike = similarity(self._skin(first), scan.pixels.facemap)
            judged = compare(scan.quality, first.quality, similarity=alike)
            try:
                judged.confirm_person()
            except (AnotherPersonError, MirroredPhotoError) as error:
                found.append(explain(error))
            found += [d.sentence for d in judged.differences if d.grade is Grade.POOR]
        found += [check.sentence for check in scan.quality.checks if check.verdict is Grade.POOR]
        return list(dict.fromkeys(found))

    def first(self, view: View) -> Scan | None:
        """Find the first photo of the course in a view: its numbers, no pixels.

        Raises
        ------
        DeniedError, RecordMissingError, StoreError
        """
        held = courses.session(self.records, self.principal, self.session_id)
        version = results.version(self.records, self.principal, held.course_id)
        made_of, found = self._firsts
        if made_of != version:
            found = {}
            scans = photos.course_scans(self.records, self.principal, held.course_id)
            for scan in (scan for each in scans.values() for scan in each):
                found.setdefault(scan.view, scan)
            self._firsts = (version, found)
        return found.get(view)

    def _skin(self, first: Scan) -> FaceMap:
        if first.sha256 not in self._skins:
            self._skins[first.sha256] = self._read_skin(first)
        return self._skins[first.sha256]

    def _read_skin(self, first: Scan) -> FaceMap:
        webp, capture, _ = photos.open_kept(self.records, self.principal, first.name)
        photo = open_canonical(webp, capture).decode()
        facemap = rectify(photo, first.face)
        # Registration looks at no finer level, and finer ones would fill the memory.
        kept = {lv: layer for lv, layer in facemap.layers.items() if lv <= FINEST_PX_MM}
        return replace(facemap, layers=kept)


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
