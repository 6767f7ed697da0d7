"""Clients: who they are and what they have agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from skinscan.errors import ConsentMissingError, RecordMissingError
from skinscan.practice.forms import Profile, bad
from skinscan.practice.rules import Desk, On, Who, operation
from skinscan.store import schema
from skinscan.store.audit import Action
from skinscan.store.records import client_key_place
from skinscan.store.schema import Consent, Purpose, Role, new_id, now
from skinscan.store.sealing import new_key, seal_json, unseal_json

_STAFF = (Who.OWNER, Who.PRACTITIONER)

#: Version of the words that clients agree to; a changed text needs a new one.
CONSENT_WORDING = "2026-11"


@dataclass(frozen=True)
class ClientCard:
    """A client, as staff and the client see them.

    Attributes
    ----------
    id : str
    profile : Profile
    practitioner_id : str or None
        Who looks after them.
    created_at : datetime
    archived_at, deletion_asked_at : datetime or None
    """

    id: str
    profile: Profile
    practitioner_id: str | None
    created_at: datetime
    archived_at: datetime | None
    deletion_asked_at: datetime | None


@dataclass(frozen=True)
class ConsentCard:
    """A consent, given or withdrawn."""

    id: str
    purpose: Purpose
    wording: str
    given_at: datetime
    withdrawn_at: datetime | None


@operation(On.PRACTICE, *_STAFF, Who.TERMINAL, writes=True)
def add_client(desk: Desk, profile: Profile, *, practitioner_id: str | None = None) -> str:
    """Add a client; by default the practitioner who adds them looks after them.

    Returns
    -------
    str
        Identifier.
    """
    client_id, key = new_id(), new_key()
    if practitioner_id is None and desk.user is not None:
        practitioner_id = desk.user.id
    if practitioner_id is not None:
        _confirm_staff(desk, practitioner_id)
    desk.session.add(
        schema.Client(
            id=client_id,
            practice_id=desk.records.practice_id,
            practitioner_id=practitioner_id,
            key_wrapped=desk.records.keyring.wrap(key, place=client_key_place(client_id)),
            profile_sealed=seal_json(key, profile.to_json(), place=_place(client_id)),
        )
    )
    desk.session.flush()
    desk.record(Action.CLIENT_ADDED, subject=client_id)
    return client_id


@operation(On.PRACTICE, *_STAFF, Who.TERMINAL)
def clients(desk: Desk, *, search: str = "", archived: bool = False) -> list[ClientCard]:
    """List the clients whom one may see, by name.

    Parameters
    ----------
    search : str
        Part of a name or contact; case does not count.
    archived : bool
        The archived ones instead of the others.
    """
    archived_at = schema.Client.archived_at
    found = visible(desk).where(archived_at.is_not(None) if archived else archived_at.is_(None))
    cards = [_card(desk, row) for row in desk.session.scalars(found)]
    wanted = search.casefold().strip()
    kept = [
        card
        for card in cards
        if wanted in card.profile.name.casefold() or wanted in card.profile.contact.casefold()
    ]
    return sorted(kept, key=lambda card: (card.profile.name.casefold(), card.id))


@operation(On.CLIENT, *_STAFF, Who.SELF, Who.TERMINAL)
def client(desk: Desk, client_id: str) -> ClientCard:  # noqa: ARG001 - read by the rule
    """Read who a client is; what the practice notes about them is not for the client."""
    card = _card(desk, desk.target)
    if desk.user is not None and desk.user.role is Role.CLIENT:
        profile = Profile(card.profile.name, card.profile.born_year, card.profile.contact)
        return ClientCard(
            card.id, profile, None, card.created_at, card.archived_at, card.deletion_asked_at
        )
    return card


@operation(On.CLIENT, *_STAFF, writes=True)
def edit_client(desk: Desk, client_id: str, profile: Profile) -> None:
    """Change who a client is."""
    desk.target.profile_sealed = seal_json(
        desk.client_key, profile.to_json(), place=_place(client_id)
    )
    desk.record(Action.CLIENT_CHANGED)


@operation(On.CLIENT, Who.OWNER, writes=True)
def assign_client(desk: Desk, client_id: str, practitioner_id: str | None) -> None:  # noqa: ARG001
    """Say who looks after a client."""
    if practitioner_id is not None:
        _confirm_staff(desk, practitioner_id)
    desk.target.practitioner_id = practitioner_id
    desk.record(Action.CLIENT_CHANGED, detail={"what": "practitioner"})


@operation(On.CLIENT, *_STAFF, writes=True)
def archive_client(desk: Desk, client_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Put a client away: readable, but nothing is added."""
    desk.target.archived_at = desk.target.archived_at or now()
    desk.record(Action.CLIENT_ARCHIVED)


