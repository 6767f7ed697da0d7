"""Answering with something that only some may have, and with the same words to all others."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from skinscan.errors import DeniedError, RecordMissingError, SkinscanError
from skinscan.practice.principal import Principal
from skinscan.store.records import Records
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.web import office
from skinscan.ui.web.cookies import login_of


async def answered(
    request: Request, make: Callable[[Records, Principal], Response], *, missing: str, failed: str
) -> Response:
    """Answer with what is made for whoever asks.

    Parameters
    ----------
    request : Request
    make : callable
        Takes the records and who asks; what the records refuse, it lets through.
    missing : str
        Said where there is nothing, and where it may not be had: the two are not told apart.
    failed : str
        Said where it cannot be had now.
    """
    return await run_in_threadpool(_answered, request, make, missing, failed)


def _answered(
    request: Request, make: Callable[[Records, Principal], Response], missing: str, failed: str
) -> Response:
    found = office.signed_in(login_of(request.cookies))
    if found is None:
        return PlainTextResponse("Sign in first.\n", 401)
    try:
        return make(office.records(), office.principal_of(found))
    except (DeniedError, RecordMissingError):
        return PlainTextResponse(missing, 404)
    except SkinscanError as error:
        log_unexpected(error)
        return PlainTextResponse(failed, 503)


async def body_of(request: Request, *, most: int) -> bytes | None:
    """Read what was sent; None where it is too large, or does not come to its end.

    Parameters
    ----------
    request : Request
    most : int
        Bytes.
    """
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)
