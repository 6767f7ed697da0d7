"""People who can sign in, and the state of the store: gates for what `store.accounts` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from skinscan.errors import RecordMissingError
from skinscan.practice.forms import bad
from skinscan.practice.principal import Principal
from skinscan.practice.rules import Desk, On, Who, check, operation
from skinscan.store import schema
from skinscan.store.accounts import invitations, users
from skinscan.store.accounts.events import Audit
from skinscan.store.backup import BACKUP_NOTE
from skinscan.store.doctor import Finding, examine
from skinscan.store.records import Records
from skinscan.store.schema import Role

_STAFF = (Who.OWNER, Who.PRACTITIONER)


@dataclass(frozen=True)
class UserCard:
    """Somebody who works here.

    Attributes
    ----------
    id, shown : str
        Identifier, and the name to be shown.
    role : Role
    disabled_at : datetime or None
    """

    id: str
    shown: str
    role: Role
    disabled_at: datetime | None


@operation(On.PRACTICE, *_STAFF, Who.TERMINAL)
def staff(desk: Desk) -> list[UserCard]:
    """List who works here, by name."""
    rows = desk.session.scalars(
        select(schema.User).where(
            schema.User.practice_id == desk.records.practice_id, schema.User.role != Role.CLIENT
        )
    )
    key = desk.records.practice_key
    cards = [
        UserCard(row.id, users.profile_of(key, row).display_name, row.role, row.disabled_at)
        for row in rows
    ]
    return sorted(cards, key=lambda card: (card.shown.casefold(), card.id))


@operation(On.CLIENT, *_STAFF)
def account_of_client(desk: Desk, client_id: str) -> str | None:
    """Tell the identifier of a client's account; None where there is none."""
    return desk.session.scalar(select(schema.User.id).where(schema.User.client_id == client_id))


@operation(On.PRACTICE, Who.OWNER)
def allow_managing_staff(desk: Desk) -> None:
    """Ask only whether one may manage who works here."""


@operation(On.USER, Who.OWNER)
def allow_managing_user(desk: Desk, user_id: str) -> None:
    """Ask only whether one may manage somebody's account."""


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL)
def last_backup(desk: Desk) -> datetime | None:
    """Tell when the last backup was made."""
    note = desk.session.get(schema.Note, BACKUP_NOTE)
    return datetime.fromisoformat(note.value["at"]) if note else None


@operation(On.PRACTICE, Who.OWNER, Who.TERMINAL)
def allow_examining(desk: Desk) -> None:
    """Ask only whether one may look through the store."""


def examine_storage(records: Records, principal: Principal) -> list[Finding]:
    """Look through everything that can be wrong with the records."""
    check(records, principal, "allow_examining")
    return examine(records)


@operation(On.USER, Who.OWNER)
def confirm_other_owner(desk: Desk, user_id: str) -> None:
    """Refuse to leave the practice without an owner who can sign in.

    Raises
    ------
    BadInputError
    """
    others = desk.session.scalar(
        select(func.count())
        .select_from(schema.User)
        .where(
            schema.User.practice_id == desk.records.practice_id,
            schema.User.role == Role.OWNER,
            schema.User.disabled_at.is_(None),
            schema.User.id != user_id,
        )
    )
    if desk.target.role is Role.OWNER and not others:
        raise bad("another owner who can sign in", "none", "Invite another owner first")


def invite_staff(records: Records, principal: Principal, role: Role, *, audit: Audit) -> str:
    """Invite somebody to work here; the secret of the link."""
    check(records, principal, "allow_managing_staff")
    return invitations.invite_staff(
        records.database,
        records.practice_id,
        role=role,
        made_by=principal.user_id or "",
        audit=audit,
    )


def invite_client(records: Records, principal: Principal, client_id: str, *, audit: Audit) -> str:
    """Invite a client to their dashboard; the secret of the link."""
    check(records, principal, "account_of_client", client_id)
    return invitations.invite_client(
        records.database, client_id, made_by=principal.user_id or "", audit=audit
    )


def reset_client(records: Records, principal: Principal, client_id: str, *, audit: Audit) -> str:
    """Make a link by which a client gives themself a new password; its secret."""
    user_id = account_of_client(records, principal, client_id)
    if user_id is None:
        raise RecordMissingError(
            expected="a client with an account", found="none", remedy="Invite the client first"
        )
    return invitations.issue_reset(
        records.database, user_id, made_by=principal.user_id, audit=audit
    )


def reset_staff(records: Records, principal: Principal, user_id: str, *, audit: Audit) -> str:
    """Make a link by which somebody gives themself a new password; its secret."""
    check(records, principal, "allow_managing_user", user_id)
    return invitations.issue_reset(
        records.database, user_id, made_by=principal.user_id, audit=audit
    )


def disable(records: Records, principal: Principal, user_id: str, *, audit: Audit) -> None:
    """Keep somebody out."""
    confirm_other_owner(records, principal, user_id)
    users.disable(records.database, user_id, actor=principal.user_id, audit=audit)


def enable(records: Records, principal: Principal, user_id: str, *, audit: Audit) -> None:
    """Let somebody in again."""
    check(records, principal, "allow_managing_user", user_id)
    users.enable(records.database, user_id, actor=principal.user_id, audit=audit)
