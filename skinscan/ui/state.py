"""What one visitor holds while the page is open; forgotten with the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import streamlit as st

from skinscan.looks import PICTURE_PX, Pictures, encode
from skinscan.plots import Unmatched, skin_difference
from skinscan.progress import Progress
from skinscan.registration import Skin
from skinscan.ui.course import SessionPhoto
from skinscan.ui.scoring import Measured, Problem, References, Upload

#: Photos that one page holds; folders are for `skinscan score`.
MAX_PHOTOS: Final = 60

#: Differences that one page keeps; about 0.1 MB each.
_MOST_APART: Final = 30

_KEY: Final = "skinscan_state"


@dataclass
class Visit:
    """One visitor's course.

    Attributes
    ----------
    photos : dict of str to SessionPhoto
        By SHA-256 of the file.
    measured : dict of str to Measured
        By SHA-256: nothing is measured twice, and an interrupted run goes on where it was.
    pending : list of Upload
        Chosen and not measured yet.
    problems : list of Problem
    left_out : int
        Files beyond `MAX_PHOTOS`.
    round : int
        Changes the uploader's identity, so that it is empty again.
    sample_opened : bool
        Whether the address asked for the sample course and got it.
    only_sample : bool
        Whether everything on the page comes from the sample course.
    references : dict of View to Skin
        Skin of the first photo of each view: whose face the course shows.
    specs : dict of str to dict
        Charts of what the course came to, by concern, as Vega-Lite.
    apart : dict of (str, str) to bytes or Unmatched
        Differences that were asked for, by SHA-256 of both photos: JPEG, or why there is none.
    """

    photos: dict[str, SessionPhoto] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    pending: list[Upload] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: int = 0
    round: int = 0
    sample_opened: bool = False
    only_sample: bool = False
    references: References = field(default_factory=dict)
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    apart: dict[tuple[str, str], bytes | Unmatched] = field(default_factory=dict)
    _compared: tuple[object, Progress] | None = None

    def queue(self, uploads: Sequence[Upload]) -> None:
        """Take files in, up to what one page holds."""
        sample = all(upload.sample for upload in uploads)
        self.only_sample = sample and (self.only_sample or not self.photos)
        room = max(0, MAX_PHOTOS - len(self.photos) - len(self.pending))
        self.pending.extend(uploads[:room])
        self.left_out = len(uploads[room:])
        self.problems = []
        self.round += 1

    def take(self, photos: Sequence[SessionPhoto], problems: Sequence[Problem]) -> None:
        """Put measured photos into the course; those already there keep their date."""
        for photo in photos:
            self.photos.setdefault(photo.sha256, photo)
        self.problems = list(problems)
        self.pending = []

    def keep_doubtful(self) -> None:
        """Take photos into the course that somebody confirmed to be of its person."""
        doubtful = [p.photo for p in self.problems if p.photo is not None]
        for photo in doubtful:
            held = self.measured[photo.sha256]
            self.measured[photo.sha256] = replace(held, doubt="")
        self.take(doubtful, [p for p in self.problems if p.photo is None])

    def set_date(self, sha256: str, day: date) -> None:
        """Give a photo the date that somebody typed."""
        self.photos[sha256] = self.photos[sha256].dated(day)

    def remove(self, sha256: str) -> None:
        """Leave a photo out of the course and forget it."""
        self.photos.pop(sha256, None)
        self.measured.pop(sha256, None)

    def clear(self) -> None:
        """Forget everything and begin anew."""
        self.photos.clear()
        self.measured.clear()
        self.references.clear()
        self.apart.clear()
        self.pending = []
        self.problems = []
        self.left_out = 0
        self.round += 1

    def progress(
        self,
        photos: Sequence[SessionPhoto],
        compute: Callable[[Sequence[SessionPhoto]], Progress],
    ) -> Progress:
        """Return what these photos come to; computed anew only when photos or dates changed."""
        asked = tuple((photo.sha256, photo.taken_on) for photo in photos)
        if self._compared is None or self._compared[0] != asked:
            self.specs.clear()
            self._compared = (asked, compute(photos))
        return self._compared[1]

    def skin(self, photo: SessionPhoto) -> Skin | None:
        """Return the skin of a photo; None where it was measured without its pixels."""
        return self.measured[photo.sha256].skin

    def difference(self, before: SessionPhoto, after: SessionPhoto) -> bytes | Unmatched | None:
        """Subtract two photos; drawn once as long as the page is open.

        Returns
        -------
        bytes, Unmatched or None
            JPEG, or that the photos agree too little; None where there are no pixels any more.
        """
        key = before.sha256, after.sha256
        if key not in self.apart:
            first, second = self.skin(before), self.skin(after)
            if first is None or second is None:
                return None
            found = skin_difference(first, second)
            if len(self.apart) >= _MOST_APART:
                del self.apart[next(iter(self.apart))]
            self.apart[key] = (
                found if isinstance(found, Unmatched) else encode(found.picture, PICTURE_PX)
            )
        return self.apart[key]

    def pictures(self, photo: SessionPhoto) -> Pictures:
        """Return what there is to show of a photo."""
        return self.measured[photo.sha256].pictures


def visit() -> Visit:
    """Return the visitor's state, made at the first call."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Visit()
    held: Visit = st.session_state[_KEY]
    return held
