"""Passwords: kept as Argon2id, and only those that are not easily guessed.

Checking costs the same whether there is a password to check or not, and only a few are checked at
a time: each takes 64 MiB while it lasts.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import zxcvbn
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from skinscan.errors import WeakPasswordError

#: Characters of a password.
MIN_LENGTH, MAX_LENGTH = 10, 256

#: Least score of zxcvbn, of 0 to 4: 3 means more than 10^8 guesses (Wheeler, USENIX Security 2016).
MIN_SCORE = 3

#: Characters that are judged. zxcvbn takes seconds for longer ones made to that end; a password
#: is no weaker than its beginning.
JUDGED_LENGTH = 32

#: Passwords that are checked at the same time.
PARALLEL = 4

# zxcvbn keeps what it is told of a person in a table of its module.
_ZXCVBN = threading.Lock()


@dataclass(frozen=True)
class Checked:
    """What came of checking a password.

    Attributes
    ----------
    right : bool
    renewed : str or None
        The hash to keep from now on, where the one on file was made with other parameters.
    """

    right: bool
    renewed: str | None = None


class Passwords:
    """Makes and checks hashes of passwords.

    Parameters
    ----------
    hasher : PasswordHash, optional
        By default Argon2id as RFC 9106 has it for little memory: 3 passes over 64 MiB.
    parallel : int
        Passwords that are hashed at the same time.
    """

    def __init__(self, hasher: PasswordHash | None = None, *, parallel: int = PARALLEL) -> None:
        self._hasher = hasher or PasswordHash([Argon2Hasher()])
        self._turn = threading.BoundedSemaphore(parallel)
        self._nobodys = self.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """Hash a password that `require_strong` let pass."""
        with self._turn:
            return self._hasher.hash(_normal(password))

    def check(self, password: str, known: str | None) -> Checked:
        """Check a password.

        Parameters
        ----------
        password : str
            As somebody typed it, whatever that is.
        known : str or None
            The hash on file. None: there is none, and another one is checked to no avail, so that
            the time taken does not tell it.
        """
        if len(password) > MAX_LENGTH:  # so long is no password, and this tells nothing of a user
            return Checked(right=False)
        with self._turn:
            right, renewed = self._hasher.verify_and_update(
                _normal(password), self._nobodys if known is None else known
            )
        if known is None or not right:
            return Checked(right=False)
        return Checked(right=True, renewed=renewed)


@cache
def recommended() -> Passwords:
    """Give the way in which passwords are hashed, made once."""
    return Passwords()


def require_strong(password: str, *, about: Iterable[str] = ()) -> None:
    """Refuse a new password that is too easily guessed.

    Parameters
    ----------
    password : str
    about : iterable of str
        What somebody who knows the person would try: names, the practice.

    Raises
    ------
    WeakPasswordError
        With advice.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPasswordError(
            expected=f"a password of {MIN_LENGTH} to {MAX_LENGTH} characters",
            found="a shorter one" if len(password) < MIN_LENGTH else "a longer one",
            remedy="Use three or four uncommon words",
        )
    if any(unicodedata.category(sign) == "Cs" for sign in password):
        raise WeakPasswordError(
            expected="a password of whole characters",
            found="halves of characters",
            remedy="Type it again",
        )
    known = {"skinscan"}
    for words in about:
        known |= {words, *words.replace("@", " ").replace(".", " ").split()}
    judged = unicodedata.normalize("NFKC", password)[:JUDGED_LENGTH]
    with _ZXCVBN:
        try:
            found = zxcvbn.zxcvbn(judged, user_inputs=sorted(known))
        finally:
            zxcvbn.matching.RANKED_DICTIONARIES.pop("user_inputs", None)
    if found["score"] >= MIN_SCORE:
        return
    advice = found["feedback"]
    raise WeakPasswordError(
        expected="a password that is not easily guessed",
        found=_phrase(advice["warning"]) or "one that is",
        remedy=". ".join(_phrase(line) for line in advice["suggestions"])
        or "Use three or four uncommon words",
    )


def _normal(password: str) -> bytes:
    # Keyboards differ in how they compose a character: NIST SP 800-63B-4, section 3.1.1.2.
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


def _phrase(sentence: str) -> str:
    return sentence.strip().removesuffix(".")
