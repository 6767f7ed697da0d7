"""Addresses of files for whoever may have them: all that there is of a client, and a report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from skinscan.practice import custody
from skinscan.practice.principal import Principal
from skinscan.store.records import Records
from skinscan.ui.paper import course_pdf
from skinscan.ui.web.guarded import answered

_PART: Final = 2**20


async def export(request: Request) -> Response:
    """Answer with a ZIP file of all that the one who asks may have of a client."""

    def make(records: Records, principal: Principal) -> Response:
        # On a disk only under no name, and gone when it was sent.
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
        try:
            custody.write_export(
                records,
                principal,
                request.path_params["client_id"],
                file,  # type: ignore[arg-type]
            )
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return streamed(file, "application/zip", saved_as("skinscan-export.zip"))

    return await downloaded(request, make)


async def report(request: Request) -> Response:
    """Answer with the report of a course on paper."""

    def make(records: Records, principal: Principal) -> Response:
        return Response(
            course_pdf(records, principal, request.path_params["course_id"]),
            media_type="application/pdf",
            headers=saved_as("skinscan-progress.pdf"),
        )

    return await downloaded(request, make)


async def downloaded(request: Request, make: Callable[[Records, Principal], Response]) -> Response:
    """Answer with a file that is made for whoever asks."""
    return await answered(
        request,
        make,
        missing="There is nothing to download.\n",
        failed="This does not work right now.\n",
    )


def streamed(file: IO[bytes], media_type: str, headers: dict[str, str]) -> Response:
    """Send an open file in parts, and close it."""
    return StreamingResponse(_parts(file), media_type=media_type, headers=headers)


def saved_as(name: str) -> dict[str, str]:
    """Make the headers of a file that is saved, by no cache."""
    return {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part
