"""A course of the records as the progress page knows courses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import streamlit as st

from skinscan.looks import Pictures
from skinscan.practice import courses, photos, results
from skinscan.practice.courses import CourseCard, SessionCard
from skinscan.practice.photos import PhotoCard
from skinscan.practice.rules import unknown
from skinscan.progress import Progress
from skinscan.registration import Skin
from skinscan.scan import Scan
from skinscan.ui.course import DateSource, SessionPhoto
from skinscan.ui.practice.asking import Asker
from skinscan.ui.state import Visit

_KEY: Final = "skinscan_course"
#: Photos whose pictures one page keeps; about 0.6 MB each.
_MOST_LOOKS: Final = 40


@dataclass
class CourseVisit(Visit):
    """A course that somebody looks at; its photos stay in the vault until they are shown.

    Attributes
    ----------
    asker : Asker or None
    course : CourseCard or None
    sessions : list of SessionCard
        Oldest first.
    cards : dict of str to PhotoCard
        Photos that may be seen, by identifier.
    looks : dict of str to Pictures
        Those that were shown, by identifier.
    scans : dict of str to list of Scan
        What was measured, by session: the same objects as in `photos`.
    """

    asker: Asker | None = None
    course: CourseCard | None = None
    sessions: list[SessionCard] = field(default_factory=list)
    cards: dict[str, PhotoCard] = field(default_factory=dict)
    looks: dict[str, Pictures] = field(default_factory=dict)
    scans: dict[str, list[Scan]] = field(default_factory=dict)
    _made_of: object = None
    _progress: Progress | None = None

    def progress(
        self,
        photos: Sequence[SessionPhoto],  # noqa: ARG002 - the records know which
        compute: Callable[[Sequence[SessionPhoto]], Progress],  # noqa: ARG002
    ) -> Progress:
        """Return what the course comes to, with the practitioner's notes taken into account."""
        if self._progress is None and self.asker is not None and self.course is not None:
            self._progress = results.progress(
                self.asker.records, self.asker.principal, self.course.id, scans=self.scans
            )
        if self._progress is None:
            raise RuntimeError("nothing was measured")
        return self._progress

    def skin(self, photo: SessionPhoto) -> Skin | None:
        """Read the skin of a photo from the vault; it is not kept, what is drawn of it is."""
        if self.asker is None:
            return None
        return photos.kept_skin(self.asker.records, self.asker.principal, photo.scan)

    def pictures(self, photo: SessionPhoto) -> Pictures:
        """Return what there is to show of a photo."""
        self.fetch([photo])
        if photo.label not in self.looks:  # removed on another page meanwhile
            raise unknown()
        return self.looks[photo.label]

    def fetch(self, wanted: Sequence[SessionPhoto]) -> None:
        """Read the pictures of several photos at once."""
        missing = [p.label for p in wanted if p.label not in self.looks]
        if not missing or self.asker is None or self.course is None:
            return
        for photo_id in list(self.looks)[: max(0, len(self.looks) + len(missing) - _MOST_LOOKS)]:
            if photo_id not in {p.label for p in wanted}:
                del self.looks[photo_id]
        self.looks |= photos.course_looks(
            self.asker.records, self.asker.principal, self.course.id, missing
        )

    def visible(self) -> list[SessionPhoto]:
        """List the photos that may be seen."""
        return [photo for photo in self.photos.values() if photo.label in self.cards]


def open_course(asker: Asker, course: CourseCard) -> CourseVisit:
    """Read a course; what was read stays until something of it changes.

    Raises
    ------
    DeniedError, RecordMissingError, StoreError
    """
    records, principal = asker.records, asker.principal
    held = courses.sessions(records, principal, course.id)
    cards = photos.course_photos(records, principal, course.id)
    treatments = courses.treatments(records, principal, course.client_id)
    versions = results.version(records, principal, course.id)
    made_of = (principal, course, tuple(held), versions, tuple(treatments), str(cards))
    kept = st.session_state.get(_KEY)
    if isinstance(kept, CourseVisit) and kept._made_of == made_of:  # noqa: SLF001 - own
        kept.asker = asker
        return kept
    visit = CourseVisit(
        asker=asker,
        course=course,
        sessions=held,
        cards={card.id: card for each in cards.values() for card in each},
        scans=photos.course_scans(records, principal, course.id),
    )
    visit._made_of = made_of  # noqa: SLF001 - own
    days: dict[str, date] = {session.id: session.held_on for session in held}
    for session_id, scans in visit.scans.items():
        for scan in scans:
            photo = SessionPhoto(
                label=scan.name,
                taken_on=days[session_id],
                date_source=DateSource.TYPED,
                scan=scan,
            )
            visit.photos[photo.sha256] = photo
    st.session_state[_KEY] = visit
    return visit
