"""Single-use links and codes: the database keeps only the digest of their secret."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, orm, select

from skinscan.errors import LinkError
from skinscan.store.schema import Role, Token, TokenKind

#: Random bytes of a secret: 256 bits, so that none is guessed and its digest needs no salt.
SECRET_BYTES = 32

#: How long each kind is good for.
LIFETIME = {
    TokenKind.SET_UP: timedelta(hours=24),
    TokenKind.STAFF: timedelta(days=3),
    TokenKind.CLIENT: timedelta(days=14),
    TokenKind.RESET: timedelta(hours=24),
}

#: How long a row is kept after it was used or has expired.
KEPT = timedelta(days=30)


def new_secret() -> str:
    """Make a secret that fits into an address: 43 characters of base64url."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """Digest under which a secret is kept, 32 bytes; of any text, whatever it is."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def issue(
    session: orm.Session,
    kind: TokenKind,
    *,
    practice_id: str,
    role: Role,
    client_id: str | None = None,
    user_id: str | None = None,
    made_by: str | None,
    now: datetime,
) -> str:
    """Make a link or code, and void those of its kind for the same client, user or set-up.

    Invitations of staff are not for anybody yet: they do not void one another.

    Returns
    -------
    str
        The secret; it is not kept.
    """
    if kind is not TokenKind.STAFF:
        session.execute(
            delete(Token).where(
                Token.kind == kind,
                Token.practice_id == practice_id,
                Token.client_id.is_(None) if client_id is None else Token.client_id == client_id,
                Token.user_id.is_(None) if user_id is None else Token.user_id == user_id,
                Token.used_at.is_(None),
            )
        )
    secret = new_secret()
    session.add(
        Token(
            digest=digest_of(secret),
            kind=kind,
            practice_id=practice_id,
            role=role,
            client_id=client_id,
            user_id=user_id,
            made_by=made_by,
            created_at=now,
            expires_at=now + LIFETIME[kind],
        )
    )
    session.flush()
    return secret


def require(
    session: orm.Session, secret: str, *, kinds: Collection[TokenKind], now: datetime
) -> Token:
    """Find a link that is still good, and leave it so.

    Raises
    ------
    LinkError
    """
    token = session.scalar(select(Token).where(Token.digest == digest_of(secret)))
    good = (
        token is not None
        and token.kind in kinds
        and token.used_at is None
        and now < token.expires_at
    )
    if token is None or not good:
        raise LinkError(
            expected="a link or code that was not used, replaced or withdrawn and has not expired",
            found="another one",
            remedy="Ask your practice for a new one; an owner makes theirs in the terminal",
        )
    return token


def spend(
    session: orm.Session, secret: str, *, kinds: Collection[TokenKind], now: datetime
) -> Token:
    """Use a link: within a `Database.write`, so that nobody else uses it too.

    Raises
    ------
    LinkError
    """
    token = require(session, secret, kinds=kinds, now=now)
    token.used_at = now
    session.flush()
    return token


def tidy(session: orm.Session, now: datetime) -> None:
    """Delete links that have long expired."""
    session.execute(delete(Token).where(Token.expires_at <= now - KEPT))
