"""The gate: without a login nothing is answered but the doors, and every answer is guarded.

It is plain ASGI, in front of Streamlit: its media, uploads, stream and whatever addresses a later
version of it brings are closed to strangers without being named here.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skinscan.ui.web import office
from skinscan.ui.web.cookies import is_plain, login_of

#: Open to everybody: whether the server lives, Streamlit's own scripts and fonts, and the doors.
_OPEN: Final = re.compile(
    r"/(?:_stcore/health|static/[\w./-]+|favicon\.(?:png|ico)|(?:login|welcome|setup|reset|enter)"
    r"(?:/[\w-]*)?|logout|provider/(?:go|back))"
)

#: Fragments of a path that no client of ours sends.
_ODD: Final = re.compile(r"\.\.|//|\\|%2e|%2f|%5c|\x00", re.IGNORECASE)

#: Streamlit needs inline styles and, for its charts, code made at run time.
_POLICY: Final = (
    "default-src 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; "
    "font-src 'self' data:; "
    "connect-src 'self'; "
    "worker-src 'self' blob:; "
    "media-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)

_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: The camera is for the pages alone, which all stand at this address.
_PAGES: Final = "/"
_PERMISSIONS: Final = "camera={camera}, microphone=(), geolocation=(), usb=(), payment=()"


class Gate:
    """Middleware that lets only those in who are signed in.

    Parameters
    ----------
    app : ASGIApp
        What lies behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        guarded = _guarded(send, scope["path"])
        if is_odd(scope):
            await _refuse(scope, receive, guarded, 400)
        elif is_open(scope) or await run_in_threadpool(_is_signed_in, scope):
            await self._app(scope, receive, guarded)
        else:
            await _refuse(scope, receive, guarded, 401)


def middleware() -> list[Middleware]:
    """Give what stands in front of Streamlit."""
    return [Middleware(Gate)]


def is_open(scope: Scope) -> bool:
    """Tell whether an address is open to everybody."""
    return scope["type"] == "http" and _OPEN.fullmatch(scope["path"]) is not None


def is_odd(scope: Scope) -> bool:
    """Tell whether a path could mean another one to somebody behind the gate."""
    raw = scope.get("raw_path", b"") or b""
    return _ODD.search(scope["path"]) is not None or _ODD.search(raw.decode("latin-1")) is not None


def _is_signed_in(scope: Scope) -> bool:
    return office.signed_in(login_of(HTTPConnection(scope).cookies)) is not None


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        # Closed before it was accepted: the browser sees a refused handshake.
        await receive()
        await send({"type": "websocket.close", "code": 4401})
        return
    wants_page = scope["method"] in ("GET", "HEAD") and "text/html" in HTTPConnection(
        scope
    ).headers.get("accept", "")
    response: Response = PlainTextResponse("Sign in first.\n", status)
    if wants_page and status == 401:
        response = RedirectResponse("/login", 303)
    await response(scope, receive, send)


def _guarded(send: Send, path: str) -> Send:
    private = not path.startswith("/static/")
    camera = "(self)" if path == _PAGES else "()"

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["Permissions-Policy"] = _PERMISSIONS.format(camera=camera)
            if not is_plain():
                headers["Strict-Transport-Security"] = "max-age=31536000"
            if private:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending
