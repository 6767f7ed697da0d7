"""An address as a QR code, drawn as a picture that carries itself."""

from __future__ import annotations

import segno

from skinscan.ui.pictures import image_tag

#: Light modules around the code, as the standard asks (ISO/IEC 18004).
_QUIET = 4


def qr_tag(address: str, *, alt: str) -> str:
    """Return a QR code as an ``<img>``: dark on white in both themes, as cameras need it.

    Parameters
    ----------
    address : str
    alt : str
        For those who cannot see it.
    """
    rows = [bytes(row) for row in segno.make(address, error="m", micro=False).matrix]
    side = len(rows) + 2 * _QUIET
    dark = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module
    )
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{dark}" fill="#000"/></svg>'
    )
    return image_tag(drawn.encode(), alt=alt, css="sk-qr", kind="image/svg+xml")
