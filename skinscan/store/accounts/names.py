"""Names: the one under which somebody signs in, and the one that others see.

A sign-in name is kept as a keyed digest, by which it can only be found, not read; so the same name
typed on another keyboard must give the same characters.
"""

from __future__ import annotations

import unicodedata
from typing import NoReturn

from skinscan.errors import NameFormError
from skinscan.store.sealing import Key, keyed_digest

#: Characters of a sign-in name: an e-mail address is no longer (RFC 5321, erratum 1690).
MAX_SIGN_IN_NAME = 254

#: Characters of a name to be shown.
MAX_DISPLAY_NAME = 120

#: Characters of what somebody typed that are looked at: longer than any name, with room for spaces.
_LOOKED_AT = 1000


def fold(name: str) -> str:
    """Write a sign-in name in the one way in which it is compared.

    Compatibility forms, upper and lower case, and spaces around and between do not count (NFKC
    and case folding, Unicode chapter 3.13).
    """
    folded = unicodedata.normalize("NFKC", name[:_LOOKED_AT]).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def sign_in_name(name: str) -> str:
    """Check a new sign-in name.

    Returns
    -------
    str
        As it is compared.

    Raises
    ------
    NameFormError
    """
    return _checked(fold(name), MAX_SIGN_IN_NAME, "a sign-in name")


def display_name(name: str) -> str:
    """Check a name to be shown.

    Returns
    -------
    str
        Composed (NFC), without spaces around it.

    Raises
    ------
    NameFormError
    """
    composed = unicodedata.normalize("NFC", name[:_LOOKED_AT]).strip()
    return _checked(composed, MAX_DISPLAY_NAME, "a name")


def login_index(key: Key, name: str) -> bytes:
    """Digest by which a user is found.

    Parameters
    ----------
    key : Key
        The practice's.
    name : str
        As somebody typed it, whatever that is.

    Returns
    -------
    bytes, 32 long
    """
    return keyed_digest(key, fold(name).encode(errors="surrogatepass"), use="login")


def _checked(name: str, longest: int, what: str) -> str:
    if not name:
        _refuse(what, longest, "none")
    if len(name) > longest:
        _refuse(what, longest, "a longer one")
    # Controls, invisible signs, halves of characters, unassigned ones, ends of lines.
    if any(unicodedata.category(sign) in _UNSEEN for sign in name):
        _refuse(what, longest, "characters that cannot be seen")
    return name


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _refuse(what: str, longest: int, found: str) -> NoReturn:
    raise NameFormError(
        expected=f"{what} of 1 to {longest} visible characters",
        found=found,
        remedy="Choose another one",
    )
