r"""Which photos there are, and what each is called in the table.

A folder is searched with its subfolders, in the order of names. Hidden files and folders and
skinscan's own overlays are left out. Links are followed; a folder that is reached twice, by a
loop or by a second link, is searched once. What cannot be read is listed all the same, so that
it becomes a row with its error instead of missing silently.

The name of a photo is its path relative to the folder that was given (or, with several, to the
deepest folder that holds them all), with ``/`` on every system. A name that a spreadsheet would
run as a formula (it starts with ``=``, ``+``, ``-`` or ``@``) gets ``./`` in front, which leads to
the same file. Control characters, and bytes that are not UTF-8, are written as ``\xNN``.
"""

# Paths stay strings here: scandir gives them so, and Path.resolve would follow links.
# ruff: noqa: PTH100, PTH112, PTH116, PTH120, PTH122, PTH207

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from skinscan.errors import SourceFolderError

PathLike: TypeAlias = str | os.PathLike[str]

#: Endings by which a folder's photos are recognised. The format itself is told from the bytes.
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".mpo"})

#: Ending of the pictures that ``--overlays`` and ``skinscan track`` write.
OVERLAY_SUFFIX: Final = ".overlay.jpg"
#: Ending of moving pictures.
MOVING_SUFFIX: Final = ".overlay.webp"

_FORMULA_STARTS: Final = "=+-@"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_GLOB_CHARACTERS: Final = frozenset("*?[")
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A photo to be scored.

    Attributes
    ----------
    name : str
        What the table calls it; unique.
    path : str
        Where it is.
    size_bytes, modified_ns : int
        What tells whether it changed since it was scored; -1 where unknown.
    """

    name: str
    path: str
    size_bytes: int
    modified_ns: int


def _nothing(found: str, remedy: str) -> SourceFolderError:
    return SourceFolderError(
        expected="photos, folders of photos or patterns such as 'photos/*.jpg'",
        found=found,
        remedy=remedy,
    )


def _is_picture(name: str) -> bool:
    lower = name.lower()
    return os.path.splitext(lower)[1] in PICTURE_SUFFIXES and not lower.endswith(
        (OVERLAY_SUFFIX, MOVING_SUFFIX)
    )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _walk(top: str) -> Iterator[str]:
    """Yield the pictures below `top`, and the folders below it that cannot be read."""
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            identity = _identity(folder)
            if identity in seen:
                continue
            seen.add(identity)
            with os.scandir(folder) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except OSError as error:
            if folder == top:
                raise _nothing(
                    "a folder that cannot be read", "Check who may read the folder"
                ) from error
            yield folder
            continue
        entries.sort(key=lambda entry: entry.name)
        # A stack: the last one put in is searched first.
        waiting += [entry.path for entry in reversed(entries) if _is_folder(entry)]
        yield from (e.path for e in entries if _is_picture(e.name) and not _is_folder(e))


def _expand(given: PathLike) -> tuple[list[str], list[str]]:
    """Return the photos that one argument stands for, and the folders that name them."""
    text = os.fspath(given)
    path = os.path.abspath(text)
    if os.path.isdir(path):
        return list(_walk(path)), [path]
    if os.path.lexists(path):
        return [path], [os.path.dirname(path)]
    if _GLOB_CHARACTERS & set(text):
        photos: list[str] = []
        tops: list[str] = []
        for match in sorted(glob.glob(text, recursive=True)):
            absolute = os.path.abspath(match)
            if os.path.isdir(absolute):
                photos += _walk(absolute)
                tops.append(absolute)
            elif _is_picture(absolute):
                photos.append(absolute)
                tops.append(os.path.dirname(absolute))
        if photos:
            return photos, tops
        raise _nothing("a pattern that matches no photo", "Check the pattern and its folder")
    raise _nothing("a path that does not exist", "Check the spelling of the path")


def _common_folder(tops: Sequence[str]) -> str | None:
    try:
        return os.path.commonpath(tops)
    except ValueError:  # different drives on Windows
        return None


def _name_of(path: str, root: str | None) -> str:
    relative = path if root is None else os.path.relpath(path, root)
    posix = Path(relative).as_posix()
    text = posix.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    clean = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return f"./{clean}" if clean[0] in _FORMULA_STARTS else clean


def find_photos(paths: Sequence[PathLike]) -> list[SourcePhoto]:
    """List the photos behind paths of folders, of photos, and patterns.

    Parameters
    ----------
    paths : sequence of path-like
        A folder stands for the pictures in it and below it, recognised by their ending. A file
        is taken whatever its ending. A pattern (``*``, ``?``, ``[]``, ``**``) stands for what
        it matches.

    Returns
    -------
    list of SourcePhoto
        Sorted by name, each photo once.

    Raises
    ------
    SourceFolderError
        If a path does not exist, or no photo is found.
    """
    photos: dict[str, None] = {}
    tops: list[str] = []
    for given in paths:
        found, folders = _expand(given)
        photos.update(dict.fromkeys(found))
        tops += folders
    if not photos:
        raise _nothing(
            "no picture",
            "Give a folder that holds JPEG, PNG, WebP or HEIC files",
        )
    root = _common_folder(tops)
    named: dict[str, SourcePhoto] = {}
    for path in photos:
        name = _name_of(path, root)
        while name in named:  # only names with control characters can meet
            name += "~"
        named[name] = _describe(path, name)
    return [named[name] for name in sorted(named)]


def _describe(path: str, name: str) -> SourcePhoto:
    try:
        status = os.stat(path)
    except OSError:
        return SourcePhoto(name, path, _UNKNOWN, _UNKNOWN)
    return SourcePhoto(name, path, status.st_size, status.st_mtime_ns)
