"""Pixels to HTML, inside the page's own connection: no picture ever gets an address."""

from __future__ import annotations

import base64
import html


def image_tag(content: bytes, *, alt: str, css: str, kind: str = "image/jpeg") -> str:
    """Return an ``<img>`` that carries its own bytes."""
    data = base64.b64encode(content).decode("ascii")
    return (
        f'<img class="{html.escape(css)}" alt="{html.escape(alt)}" src="data:{kind};base64,{data}">'
    )
