"""What accounts tell the audit trail: one line in the same transaction as what it is about."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import orm


class Event(StrEnum):
    """What happened to an account."""

    SIGNED_IN = "account.signed_in"
    SIGN_IN_REFUSED = "account.sign_in_refused"
    SIGN_IN_PAUSED = "account.sign_in_paused"
    SIGNED_OUT = "account.signed_out"
    LOGINS_ENDED = "account.logins_ended"
    SET_UP_ISSUED = "account.set_up_issued"
    INVITED = "account.invited"
    INVITATION_WITHDRAWN = "account.invitation_withdrawn"
    CREATED = "account.created"
    RESET_ISSUED = "account.reset_issued"
    PASSWORD_RESET = "account.password_reset"  # noqa: S105 - a kind, no password
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - same
    TOTP_ON = "account.totp_on"
    TOTP_OFF = "account.totp_off"
    DISABLED = "account.disabled"
    ENABLED = "account.enabled"


class Audit(Protocol):
    """Writes one line of the audit trail."""

    def __call__(
        self,
        session: orm.Session,
        action: str,
        /,
        *,
        actor: str | None,
        subject: str | None,
        detail: dict[str, Any],
    ) -> None:
        """Add the line to the transaction.

        Parameters
        ----------
        session : orm.Session
            Of a `Database.write`.
        action : str
            An `Event`.
        actor, subject : str or None
            Identifiers: who did it, to whom. None: nobody known, or the machine's terminal.
        detail : dict
            Kinds and counts, never content.
        """
