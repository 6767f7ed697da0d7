"""The practice's logo, sealed with the practice's key; it travels with the database."""

from __future__ import annotations

import base64

from sqlalchemy.orm import Session

from skinscan.store.schema import Note
from skinscan.store.sealing import Key, seal, unseal

_NOTE, _PLACE = "logo", "practices.logo"


def read(session: Session, key: Key) -> bytes | None:
    """Read the logo; None where there is none.

    Raises
    ------
    SealError
    """
    note = session.get(Note, _NOTE)
    if note is None:
        return None
    return unseal(key, base64.b64decode(note.value["sealed"]), place=_PLACE)


def keep(session: Session, key: Key, content: bytes | None) -> None:
    """Keep a logo instead of the last one; None keeps none."""
    note = session.get(Note, _NOTE)
    if content is None:
        if note is not None:
            session.delete(note)
        return
    if note is None:
        note = Note(key=_NOTE, value={})
        session.add(note)
    note.value = {"sealed": base64.b64encode(seal(key, content, place=_PLACE)).decode("ascii")}
