"""The results of an archive: one Parquet part per shard, whole or absent.

A part's name follows from the names of its photos, so that a shard that is done again replaces
its part instead of adding one. The part's schema carries, as compressed JSON, what became of each
photo; so what is done is known from the ends of the parts alone, and a part and its record cannot
disagree.

Photos that the store did not give are no results, and yet they must be counted. Their rows are in
parts of their own, which a resumed run deletes before it asks for these photos again. So no photo
is ever in two parts, also when a run is killed in between: it is then in none, as before it was
measured.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import numpy as np

from skinscan.batch.manifest import Digests, digest
from skinscan.batch.measure import Outcome, state_of
from skinscan.batch.storage import OutputFolder
from skinscan.batch.tables import long_layout, write_parquet
from skinscan.errors import CountError, OutputError

_PART: Final = "part-"
_UNAVAILABLE: Final = "part-unavailable-"
_RECORD: Final = "skinscan_photos"
_READERS: Final = 16


def part_name(names: Iterable[str]) -> str:
    """Name of the part that holds these photos."""
    folded = hashlib.blake2b("\n".join(names).encode("utf-8", "surrogatepass"), digest_size=16)
    return f"{_PART}{folded.hexdigest()}.parquet"


def is_part(name: str) -> bool:
    """Whether a file of an archive's results holds rows."""
    return name.startswith(_PART)


def write_part(
    folder: OutputFolder, outcomes: Sequence[Outcome], *, metadata: Mapping[str, str]
) -> None:
    """Write a shard's rows: one part, and one more for photos that the store did not give.

    Raises
    ------
    OutputError, StorageError
        If a part cannot be written; it is then not there.
    """
    name = part_name(outcome.photo for outcome in outcomes)
    for part, chosen in (
        (name, [outcome for outcome in outcomes if outcome.settled]),
        (name.replace(_PART, _UNAVAILABLE), [o for o in outcomes if not o.settled]),
    ):
        if chosen:
            _write(folder, part, chosen, metadata)


def _write(
    folder: OutputFolder, name: str, outcomes: Sequence[Outcome], metadata: Mapping[str, str]
) -> None:
    record = {
        "photos": [(outcome.photo, outcome.cause) for outcome in outcomes],
        "examples": {
            outcome.cause: outcome.error.partition(": ")[2] for outcome in outcomes if outcome.error
        },
    }
    text = base64.b64encode(zlib.compress(json.dumps(record).encode("ascii"))).decode("ascii")
    with folder.written(name) as file:
        write_parquet(file, long_layout(lambda: outcomes), metadata={**metadata, _RECORD: text})


@dataclass(frozen=True)
class Done:
    """What the parts hold.

    Attributes
    ----------
    digests : ndarray of uint64
        Of the names of all photos, sorted; a photo in two parts is there twice.
    causes : mapping of str to int
        Photos by cause of failure; the empty cause counts those that were scored.
    examples : mapping of str to str
        One sentence by cause.
    """

    digests: Digests = field(default_factory=lambda: np.zeros(0, np.uint64))
    causes: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)

    def has(self, names: Sequence[str]) -> list[bool]:
        """Which of these photos are done."""
        wanted = np.array([digest(name) for name in names], dtype=np.uint64)
        if not len(self.digests):
            return [False] * len(names)
        places = np.searchsorted(self.digests, wanted).clip(max=len(self.digests) - 1)
        found: list[bool] = (self.digests[places] == wanted).tolist()
        return found


def read_done(folder: OutputFolder) -> Done:
    """Read from all parts what became of their photos.

    Raises
    ------
    OutputError, StorageError
        If a part cannot be read.
    """
    return _read(folder, [name for name in folder.names() if is_part(name)])


def withdraw_unavailable(folder: OutputFolder) -> Digests:
    """Delete the rows of photos that the store did not give, so that they are asked for again.

    Returns
    -------
    ndarray of uint64
        Digests of their names.

    Raises
    ------
    OutputError, StorageError
        If a part cannot be read or deleted.
    """
    names = [name for name in folder.names() if name.startswith(_UNAVAILABLE)]
    found = _read(folder, names).digests
    for name in names:
        folder.remove(name)
    return found


def _read(folder: OutputFolder, names: Sequence[str]) -> Done:
    causes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    digests: list[Digests] = []
    with ThreadPoolExecutor(_READERS) as threads:
        for found, counted, said in threads.map(lambda name: _record(folder, name), names):
            digests.append(found)
            causes.update(counted)
            examples.update(said)
    together = np.sort(np.concatenate([np.zeros(0, np.uint64), *digests]))
    return Done(together, dict(causes), examples)


def _record(folder: OutputFolder, name: str) -> tuple[Digests, Counter[str], dict[str, str]]:
    from pyarrow import parquet  # noqa: PLC0415 - heavy

    def text(file: BinaryIO) -> bytes:
        try:
            found: bytes = parquet.read_metadata(file).metadata[_RECORD.encode()]
        except (ValueError, TypeError, KeyError) as error:
            raise OutputError(
                expected="parts that skinscan wrote",
                found="one that is damaged, or of another program",
                remedy="Delete the parts that pyarrow cannot read; their photos are scored again",
            ) from error
        return found

    record = json.loads(zlib.decompress(base64.b64decode(folder.read(name, text))))
    digests = np.array([digest(photo) for photo, _ in record["photos"]], dtype=np.uint64)
    return digests, Counter(cause for _, cause in record["photos"]), record["examples"]


@dataclass(frozen=True)
class Counts:
    """What went in and what came out, in photos.

    Attributes
    ----------
    given, scored, failed, quarantined : int
        ``given = scored + failed + quarantined`` when all is well.
    missing : int
        Given, but in no part.
    duplicates : int
        Copies in the parts beyond the first of each.
    foreign : int
        In the parts, but not given.
    """

    given: int
    scored: int
    failed: int
    quarantined: int
    missing: int
    duplicates: int
    foreign: int


def count(given: Digests, done: Done) -> Counts:
    """Hold what was given against what the parts hold."""
    states: Counter[str] = Counter()
    for cause, number in done.causes.items():
        states[state_of(cause)] += number
    unique = np.unique(done.digests)
    return Counts(
        given=len(given),
        scored=states["scored"],
        failed=states["failed"],
        quarantined=states["quarantined"],
        missing=int((~np.isin(given, unique)).sum()),
        duplicates=len(done.digests) - len(unique),
        foreign=int((~np.isin(unique, given)).sum()),
    )


def check(counts: Counts) -> None:
    """Refuse results that are not complete, each photo once.

    Raises
    ------
    CountError
    """
    total = counts.scored + counts.failed + counts.quarantined
    if total != counts.given or counts.missing or counts.duplicates or counts.foreign:
        raise CountError(
            expected=f"{counts.given} photos, each once",
            found=f"{counts.scored} scored, {counts.failed} failed, {counts.quarantined} "
            f"quarantined; {counts.missing} missing, {counts.duplicates} more than once, "
            f"{counts.foreign} that were not given",
            remedy="Run with --resume for what is missing; for what is there twice, delete the "
            "parts and score again: another run may have worked on the same output",
        )
