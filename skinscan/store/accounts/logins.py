"""Who is signed in: one row per device, ended after 30 min of silence and after 12 h at the latest.

The cookie holds a random secret, the row its digest. Whoever shows pages asks `current` every
time: an open page outlives the end of its login.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, orm, select, update

from skinscan.store.accounts.events import Audit, Event
from skinscan.store.accounts.tokens import digest_of, new_secret
from skinscan.store.database import Database
from skinscan.store.schema import Login, Role, User, now

#: Silence after which a login ends.
IDLE = timedelta(minutes=30)

#: Age at which a login ends.
AT_MOST = timedelta(hours=12)

#: That somebody is there is written down no more often.
SEEN_EVERY = timedelta(minutes=1)

#: How long a row is kept after the login's latest end.
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in.

    Attributes
    ----------
    login_id, user_id, practice_id : str
    role : Role
    client_id : str or None
        Of a client.
    created_at : datetime
        Of the login.
    """

    login_id: str
    user_id: str
    practice_id: str
    role: Role
    client_id: str | None
    created_at: datetime


def begin(session: orm.Session, user_id: str, *, at: datetime) -> str:
    """Sign a user in on one device.

    Returns
    -------
    str
        Secret for the cookie; it is not kept.
    """
    secret = new_secret()
    session.add(Login(digest=digest_of(secret), user_id=user_id, created_at=at, seen_at=at))
    session.flush()
    return secret


def current(
    database: Database, secret: str, *, noted: bool = True, clock: Callable[[], datetime] = now
) -> SignedIn | None:
    """Tell who shows a cookie, and note that they are there.

    Parameters
    ----------
    noted : bool
        False where a page asks by itself: nobody need be there, and the login may end by silence.

    Returns
    -------
    SignedIn or None
        None: the login has ended or never was, or the user is disabled.
    """
    at = clock()
    with database.read() as session:
        row = session.execute(
            select(Login, User)
            .join(User, User.id == Login.user_id)
            .where(Login.digest == digest_of(secret))
        ).one_or_none()
    if row is None:
        return None
    login, user = row
    if not _is_on(login, at) or user.disabled_at is not None:
        return None
    if noted and at - login.seen_at >= SEEN_EVERY:
        with database.write() as session:
            # Who ended it meanwhile has the last word.
            kept = session.get(Login, login.id)
            if kept is None or not _is_on(kept, at):
                return None
            kept.seen_at = max(kept.seen_at, at)
    return SignedIn(
        login_id=login.id,
        user_id=user.id,
        practice_id=user.practice_id,
        role=user.role,
        client_id=user.client_id,
        created_at=login.created_at,
    )


def of_user(
    database: Database, user_id: str, *, clock: Callable[[], datetime] = now
) -> list[Login]:
    """List where a user is signed in, latest first."""
    at = clock()
    with database.read() as session:
        rows = session.scalars(
            select(Login)
            .where(Login.user_id == user_id, Login.ended_at.is_(None))
            .order_by(Login.created_at.desc())
        ).all()
    return [login for login in rows if _is_on(login, at)]


def sign_out(
    database: Database, secret: str, *, audit: Audit, clock: Callable[[], datetime] = now
) -> None:
    """End the login of a cookie; one that has ended stays so."""
    at = clock()
    with database.write() as session:
        login = session.scalar(select(Login).where(Login.digest == digest_of(secret)))
        if login is not None and login.ended_at is None:
            login.ended_at = at
            who = login.user_id
            audit(session, Event.SIGNED_OUT, actor=who, subject=who, detail={})


def end(
    database: Database,
    user_id: str,
    *,
    login_id: str | None = None,
    actor: str | None,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> int:
    """End one login of a user, or all of them.

    Parameters
    ----------
    login_id : str or None
        None: all.
    actor : str or None
        The user who ends them.

    Returns
    -------
    int
        How many were ended.
    """
    with database.write() as session:
        ended = end_all(session, user_id, at=clock(), login_id=login_id)
        audit(session, Event.LOGINS_ENDED, actor=actor, subject=user_id, detail={"ended": ended})
    return ended


def end_all(
    session: orm.Session, user_id: str, *, at: datetime, login_id: str | None = None
) -> int:
    """End logins of a user within a `Database.write`; how many."""
    chosen = select(Login.id).where(Login.user_id == user_id, Login.ended_at.is_(None))
    if login_id is not None:
        chosen = chosen.where(Login.id == login_id)
    found = session.scalars(chosen).all()
    session.execute(update(Login).where(Login.id.in_(found)).values(ended_at=at))
    return len(found)


def tidy(session: orm.Session, at: datetime) -> None:
    """Delete logins that ended long ago."""
    session.execute(delete(Login).where(Login.created_at <= at - AT_MOST - KEPT))


def _is_on(login: Login, at: datetime) -> bool:
    return login.ended_at is None and at - login.seen_at < IDLE and at - login.created_at < AT_MOST
