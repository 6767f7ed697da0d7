"""Pixels to HTML, inside the page's own connection: no picture ever gets an address."""

from __future__ import annotations

import base64
import html


def data_uri(jpeg: bytes) -> str:
    """Return an address that is the picture itself."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def image_tag(jpeg: bytes, *, alt: str, css: str) -> str:
    """Return an ``<img>`` that carries its own bytes."""
    return f'<img class="{html.escape(css)}" alt="{html.escape(alt)}" src="{data_uri(jpeg)}">'
