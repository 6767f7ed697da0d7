"""Signing in: by name and password, by the practice's identity provider; changing a password.

Nothing told to somebody who is not in says whether a name exists: an attempt is counted first,
then one password is checked, always, and every refusal is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import orm

from skinscan.errors import SignInError, SkinscanError, TotpNeededError
from skinscan.store.accounts import logins, throttle, tokens, totp, users
from skinscan.store.accounts.events import Audit, Event
from skinscan.store.accounts.names import login_index
from skinscan.store.accounts.passwords import Checked, Passwords, recommended, require_strong
from skinscan.store.database import Database
from skinscan.store.schema import User, now
from skinscan.store.sealing import Key


def sign_in(
    database: Database,
    key: Key,
    *,
    name: str,
    password: str,
    code: str | None = None,
    address: str,
    audit: Audit,
    clock: Callable[[], datetime] = now,
    passwords: Passwords | None = None,
) -> str:
    """Sign somebody in by name and password.

    Parameters
    ----------
    key : Key
        The practice's.
    name, password : str
        As typed.
    code : str, optional
        One-time password; None or blank: not asked for yet.
    address : str
        Of the network that the attempt came from.
    audit : Audit
    clock : callable
    passwords : Passwords, optional
        By default `recommended`.

    Returns
    -------
    str
        Secret for the cookie: `logins.current` tells who shows it.

    Raises
    ------
    SignInPausedError
        Too many attempts; nothing was checked.
    SignInError
        Name, password or code is wrong, or the user is disabled.
    TotpNeededError
        Name and password are right; ask for the code and try again.
    """
    passwords = passwords or recommended()
    tries = throttle.tries_of(key, login_index(key, name), address)
    throttle.admit(database, tries, now=clock(), audit=audit)
    with database.read() as session:
        found = users.find(session, tries.index)
    checked = passwords.check(password, _hash_of(found))
    with database.write() as session:
        outcome = _enter(
            session, key, tries, found=found, checked=checked, code=code, at=clock(), audit=audit
        )
    if isinstance(outcome, str):
        return outcome
    raise outcome


def sign_in_with_identity(
    database: Database,
    identity: users.Identity,
    *,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> str:
    """Sign in somebody for whom the practice's identity provider vouched (`oidc.finish`).

    A code of ours is not asked for: a second proof is the provider's to ask.

    Returns
    -------
    str
        Secret for the cookie.

    Raises
    ------
    SignInError
        No invitation was accepted with this identity, or the user is disabled.
    """
    secret = None
    with database.write() as session:
        user = users.find_identity(session, identity)
        subject = None if user is None else user.id
        detail = {"by": "identity provider"}
        if user is None or user.disabled_at is not None:
            audit(session, Event.SIGN_IN_REFUSED, actor=None, subject=subject, detail=detail)
        else:
            secret = logins.begin(session, user.id, at=clock())
            audit(session, Event.SIGNED_IN, actor=user.id, subject=user.id, detail=detail)
    if secret is None:
        raise refused()
    return secret


def change_password(
    database: Database,
    key: Key,
    user_id: str,
    *,
    old: str,
    new: str,
    address: str,
    audit: Audit,
    clock: Callable[[], datetime] = now,
    passwords: Passwords | None = None,
) -> str:
    """Change the password of somebody who is signed in; all their logins end.

    Wrong old passwords are counted like attempts to sign in: a tablet left open must not serve to
    guess.

    Returns
    -------
    str
        Secret for a new cookie, so that who changed it stays in.

    Raises
    ------
    WeakPasswordError
        The new one; nothing was checked or counted.
    SignInPausedError, SignInError
        The old one.
    AccountMissingError
    """
    passwords = passwords or recommended()
    with database.read() as session:
        found = users.get(session, user_id)
    require_strong(new, about=_about(key, found))
    tries = throttle.tries_of(key, found.login_index, address)
    throttle.admit(database, tries, now=clock(), audit=audit)
    checked = passwords.check(old, _hash_of(found))
    renewed = passwords.hash(new) if checked.right else None
    at = clock()
    secret = None
    with database.write() as session:
        user = users.get(session, user_id)
        if renewed is None or _hash_of(user) != found.password_hash:
            detail: dict[str, object] = {"by": "change of password"}
            audit(session, Event.SIGN_IN_REFUSED, actor=user_id, subject=user_id, detail=detail)
        else:
            throttle.succeed(session, tries)
            user.password_hash = renewed
            ended = logins.end_all(session, user_id, at=at)
            secret = logins.begin(session, user_id, at=at)
            detail = {"logins_ended": ended}
            audit(session, Event.PASSWORD_CHANGED, actor=user_id, subject=user_id, detail=detail)
    if secret is None:
        raise refused()
    return secret


def tidy(database: Database, *, clock: Callable[[], datetime] = now) -> None:
    """Delete old logins, links and counters; once a day will do."""
    at = clock()
    with database.write() as session:
        throttle.tidy(session, at)
        tokens.tidy(session, at)
        logins.tidy(session, at)


def refused() -> SignInError:
    """Make the error that does not tell what was wrong."""
    return SignInError(
        expected="somebody who may sign in, with their password and, if asked for, their code",
        found="something else",
        remedy="Check them and try again, or ask your practice for a link",
    )


def _enter(
    session: orm.Session,
    key: Key,
    tries: throttle.Tries,
    *,
    found: User | None,
    checked: Checked,
    code: str | None,
    at: datetime,
    audit: Audit,
) -> str | SkinscanError:
    # Errors are given back: raised here, they would undo what is written about them.
    user = users.find(session, tries.index)
    # Between the check and now the user may have been disabled, or their password changed.
    right = checked.right and _hash_of(user) == _hash_of(found)
    if user is None or not right:
        subject = None if user is None else user.id
        detail = {"by": "password"}
        audit(session, Event.SIGN_IN_REFUSED, actor=None, subject=subject, detail=detail)
        return refused()
    asked = totp.is_on(key, user)
    if asked:
        if not (code or "").strip():
            throttle.forgive_address(session, tries)  # no failure; the name stays counted
            return TotpNeededError(
                expected="the one-time password too",
                found="none",
                remedy="Type the code that your app shows",
            )
        if not totp.spend(session, key, user, code or "", at=at):
            detail = {"by": "code"}
            audit(session, Event.SIGN_IN_REFUSED, actor=None, subject=user.id, detail=detail)
            return refused()
    throttle.succeed(session, tries)
    user.password_hash = checked.renewed or user.password_hash
    secret = logins.begin(session, user.id, at=at)
    detail = {"by": "password and code" if asked else "password"}
    audit(session, Event.SIGNED_IN, actor=user.id, subject=user.id, detail=detail)
    return secret


def _hash_of(user: User | None) -> str | None:
    return None if user is None or user.disabled_at is not None else user.password_hash


def _about(key: Key, user: User) -> tuple[str, str]:
    profile = users.profile_of(key, user)
    return profile.sign_in_name, profile.display_name
