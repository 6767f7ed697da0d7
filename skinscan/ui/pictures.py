"""Pixels to HTML, inside the page's own connection: no picture ever gets an address."""

from __future__ import annotations

import base64
import html


def data_uri(content: bytes, *, kind: str = "image/jpeg") -> str:
    """Return an address that is the picture itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def image_tag(content: bytes, *, alt: str, css: str, kind: str = "image/jpeg") -> str:
    """Return an ``<img>`` that carries its own bytes."""
    address = data_uri(content, kind=kind)
    return f'<img class="{html.escape(css)}" alt="{html.escape(alt)}" src="{address}">'
