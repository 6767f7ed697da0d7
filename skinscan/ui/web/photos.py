"""The address of a photo: for whoever may see it, at this moment, and for no cache."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from skinscan.practice import photos
from skinscan.practice.principal import Principal
from skinscan.store.records import Records
from skinscan.ui.web.guarded import answered


async def photo(request: Request) -> Response:
    """Answer with a photo, lossless WebP."""

    def make(records: Records, principal: Principal) -> Response:
        return Response(
            photos.view_photo(records, principal, request.path_params["photo_id"]),
            media_type="image/webp",
            headers={"Cache-Control": "no-store", "Content-Disposition": "inline"},
        )

    return await answered(
        request,
        make,
        missing="There is no such photo.\n",
        failed="The photo cannot be read now.\n",
    )