@operation(On.CLIENT, *_STAFF, writes=True)
def unarchive_client(desk: Desk, client_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Take a client out of the archive."""
    desk.target.archived_at = None
    desk.record(Action.CLIENT_UNARCHIVED)


@operation(On.CLIENT, *_STAFF, Who.SELF, Who.TERMINAL)
def consents(desk: Desk, client_id: str) -> list[ConsentCard]:
    """List all consents, withdrawn ones too, oldest first."""
    rows = desk.session.scalars(
        select(Consent).where(Consent.client_id == client_id).order_by(Consent.given_at, Consent.id)
    )
    return [ConsentCard(r.id, r.purpose, r.wording, r.given_at, r.withdrawn_at) for r in rows]


@operation(On.CLIENT, *_STAFF, Who.SELF, Who.TERMINAL, writes=True)
def give_consent(desk: Desk, client_id: str, purpose: Purpose) -> None:
    """Record a consent; one that stands already stays as it is."""
    if has_consent(desk, client_id, purpose):
        return
    desk.session.add(
        Consent(
            client_id=client_id,
            purpose=purpose,
            wording=CONSENT_WORDING,
            given_at=now(),
            given_by=desk.made_by,
        )
    )
    desk.record(Action.CONSENT_GIVEN, detail={"purpose": purpose.value})


@operation(On.CLIENT, *_STAFF, Who.SELF, writes=True)
def withdraw_consent(desk: Desk, client_id: str, purpose: Purpose) -> None:
    """Record that a consent was withdrawn; what stands of it is kept as a fact."""
    standing = desk.session.scalars(
        select(Consent).where(
            Consent.client_id == client_id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
    ).all()
    for row in standing:
        row.withdrawn_at, row.withdrawn_by = now(), desk.made_by
    if standing:
        desk.record(Action.CONSENT_WITHDRAWN, detail={"purpose": purpose.value})


@operation(On.CLIENT, Who.SELF, writes=True)
def ask_deletion(desk: Desk, client_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Ask the practice to erase all that it has; the owner does it."""
    desk.target.deletion_asked_at = desk.target.deletion_asked_at or now()
    desk.record(Action.DELETION_ASKED)


def visible(desk: Desk) -> Select[schema.Client]:
    """Select the clients whom one may see."""
    found = select(schema.Client).where(schema.Client.practice_id == desk.records.practice_id)
    if desk.user is not None and desk.user.role is Role.PRACTITIONER and _own_only(desk):
        found = found.where(schema.Client.practitioner_id == desk.user.id)
    return found


def has_consent(desk: Desk, client_id: str, purpose: Purpose) -> bool:
    """Tell whether a client agrees to a purpose now."""
    standing = desk.session.scalar(
        select(func.count())
        .select_from(Consent)
        .where(
            Consent.client_id == client_id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
    )
    return bool(standing)


def confirm_consent(desk: Desk, client_id: str, purpose: Purpose = Purpose.ANALYSIS) -> None:
    """Refuse to go on without a consent.

    Raises
    ------
    ConsentMissingError
    """
    if not has_consent(desk, client_id, purpose):
        raise ConsentMissingError(
            expected=f"the client's consent to {purpose.value}",
            found="none, or one that was withdrawn",
            remedy="Ask the client, and record the consent first",
        )


def confirm_active(desk: Desk) -> None:
    """Refuse to add to an archived client.

    Raises
    ------
    BadInputError
    """
    row = desk.session.get(schema.Client, desk.client_id)
    if row is not None and row.archived_at is not None:
        raise bad("a client who is not archived", "one who is", "Take the client out first")


def _own_only(desk: Desk) -> bool:
    practice = desk.session.get(schema.Practice, desk.records.practice_id)
    return practice is not None and bool(practice.settings.get("own_clients_only", False))


def _confirm_staff(desk: Desk, user_id: str) -> None:
    user = desk.session.get(schema.User, user_id)
    if user is None or user.role is Role.CLIENT or user.disabled_at is not None:
        raise RecordMissingError(
            expected="somebody of the staff", found="nobody", remedy="Choose from the list"
        )


def _card(desk: Desk, row: schema.Client) -> ClientCard:
    key = desk.records.client_key(desk.session, row.id)
    content = unseal_json(key, row.profile_sealed, place=_place(row.id))
    return ClientCard(
        row.id,
        Profile.from_json(content),
        row.practitioner_id,
        row.created_at,
        row.archived_at,
        row.deletion_asked_at,
    )


def _place(client_id: str) -> str:
    return f"clients.profile/{client_id}"
