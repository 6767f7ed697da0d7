"""Keys: a master key outside the data folder wraps one key per client and one for the practice.

Who steals the data without the key file has noise. Who erases a client's wrapped key has erased
all that was sealed with it, wherever copies lie.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skinscan.durable import write_private
from skinscan.errors import KeyFileError, RecoveryCodeError, SealError
from skinscan.store.sealing import KEY_LENGTH, Key, keyed_digest, new_key, seal, unseal

_FORMAT = 1
_ID_LENGTH = 8

#: Crockford's base 32: no I, L, O or U, which are misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 32  # characters of 5 random bits: 160 bits
_CHECK_LENGTH = 4
_GROUP = 4
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


@dataclass(frozen=True, eq=False)
class Keyring:
    """The master keys: the current one, and those that it replaces while all is wrapped anew.

    Attributes
    ----------
    current : str
        Name of the key that wraps from now on.
    masters : mapping of str to Key
    """

    current: str
    masters: Mapping[str, Key] = field(repr=False)

    def wrap(self, key: Key, *, place: str) -> bytes:
        """Seal a key with the current master key, for one place."""
        return bytes.fromhex(self.current) + seal(
            self.masters[self.current], key.secret, place=place
        )

    def unwrap(self, wrapped: bytes, *, place: str) -> Key:
        """Open a wrapped key.

        Raises
        ------
        SealError
            It was wrapped by another master key, for another place, or was changed.
        """
        master = self.masters.get(wrapped[:_ID_LENGTH].hex())
        if master is None:
            raise SealError(
                expected="a key that this key file opens",
                found="one that was wrapped by another master key",
                remedy="Use the key file that belongs to these records",
            )
        return Key(unseal(master, wrapped[_ID_LENGTH:], place=place))

    def is_current(self, wrapped: bytes) -> bool:
        """Tell whether a key was wrapped by the current master key."""
        return wrapped[:_ID_LENGTH].hex() == self.current

    def with_new_master(self) -> Keyring:
        """Add a master key and make it the current one; the others still open."""
        name = _new_id()
        return Keyring(name, MappingProxyType({**self.masters, name: new_key()}))

    def without_old(self) -> Keyring:
        """Keep only the current master key."""
        return Keyring(self.current, MappingProxyType({self.current: self.masters[self.current]}))


def new_keyring() -> Keyring:
    """Make a master key."""
    name = _new_id()
    return Keyring(name, MappingProxyType({name: new_key()}))


def save_keyring(keyring: Keyring, path: Path, *, replace: bool = False) -> None:
    """Write a key file, readable to its owner only: whole, or not at all.

    Parameters
    ----------
    keyring : Keyring
    path : Path
    replace : bool
        Whether a file that is there gives way.

    Raises
    ------
    KeyFileError
        It cannot be written, or is there already.
    """
    if not replace and path.exists():
        raise KeyFileError(
            expected="a new place for the key file",
            found="a file there",
            remedy="Choose another place; a key that is still needed must never be overwritten",
        )
    content = {
        "skinscan key file": _FORMAT,
        "current": keyring.current,
        "masters": {name: key.secret.hex() for name, key in keyring.masters.items()},
    }
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, (json.dumps(content, indent=1) + "\n").encode())
    except OSError as error:
        raise KeyFileError(
            expected="a folder for the key file that can be written to",
            found=(error.strerror or type(error).__name__).lower(),
            remedy="Choose another place for the key file",
        ) from error


def load_keyring(path: Path) -> Keyring:
    """Read a key file.

    Raises
    ------
    KeyFileError
        There is none, or it is none.
    """
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        keyring = _parsed(content)
    except FileNotFoundError as error:
        raise KeyFileError(
            expected="the key file of these records",
            found="none there",
            remedy="Name it (--key-file, SKINSCAN_KEY_FILE), put it back, or restore a backup with "
            "the recovery code",
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise KeyFileError(
            expected="a key file that skinscan wrote",
            found="something else, or one that cannot be read",
            remedy="Put the right file back, or restore a backup with the recovery code",
        ) from None
    return keyring


def _parsed(content: Any) -> Keyring:  # noqa: ANN401 - what JSON holds
    if content["skinscan key file"] != _FORMAT:
        raise ValueError("another format")
    masters = {name: Key(bytes.fromhex(key)) for name, key in content["masters"].items()}
    current = content["current"]
    if current not in masters or any(len(bytes.fromhex(name)) != _ID_LENGTH for name in masters):
        raise ValueError("no current key")
    return Keyring(current, MappingProxyType(masters))


def new_recovery_code() -> str:
    """Make a code for paper: nine groups of four characters, the last one for checking."""
    characters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return _grouped(characters + _check(characters))


def recovery_key(code: str) -> Key:
    """Make the key that a recovery code stands for; case, spaces and hyphens do not count.

    Raises
    ------
    RecoveryCodeError
        Characters are missing or mistyped.
    """
    typed = "".join(c for c in code.upper() if c.isalnum()).translate(_MISREAD)
    characters, check = typed[:_CODE_LENGTH], typed[_CODE_LENGTH:]
    if len(characters) != _CODE_LENGTH or check != _check(characters):
        raise RecoveryCodeError(
            expected="the recovery code as it was printed: nine groups of four characters",
            found="one with a missing or mistyped character",
            remedy="Compare it with the print, character by character",
        )
    # 160 random bits need no slow derivation: nobody can go through them.
    return Key(keyed_digest(Key(bytes(KEY_LENGTH)), characters.encode(), use="recovery"))


def wrap_for_recovery(keyring: Keyring, code: str) -> str:
    """Seal the current master key with a recovery code, as text for the records."""
    secret = keyring.masters[keyring.current].secret
    return keyring.current + ":" + seal(recovery_key(code), secret, place="recovery").hex()


def recover(wrapped: str, code: str) -> Keyring:
    """Open what `wrap_for_recovery` made.

    Raises
    ------
    RecoveryCodeError
        The code is mistyped, or of other records.
    """
    key = recovery_key(code)
    name, _, sealed = wrapped.partition(":")
    try:
        master = Key(unseal(key, bytes.fromhex(sealed), place="recovery"))
    except SealError as error:
        raise RecoveryCodeError(
            expected="the recovery code of these records",
            found="another one",
            remedy="Look for the print with the date of the last key; older codes no longer open",
        ) from error
    return Keyring(name, MappingProxyType({name: master}))


def _new_id() -> str:
    return secrets.token_hex(_ID_LENGTH)


def _grouped(characters: str) -> str:
    groups = [characters[at : at + _GROUP] for at in range(0, len(characters), _GROUP)]
    return "-".join(groups)


def _check(characters: str) -> str:
    digest = keyed_digest(Key(bytes(KEY_LENGTH)), characters.encode(), use="recovery/check")
    number = int.from_bytes(digest[:4])
    return "".join(_ALPHABET[(number >> 5 * k) & 31] for k in range(_CHECK_LENGTH))
