"""One-time passwords by time (RFC 6238), as authenticator apps make them: a second proof.

The secret is sealed with the practice's key. A code is taken from 30 s before to 30 s after its
time, and none twice.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

import pyotp
from sqlalchemy import orm

from skinscan.errors import TotpError
from skinscan.store.accounts import users
from skinscan.store.accounts.events import Audit, Event
from skinscan.store.database import Database
from skinscan.store.schema import User, now
from skinscan.store.sealing import Key, seal_json, unseal_json

#: Steps of 30 s by which the clocks may differ.
STEPS_APART = 1

_CODE = re.compile(r"[0-9]{6}")


class _Secrets(TypedDict):
    """In force, and shown but not confirmed yet; base32."""

    active: str | None
    pending: str | None


def is_on(key: Key, user: User) -> bool:
    """Tell whether a user is asked for one-time passwords."""
    return _secrets(key, user)["active"] is not None


def enrol(database: Database, key: Key, user_id: str, *, shown_as: str) -> str:
    """Make a secret; nothing changes until `confirm`.

    Parameters
    ----------
    key : Key
        The practice's.
    shown_as : str
        The practice's name, for the list in the app.

    Returns
    -------
    str
        ``otpauth://`` address, to be shown as a QR code to this user only.

    Raises
    ------
    AccountMissingError
    """
    secret = pyotp.random_base32()
    with database.write() as session:
        user = users.get(session, user_id)
        _keep(key, user, {"active": _secrets(key, user)["active"], "pending": secret})
        name = users.profile_of(key, user).sign_in_name
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=shown_as)


def confirm(
    database: Database,
    key: Key,
    user_id: str,
    code: str,
    *,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> None:
    """Switch one-time passwords on, as the app has shown that it knows the secret.

    Raises
    ------
    TotpError
        No secret was made, or the code is not of it.
    AccountMissingError
    """
    with database.write() as session:
        user = users.get(session, user_id)
        pending = _secrets(key, user)["pending"]
        step = None if pending is None else _step(pending, code, clock(), after=user.totp_last)
        if step is None:
            raise TotpError(
                expected="a code of the app that was shown the secret",
                found="no secret shown" if pending is None else "another code, or one used before",
                remedy="Begin anew"
                if pending is None
                else "Check the time on both devices and type the next code",
            )
        user.totp_last = step
        _keep(key, user, {"active": pending, "pending": None})
        audit(session, Event.TOTP_ON, actor=user_id, subject=user_id, detail={})


def remove(database: Database, key: Key, user_id: str, *, actor: str | None, audit: Audit) -> None:
    """Switch one-time passwords off, when a phone was lost.

    Raises
    ------
    AccountMissingError
    """
    with database.write() as session:
        user = users.get(session, user_id)
        was_on = is_on(key, user)
        user.totp_sealed = None
        if was_on:
            audit(session, Event.TOTP_OFF, actor=actor, subject=user_id, detail={})


def spend(session: orm.Session, key: Key, user: User, code: str, *, at: datetime) -> bool:
    """Take a code within a `Database.write`.

    Returns
    -------
    bool
        False: it is another one, or was taken before.
    """
    secret = _secrets(key, user)["active"]
    step = None if secret is None else _step(secret, code, at, after=user.totp_last)
    if step is None:
        return False
    user.totp_last = step
    session.flush()
    return True


def _step(secret: str, code: str, at: datetime, *, after: int) -> int | None:
    code = "".join(code.split())
    if not _CODE.fullmatch(code):
        return None
    otp = pyotp.TOTP(secret)
    this = otp.timecode(at)
    for step in range(this - STEPS_APART, this + STEPS_APART + 1):
        if step > after and hmac.compare_digest(otp.generate_otp(step), code):
            return step
    return None


def _secrets(key: Key, user: User) -> _Secrets:
    if user.totp_sealed is None:
        return {"active": None, "pending": None}
    found: _Secrets = unseal_json(key, user.totp_sealed, place=_place(user.id))
    return found


def _keep(key: Key, user: User, secrets: _Secrets) -> None:
    user.totp_sealed = seal_json(key, secrets, place=_place(user.id))


def _place(user_id: str) -> str:
    return f"users.totp/{user_id}"
