"""Bytes to a Scan and its pictures, or to words that tell the photographer what to do."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from skinscan.errors import AnotherPersonError, MirroredPhotoError, SkinscanError
from skinscan.identity import similarity
from skinscan.landmarks import View
from skinscan.looks import Pictures, draw_all
from skinscan.quality import compare
from skinscan.registration import Skin, skin_of
from skinscan.resources import sample_course_dir
from skinscan.scan import Scan, analyze
from skinscan.ui import strings
from skinscan.ui.course import SessionPhoto, session_date

#: The first photo of each view of a course, as skin.
References = dict[View, Skin]

logger = logging.getLogger("skinscan.ui")

_PHOTO_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that somebody chose.

    Attributes
    ----------
    label : str
        Its name; shown to that person, never logged.
    data : bytes
    sample : bool
        Whether it belongs to the sample course, whose results all visits may share.
    """

    label: str
    data: bytes
    sample: bool = False


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A file that could not be measured, and what to do about it.

    Attributes
    ----------
    label : str
        The file's name.
    sentence : str
        From the catalogue.
    photo : SessionPhoto or None
        What was measured all the same, where the doubt is only whose face it is.
    """

    label: str
    sentence: str
    photo: SessionPhoto | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A photo after measuring: its Scan without pixels, the pictures to show, and a doubt.

    Attributes
    ----------
    skin : Skin or None
        What another photo is subtracted from; None where the scan came without pixels.
    doubt : str
        Why it may belong to somebody else; empty where nothing speaks for that.
    """

    scan: Scan
    pictures: Pictures
    skin: Skin | None = None
    doubt: str = ""


#: Results of the sample course by SHA-256: a rendered face, nobody's secret. Photos of people
#: stay in their own visit.
_sample_results: dict[str, Measured] = {}


def digest(data: bytes) -> str:
    """Return the identity of a file: the SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


def measure(upload: Upload, references: References | None = None) -> Measured | Problem:
    """Measure one photo. Never raises an `Exception`: whatever fails becomes a Problem.

    Parameters
    ----------
    upload : Upload
    references : dict of View to FaceMap, optional
        Skin that the photo must agree with; a photo of a new view becomes its reference.
    """
    doubt = ""
    try:
        scan = analyze(upload.data)
        if references is not None:
            doubt = _doubt(scan, references)
        drawn = draw_all(scan)
    except SkinscanError as error:
        return Problem(label=upload.label, sentence=explain(error))
    except Exception as error:  # noqa: BLE001 - one file must not stop the others
        log_unexpected(error)
        return Problem(label=upload.label, sentence=strings.PROBLEM_UNEXPECTED)
    return Measured(
        scan=scan if scan.pixels is None else replace(scan, pixels=None),
        pictures=drawn,
        skin=None if scan.pixels is None else skin_of(scan.pixels.facemap),
        doubt=doubt,
    )


def _doubt(scan: Scan, references: References) -> str:
    """Say why a photo may not belong to the course: another person's skin, or left for right."""
    if scan.pixels is None:
        return ""
    facemap = scan.pixels.facemap
    reference = references.get(scan.view)
    if reference is None:
        references[scan.view] = skin_of(facemap)
        return ""
    found = similarity(reference, facemap)
    try:
        compare(scan.quality, scan.quality, similarity=found).confirm_person()
    except (AnotherPersonError, MirroredPhotoError) as error:
        return explain(error)
    return ""


def explain(error: SkinscanError) -> str:
    """Return the sentence for an error's cause, or the error's own remedy."""
    return strings.PROBLEMS.get(error.cause, f"{error.remedy}.")


def log_unexpected(error: BaseException) -> None:
    """Log where an error arose, without its message: that could hold a name."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    logger.error("unexpected %s at %s", type(error).__name__, where)


def measure_all(
    uploads: Sequence[Upload],
    *,
    known: dict[str, Measured],
    progress: Callable[[int, int], None],
    references: References | None = None,
) -> tuple[list[SessionPhoto], list[Problem]]:
    """Measure photos one after another.

    Parameters
    ----------
    uploads : sequence of Upload
    known : dict of str to Measured
        By SHA-256 of the bytes; found ones are added, so that an interrupted run goes
        on where it stopped.
    progress : callable
        Called with (number of the photo about to be measured from 1, how many).
    references : dict of View to FaceMap, optional
        As in `measure`; filled as photos come.

    Returns
    -------
    photos : list of SessionPhoto
        With the dates that camera or name tell.
    problems : list of Problem
    """
    photos: list[SessionPhoto] = []
    problems: list[Problem] = []
    for number, upload in enumerate(uploads, start=1):
        progress(number, len(uploads))
        sha256 = digest(upload.data)
        result = known.get(sha256) or _sample_results.get(sha256) or measure(upload, references)
        if isinstance(result, Problem):
            problems.append(result)
            continue
        known[sha256] = result
        if upload.sample:
            _sample_results[sha256] = result
        taken_on, source = session_date(upload.label, result.scan.captured_at)
        photo = SessionPhoto(
            label=upload.label, taken_on=taken_on, date_source=source, scan=result.scan
        )
        if result.doubt:
            problems.append(Problem(label=upload.label, sentence=result.doubt, photo=photo))
        else:
            photos.append(photo)
    return photos, problems


def sample_uploads() -> list[Upload]:
    """Read the photos of the sample course; empty if it is not installed."""
    folder = sample_course_dir()
    if not folder.is_dir():
        return []
    return [
        Upload(label=path.name, data=path.read_bytes(), sample=True)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _PHOTO_SUFFIXES
    ]
