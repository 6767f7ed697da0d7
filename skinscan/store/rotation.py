"""A new master key: every key is wrapped anew, and the old master opens nothing any more."""

from __future__ import annotations

from sqlalchemy import select

from skinscan.store.audit import Action
from skinscan.store.keys import Keyring, new_recovery_code, save_keyring, wrap_for_recovery
from skinscan.store.records import (
    RECOVERY_NOTE,
    Places,
    client_key_place,
    open_records,
    practice_key_place,
)
from skinscan.store.schema import Client, Note, Practice


def rotate(places: Places, *, actor: str | None) -> tuple[int, str]:
    """Make a new master key and a new recovery code.

    A crash at any point leaves records that open: the key file holds both masters until all is
    wrapped anew. Backups that were made before need the old recovery code.

    Returns
    -------
    wrapped : int
        Keys that were wrapped anew.
    recovery_code : str

    Raises
    ------
    KeyFileError, StoreError
    """
    with open_records(places) as records:
        both = records.keyring.with_new_master()
        save_keyring(both, places.key_file, replace=True)
        code = new_recovery_code()
        with records.database.write() as session:
            count = 0
            for practice in session.scalars(select(Practice)):
                practice.key_wrapped = _again(
                    both, practice.key_wrapped, practice_key_place(practice.id)
                )
                count += 1
            for client in session.scalars(select(Client)):
                client.key_wrapped = _again(both, client.key_wrapped, client_key_place(client.id))
                count += 1
            note = session.get(Note, RECOVERY_NOTE) or Note(key=RECOVERY_NOTE)
            note.value = {"wrapped": wrap_for_recovery(both, code), "proven_at": None}
            session.add(note)
            records.record(session, Action.KEY_ROTATED, actor=actor, detail={"keys": count})
        save_keyring(both.without_old(), places.key_file, replace=True)
    return count, code


def _again(keyring: Keyring, wrapped: bytes, place: str) -> bytes:
    return keyring.wrap(keyring.unwrap(wrapped, place=place), place=place)
