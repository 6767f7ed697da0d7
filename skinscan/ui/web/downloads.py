"""Addresses of files for whoever may have them: all that there is of a client, and a report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from skinscan.errors import DeniedError, RecordMissingError, SkinscanError
from skinscan.practice import custody
from skinscan.ui.paper import course_pdf
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.web import office
from skinscan.ui.web.cookies import login_of

_PART: Final = 2**20


async def export(request: Request) -> Response:
    """Answer with a ZIP file of all that the one who asks may have of a client."""
    return await run_in_threadpool(_export, request)


async def report(request: Request) -> Response:
    """Answer with the report of a course on paper."""
    return await run_in_threadpool(_report, request)


def _report(request: Request) -> Response:
    found = office.signed_in(login_of(request.cookies))
    if found is None:
        return PlainTextResponse("Sign in first.\n", 401)
    try:
        content = course_pdf(
            office.records(), office.principal_of(found), request.path_params["course_id"]
        )
    except (DeniedError, RecordMissingError):
        return PlainTextResponse("There is nothing to download.\n", 404)
    except SkinscanError as error:
        log_unexpected(error)
        return PlainTextResponse("This does not work right now.\n", 503)
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="skinscan-progress.pdf"',
        },
    )


def _export(request: Request) -> Response:
    found = office.signed_in(login_of(request.cookies))
    if found is None:
        return PlainTextResponse("Sign in first.\n", 401)
    # On a disk only under no name, and gone when it was sent.
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
    try:
        custody.write_export(
            office.records(),
            office.principal_of(found),
            request.path_params["client_id"],
            file,  # type: ignore[arg-type]
        )
    except (DeniedError, RecordMissingError):
        file.close()
        return PlainTextResponse("There is nothing to download.\n", 404)
    except SkinscanError as error:
        file.close()
        log_unexpected(error)
        return PlainTextResponse("This does not work right now.\n", 503)
    file.seek(0)
    return StreamingResponse(
        _parts(file),
        media_type="application/zip",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="skinscan-export.zip"',
        },
    )


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part
