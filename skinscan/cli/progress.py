"""What ``skinscan compare`` and ``skinscan track`` do: measure, compare, write."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from skinscan.batch.files import output_error, written_whole
from skinscan.batch.sources import MOVING_SUFFIX, OVERLAY_SUFFIX, find_photos
from skinscan.cli.dates import Told, confirm_photos, date_of, read_dates
from skinscan.declaration import Declaration
from skinscan.errors import BadOptionError, ComparisonError, FaceError, PhotoError
from skinscan.identity import similarity
from skinscan.landmarks import View
from skinscan.plots import (
    Picture,
    Unmatched,
    as_svg,
    before_after,
    change_map,
    course_chart,
    difference,
    encoded,
    mapped_metrics,
    region_changes,
    regions_chart,
    report,
    timelapse,
)
from skinscan.progress import Progress, words
from skinscan.progress.locales import locale as locale_of
from skinscan.quality import compare as compare_quality
from skinscan.scan import Scan, analyze

#: What is written into the folder.
SESSIONS_FILE, CHANGES_FILE, REPORT_FILE = "progress.csv", "changes.csv", "report.html"

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Folder:
    """A client's folder, measured.

    Attributes
    ----------
    paths : tuple of str
        Of the photos that were measured.
    scans : tuple of Scan
        Of each, without pixels.
    dates : tuple of date
        Of each.
    declared : tuple of Declaration
        About each.
    failed : int
        Photos that could not be measured.
    """

    paths: tuple[str, ...]
    scans: tuple[Scan, ...]
    dates: tuple[date, ...]
    declared: tuple[Declaration, ...]
    failed: int


def confirm_person(scan: Scan, reference: Scan) -> None:
    """Stop where two photos of one view show the skin of two people, or one is mirrored.

    Parameters
    ----------
    scan, reference : Scan
        Fresh from `analyze`, with their pixels.

    Raises
    ------
    AnotherPersonError, MirroredPhotoError
    """
    if scan.pixels is not None and reference.pixels is not None:
        alike = similarity(reference.pixels.facemap, scan.pixels.facemap)
        compare_quality(scan.quality, reference.quality, similarity=alike).confirm_person()


def measure_folder(
    folder: Path, *, dates: Path | None, largest_face: bool, same_person: bool, say: Say
) -> Folder:
    """Measure every photo of one client.

    Parameters
    ----------
    folder : Path
    dates : Path or None
        Table of dates and of what is declared about the photos.
    largest_face : bool
        Take the largest of several faces.
    same_person : bool
        The user confirms that all photos show one person, the right way round.
    say : callable
        Receives a line for each photo that stands in the way.

    Raises
    ------
    SourceFolderError
        If there is no photo.
    BadOptionError
        If a photo has no date, none could be measured, or the table is wrong.
    AnotherPersonError, MirroredPhotoError
        If a photo's skin is not that of the first photo of its view.
    """
    photos = find_photos([folder])
    told = read_dates(dates) if dates is not None else {}
    confirm_photos(told, {photo.name for photo in photos})
    paths: list[str] = []
    scans: list[Scan] = []
    days: list[date] = []
    declared: list[Declaration] = []
    references: dict[View, Scan] = {}
    failed = 0
    for photo in photos:
        known = told.get(photo.name, Told())
        try:
            scan = analyze(photo.path, name=photo.name, largest_face=largest_face)
        except (PhotoError, FaceError) as error:
            say(f"{photo.name}: {error}")
            failed += 1
            continue
        try:
            days.append(date_of(photo.name, known.taken_on, scan.captured_at))
            first = references.setdefault(scan.view, scan)
            if not same_person and first is not scan:
                confirm_person(scan, first)
        except (BadOptionError, ComparisonError):
            say(f"{photo.name}:")
            raise
        paths.append(photo.path)
        declared.append(known.declared)
        scans.append(replace(scan, pixels=None))  # a course of pixels would not fit into memory
    if not scans:
        raise BadOptionError(
            expected="a folder in which at least one photo can be measured",
            found=f"{failed} photos that cannot",
            remedy="See above what is wrong with each",
        )
    return Folder(tuple(paths), tuple(scans), tuple(days), tuple(declared), failed)


def parse_dates(texts: Iterable[str]) -> tuple[date, ...]:
    """Read dates such as ``2026-03-03``.

    Raises
    ------
    BadOptionError
        If one is no date.
    """
    try:
        return tuple(date.fromisoformat(text) for text in texts)
    except ValueError as error:
        raise BadOptionError(
            expected="dates such as 2026-03-03",
            found=str(error),
            remedy="Correct --baseline",
        ) from error


def first_and_last(
    progress: Progress, found: Folder, *, largest_face: bool
) -> tuple[Scan, Scan] | None:
    """Measure one photo of the baseline and one of the latest session again, for their pixels.

    Parameters
    ----------
    progress : Progress
    found : Folder
        What the course was made of.
    largest_face : bool

    Returns
    -------
    tuple of Scan, or None
        Of one view, the front before the sides; None where the two sessions share no view.
    """
    for view in View:
        ends = [
            path
            for on in (progress.baseline[0], progress.sessions[-1])
            for path in [
                p
                for p, scan, day in zip(found.paths, found.scans, found.dates, strict=True)
                if day == on and scan.view is view
            ][:1]
        ]
        if len(set(ends)) == 2:
            first, last = (analyze(p, name=Path(p).name, largest_face=largest_face) for p in ends)
            return first, last
    return None


def course_in_motion(
    progress: Progress, found: Folder, *, largest_face: bool, locale: str
) -> bytes | None:
    """Measure one photo of each session again and show them as a moving picture.

    Parameters
    ----------
    progress : Progress
    found : Folder
        What the course was made of.
    largest_face : bool
    locale : str
        Of the dates.

    Returns
    -------
    bytes or None
        Animated WebP of the view that most sessions have, the front among equals; None where no
        view was photographed in two sessions.
    """
    by_view: dict[View, dict[date, str]] = {view: {} for view in View}
    for path, scan, day in zip(found.paths, found.scans, found.dates, strict=True):
        by_view[scan.view].setdefault(day, path)
    shown = max(by_view.values(), key=len)
    days = [on for on in progress.sessions if on in shown]
    if len(days) < 2:
        return None

    def measured(on: date) -> Scan:
        return analyze(shown[on], name=Path(shown[on]).name, largest_face=largest_face)

    first = measured(days[0])
    if first.pixels is None:
        return None
    titles = [locale_of(locale).date(on) for on in days]
    return timelapse(zip(itertools.chain([first], map(measured, days[1:])), titles, strict=True))


def _photo_pictures(
    progress: Progress, pair: tuple[Scan, Scan] | None, locale: str
) -> tuple[dict[str, Picture], tuple[str, ...]]:
    """Draw two photos side by side, by file name, and say what could not be drawn.

    Nothing of either where there are no two photos to show.
    """
    if pair is None or any(scan.pixels is None for scan in pair):
        return {}, ()
    titles = (words.BEFORE, words.AFTER)
    if progress.dated:
        before, after = (
            locale_of(locale).date(on) for on in (progress.baseline[0], progress.sessions[-1])
        )
        titles = (words.BEFORE_OF.format(date=before), words.AFTER_OF.format(date=after))
    photos, lines = before_after(*pair, titles=titles)
    shown = words.PAIR_ALT.format(before=titles[0].lower(), after=titles[1].lower())
    pictures = {
        "before_after": Picture(words.PAIR_CAPTION, shown, photos),
        "lines": Picture(words.LINES_CAPTION, shown + words.PAIR_LINES_ALT, lines),
    }
    apart = difference(*pair)
    if isinstance(apart, Unmatched):
        return pictures, (apart.sentence(locale),)
    pictures["difference"] = Picture(words.DIFFERENCE_CAPTION, words.DIFFERENCE_ALT, apart.picture)
    return pictures, ()


def write(
    progress: Progress,
    folder: Path,
    *,
    locale: str,
    pair: tuple[Scan, Scan] | None,
    motion: bytes | None = None,
    say: Say,
) -> None:
    """Write tables, charts, pictures and the report, each file whole or not at all.

    Parameters
    ----------
    progress : Progress
    folder : Path
        Made where it does not exist.
    locale : str
        Of the report.
    pair : tuple of Scan, or None
        One photo of the baseline and one of the latest session, of one view.
    motion : bytes, optional
        The course as a moving picture.
    say : callable
        Receives a line about what could not be drawn.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, "the tables") from error
    tables = {SESSIONS_FILE: progress.table(), CHANGES_FILE: progress.overview()}
    files = {
        name: table.to_csv(index=False, lineterminator="\n").encode()
        for name, table in tables.items()
    }
    for item in progress.concerns:
        concern, leading = item.concern.value, item.leading
        svg = as_svg(course_chart(progress, leading, locale=locale))
        files[f"course_{concern}.svg"] = svg.encode()
        if region_changes(progress, leading.metric):
            svg = as_svg(regions_chart(progress, leading.metric, locale=locale))
            files[f"regions_{concern}.svg"] = svg.encode()
    pictures, remarks = _photo_pictures(progress, pair, locale)
    for remark in remarks:
        say(remark)
    # The suffix tells the search for photos that these are none.
    for name in mapped_metrics(progress):
        files[f"map_{name}{OVERLAY_SUFFIX}"] = encoded(
            change_map(progress, name, locale=locale), ".jpg"
        )
    for name, picture in pictures.items():
        files[f"{name}{OVERLAY_SUFFIX}"] = encoded(picture.rgb, ".jpg")
    if motion is not None:
        files[f"timelapse{MOVING_SUFFIX}"] = motion
    page = report(
        progress,
        locale=locale,
        pictures=tuple(pictures.values()),
        motion=motion,
        remarks=remarks,
    )
    files[REPORT_FILE] = page.encode()
    for name, content in files.items():
        with written_whole(folder / name, "a result") as file:
            file.write(content)


def seen(views: Sequence[View]) -> str:
    """Say how many photos there are of which view."""
    return ", ".join(f"{views.count(view)} {view.value}" for view in View if view in views)
