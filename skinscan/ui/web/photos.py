"""The address of a photo: for whoever may see it, at this moment, and for no cache."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from skinscan.errors import DeniedError, RecordMissingError, SkinscanError
from skinscan.practice import photos
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.web import office
from skinscan.ui.web.cookies import login_of


async def photo(request: Request) -> Response:
    """Answer with a photo, lossless WebP.

    Whether it does not exist or may not be seen, the answer is the same.
    """
    return await run_in_threadpool(_photo, request)


def _photo(request: Request) -> Response:
    found = office.signed_in(login_of(request.cookies))
    if found is None:
        return PlainTextResponse("Sign in first.\n", 401)
    try:
        webp = photos.view_photo(
            office.records(), office.principal_of(found), request.path_params["photo_id"]
        )
    except (DeniedError, RecordMissingError):
        return PlainTextResponse("There is no such photo.\n", 404)
    except SkinscanError as error:
        log_unexpected(error)
        return PlainTextResponse("The photo cannot be read now.\n", 503)
    return Response(
        webp,
        media_type="image/webp",
        headers={"Cache-Control": "no-store", "Content-Disposition": "inline"},
    )
