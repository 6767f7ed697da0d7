r"""Which photos there are, and what each is called in the table.

A folder is searched with its subfolders, in the order of names. Hidden files and folders and
skinscan's own overlays are left out. Links are followed; a folder that is reached twice, by a
loop or by a second link, is searched once. What cannot be read is listed all the same, so that
it becomes a row with its error instead of missing silently.

The name of a photo is its path relative to the folder that was given (or, with several, to the
deepest folder that holds them all), with ``/`` on every system. A name that a spreadsheet would
run as a formula (it starts with ``=``, ``+``, ``-`` or ``@``) gets ``./`` in front, which leads to
the same file. Control characters, and bytes that are not UTF-8, are written as ``\xNN``.

An address with ``://`` is a prefix in an object store, listed with everything below it; a photo's
name is then its key relative to the prefix (with several addresses, the address without ``://``).
A list of photos can also be given, as a CSV or Parquet file: see `manifest`.
"""

# Paths stay strings here: scandir gives them so, and Path.resolve would follow links.
# ruff: noqa: PTH100, PTH112, PTH116, PTH120, PTH122, PTH207

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from skinscan.batch.storage import is_url, listed
from skinscan.errors import SourceFolderError

PathLike: TypeAlias = str | os.PathLike[str]

#: Endings by which a folder's photos are recognised. The format itself is told from the bytes.
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".mpo"})

#: Ending of the pictures that ``--overlays`` and ``skinscan track`` write.
OVERLAY_SUFFIX: Final = ".overlay.jpg"
#: Ending of moving pictures.
MOVING_SUFFIX: Final = ".overlay.webp"

_FORMULA_STARTS: Final = frozenset("=+-@")
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
        Where it is: a path or an address.
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


class _Fence:
    """What a search does not leave, whatever links lie in its way."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self.left_out = 0

    def holds(self, path: str) -> bool:
        """Tell whether a path leads to something inside."""
        return _common_folder((os.path.realpath(path), self._root)) == self._root

    def passes(self, entry: os.DirEntry[str]) -> bool:
        """Tell whether an entry may be used; those that lead elsewhere are counted."""
        inside = self.holds(entry.path)
        self.left_out += not inside
        return inside


def _walk(top: str, fence: _Fence | None = None) -> Iterator[str]:
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
                entries = [
                    entry
                    for entry in listing
                    if not entry.name.startswith(".")
                    and (_is_folder(entry) or _is_picture(entry.name))
                    and (fence is None or fence.passes(entry))
                ]
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
        yield from (entry.path for entry in entries if not _is_folder(entry))


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
    return clean_name(Path(relative).as_posix())


def clean_name(name: str) -> str:
    """Make a name that is text, without control characters, and no formula of a spreadsheet."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    clean = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return f"./{clean}" if clean[:1] in _FORMULA_STARTS else clean


def find_photos(paths: Sequence[PathLike]) -> list[SourcePhoto]:
    """List the photos behind paths of folders, of photos, patterns, and addresses in stores.

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
    StorageError, MissingExtraError
        If a store does not answer, or its driver is not installed.
    """
    if any(is_url(given) for given in paths):
        return sorted(stored_photos(paths), key=lambda photo: photo.name)
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
    named = _each_named(_describe(path, _name_of(path, root)) for path in photos)
    return sorted(named, key=lambda photo: photo.name)


def find_photos_within(
    folder: PathLike, root: PathLike, *, most: int
) -> tuple[list[SourcePhoto], int]:
    """List the photos of a folder, without what links out of another one above it.

    Parameters
    ----------
    folder : path-like
        Searched with its subfolders.
    root : path-like
        What the search does not leave. A link that leads elsewhere inside of it is followed.
    most : int
        The search ends when it has found so many.

    Returns
    -------
    photos : list of SourcePhoto
        Sorted by name; each with the path that its links lead to.
    left_out : int
        How many links lead out.

    Raises
    ------
    SourceFolderError
        If the folder is not there, cannot be read, is not below `root`, or holds no photo.
    """
    fence = _Fence(os.fspath(root))
    top = os.path.abspath(os.fspath(folder))
    if not fence.holds(top) or not os.path.isdir(top):
        raise _nothing("a folder that is not there", "Choose another folder")
    photos = []
    for path in islice(_walk(top, fence), most):
        real = os.path.realpath(path)
        photos.append(_describe(real, _name_of(path, top)))
    if not photos:
        raise _nothing("no picture", "Give a folder that holds JPEG, PNG, WebP or HEIC files")
    return sorted(_each_named(photos), key=lambda photo: photo.name), fence.left_out


def _each_named(photos: Iterable[SourcePhoto]) -> Iterator[SourcePhoto]:
    """Give photos names that differ; only names with control characters can meet."""
    taken: set[str] = set()
    for photo in photos:
        name = photo.name
        while name in taken:
            name += "~"
        taken.add(name)
        yield replace(photo, name=name)


def stored_photos(paths: Sequence[PathLike]) -> Iterator[SourcePhoto]:
    """List photos in object stores, one level of a store in memory at a time.

    Parameters
    ----------
    paths : sequence of str
        Addresses of prefixes or of photos.

    Raises
    ------
    SourceFolderError
        If an address is none, or no photo is found there.
    StorageError, MissingExtraError
        If a store does not answer, or its driver is not installed.
    """
    for given in paths:
        if not is_url(given):
            raise SourceFolderError(
                expected="either addresses in stores or local paths",
                found="both",
                remedy="Score them in two runs, or list the photos in a manifest",
            )
        count = 0
        for address, relative, size_bytes, modified_ns in listed(os.fspath(given)):
            if _is_picture(relative):
                count += 1
                name = relative if len(paths) == 1 else address.partition("://")[2]
                yield SourcePhoto(clean_name(name), address, size_bytes, modified_ns)
        if not count:
            raise _nothing("no picture", "Give a prefix that holds JPEG, PNG, WebP or HEIC files")


def described(path: str, name: str) -> SourcePhoto:
    """Describe a photo that was named, whether it is there or not."""
    if is_url(path):
        return SourcePhoto(name, path, _UNKNOWN, _UNKNOWN)
    return _describe(os.path.abspath(path), name)


def _describe(path: str, name: str) -> SourcePhoto:
    try:
        status = os.stat(path)
    except OSError:
        return SourcePhoto(name, path, _UNKNOWN, _UNKNOWN)
    return SourcePhoto(name, path, status.st_size, status.st_mtime_ns)
