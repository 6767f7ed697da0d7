"""Rows of users: what is told of them is sealed with the practice's key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, orm, select

from skinscan.errors import AccountExistsError, AccountMissingError, NameTakenError
from skinscan.store.accounts import logins
from skinscan.store.accounts.events import Audit, Event
from skinscan.store.accounts.names import display_name, login_index, sign_in_name
from skinscan.store.database import Database
from skinscan.store.schema import Role, Token, User, new_id, now
from skinscan.store.sealing import Key, seal_json, unseal_json


@dataclass(frozen=True)
class Profile:
    """What is told of a user.

    Attributes
    ----------
    sign_in_name : str
        As it is compared.
    display_name : str
    """

    sign_in_name: str
    display_name: str


@dataclass(frozen=True)
class Identity:
    """Somebody as the practice's identity provider knows them.

    Attributes
    ----------
    issuer : str
        The provider.
    subject : str
        Who, there; never given to another one.
    """

    issuer: str
    subject: str


def checked_profile(*, name: str, shown: str) -> Profile:
    """Check the names of a new user.

    Raises
    ------
    NameFormError
    """
    return Profile(sign_in_name=sign_in_name(name), display_name=display_name(shown))


def profile_of(key: Key, user: User) -> Profile:
    """Open what is told of a user.

    Parameters
    ----------
    key : Key
        The practice's.
    user : User

    Raises
    ------
    SealError
    """
    return Profile(**unseal_json(key, user.profile_sealed, place=_place(user.id)))


def find(session: orm.Session, index: bytes) -> User | None:
    """Find a user by the digest of their sign-in name."""
    return session.scalar(select(User).where(User.login_index == index))


def get(session: orm.Session, user_id: str) -> User:
    """Load a user.

    Raises
    ------
    AccountMissingError
    """
    user = session.get(User, user_id)
    if user is None:
        raise AccountMissingError(
            expected="a user of this practice",
            found="none with this identifier",
            remedy="Load the list of users again",
        )
    return user


def require_new(
    session: orm.Session,
    key: Key,
    profile: Profile,
    *,
    client_id: str | None,
    identity: Identity | None,
) -> None:
    """Make sure that a user could be added.

    Raises
    ------
    NameTakenError, AccountExistsError
    """
    if find(session, login_index(key, profile.sign_in_name)) is not None:
        raise NameTakenError(
            expected="a sign-in name that nobody has",
            found="one that somebody has",
            remedy="Choose another one",
        )
    if client_id is not None:
        require_without_account(session, client_id)
    if identity is not None and find_identity(session, identity) is not None:
        raise AccountExistsError(
            expected="somebody whom no account belongs to yet",
            found="one who has an account here",
            remedy="Sign in with it",
        )


def require_without_account(session: orm.Session, client_id: str) -> None:
    """Make sure that a client has no account.

    Raises
    ------
    AccountExistsError
    """
    if session.scalar(select(User.id).where(User.client_id == client_id)) is not None:
        raise AccountExistsError(
            expected="a client without an account",
            found="one who has one",
            remedy="Send a link that resets the password instead",
        )


def find_identity(session: orm.Session, identity: Identity) -> User | None:
    """Find the user whom an identity was bound to."""
    return session.scalar(
        select(User).where(User.issuer == identity.issuer, User.subject == identity.subject)
    )


def add(
    session: orm.Session,
    key: Key,
    profile: Profile,
    *,
    practice_id: str,
    role: Role,
    client_id: str | None,
    password_hash: str | None,
    identity: Identity | None,
    at: datetime,
) -> User:
    """Add a user within a `Database.write`.

    Raises
    ------
    NameTakenError, AccountExistsError
    """
    require_new(session, key, profile, client_id=client_id, identity=identity)
    user_id = new_id()
    user = User(
        id=user_id,
        practice_id=practice_id,
        role=role,
        client_id=client_id,
        login_index=login_index(key, profile.sign_in_name),
        profile_sealed=seal_json(key, asdict(profile), place=_place(user_id)),
        password_hash=password_hash,
        issuer=None if identity is None else identity.issuer,
        subject=None if identity is None else identity.subject,
        created_at=at,
    )
    session.add(user)
    session.flush()
    return user


def disable(
    database: Database,
    user_id: str,
    *,
    actor: str | None,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> None:
    """Keep a user out: their logins end, links for them and invitations by them are void.

    Raises
    ------
    AccountMissingError
    """
    at = clock()
    with database.write() as session:
        user = get(session, user_id)
        if user.disabled_at is not None:
            return
        user.disabled_at = at
        ended = logins.end_all(session, user_id, at=at)
        session.execute(
            delete(Token).where(
                (Token.user_id == user_id) | (Token.made_by == user_id), Token.used_at.is_(None)
            )
        )
        detail = {"logins_ended": ended}
        audit(session, Event.DISABLED, actor=actor, subject=user_id, detail=detail)


def enable(database: Database, user_id: str, *, actor: str | None, audit: Audit) -> None:
    """Let a user in again, with the password they had.

    Raises
    ------
    AccountMissingError
    """
    with database.write() as session:
        user = get(session, user_id)
        if user.disabled_at is None:
            return
        user.disabled_at = None
        audit(session, Event.ENABLED, actor=actor, subject=user_id, detail={})


def _place(user_id: str) -> str:
    return f"users.profile/{user_id}"
