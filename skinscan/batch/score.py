"""Score photos: into a DataFrame, into one file, or into an archive's parts.

The same calls serve a folder and an object store, this computer's cores and a cluster.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

from skinscan.batch.archive import check_shard_size, score_archive
from skinscan.batch.engine import run
from skinscan.batch.engines import EngineName, EngineOptions, check_engine, engine_running
from skinscan.batch.files import output_error, written_whole
from skinscan.batch.fill import fill, tasks_of
from skinscan.batch.journal import open_journal
from skinscan.batch.manifest import given_photos
from skinscan.batch.measure import Levels, MeasurePhoto, Outcome, state_of
from skinscan.batch.progress import progress_bar
from skinscan.batch.sources import PathLike, SourcePhoto, find_photos, stored_photos
from skinscan.batch.storage import OutputFolder, is_url
from skinscan.batch.tables import FrameBuilder, write_table
from skinscan.errors import BadOptionError, ManifestError, OutputError

if TYPE_CHECKING:
    import pandas as pd

Paths: TypeAlias = PathLike | Sequence[PathLike]

#: Formats of the table, told by the output's ending.
OUTPUT_SUFFIXES: Final = (".csv", ".parquet")

#: Photos of a shard, and so of a part of an archive's results.
SHARD_SIZE: Final = 256


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

    @property
    def quarantined(self) -> int:
        """Those of the failed that kill whatever measures them."""
        return sum(n for cause, n in self.failures.items() if state_of(cause) == "quarantined")


def _as_sequence(paths: Paths) -> Sequence[PathLike]:
    return [paths] if isinstance(paths, str | os.PathLike) else paths


def _check_levels(levels: str) -> None:
    if levels not in get_args(Levels):
        raise BadOptionError(
            expected=f"levels to be one of {', '.join(get_args(Levels))}",
            found=repr(levels),
            remedy="Use 'highest' to compare photos, 'all' to keep every level",
        )


def _photos(paths: Paths, manifest: PathLike | None) -> list[SourcePhoto]:
    if manifest is None:
        return find_photos(_as_sequence(paths))
    _check_one_source(paths)
    return _each_once(sorted(given_photos(manifest), key=lambda photo: photo.name))


def _check_one_source(paths: Paths) -> None:
    if _as_sequence(paths):
        raise BadOptionError(
            expected="either paths or a manifest",
            found="both",
            remedy="Leave the paths out: the manifest lists all photos",
        )


def _each_once(photos: list[SourcePhoto]) -> list[SourcePhoto]:
    names = {photo.name for photo in photos}
    if not photos or len(names) < len(photos):
        raise ManifestError(
            expected="at least one photo, each under a name of its own",
            found=f"{len(photos)} photos with {len(names)} names",
            remedy="Leave repetitions out, or give a column 'photo' with names",
        )
    return photos


def score_folder(
    path: Paths = (),
    *,
    manifest: PathLike | None = None,
    workers: int | None = None,
    engine: EngineName = "pool",
    scheduler: str | None = None,
    progress: bool = True,
    levels: Levels = "highest",
    largest_face: bool = False,
) -> pd.DataFrame:
    """Measure every photo of a folder, or under a prefix of an object store.

    The whole table is kept in memory: about 90 bytes per row. For large archives use the command
    ``skinscan score``, which writes as it goes and can be resumed.

    Parameters
    ----------
    path : path-like or sequence of path-like
        A folder, searched with its subfolders, or a photo, or a pattern, or an address such as
        ``s3://bucket/prefix``; or several of them.
    manifest : path-like, optional
        Instead of `path`: a CSV or Parquet file that lists the photos (see `manifest`).
    workers : int, optional
        Processes. By default as many as there are cores, or fewer for few photos. With 1, photos
        are measured in this process. A cluster that runs already has its own number.
    engine : {"pool", "dask"}
        Processes of this computer, or workers of Dask (``skinscan[cluster]``).
    scheduler : str, optional
        Address of Dask's scheduler, such as ``tcp://host:8786``. Without, a cluster is started on
        this computer.
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
    EngineError, StorageError, MissingExtraError, ManifestError
        If the cluster, the store or the manifest is not what it should be.

    Examples
    --------
    >>> import skinscan
    >>> table = skinscan.score_folder("photos/")  # doctest: +SKIP
    >>> table.query("metric == 'wrinkles.severity'").pivot_table(
    ...     index="photo", columns="region", values="value"
    ... )  # doctest: +SKIP
    """
    _check_levels(levels)
    options = check_engine(EngineOptions(engine, scheduler, workers))
    photos = _photos(path, manifest)
    ranks = {photo.name: rank for rank, photo in enumerate(photos)}
    job = MeasurePhoto(levels=levels, largest_face=largest_face)
    builder = FrameBuilder()
    with (
        progress_bar(total=len(photos), shown=progress) as advance,
        engine_running(job, options, photos=len(photos)) as running,
    ):
        for outcome in run(running, tasks_of(photos)):
            builder.add(ranks[outcome.photo], outcome)
            advance()
    return builder.frame()


def score_to_file(
    paths: Paths,
    output: PathLike,
    *,
    manifest: PathLike | None = None,
    workers: int | None = None,
    engine: EngineName = "pool",
    scheduler: str | None = None,
    shard_size: int = SHARD_SIZE,
    progress: bool = True,
    levels: Levels = "highest",
    largest_face: bool = False,
    wide: bool = False,
    overlays: PathLike | None = None,
    resume: bool = False,
) -> Summary:
    """Measure photos into a CSV or Parquet file, or into a folder of Parquet parts.

    Into a file: memory does not grow with the number of photos, but for their names. Until it is
    complete, the table is kept in ``<output>.partial``; an existing output is replaced only then.

    Into a folder (see `archive`): for archives of any size, on this computer or in a store. Each
    shard of photos becomes one part; in the end the parts are counted against what was given.

    Parameters
    ----------
    paths
        See `score_folder`. Empty with a manifest.
    manifest, workers, engine, scheduler, progress, levels, largest_face
        See `score_folder`.
    output : path-like
        A file that ends in ``.csv`` or ``.parquet``, whose folder exists; or a folder: an address
        such as ``s3://bucket/results``, or a local path that ends in ``/``.
    shard_size : int
        Photos per part of a folder, 1 to 1,000.
    wide : bool
        One row per photo, one column ``metric|region`` per number. Not into a folder.
    overlays : path-like, optional
        Local folder for one overlay picture per photo; made if absent. Not into a folder.
    resume : bool
        Continue an interrupted run, and ask again for photos that a store did not give. Into a
        file, photos that changed since are measured again; into a folder, a photo is known by its
        name alone. Without an interrupted run, all photos are measured. In a store, what a killed
        run holds is taken over after some 90 s.

    Returns
    -------
    Summary

    Raises
    ------
    SourceFolderError
        If a path does not exist or no photo is found.
    OutputInUseError
        If another run is working on the output.
    OutputError
        If the output or an overlay cannot be written, or an interrupted run is in the way.
    BadOptionError
        If an option is outside its range.
    ModelError
        If the landmark model cannot be used.
    EngineError, StorageError, MissingExtraError, ManifestError
        If the cluster, a store or the manifest is not what it should be.
    CountError
        If a folder's parts do not hold each photo once.
    """
    began = time.monotonic()
    _check_levels(levels)
    check_shard_size(shard_size)
    options = check_engine(EngineOptions(engine, scheduler, workers))
    if _is_folder(output):
        if wide or overlays is not None:
            raise BadOptionError(
                expected="the long table, without overlays, for a folder of parts",
                found="--wide or --overlays",
                remedy="Leave it out, or write into one .csv or .parquet file",
            )
        if manifest is not None:
            _check_one_source(paths)
        done = score_archive(
            lambda: _archive_photos(paths, manifest),
            OutputFolder(os.fspath(output)),
            MeasurePhoto(levels=levels, largest_face=largest_face),
            options,
            settings=_settings(levels, largest_face),
            renewed=manifest is not None,
            shard_size=shard_size,
            resume=resume,
            progress=progress,
        )
        return Summary(
            photos=done.photos,
            resumed=done.resumed,
            failures=done.failures,
            examples=done.examples,
            seconds=time.monotonic() - began,
        )
    target = _checked_output(output)
    photos = _photos(paths, manifest)
    job = MeasurePhoto(
        levels=levels,
        largest_face=largest_face,
        overlays=None if overlays is None else _made_folder(overlays),
    )
    settings = _settings(levels, largest_face) | {"overlays": job.overlays}
    with open_journal(target, settings, resume=resume) as journal:
        missing = sum(not journal.has(photo) for photo in photos)
        resumed = len(photos) - missing
        with progress_bar(
            total=len(photos), done=resumed, shown=progress and missing > 0
        ) as advance:
            for _ in fill(journal, photos, job=job, options=options):
                advance()
        with written_whole(target, "the table") as file:
            write_table(
                file,
                lambda: journal.outcomes(photos),
                form="csv" if target.suffix.lower() == ".csv" else "parquet",
                wide=wide,
                levels=levels,
            )
        failures, examples = _failures(journal.outcomes(photos))
        journal.remove()
    return Summary(
        photos=len(photos),
        resumed=resumed,
        failures=failures,
        examples=examples,
        seconds=time.monotonic() - began,
    )


def _settings(levels: Levels, largest_face: bool) -> dict[str, object]:  # noqa: FBT001
    return {
        "skinscan version": version("skinscan"),
        "levels": levels,
        "largest-face": largest_face,
    }


def _is_folder(output: PathLike) -> bool:
    text = os.fspath(output)
    return is_url(text) or text.endswith(("/", os.sep))


def _archive_photos(paths: Paths, manifest: PathLike | None) -> Iterator[SourcePhoto]:
    if manifest is not None:
        return given_photos(manifest)
    sequence = _as_sequence(paths)
    if any(is_url(path) for path in sequence):
        return stored_photos(sequence)
    return iter(find_photos(sequence))


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
            remedy="Name the output scores.csv or scores.parquet, or end it in / for a folder",
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
