"""The practice's logo on the pages: for everybody who reaches them, before the login too.

Whoever uploads a logo wants it to be seen, and the address in the browser says whose server this
is anyway; people who know their practice's logo notice a page that only pretends to be it. Photos
and names of clients are not touched by that.
"""

from __future__ import annotations

from functools import lru_cache

from skinscan.practice import custody
from skinscan.practice.principal import TERMINAL
from skinscan.report import screen_logo
from skinscan.store.records import Records
from skinscan.ui.pictures import image_tag


def logo_tag(records: Records) -> str:
    """Return the logo as a picture with the practice's name; empty where there is none.

    Raises
    ------
    StoreError
    """
    content = custody.logo(records, TERMINAL)
    return "" if content is None else _tag(content, custody.settings(records, TERMINAL).name)


@lru_cache(maxsize=4)
def _tag(content: bytes, name: str) -> str:
    return image_tag(screen_logo(content), alt=name, css="sk-logo", kind="image/png")
