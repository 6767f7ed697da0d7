"""Addresses that the camera of a session asks: what to change, and where the photo goes.

A frame is looked at and forgotten. A photo goes to the same place as an uploaded file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from skinscan.errors import PhotoError
from skinscan.landmarks import View
from skinscan.photo import PhotoLimits, open_photo
from skinscan.practice.principal import Principal
from skinscan.practice.rules import check
from skinscan.quality.guidance import First, Stand, guide
from skinscan.scan import Scan
from skinscan.store.records import Records
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.practice.intake import intake_of
from skinscan.ui.server import MAX_UPLOAD_MB
from skinscan.ui.web.cookies import is_from_page, page_token
from skinscan.ui.web.guarded import answered, body_of

#: A frame is small: it is looked at twice a second.
_FRAME: Final = PhotoLimits(max_bytes=200_000, max_pixels=640 * 640, min_short_side_px=150)
#: Hints said at a time.
_MOST_HINTS: Final = 3
#: Longest side of a photo that a camera can claim to give, px.
_MOST_PX: Final = 30_000
#: Logins remembered before those that are no longer asking are forgotten.
_MOST_LOGINS: Final = 1000

Make = Callable[[Records, Principal, View, bytes], Response]


class Pace:
    """How often a login may ask: one question at a time, and not too soon after the last one.

    Parameters
    ----------
    every_s : float
        From one answer to the next question, seconds.
    clock : callable
    """

    def __init__(self, every_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._clock = every_s, clock
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, who: str) -> bool:
        """Tell whether a question may be asked; if so, `end` must follow."""
        at = self._clock()
        with self._lock:
            if len(self._free_at) > _MOST_LOGINS:
                self._free_at = {k: t for k, t in self._free_at.items() if t > at}
            if self._free_at.get(who, at) > at:
                return False
            self._free_at[who] = float("inf")
        return True

    def end(self, who: str) -> None:
        """Say that the question was answered."""
        with self._lock:
            self._free_at[who] = self._clock() + self._every_s


_HINTS: Final = Pace(0.2)
_SHOTS: Final = Pace(1.0)


def routes() -> list[Route]:
    """List the addresses of the camera."""
    return [
        Route("/camera/hint/{session_id}", hint, methods=["POST"]),
        Route("/camera/shot/{session_id}", shot, methods=["POST"]),
    ]


async def hint(request: Request) -> Response:
    """Answer a frame of the camera with what to change."""
    shot_px = request.query_params.get("shot", "")
    longest = int(shot_px) if shot_px.isdecimal() and int(shot_px) <= _MOST_PX else None

    def make(records: Records, principal: Principal, view: View, frame: bytes) -> Response:
        session_id = request.path_params["session_id"]
        check(records, principal, "save_photo", session_id)
        scan = intake_of(records, principal, session_id).first(view)
        try:
            photo = open_photo(frame, limits=_FRAME).decode()
        except PhotoError:
            return _said(strings.CAMERA["unreadable"], 400)
        first = None if scan is None else _first(scan)
        found = guide(photo, first, view=view, shot_px=longest)[:_MOST_HINTS]
        alone = strings.CAMERA_HINTS_ALONE if first is None else {}
        said = [alone.get(h.value, strings.CAMERA_HINTS[h.value]) for h in found]
        return JSONResponse({"hints": [h.value for h in found], "said": said})

    return await _asked(request, make, pace=_HINTS, most=_FRAME.max_bytes)


async def shot(request: Request) -> Response:
    """Take a photo of the camera into a session, as if it had been uploaded."""

    def make(records: Records, principal: Principal, view: View, photo: bytes) -> Response:
        session_id = request.path_params["session_id"]
        check(records, principal, "save_photo", session_id)
        name = strings.CAMERA_PHOTO.format(view=photo_strings.VIEWS[view.value])
        if not intake_of(records, principal, session_id).start([(name, photo)]):
            return _said(strings.CAMERA["wait"], 429)
        return JSONResponse({}, 202)

    return await _asked(request, make, pace=_SHOTS, most=MAX_UPLOAD_MB * 2**20)


def _first(scan: Scan) -> First:
    stand = Stand(scan.photo_size_px, scan.resolution_px_mm, scan.face.pose)
    return First(stand, scan.quality)


async def _asked(request: Request, make: Make, *, pace: Pace, most: int) -> Response:
    """Answer what a page of this login sends, as far as it is no more than that."""
    if not is_from_page(request):
        return _said(strings.CAMERA["stale"], 403)
    view = request.query_params.get("view", "")
    if view not in list(View):
        return _said(strings.CAMERA["unreadable"], 400)
    who = page_token(request.cookies)
    if not pace.begin(who):
        return _said(strings.CAMERA["wait"], 429)
    try:
        body = await body_of(request, most=most)
        if body is None:
            return _said(strings.CAMERA["large"], 413)
        return await answered(
            request,
            lambda records, principal: make(records, principal, View(view), body),
            missing=strings.CAMERA["gone"],
            failed=strings.CAMERA["failed"],
        )
    finally:
        pace.end(who)


def _said(sentence: str, status: int) -> Response:
    return JSONResponse({"said": [sentence]}, status)
