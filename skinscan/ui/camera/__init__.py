"""The device's camera in the page, with the first photo of a view laid over it, and hints.

The component works in the browser: it shows the camera, asks for hints with small frames, and sends
the photo by `skinscan.ui.web.camera`. Pictures of the first photos travel inside the page's own
connection.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from skinscan.landmarks import View
from skinscan.quality.guidance import OUTLINE_SHARE, WINDOW_SHAPE
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.components import component
from skinscan.ui.pictures import data_uri
from skinscan.ui.web.cookies import PAGE_HEADER


def camera(
    session_id: str,
    *,
    token: str,
    ghosts: Mapping[View, bytes],
    taken: Collection[View],
    key: str,
) -> None:
    """Show the camera; the page runs anew after every photo.

    Parameters
    ----------
    session_id : str
        That the photos go into.
    token : str
        By which the server knows the page.
    ghosts : mapping of View to bytes
        JPEG of the first photo of each view that has one.
    taken : collection of View
        Views that the session has already.
    key : str
        Of the widget.
    """
    views = [
        {
            "name": view.value,
            "title": photo_strings.VIEWS[view.value],
            "ghost": data_uri(ghosts[view]) if view in ghosts else None,
            "taken": view in taken,
        }
        for view in View
    ]
    component("camera")(
        data={
            "session": session_id,
            "header": PAGE_HEADER,
            "token": token,
            "views": views,
            "outline": {"share": OUTLINE_SHARE, "shape": WINDOW_SHAPE},
            "labels": dict(strings.CAMERA),
        },
        key=key,
        on_shot_change=_run_anew,
    )


def _run_anew() -> None:
    """Run the page anew, which the call itself does: what was taken is seen on the page."""
