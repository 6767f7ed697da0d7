"""Which folders of this machine the batch page may measure: none, unless whoever runs it says so.

A page never names a path. It gets a list, chooses from it, and what it chose is looked up anew.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skinscan.errors import BadOptionError, RecordMissingError

#: Names the variable that lists the folders, separated as in ``PATH``.
BATCH_FOLDERS: Final = "SKINSCAN_BATCH_FOLDERS"

#: Folders that one list shows.
MOST_FOLDERS: Final = 500


@dataclass(frozen=True)
class Choice:
    """A folder that may be measured.

    Attributes
    ----------
    root : int
        Number of the allowed folder in which it lies.
    below : str
        Path from there, with ``/``; empty for the allowed folder itself.
    label : str
        What a list calls it.
    """

    root: int
    below: str
    label: str


def checked(folders: Sequence[Path]) -> str:
    """Write folders as the variable's value.

    Raises
    ------
    BadOptionError
        If one is no folder, or cannot be written that way.
    """
    for folder in folders:
        if not folder.is_dir() or os.pathsep in str(folder.absolute()):
            raise BadOptionError(
                expected=f"a folder with photos, without {os.pathsep} in its path",
                found="something else",
                remedy="Correct --batch-folder",
            )
    return os.pathsep.join(str(folder.absolute()) for folder in folders)


def roots() -> list[Path]:
    """List the allowed folders; relative paths are not taken."""
    told = os.environ.get(BATCH_FOLDERS, "").split(os.pathsep)
    return [Path(text) for text in told if text and Path(text).is_absolute()]


def choices() -> tuple[list[Choice], bool]:
    """List what may be chosen: the allowed folders that are there, and those inside of them.

    Links are no choices, hidden folders neither.

    Returns
    -------
    choices : list of Choice
        Nearer ones first.
    cut : bool
        Whether there are more than are listed.
    """
    given = roots()
    names = [root.name or str(root) for root in given]
    labels = [
        name if names.count(name) == 1 else str(root)
        for root, name in zip(given, names, strict=True)
    ]
    found: list[Choice] = []
    waiting = deque(
        (k, root, Choice(k, "", label))
        for k, (root, label) in enumerate(zip(given, labels, strict=True))
        if root.is_dir()
    )
    while waiting:
        k, folder, choice = waiting.popleft()
        if len(found) == MOST_FOLDERS:
            return found, True
        found.append(choice)
        for name in _folders_in(folder):
            below = f"{choice.below}/{name}".lstrip("/")
            waiting.append((k, folder / name, Choice(k, below, f"{choice.label}/{name}")))
    return found, False


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            return sorted(
                entry.name
                for entry in listing
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []


def opened(root: int, below: str) -> tuple[Path, Path]:
    """Find a chosen folder, whoever named it.

    Returns
    -------
    folder, root : Path
        Without links in them; the first is the second or lies below it.

    Raises
    ------
    RecordMissingError
        If it does not exist, or not below an allowed folder.
    """
    given = roots()
    try:
        if not 0 <= root < len(given):
            raise _unknown()
        top = given[root].resolve(strict=True)
        folder = (top / below).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unknown() from error
    if not folder.is_relative_to(top) or not folder.is_dir():
        raise _unknown()
    return folder, top


def _unknown() -> RecordMissingError:
    return RecordMissingError(
        expected="a folder that may be measured",
        found="none",
        remedy="Choose one from the list",
    )
