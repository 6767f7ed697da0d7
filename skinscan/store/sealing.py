"""Sealing: what is personal is encrypted, and can be opened only in the place it was made for."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from skinscan.errors import SealError

#: Bytes of a key: AES-256.
KEY_LENGTH = 32

#: First byte of everything sealed, so that a later way of sealing can be told from this one.
_VERSION = b"\x01"
_NONCE_LENGTH = 12
_TAG_LENGTH = 16


@dataclass(frozen=True, eq=False)
class Key:
    """A key; it does not show what it is.

    Attributes
    ----------
    secret : bytes, 32 long
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_LENGTH:
            raise ValueError("a key has 32 bytes")

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a key must not be pickled")


def new_key() -> Key:
    """Make a key from the system's source of randomness."""
    return Key(secrets.token_bytes(KEY_LENGTH))


def seal(key: Key, content: bytes, *, place: str) -> bytes:
    """Encrypt content and bind it to its place (AES-256-GCM, NIST SP 800-38D).

    Parameters
    ----------
    key : Key
    content : bytes
    place : str
        What the content is and whose, as ``clients.profile/ID``: moved elsewhere it cannot be
        opened.

    Returns
    -------
    bytes
        Version, nonce, ciphertext and tag; 29 bytes longer than the content.
    """
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    cipher = AESGCM(_derived(key, b"seal"))
    return _VERSION + nonce + cipher.encrypt(nonce, content, _VERSION + place.encode())


def unseal(key: Key, sealed: bytes, *, place: str) -> bytes:
    """Decrypt what `seal` made for this place.

    Raises
    ------
    SealError
        Another key, another place, or a changed byte: which one cannot be told.
    """
    nonce = sealed[1 : 1 + _NONCE_LENGTH]
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_LENGTH + _TAG_LENGTH:
        raise _broken()
    try:
        return AESGCM(_derived(key, b"seal")).decrypt(
            nonce, sealed[1 + _NONCE_LENGTH :], _VERSION + place.encode()
        )
    except InvalidTag as error:
        raise _broken() from error


def seal_json(key: Key, content: object, *, place: str) -> bytes:
    """Seal what JSON can say."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return seal(key, text.encode(), place=place)


def unseal_json(key: Key, sealed: bytes, *, place: str) -> Any:  # noqa: ANN401 - whatever was sealed
    """Open what `seal_json` made.

    Raises
    ------
    SealError
    """
    return json.loads(unseal(key, sealed, place=place))


def keyed_digest(key: Key, content: bytes, *, use: str) -> bytes:
    """Digest by which equal content is found again without telling what it is (HMAC-SHA-256).

    Parameters
    ----------
    key : Key
    content : bytes
    use : str
        What the digest is for; digests for different uses do not meet.

    Returns
    -------
    bytes, 32 long
    """
    return hmac.digest(_derived(key, b"digest/" + use.encode()), content, "sha256")


def _derived(key: Key, use: bytes) -> bytes:
    # One key never serves two algorithms: RFC 5869.
    derivation = HKDF(
        algorithm=hashes.SHA256(), length=KEY_LENGTH, salt=None, info=b"skinscan/" + use
    )
    return derivation.derive(key.secret)


def _broken() -> SealError:
    return SealError(
        expected="content sealed with this key for this place",
        found="something else, or a change",
        remedy="Run: skinscan doctor; restore a backup if it finds damage",
    )
