"""Who may do what: one declaration per operation, and the one place that decides."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from skinscan.errors import DeniedError, RecordMissingError
from skinscan.practice.principal import Principal
from skinscan.store import schema
from skinscan.store.audit import Action, Detail
from skinscan.store.records import Records
from skinscan.store.schema import Client, Course, Photo, Role, Treatment, User
from skinscan.store.sealing import Key

P = ParamSpec("P")
T = TypeVar("T")


class Who(StrEnum):
    """Kinds of people that an operation can be open to."""

    OWNER = "owner"
    #: A practitioner who may see the client: by a setting any of the practice, or only their own.
    PRACTITIONER = "practitioner"
    #: The client whom it is about.
    SELF = "self"
    #: The same, once the practitioner has shared the session.
    SELF_IF_SHARED = "self_if_shared"
    TERMINAL = "terminal"


class On(StrEnum):
    """What an operation is done to: the kind of identifier that is its first argument."""

    PRACTICE = "practice"
    CLIENT = "client"
    COURSE = "course"
    SESSION = "session"
    TREATMENT = "treatment"
    PHOTO = "photo"
    USER = "user"


@dataclass(frozen=True)
class Operation:
    """What was declared of an operation."""

    name: str
    on: On
    allow: frozenset[Who]
    writes: bool


_operations: dict[str, Operation] = {}

#: Every operation that there is, by name.
OPERATIONS: Mapping[str, Operation] = MappingProxyType(_operations)

_ROWS: Mapping[On, type[Any]] = {
    On.CLIENT: Client,
    On.COURSE: Course,
    On.SESSION: schema.Session,
    On.TREATMENT: Treatment,
    On.PHOTO: Photo,
    On.USER: User,
}

#: Where a client's photos are part of what was shared or not.
_SHARED_BY_SESSION = frozenset({On.SESSION, On.PHOTO})


@dataclass(frozen=True, eq=False)
class Desk:
    """Where an allowed operation works: the open transaction, and whose it is.

    Attributes
    ----------
    records : Records
    session : Session
        The transaction of the database.
    principal : Principal
    user : User or None
        None at the terminal.
    client_id : str or None
        Whom it is about.
    target : object
        The row named by the first argument.
    """

    records: Records
    session: Session
    principal: Principal
    user: User | None
    client_id: str | None
    target: Any

    @property
    def actor(self) -> str | None:
        """Identifier for rows and audit."""
        return self.user.id if self.user else None

    @property
    def made_by(self) -> str:
        """Identifier for rows that must name somebody."""
        return self.user.id if self.user else "terminal"

    @property
    def client_key(self) -> Key:
        """The client's key."""
        if self.client_id is None:
            raise RuntimeError("an operation on no client has no client's key")
        return self.records.client_key(self.session, self.client_id)

    def record(
        self, action: Action, *, subject: str | None = None, detail: Detail | None = None
    ) -> None:
        """Write down what was done; by default to the client."""
        self.records.record(
            self.session,
            action,
            actor=self.actor,
            subject=subject or self.client_id,
            detail=detail,
        )


def operation(
    on: On, *allow: Who, writes: bool = False
) -> Callable[[Callable[Concatenate[Desk, P], T]], Callable[Concatenate[Records, Principal, P], T]]:
    """Declare a function as an operation.

    Parameters
    ----------
    on : On
        Its first argument after the desk is the identifier of one, except for the practice.
    *allow : Who
        Who may; everybody else is refused.
    writes : bool
        Whether it changes records.

    Returns
    -------
    callable
        Takes ``(records, principal, ...)``. It raises `DeniedError` if the principal may not do
        this, and `RecordMissingError` if they may not even know of what they named, exactly as if
        it did not exist.
    """

    def declare(
        function: Callable[Concatenate[Desk, P], T],
    ) -> Callable[Concatenate[Records, Principal, P], T]:
        name = function.__name__
        if name in _operations:
            raise RuntimeError(f"two operations are called {name}")
        _operations[name] = declared = Operation(name, on, frozenset(allow), writes)

        @functools.wraps(function)
        def allowed(
            records: Records, principal: Principal, /, *args: P.args, **kwargs: P.kwargs
        ) -> T:
            target_id = None if on is On.PRACTICE else str(args[0])
            transaction = records.database.write if writes else records.database.read
            try:
                with transaction() as session:
                    desk = _desk(records, session, principal, declared, target_id)
                    return function(desk, *args, **kwargs)
            except _RefusedError as refused:
                _write_down(records, principal, declared)
                raise refused.public from None

        return allowed

    return declare


