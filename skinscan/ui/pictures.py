"""Pixels to HTML, inside the page's own connection: no picture ever gets an address."""

from __future__ import annotations

import base64
import html


def image_tag(jpeg: bytes, *, alt: str, css: str) -> str:
    """Return an ``<img>`` that carries its own bytes."""
    data = base64.b64encode(jpeg).decode("ascii")
    return (
        f'<img class="{html.escape(css)}" alt="{html.escape(alt)}" '
        f'src="data:image/jpeg;base64,{data}">'
    )
