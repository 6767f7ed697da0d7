"""Sends photos from the browser to the server, one after another, past Streamlit.

Streamlit's own uploader holds every file of an upload in the server's memory at once; hundreds of
photos would fill it. This one sends each to an address of ours, which writes it to the disk.
"""

from __future__ import annotations

from collections.abc import Mapping

from skinscan.ui.components import component

#: Endings of photos, as the browser's chooser takes them.
_ACCEPTED = ".jpg,.jpeg,.png,.webp,.heic,.heif"


def sender(
    address: str,
    *,
    headers: Mapping[str, str],
    name_header: str,
    labels: Mapping[str, str],
    most_mb: int,
    key: str,
) -> None:
    """Show the chooser; the page runs anew when photos have been sent.

    Parameters
    ----------
    address : str
        Takes one photo by PUT. It answers with a sentence where it refuses one.
    headers : mapping of str to str
        Sent with each photo.
    name_header : str
        The header for a photo's name.
    labels : mapping of str to str
    most_mb : int
        Larger photos are not sent, MB.
    key : str
        Of the widget.
    """
    component("sender")(
        data={
            "address": address,
            "headers": dict(headers),
            "nameHeader": name_header,
            "labels": dict(labels),
            "mostMb": most_mb,
            "accepted": _ACCEPTED,
        },
        key=key,
        on_sent_change=lambda: None,
    )
