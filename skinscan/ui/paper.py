"""A course's report on paper, made from the records for whoever may see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.errors import RecordMissingError
from skinscan.landmarks import View
from skinscan.photo import load_photo
from skinscan.practice import clients, courses, custody, photos, results
from skinscan.practice.principal import Principal
from skinscan.report import PhotoPair, Rating, progress_pdf
from skinscan.scan import Scan
from skinscan.store.records import Records
from skinscan.ui import aligned


def course_pdf(records: Records, principal: Principal, course_id: str) -> bytes:
    """Write the report of a course; a client finds in it what their dashboard shows.

    Raises
    ------
    DeniedError, RecordMissingError
    StoreError
    """
    course = courses.course(records, principal, course_id)
    scans = photos.course_scans(records, principal, course_id)
    progress = results.progress(records, principal, course_id, scans=scans)
    if progress is None:
        raise RecordMissingError(
            expected="a course in which something was measured",
            found="none",
            remedy="Photograph a session first",
        )
    settings = custody.settings(records, principal)
    held = courses.sessions(records, principal, course_id)
    days = {session.id: session.held_on for session in held}
    measured = [
        (scan, days[session_id])
        for session_id, each in scans.items()
        if session_id in days
        for scan in each
    ]
    return progress_pdf(
        progress,
        scans=[scan for scan, _ in measured],
        dates=[day for _, day in measured],
        practice=settings.name,
        logo=custody.logo(records, principal),
        client=clients.client(records, principal, course.client_id).profile.name,
        pair=_pair(records, principal, course_id, measured),
        ratings=[
            Rating(
                session.held_on,
                None if session.report.result is None else int(session.report.result),
                session.report.relaxation,
                session.report.stress,
            )
            for session in held
            if session.report is not None
        ],
        made_on=datetime.now(ZoneInfo(settings.zone)).date(),
    )


def _pair(
    records: Records, principal: Principal, course_id: str, measured: Sequence[tuple[Scan, date]]
) -> PhotoPair | None:
    """Lay the first and the last front photo that may be seen on each other."""
    seen = {
        card.id
        for cards in photos.course_photos(records, principal, course_id).values()
        for card in cards
    }
    fronts = [(s, day) for s, day in measured if s.view is View.FRONT and s.name in seen]
    if len({day for _, day in fronts}) < 2:
        return None
    (first, before_on), (last, after_on) = fronts[0], fronts[-1]
    looks = photos.course_looks(records, principal, course_id, [first.name, last.name])
    if len(looks) < 2:
        return None
    drawn = [
        _laid(first, scan, looks[scan.name].overlays[False, False], looks[scan.name].width_px)
        for scan in (first, last)
    ]
    return PhotoPair(drawn[0], drawn[1], before_on, after_on)


def _laid(reference: Scan, scan: Scan, jpeg: bytes, width_px: int) -> NDArray[np.uint8]:
    reduced = width_px / scan.photo_size_px[0]
    to_frame = aligned.to_frame(reference.face, scan.face, reduced=reduced)
    _, size = aligned.frame(reference.face)
    warped = cv2.warpAffine(
        load_photo(jpeg).rgb, to_frame, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)