def may(records: Records, principal: Principal, name: str, target_id: str | None = None) -> bool:
    """Tell whether an operation would be allowed, without doing it."""
    try:
        check(records, principal, name, target_id)
    except (DeniedError, RecordMissingError):
        return False
    return True


def check(
    records: Records, principal: Principal, name: str, target_id: str | None = None
) -> str | None:
    """Refuse before work that is done outside of a transaction; the operation asks again.

    Returns
    -------
    str or None
        Identifier of the client whom it is about.

    Raises
    ------
    DeniedError, RecordMissingError
    """
    declared = OPERATIONS[name]
    try:
        with records.database.read() as session:
            return _desk(records, session, principal, declared, target_id).client_id
    except _RefusedError as refused:
        _write_down(records, principal, declared)
        raise refused.public from None


class _RefusedError(Exception):
    """Carries the error that the caller sees through the end of the transaction."""

    def __init__(self, public: DeniedError | RecordMissingError) -> None:
        super().__init__()
        self.public = public


def _desk(
    records: Records,
    session: Session,
    principal: Principal,
    declared: Operation,
    target_id: str | None,
) -> Desk:
    user = _user(session, principal)
    target, client_id = None, None
    if declared.on is not On.PRACTICE:
        target = session.get(_ROWS[declared.on], target_id) if target_id else None
        if target is None:
            raise _RefusedError(unknown())
        client_id = target.id if declared.on is On.CLIENT else target.client_id
    if principal.terminal:
        if Who.TERMINAL not in declared.allow:
            raise _RefusedError(_denied())
        return Desk(records, session, principal, None, client_id, target)
    if user is None:
        raise _RefusedError(_denied())
    if not _knows(records, session, user, declared, client_id):
        raise _RefusedError(unknown())
    if not _may(session, user, declared, target):
        raise _RefusedError(_denied())
    return Desk(records, session, principal, user, client_id, target)


def _user(session: Session, principal: Principal) -> User | None:
    """Find the user as the records have them now; None where nobody is signed in."""
    if principal.terminal:
        return None
    user = session.get(User, principal.user_id) if principal.user_id else None
    if user is None or user.disabled_at is not None or user.role is not principal.role:
        # Before anything is looked up for them: a stranger learns nothing, not even by time.
        raise _RefusedError(_denied())
    return user


def _knows(
    records: Records, session: Session, user: User, declared: Operation, client_id: str | None
) -> bool:
    """Tell whether a user may know of a client at all."""
    if user.practice_id != records.practice_id:
        return False
    if user.role is Role.OWNER or declared.on is On.PRACTICE:
        return True
    if user.role is Role.CLIENT:
        return client_id is not None and client_id == user.client_id
    if client_id is None:
        return True
    practice = session.get(schema.Practice, user.practice_id)
    if practice is None or not practice.settings.get("own_clients_only", False):
        return True
    owner = session.scalar(select(Client.practitioner_id).where(Client.id == client_id))
    return owner == user.id


def _may(session: Session, user: User, declared: Operation, target: Any) -> bool:  # noqa: ANN401
    allow = declared.allow
    if user.role is Role.OWNER:
        return Who.OWNER in allow
    if user.role is Role.PRACTITIONER:
        return Who.PRACTITIONER in allow
    if Who.SELF in allow:
        return True
    if Who.SELF_IF_SHARED in allow and declared.on in _SHARED_BY_SESSION:
        held = (
            target if declared.on is On.SESSION else session.get(schema.Session, target.session_id)
        )
        return held is not None and held.shared_at is not None
    return False


def _write_down(records: Records, principal: Principal, declared: Operation) -> None:
    """Note a refusal, of people who are known: strangers could fill the disk."""
    with records.database.write() as session:
        user = session.get(User, principal.user_id) if principal.user_id else None
        if user is not None:
            records.record(
                session, Action.DENIED, actor=user.id, detail={"operation": declared.name}
            )


def _denied() -> DeniedError:
    return DeniedError(
        expected="somebody who may do this",
        found="somebody who may not",
        remedy="Sign in as somebody who may, or ask the owner of the practice",
    )


def unknown() -> RecordMissingError:
    """Say that there is no such record, in the words for one that may not be known of."""
    return RecordMissingError(
        expected="a record that you may see",
        found="none",
        remedy="Choose one from the list",
    )
