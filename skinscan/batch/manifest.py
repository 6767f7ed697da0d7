"""Which photos an archive has, written down once.

A manifest is a Parquet or CSV table with a column ``path`` (a local path, or an address such as
``s3://bucket/key.jpg``) and, if wanted, a column ``photo`` (the name in the results; by default the
path without what comes before ``://``). Other columns are ignored. It is read in pieces: only 8
bytes per photo stay in memory.
"""

from __future__ import annotations

import csv
import hashlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from skinscan.batch.sources import PathLike, SourcePhoto, clean_name, described
from skinscan.batch.storage import OutputFolder
from skinscan.errors import ManifestError

Digests = NDArray[np.uint64]

#: Name inside an archive's results.
MANIFEST: Final = "_manifest.parquet"
_ROWS_PER_GROUP: Final = 65_536


def digest(name: str) -> int:
    """Fold a photo's name into 64 bits.

    Among ten million names two fold into the same with a chance of 3 in a million; the final count
    would then say that a photo is missing.
    """
    folded = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(folded, "big")


def write_manifest(folder: OutputFolder, photos: Iterable[SourcePhoto]) -> Digests:
    """Write down an archive's photos, and return the digests of their names in order.

    Raises
    ------
    ManifestError
        If there is no photo, or two have the same name.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    from pyarrow import parquet  # noqa: PLC0415 - same

    schema = pa.schema([("photo", pa.string()), ("path", pa.string())])
    digests = array("Q")
    waiting = iter(photos)
    with folder.written(MANIFEST) as file, parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(waiting, _ROWS_PER_GROUP)):
            digests.extend(digest(photo.name) for photo in group)
            names = pa.array([photo.name for photo in group], pa.string())
            paths = pa.array([photo.path for photo in group], pa.string())
            writer.write_table(pa.Table.from_arrays([names, paths], schema=schema))
        found: Digests = np.array(digests, dtype=np.uint64)
        if not len(found):
            raise ManifestError(
                expected="at least one photo",
                found="none",
                remedy="Check the manifest",
            )
        if len(np.unique(found)) < len(found):
            raise ManifestError(
                expected="each photo once, under a name of its own",
                found=f"{len(found) - len(np.unique(found))} names more than once",
                remedy="Leave the repetitions out, or give a manifest with a column 'photo'",
            )
    return found


def read_manifest(folder: OutputFolder) -> Iterator[SourcePhoto]:
    """Read an archive's photos back, in their order.

    Raises
    ------
    OutputError, StorageError
        If the manifest cannot be read.
    """
    from pyarrow import parquet  # noqa: PLC0415 - heavy

    def count(file: BinaryIO) -> int:
        groups: int = parquet.ParquetFile(file).num_row_groups
        return groups

    for number in range(folder.read(MANIFEST, count)):

        def group(file: BinaryIO, number: int = number) -> dict[str, list[Any]]:
            found: dict[str, list[Any]] = (
                parquet.ParquetFile(file).read_row_group(number).to_pydict()
            )
            return found

        table = folder.read(MANIFEST, group)
        for name, path in zip(table["photo"], table["path"], strict=True):
            yield SourcePhoto(name, path, -1, -1)


def given_photos(manifest: PathLike) -> Iterator[SourcePhoto]:
    """Read a manifest that somebody made.

    Parameters
    ----------
    manifest : path-like
        A local file that ends in ``.csv`` or ``.parquet``.

    Raises
    ------
    ManifestError
        If it cannot be read, or has no column ``path`` with a value in every row.
    """
    path = Path(manifest)
    readers = {".csv": _csv_rows, ".parquet": _parquet_rows}
    try:
        rows = readers[path.suffix.lower()](path)
        for number, row in enumerate(rows, start=1):
            where = row.get("path")
            if not isinstance(where, str) or not where:
                raise _unreadable(f"row {number} without a path")
            name = row.get("photo") or where.partition("://")[2] or where
            yield described(where, clean_name(str(name)))
    except KeyError:
        raise _unreadable(f"the ending {path.suffix!r}") from None
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors are ValueErrors
        raise _unreadable(f"{type(error).__name__} while reading it") from error


def _unreadable(found: str) -> ManifestError:
    return ManifestError(
        expected="a CSV or Parquet table with a column 'path', one photo per row",
        found=found,
        remedy="Check the manifest (CSV in UTF-8, its first line the names of the columns)",
    )


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet  # noqa: PLC0415 - heavy

    with parquet.ParquetFile(path) as file:
        wanted = [name for name in ("path", "photo") if name in file.schema_arrow.names]
        for batch in file.iter_batches(_ROWS_PER_GROUP, columns=wanted):
            yield from batch.to_pylist()
