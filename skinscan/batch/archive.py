"""Archives of any size: a manifest, shards, one Parquet part per shard, and a count at the end.

An archive's results are a folder, local or in a store:

======================  ==========================================================================
``_run.json``           the settings; results of others are not mixed in
``_manifest.parquet``   the photos, listed once
``part-<...>.parquet``  the rows of one shard (`parts`); ``pandas.read_parquet(folder)`` reads all.
                        ``part-unavailable-<...>``: of photos that the store did not give
``_counts.json``        photos given, scored, failed, quarantined; written when the count was right
``_lock``               there while a run works on it (`lock`)
======================  ==========================================================================

A run that is resumed takes what the parts lack, and what the store did not give before, in shards,
and nothing else. What a killed run
measured of a shard that was not complete is measured again; its rows were never written.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

import numpy as np

from skinscan.batch.engine import Shard, run_shards
from skinscan.batch.engines import EngineOptions, engine_running
from skinscan.batch.lock import only_run
from skinscan.batch.manifest import MANIFEST, Digests, digest, read_manifest, write_manifest
from skinscan.batch.measure import Job, Outcome, Task
from skinscan.batch.parts import (
    Done,
    check,
    count,
    is_part,
    read_done,
    withdraw_unavailable,
    write_part,
)
from skinscan.batch.progress import progress_bar
from skinscan.batch.sources import SourcePhoto
from skinscan.batch.storage import OutputFolder
from skinscan.errors import BadOptionError, OutputError, StorageError

RUN: Final = "_run.json"
COUNTS: Final = "_counts.json"

_MOST_PER_SHARD: Final = 1_000
#: A shard of at least so many photos, none of which could be had, says that the store is down.
_STORE_IS_DOWN: Final = 8


@dataclass(frozen=True)
class ArchiveSummary:
    """What became of an archive.

    Attributes
    ----------
    photos, resumed : int
        All photos; those that earlier runs had done.
    failures, examples
        As in `Summary`.
    """

    photos: int
    resumed: int
    failures: Mapping[str, int]
    examples: Mapping[str, str]


def check_shard_size(shard_size: int) -> None:
    """Refuse shards that are too small or too large.

    Raises
    ------
    BadOptionError
    """
    if not 1 <= shard_size <= _MOST_PER_SHARD:
        raise BadOptionError(
            expected=f"1 to {_MOST_PER_SHARD} photos per shard",
            found=str(shard_size),
            remedy="Use 256 to 1,000 for archives, fewer only for few photos",
        )


def score_archive(
    photos: Callable[[], Iterator[SourcePhoto]],
    folder: OutputFolder,
    job: Job,
    options: EngineOptions,
    *,
    settings: Mapping[str, object],
    renewed: bool,
    shard_size: int,
    resume: bool,
    progress: bool,
) -> ArchiveSummary:
    """Measure an archive.

    Parameters
    ----------
    photos : callable
        Lists them. Called once, and not at all when a manifest is there already.
    folder : OutputFolder
    job : Job
    options : EngineOptions
    settings : mapping of str to JSON values
        What must be equal for results to be mixed.
    renewed : bool
        List the photos even when a manifest is there: it then replaces that one.
    shard_size : int
        Photos per part.
    resume : bool
        Continue what is there.
    progress : bool
        Show a bar.

    Raises
    ------
    OutputInUseError
        If another run is working on the same results.
    OutputError
        If the results cannot be written, or others are in the way.
    StorageError
        If the store does not answer.
    CountError
        If the parts do not hold each photo once in the end.
    """
    with only_run(folder, resume=resume) as check_lock:
        names = folder.names()
        _check_run(folder, names, settings, resume=resume)
        given = _given(folder, photos, renewed=renewed or MANIFEST not in names)
        tried = withdraw_unavailable(folder)
        done = read_done(folder)
        before = int(np.isin(given, done.digests).sum())
        if before < len(given):
            folder.remove(COUNTS)
            missing = _shards(read_manifest(folder), done, shard_size)
            metadata = {str(key).replace(" ", "_"): str(value) for key, value in settings.items()}
            with (
                progress_bar(total=len(given), done=before, shown=progress) as advance,
                engine_running(job, options, photos=len(given) - before) as engine,
            ):
                for outcomes in run_shards(engine, missing):
                    _check_store(outcomes, tried)
                    check_lock()
                    write_part(folder, outcomes, metadata=metadata)
                    for _ in outcomes:
                        advance()
            done = read_done(folder)
        counts = count(given, done)
        check(counts)
        _write_json(folder, COUNTS, asdict(counts))
        failures = {cause: number for cause, number in done.causes.items() if cause}
        return ArchiveSummary(
            photos=len(given),
            resumed=before,
            failures=dict(sorted(failures.items(), key=lambda item: -item[1])),
            examples=done.examples,
        )


def _given(
    folder: OutputFolder, photos: Callable[[], Iterator[SourcePhoto]], *, renewed: bool
) -> Digests:
    if renewed:
        return write_manifest(folder, photos())
    return _digests(photo.name for photo in read_manifest(folder))


def _digests(names: Iterable[str]) -> Digests:
    return np.fromiter((digest(name) for name in names), dtype=np.uint64)


def _shards(photos: Iterator[SourcePhoto], done: Done, shard_size: int) -> Iterator[Shard]:
    """Group what is not done; full shards come out the same when a run is resumed."""
    missing = _missing(photos, done)
    while shard := tuple(islice(missing, shard_size)):
        yield shard


def _missing(photos: Iterator[SourcePhoto], done: Done) -> Iterator[Task]:
    while group := list(islice(photos, _MOST_PER_SHARD)):
        for photo, there in zip(group, done.has([p.name for p in group]), strict=True):
            if not there:
                yield Task(photo.name, photo.path)


def _check_store(outcomes: tuple[Outcome, ...], tried: Digests) -> None:
    """Write nothing about photos that are well, but cannot be had at present.

    Photos that could not be had by an earlier run say nothing about the store of today.
    """
    before = np.isin(_digests(outcome.photo for outcome in outcomes), tried)
    asked = [o for o, again in zip(outcomes, before, strict=True) if not again]
    if len(asked) >= _STORE_IS_DOWN and not any(outcome.settled for outcome in asked):
        raise StorageError(
            expected="at least one photo of a shard from the store",
            found=f"none of {len(asked)}, however often it was asked",
            remedy="Check the store, the network and the credentials, then run with --resume",
        )


def _check_run(
    folder: OutputFolder, names: list[str], settings: Mapping[str, object], *, resume: bool
) -> None:
    if RUN not in names:
        if any(is_part(name) for name in names):
            raise OutputError(
                expected="an empty output folder",
                found="parts without the settings they were made with",
                remedy="Choose another folder",
            )
        _write_json(folder, RUN, settings)
        return
    if not resume:
        raise OutputError(
            expected="an empty output folder",
            found="results of an earlier run",
            remedy="Add --resume to continue it, or choose another folder",
        )
    found = folder.read(RUN, _read_json)
    different = sorted(
        key for key in found.keys() | settings.keys() if found.get(key) != settings.get(key)
    )
    if different:
        raise OutputError(
            expected="results made with the same settings",
            found=f"another {' and '.join(different)}",
            remedy="Use the same settings, or choose another folder",
        )


def _read_json(file: BinaryIO) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        content = json.load(file)
        if isinstance(content, dict):
            return content
    return {}


def _write_json(folder: OutputFolder, name: str, content: Mapping[str, object]) -> None:
    with folder.written(name) as file:
        file.write(json.dumps(content, indent=2).encode("utf-8") + b"\n")
