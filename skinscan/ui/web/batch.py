"""Addresses of the batch page: one takes a photo that its owner sends, one gives a table back."""

from __future__ import annotations

from typing import IO, Final
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from skinscan.errors import (
    BatchBusyError,
    BatchTooLargeError,
    DeniedError,
    OutputError,
    PhotoTooLargeError,
    RecordMissingError,
    SkinscanError,
)
from skinscan.practice import batches
from skinscan.practice.principal import Principal
from skinscan.store.records import Records
from skinscan.ui import batch_strings as strings
from skinscan.ui.batch.run import TABLES, Run, State
from skinscan.ui.batch.runs import runs
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.server import MAX_UPLOAD_MB
from skinscan.ui.web import office
from skinscan.ui.web.cookies import is_from_page, login_of
from skinscan.ui.web.downloads import downloaded, saved_as, streamed

#: Where photos are sent to.
SEND_TO: Final = "/batch/photos"

#: Header with the name of a photo, percent-encoded.
PHOTO_NAME: Final = "X-Skinscan-Name"

_STATUS: Final[dict[type[SkinscanError], int]] = {
    DeniedError: 404,
    BatchBusyError: 409,
    BatchTooLargeError: 409,
    PhotoTooLargeError: 413,
    OutputError: 507,
}


async def send(request: Request) -> Response:
    """Take one photo for the run of whoever sends it."""
    if not is_from_page(request):
        return PlainTextResponse(f"{strings.SEND_FORGED}\n", 403)
    try:
        run = await run_in_threadpool(_run_of, login_of(request.cookies))
        if run is None or run.inbox is None:
            return PlainTextResponse("Sign in first.\n", 401)
        await run.inbox.take(
            unquote(request.headers.get(PHOTO_NAME, "")),
            request.stream(),
            most_bytes=MAX_UPLOAD_MB * 2**20,
        )
    except SkinscanError as error:
        status = _STATUS.get(type(error), 503)
        if status == 503:
            log_unexpected(error)
        return PlainTextResponse(strings.trouble(error.cause), status)
    except ClientDisconnect:
        return Response(status_code=400)
    return Response(status_code=204)


def _run_of(secret: str) -> Run | None:
    found = office.signed_in(secret)
    if found is None:
        return None
    batches.allow_batch(office.records(), office.principal_of(found))
    return runs().gathering(found.user_id)


async def table(request: Request) -> Response:
    """Answer with a table of the run of whoever asks."""

    def make(records: Records, principal: Principal) -> Response:
        name = request.path_params["name"]
        if name not in TABLES:
            raise RecordMissingError(
                expected="a table", found="none", remedy="Choose one on the page"
            )
        batches.allow_batch(records, principal)
        run = runs().find(principal.user_id or "", request.path_params["run_id"])
        if run.state in (State.GATHERING, State.RUNNING):
            raise BatchBusyError(
                expected="a run that is done", found="one that is not", remedy="Wait until it is"
            )
        file: IO[bytes] = run.table(name)
        try:
            batches.note_batch_download(records, principal, table=name, photos=run.done)
        except BaseException:
            file.close()
            raise
        return streamed(file, TABLES[name].media_type, saved_as(f"skinscan-{name}"))

    return await downloaded(request, make)
