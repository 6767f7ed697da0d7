"""The records that this process serves, opened once, and who shows which cookie."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import orm

from skinscan.practice.principal import Principal
from skinscan.store.accounts import logins
from skinscan.store.accounts.logins import SignedIn
from skinscan.store.records import Records, default_places, open_records


@cache
def records() -> Records:
    """Open the records; every page and address of this process uses the same.

    Raises
    ------
    StoreError
    """
    return open_records(default_places())


def write_down(
    session: orm.Session,
    action: str,
    /,
    *,
    actor: str | None,
    subject: str | None,
    detail: dict[str, Any],
) -> None:
    """Write a line of the audit trail for accounts."""
    records().write_down(session, action, actor=actor, subject=subject, detail=detail)


def signed_in(secret: str, *, noted: bool = True) -> SignedIn | None:
    """Tell who shows a cookie; asked anew every time, because an open page outlives a login.

    Parameters
    ----------
    secret : str
    noted : bool
        Whether that counts as being there; not for what a page asks by itself.
    """
    if not secret:
        return None
    found = logins.current(records().database, secret, noted=noted)
    if found is None or found.practice_id != records().practice_id:
        return None
    return found


def principal_of(found: SignedIn) -> Principal:
    """Make of a login who asks the records."""
    return Principal(user_id=found.user_id, role=found.role)
