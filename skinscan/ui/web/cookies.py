"""What the browser keeps: who is signed in, and a token against forged forms."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from skinscan.store.sealing import Key, keyed_digest, new_key

#: Says that the app is reached by plain HTTP, on this machine only (see docs/app.md).
PLAIN_HTTP: Final = "SKINSCAN_PLAIN_HTTP"

#: Header in which a page's script tells `page_token`.
PAGE_HEADER: Final = "x-skinscan-page"

#: Made anew with every start: a form that was opened before must be opened again.
_FORMS: Final[Key] = new_key()


def is_plain() -> bool:
    """Tell whether the app is reached by plain HTTP, on this machine only."""
    return os.environ.get(PLAIN_HTTP) == "1"


def login_cookie() -> str:
    """Name the cookie of the login; browsers take ``__Host-`` from this host by HTTPS only."""
    return "skinscan_login" if is_plain() else "__Host-skinscan_login"


def _form_cookie() -> str:
    return "skinscan_form" if is_plain() else "__Host-skinscan_form"


def login_of(cookies: Mapping[str, str]) -> str:
    """Read the secret of the login; empty where there is none."""
    return cookies.get(login_cookie(), "")


def remember(response: Response, secret: str) -> None:
    """Have the browser keep a login until it is closed; the records end it sooner."""
    _set(response, login_cookie(), secret)


def forget(response: Response) -> None:
    """Have the browser forget the login."""
    response.delete_cookie(
        login_cookie(), path="/", secure=not is_plain(), httponly=True, samesite="lax"
    )


def form_token(request: HTTPConnection) -> tuple[str, str]:
    """Make the token of a form: what the browser keeps, and what the form says."""
    kept = request.cookies.get(_form_cookie()) or secrets.token_urlsafe(32)
    return kept, _told(kept)


def keep_form(response: Response, kept: str) -> None:
    """Have the browser keep what a form's token belongs to."""
    _set(response, _form_cookie(), kept)


def is_genuine(request: HTTPConnection, told: str) -> bool:
    """Tell whether a form was opened from this site, in this browser."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    kept = request.cookies.get(_form_cookie(), "")
    return bool(kept) and hmac.compare_digest(told.encode(), _told(kept).encode())


def page_token(cookies: Mapping[str, str]) -> str:
    """Make the token by which a page shows that it is a page of this login."""
    return keyed_digest(_FORMS, login_of(cookies).encode(), use="page").hex()


def is_from_page(request: HTTPConnection) -> bool:
    """Tell whether a page of this login asks, from this site; no other site can set the header."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        return False
    told = request.headers.get(PAGE_HEADER, "")
    return hmac.compare_digest(told.encode(), page_token(request.cookies).encode())


def keep_away(response: Response, name: str, sealed: str) -> None:
    """Have the browser keep something sealed for ten minutes; nothing to forget it."""
    cookie = _away_cookie(name)
    if sealed:
        response.set_cookie(
            cookie,
            sealed,
            max_age=600,
            path="/",
            secure=not is_plain(),
            httponly=True,
            samesite="lax",
        )
    else:
        response.delete_cookie(
            cookie, path="/", secure=not is_plain(), httponly=True, samesite="lax"
        )


def take_away(request: HTTPConnection, name: str) -> str:
    """Read what `keep_away` kept; empty where there is nothing."""
    return request.cookies.get(_away_cookie(name), "")


def _away_cookie(name: str) -> str:
    return f"skinscan_{name}" if is_plain() else f"__Host-skinscan_{name}"


def _told(kept: str) -> str:
    return keyed_digest(_FORMS, kept.encode(), use="form").hex()


def _set(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, path="/", secure=not is_plain(), httponly=True, samesite="lax")
