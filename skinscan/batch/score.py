"""Score folders: into a DataFrame, or into a file that survives interruptions."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

from skinscan.batch.engine import check_workers, default_workers, make_engine, run
from skinscan.batch.files import output_error, written_whole
from skinscan.batch.journal import Journal, open_journal
from skinscan.batch.measure import Job, Levels, MeasurePhoto, Outcome, Task
from skinscan.batch.progress import progress_bar
from skinscan.batch.sources import PathLike, SourcePhoto, find_photos
from skinscan.batch.tables import (
    FrameBuilder,
    long_layout,
    wide_layout,
    write_csv,
    write_parquet,
)
from skinscan.errors import BadOptionError, OutputError

if TYPE_CHECKING:
    import pandas as pd

Paths: TypeAlias = PathLike | Sequence[PathLike]

#: Formats of the table, told by the output's ending.
OUTPUT_SUFFIXES: Final = (".csv", ".parquet")

#: Photos under way per worker: enough that none waits for the next one.
_WINDOW_PER_WORKER: Final = 2


@dataclass(frozen=True)
class Summary:
    """What became of a run.

    Attributes
    ----------
    photos : int
        All photos in the table.
    resumed : int
        Those that an earlier, interrupted run had done.
    failures : mapping of str to int
        Failed photos by cause, most frequent first.
    examples : mapping of str to str
        One sentence by cause.
    seconds : float
        Duration of this run.
    """

    photos: int
    resumed: int
    failures: Mapping[str, int]
    examples: Mapping[str, str]
    seconds: float

    @property
    def failed(self) -> int:
        """Photos that have no measurement."""
        return sum(self.failures.values())


def _as_sequence(paths: Paths) -> Sequence[PathLike]:
    return [paths] if isinstance(paths, str | os.PathLike) else paths


def _check_levels(levels: str) -> None:
    if levels not in get_args(Levels):
        raise BadOptionError(
            expected=f"levels to be one of {', '.join(get_args(Levels))}",
            found=repr(levels),
            remedy="Use 'highest' to compare photos, 'all' to keep every level",
        )


def _measured(
    photos: Sequence[SourcePhoto], job: Job, workers: int | None
) -> contextlib.AbstractContextManager[Iterator[Outcome]]:
    return _engine_running(photos, job, workers or default_workers(len(photos)))


@contextlib.contextmanager
def _engine_running(
    photos: Sequence[SourcePhoto], job: Job, workers: int
) -> Iterator[Iterator[Outcome]]:
    engine = make_engine(job, workers=workers)
    try:
        tasks = (Task(photo.name, photo.path) for photo in photos)
        yield run(engine, tasks, window=_WINDOW_PER_WORKER * workers)
    finally:
        engine.close()


def score_folder(
    path: Paths,
    *,
    workers: int | None = None,
    progress: bool = True,
    levels: Levels = "highest",
    largest_face: bool = False,
) -> pd.DataFrame:
    """Measure every photo of a folder.

    The whole table is kept in memory: about 90 bytes per row. For large archives use the command
    ``skinscan score``, which writes as it goes and can be resumed.

    Parameters
    ----------
    path : path-like or sequence of path-like
        A folder, searched with its subfolders, or a photo, or a pattern; or several of them.
    workers : int, optional
        Processes. By default as many as there are cores, or fewer for few photos. With 1, photos
        are measured in this process.
    progress : bool
        Show a bar on standard error if it is a terminal.
    levels : {"highest", "all"}
        Keep every metric at the photo's highest resolution level, or at all levels.
    largest_face : bool
        Take the largest of several faces instead of failing.

    Returns
    -------
    pandas.DataFrame
        Long format, sorted by photo, with the columns ``photo`` (path relative to the folder),
        ``view``, ``metric``, ``region``, ``level_px_mm`` (px/mm), ``value`` (in ``unit``),
        ``unit``, ``sem`` (standard error in the same unit, NaN where unknown), ``flags`` (names
        joined by ``|``) and ``error``. A photo that could not be measured is one row with its
        name and ``cause: sentence`` as its ``error``.

    Raises
    ------
    SourceFolderError
        If the path does not exist or holds no photo.
    BadOptionError
        If an option is outside its range.
    ModelError
        If the landmark model cannot be used.

    Examples
    --------
    >>> import skinscan
    >>> table = skinscan.score_folder("photos/")  # doctest: +SKIP
    >>> table.query("metric == 'wrinkles.severity'").pivot_table(
    ...     index="photo", columns="region", values="value"
    ... )  # doctest: +SKIP
    """
    _check_levels(levels)
    if workers is not None:
        check_workers(workers)
    photos = find_photos(_as_sequence(path))
    ranks = {photo.name: rank for rank, photo in enumerate(photos)}
    job = MeasurePhoto(levels=levels, largest_face=largest_face)
    builder = FrameBuilder()
    with (
        progress_bar(total=len(photos), shown=progress) as advance,
        _measured(photos, job, workers) as outcomes,
    ):
        for outcome in outcomes:
            builder.add(ranks[outcome.photo], outcome)
            advance()
    return builder.frame()


def score_to_file(
    paths: Paths,
    output: PathLike,
    *,
    workers: int | None = None,
    progress: bool = True,
    levels: Levels = "highest",
    largest_face: bool = False,
    wide: bool = False,
    overlays: PathLike | None = None,
    resume: bool = False,
) -> Summary:
    """Measure photos into a CSV or Parquet file.

    Memory does not grow with the number of photos, but for their names. Until it is complete,
    the table is kept in ``<output>.partial``; an existing output is replaced only then.

    Parameters
    ----------
    paths, workers, progress, levels, largest_face
        See `score_folder`.
    output : path-like
        Ends in ``.csv`` or ``.parquet``; its folder exists.
    wide : bool
        One row per photo, one column ``metric|region`` per number.
    overlays : path-like, optional
        Folder for one overlay picture per photo; made if absent.
    resume : bool
        Continue an interrupted run. Photos that changed since are measured again. Without an
        interrupted run, all photos are measured.

    Returns
    -------
    Summary

    Raises
    ------
    SourceFolderError
        If a path does not exist or no photo is found.
    OutputError
        If the output or an overlay cannot be written, another run is working on it, or an
        interrupted run is in the way.
    BadOptionError
        If an option is outside its range.
    ModelError
        If the landmark model cannot be used.
    """
    began = time.monotonic()
    _check_levels(levels)
    if workers is not None:
        check_workers(workers)
    target = _checked_output(output)
    photos = find_photos(_as_sequence(paths))
    job = MeasurePhoto(
        levels=levels,
        largest_face=largest_face,
        overlays=None if overlays is None else _made_folder(overlays),
    )
    settings: dict[str, object] = {
        "skinscan version": version("skinscan"),
        "levels": levels,
        "largest-face": largest_face,
        "overlays": job.overlays,
    }
    with open_journal(target, settings, resume=resume) as journal:
        missing = [photo for photo in photos if not journal.has(photo)]
        _fill(journal, photos, missing, job=job, workers=workers, progress=progress)
        _write_table(target, journal, photos, wide=wide, levels=levels)
        failures, examples = _failures(journal.outcomes(photos))
        journal.remove()
    return Summary(
        photos=len(photos),
        resumed=len(photos) - len(missing),
        failures=failures,
        examples=examples,
        seconds=time.monotonic() - began,
    )


def _fill(
    journal: Journal,
    photos: Sequence[SourcePhoto],
    missing: Sequence[SourcePhoto],
    *,
    job: Job,
    workers: int | None,
    progress: bool,
) -> None:
    """Measure what the journal lacks."""
    if not missing:
        return
    by_name = {photo.name: photo for photo in missing}
    done = len(photos) - len(missing)
    with (
        progress_bar(total=len(photos), done=done, shown=progress) as advance,
        _measured(missing, job, workers) as outcomes,
    ):
        for outcome in outcomes:
            journal.append(by_name[outcome.photo], outcome)
            advance()


def _write_table(
    target: Path, journal: Journal, photos: Sequence[SourcePhoto], *, wide: bool, levels: Levels
) -> None:
    def outcomes() -> Iterator[Outcome]:
        return journal.outcomes(photos)

    layout = wide_layout(outcomes, levels=levels) if wide else long_layout(outcomes)
    with written_whole(target, "the table") as file:
        if target.suffix.lower() == ".csv":
            write_csv(file, layout)
        else:
            metadata = {"skinscan_version": version("skinscan"), "levels": levels}
            write_parquet(file, layout, metadata=metadata)


def _failures(outcomes: Iterator[Outcome]) -> tuple[Mapping[str, int], Mapping[str, str]]:
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.error:
            counts[outcome.cause] += 1
            examples.setdefault(outcome.cause, outcome.error.partition(": ")[2])
    return dict(counts.most_common()), examples


def _checked_output(output: PathLike) -> Path:
    """Find out now, not hours later, that the output cannot be written."""
    target = Path(output)
    if target.suffix.lower() not in OUTPUT_SUFFIXES:
        raise OutputError(
            expected=f"an output that ends in {' or '.join(OUTPUT_SUFFIXES)}",
            found=f"the ending {target.suffix!r}" if target.suffix else "no ending",
            remedy="Name the output scores.csv or scores.parquet",
        )
    if not target.parent.is_dir():
        raise OutputError(
            expected="an output in a folder that exists",
            found="no such folder",
            remedy="Make the folder first, or correct its name",
        )
    if target.is_dir():
        raise OutputError(
            expected="a file name for the output",
            found="a folder of that name",
            remedy="Choose another name",
        )
    return target


def _made_folder(folder: PathLike) -> str:
    path = Path(folder).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, "overlays") from error
    return str(path)
