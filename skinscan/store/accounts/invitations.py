"""How somebody comes to an account, or back to it: always by a single-use link or code.

The first owner by a code that the terminal shows; staff and clients by an invitation; whoever
forgot their password by a link that staff make, an owner by one made in the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, orm, select

from skinscan.errors import AccountExistsError, AccountMissingError, LinkError, OwnerResetError
from skinscan.store.accounts import logins, throttle, tokens, users
from skinscan.store.accounts.events import Audit, Event
from skinscan.store.accounts.passwords import Passwords, recommended, require_strong
from skinscan.store.accounts.users import Identity, Profile
from skinscan.store.database import Database
from skinscan.store.schema import Client, Role, Token, TokenKind, User, now
from skinscan.store.sealing import Key

_INVITATIONS = (TokenKind.STAFF, TokenKind.CLIENT)


@dataclass(frozen=True)
class Invitation:
    """An invitation that nobody has accepted yet.

    Attributes
    ----------
    id : str
    role : Role
    client_id : str or None
        Whom it is for, of a client.
    made_by : str or None
    created_at, expires_at : datetime
    """

    id: str
    role: Role
    client_id: str | None
    made_by: str | None
    created_at: datetime
    expires_at: datetime


def issue_set_up(
    database: Database,
    practice_id: str,
    *,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> str:
    """Make the code by which the first owner is set up; one made before is void.

    Returns
    -------
    str
        For the machine's terminal only.

    Raises
    ------
    AccountExistsError
        There is an owner.
    """
    with database.write() as session:
        _require_no_owner(session, practice_id)
        secret = tokens.issue(
            session,
            TokenKind.SET_UP,
            practice_id=practice_id,
            role=Role.OWNER,
            made_by=None,
            now=clock(),
        )
        audit(session, Event.SET_UP_ISSUED, actor=None, subject=None, detail={})
    return secret


def first_owner(
    database: Database,
    key: Key,
    *,
    secret: str,
    name: str,
    shown: str,
    password: str,
    audit: Audit,
    clock: Callable[[], datetime] = now,
    passwords: Passwords | None = None,
) -> str:
    """Create the owner.

    Parameters
    ----------
    key : Key
        The practice's.
    secret : str
        The code from the terminal.
    name, shown, password : str
        Sign-in name, name to be shown, password.

    Returns
    -------
    str
        Identifier of the user, who can sign in now.

    Raises
    ------
    LinkError, NameFormError, WeakPasswordError
        The code stays good, unless it was not.
    AccountExistsError
        There is an owner.
    """
    return _accept(
        database,
        key,
        secret=secret,
        kinds=(TokenKind.SET_UP,),
        profile=users.checked_profile(name=name, shown=shown),
        password=password,
        identity=None,
        audit=audit,
        clock=clock,
        passwords=passwords,
    )


def invite_staff(
    database: Database,
    practice_id: str,
    *,
    role: Role = Role.PRACTITIONER,
    made_by: str,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> str:
    """Invite somebody to work here.

    Parameters
    ----------
    role : Role
        Practitioner, or another owner.
    made_by : str
        The user who invites.

    Returns
    -------
    str
        Secret of the link.
    """
    if role is Role.CLIENT:
        raise ValueError("clients are invited by invite_client")
    with database.write() as session:
        secret = tokens.issue(
            session,
            TokenKind.STAFF,
            practice_id=practice_id,
            role=role,
            made_by=made_by,
            now=clock(),
        )
        detail = {"role": role.value}
        audit(session, Event.INVITED, actor=made_by, subject=None, detail=detail)
    return secret


def invite_client(
    database: Database,
    client_id: str,
    *,
    made_by: str,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> str:
    """Invite a client to their dashboard; an invitation made before is void.

    Returns
    -------
    str
        Secret of the link.

    Raises
    ------
    AccountMissingError
        There is no such client.
    AccountExistsError
        They have an account: `issue_reset` is what they need.
    """
    with database.write() as session:
        client = session.get(Client, client_id)
        if client is None:
            raise _missing("a client of this practice")
        users.require_without_account(session, client_id)
        secret = tokens.issue(
            session,
            TokenKind.CLIENT,
            practice_id=client.practice_id,
            role=Role.CLIENT,
            client_id=client_id,
            made_by=made_by,
            now=clock(),
        )
        detail = {"role": Role.CLIENT.value}
        audit(session, Event.INVITED, actor=made_by, subject=client_id, detail=detail)
    return secret


def open_invitations(
    database: Database, practice_id: str, *, clock: Callable[[], datetime] = now
) -> list[Invitation]:
    """List invitations that can be accepted, latest first."""
    with database.read() as session:
        rows = session.scalars(
            select(Token)
            .where(
                Token.practice_id == practice_id,
                Token.kind.in_(_INVITATIONS),
                Token.used_at.is_(None),
                Token.expires_at > clock(),
            )
            .order_by(Token.created_at.desc(), Token.id)
        ).all()
    return [
        Invitation(
            id=row.id,
            role=row.role,
            client_id=row.client_id,
            made_by=row.made_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def withdraw(database: Database, invitation_id: str, *, actor: str | None, audit: Audit) -> None:
    """Void an invitation.

    Raises
    ------
    AccountMissingError
        It does not exist any more, or was accepted.
    """
    with database.write() as session:
        token = session.get(Token, invitation_id)
        if token is None or token.kind not in _INVITATIONS or token.used_at is not None:
            raise _missing("an invitation that nobody has accepted yet")
        session.execute(delete(Token).where(Token.id == invitation_id))
        subject = token.client_id
        detail = {"role": token.role.value}
        audit(session, Event.INVITATION_WITHDRAWN, actor=actor, subject=subject, detail=detail)


def accept_invitation(
    database: Database,
    key: Key,
    *,
    secret: str,
    name: str,
    shown: str,
    password: str | None = None,
    identity: Identity | None = None,
    audit: Audit,
    clock: Callable[[], datetime] = now,
    passwords: Passwords | None = None,
) -> str:
    """Accept an invitation: with a password, or with an identity of the practice's provider.

    Parameters
    ----------
    key : Key
        The practice's.
    secret : str
        Of the link.
    name, shown : str
        Sign-in name and name to be shown.
    password : str, optional
    identity : Identity, optional
        From `oidc.finish`; it is bound to the account for good.

    Returns
    -------
    str
        Identifier of the user, who can sign in now.

    Raises
    ------
    LinkError, NameFormError, NameTakenError, WeakPasswordError, AccountExistsError
        The invitation stays good, unless it was not.
    """
    if (password is None) == (identity is None):
        raise ValueError("either a password or an identity")
    return _accept(
        database,
        key,
        secret=secret,
        kinds=_INVITATIONS,
        profile=users.checked_profile(name=name, shown=shown),
        password=password,
        identity=identity,
        audit=audit,
        clock=clock,
        passwords=passwords,
    )


def issue_reset(
    database: Database,
    user_id: str,
    *,
    made_by: str | None,
    audit: Audit,
    clock: Callable[[], datetime] = now,
) -> str:
    """Make a link by which a user gives themselves a new password; one made before is void.

    Parameters
    ----------
    made_by : str or None
        The user who makes it; None on the machine's terminal.

    Returns
    -------
    str
        Secret of the link.

    Raises
    ------
    AccountMissingError
        There is no such user, or they are disabled.
    OwnerResetError
        Of an owner, other than on the terminal.
    """
    with database.write() as session:
        user = users.get(session, user_id)
        if user.disabled_at is not None:
            raise _missing("a user who may sign in")
        if user.role is Role.OWNER and made_by is not None:
            raise OwnerResetError(
                expected="an owner's password to be reset in the terminal of the machine",
                found="a request from elsewhere",
                remedy="Make the link in the terminal of the machine that skinscan runs on",
            )
        secret = tokens.issue(
            session,
            TokenKind.RESET,
            practice_id=user.practice_id,
            role=user.role,
            user_id=user_id,
            made_by=made_by,
            now=clock(),
        )
        audit(session, Event.RESET_ISSUED, actor=made_by, subject=user_id, detail={})
    return secret


def reset_password(
    database: Database,
    key: Key,
    *,
    secret: str,
    password: str,
    audit: Audit,
    clock: Callable[[], datetime] = now,
    passwords: Passwords | None = None,
) -> str:
    """Set a new password by a link; all logins of the user end, their attempts are forgotten.

    One-time passwords stay on.

    Parameters
    ----------
    key : Key
        The practice's.

    Returns
    -------
    str
        Identifier of the user, who can sign in now.

    Raises
    ------
    LinkError, WeakPasswordError
        The link stays good, unless it was not.
    """
    passwords = passwords or recommended()
    kinds = (TokenKind.RESET,)
    with database.read() as session:
        token = tokens.require(session, secret, kinds=kinds, now=clock())
        profile = users.profile_of(key, users.get(session, _user_of(token)))
    require_strong(password, about=_about(profile))
    hashed = passwords.hash(password)
    at = clock()
    with database.write() as session:
        user = users.get(session, _user_of(tokens.spend(session, secret, kinds=kinds, now=at)))
        user.password_hash = hashed
        ended = logins.end_all(session, user.id, at=at)
        throttle.forget_name(session, throttle.name_key(key, user.login_index))
        detail = {"logins_ended": ended}
        audit(session, Event.PASSWORD_RESET, actor=user.id, subject=user.id, detail=detail)
    return user.id


def _accept(
    database: Database,
    key: Key,
    *,
    secret: str,
    kinds: Iterable[TokenKind],
    profile: Profile,
    password: str | None,
    identity: Identity | None,
    audit: Audit,
    clock: Callable[[], datetime],
    passwords: Passwords | None,
) -> str:
    kinds = tuple(kinds)
    # A password takes its time to judge and to hash: only for who holds a link, and not while
    # everybody else waits to write.
    with database.read() as session:
        token = tokens.require(session, secret, kinds=kinds, now=clock())
        users.require_new(session, key, profile, client_id=token.client_id, identity=identity)
    hashed = None
    if password is not None:
        require_strong(password, about=_about(profile))
        hashed = (passwords or recommended()).hash(password)
    at = clock()
    with database.write() as session:
        token = tokens.spend(session, secret, kinds=kinds, now=at)
        if token.kind is TokenKind.SET_UP:
            _require_no_owner(session, token.practice_id)
        user = users.add(
            session,
            key,
            profile,
            practice_id=token.practice_id,
            role=token.role,
            client_id=token.client_id,
            password_hash=hashed,
            identity=identity,
            at=at,
        )
        detail = {"role": user.role.value, "by": "identity provider" if identity else "password"}
        audit(session, Event.CREATED, actor=user.id, subject=user.id, detail=detail)
    return user.id


def _require_no_owner(session: orm.Session, practice_id: str) -> None:
    owners = select(User.id).where(User.practice_id == practice_id, User.role == Role.OWNER)
    if session.scalars(owners.limit(1)).first() is not None:
        raise AccountExistsError(
            expected="a practice without an owner",
            found="one that has one",
            remedy="Sign in; for a lost password, make a link in the terminal",
        )


def _user_of(token: Token) -> str:
    if token.user_id is None:  # a row that this module did not write
        raise LinkError(
            expected="a link that belongs to a user",
            found="one that belongs to nobody",
            remedy="Ask your practice for a new one",
        )
    return token.user_id


def _about(profile: Profile) -> tuple[str, str]:
    return profile.sign_in_name, profile.display_name


def _missing(expected: str) -> AccountMissingError:
    return AccountMissingError(
        expected=expected, found="none", remedy="Load the page again and look whether it is there"
    )
