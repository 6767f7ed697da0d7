"""Outcomes to tables: long or wide; DataFrame, CSV or Parquet.

Long
    One row per photo, metric, region and level, with the columns of ``Scan.table()`` and
    ``error``. A photo that failed is one row with its name and its error.
Wide
    One row per photo: ``photo``, ``view``, ``error``, ``level_px_mm`` and one column
    ``metric|region`` per number. With all levels the columns are ``metric|region|level``, and
    ``level_px_mm`` is left out.
CSV
    UTF-8, comma, point as decimal mark, numbers as precise as they are, empty where there is none.
Parquet
    Text as strings, numbers as 64-bit floats, null where there is none.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, TypeAlias

from skinscan.batch.measure import Levels, Outcome, Row

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["text", "number"]
Cell: TypeAlias = str | float
Form: TypeAlias = Literal["csv", "parquet"]
Outcomes: TypeAlias = Callable[[], Iterable[Outcome]]

#: Columns of the long table, in order, and what they hold.
LONG_COLUMNS: Final[Mapping[str, Kind]] = {
    "photo": "text",
    "view": "text",
    "metric": "text",
    "region": "text",
    "level_px_mm": "number",
    "value": "number",
    "unit": "text",
    "sem": "number",
    "flags": "text",
    "error": "text",
}

_NO_ROW: Final[Row] = ("", "", math.nan, math.nan, "", math.nan, "")
_ROWS_PER_GROUP: Final = 65_536
_CELLS_PER_GROUP: Final = _ROWS_PER_GROUP * len(LONG_COLUMNS)


@dataclass(frozen=True)
class Layout:
    """A table that has not been written yet.

    Attributes
    ----------
    columns : mapping of str to {"text", "number"}
    records : iterator of tuple
        One tuple per row, in the order of `columns`; NaN where there is no number.
    """

    columns: Mapping[str, Kind]
    records: Iterator[tuple[Cell, ...]]


def long_records(outcome: Outcome) -> Iterator[tuple[Cell, ...]]:
    """Rows of one photo in the long table: at least one."""
    for row in outcome.rows or (_NO_ROW,):
        yield (outcome.photo, outcome.view, *row, outcome.error)


def long_layout(outcomes: Outcomes) -> Layout:
    """Lay out the long table.

    Parameters
    ----------
    outcomes : callable
        Gives the outcomes from the start each time it is called.
    """
    records = (record for outcome in outcomes() for record in long_records(outcome))
    return Layout(LONG_COLUMNS, records)


def wide_layout(outcomes: Outcomes, *, levels: Levels) -> Layout:
    """Lay out the wide table; reads the outcomes once for its columns and once for its rows.

    Parameters
    ----------
    outcomes : callable
        Gives the outcomes from the start each time it is called.
    levels : {"highest", "all"}
        What the outcomes hold.
    """
    numbers: dict[str, None] = {}
    for outcome in outcomes():
        numbers.update(dict.fromkeys(_wide_name(row, levels) for row in outcome.rows))
    columns: dict[str, Kind] = {"photo": "text", "view": "text", "error": "text"}
    if levels == "highest":
        columns["level_px_mm"] = "number"
    columns.update(dict.fromkeys(numbers, "number"))
    return Layout(columns, (_wide_record(o, numbers, levels) for o in outcomes()))


def _wide_name(row: Row, levels: Levels) -> str:
    metric, region, level, *_ = row
    return f"{metric}|{region}" if levels == "highest" else f"{metric}|{region}|{level:g}"


def _wide_record(outcome: Outcome, numbers: Iterable[str], levels: Levels) -> tuple[Cell, ...]:
    values = {_wide_name(row, levels): row[3] for row in outcome.rows}
    level = max((row[2] for row in outcome.rows), default=math.nan)
    return (
        outcome.photo,
        outcome.view,
        outcome.error,
        *((level,) if levels == "highest" else ()),
        *(values.get(name, math.nan) for name in numbers),
    )


def write_table(
    file: BinaryIO, outcomes: Outcomes, *, form: Form, wide: bool, levels: Levels
) -> None:
    """Write outcomes as a table.

    Parameters
    ----------
    file : binary file
    outcomes : callable
        Gives the outcomes from the start each time it is called.
    form : {"csv", "parquet"}
    wide : bool
        One row per photo.
    levels : {"highest", "all"}
        What the outcomes hold.
    """
    layout = wide_layout(outcomes, levels=levels) if wide else long_layout(outcomes)
    if form == "csv":
        write_csv(file, layout)
    else:
        metadata = {"skinscan_version": version("skinscan"), "levels": levels}
        write_parquet(file, layout, metadata=metadata)


def write_csv(file: BinaryIO, layout: Layout) -> None:
    """Write a table as CSV.

    Parameters
    ----------
    file : binary file
    layout : Layout
        Its records are used up.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(layout.columns)
    for record in layout.records:
        writer.writerow([None if cell != cell else cell for cell in record])  # noqa: PLR0124 - NaN
    text.flush()
    text.detach()


def write_parquet(file: BinaryIO, layout: Layout, *, metadata: Mapping[str, str]) -> None:
    """Write a table as Parquet, one bounded row group at a time.

    Parameters
    ----------
    file : binary file
    layout : Layout
        Its records are used up.
    metadata : mapping of str to str
        Kept in the file's schema.
    """
    import pyarrow as pa  # noqa: PLC0415 - only for Parquet
    from pyarrow import parquet  # noqa: PLC0415 - same

    types = {"text": pa.string(), "number": pa.float64()}
    schema = pa.schema(
        [(name, types[kind]) for name, kind in layout.columns.items()],
        metadata=dict(metadata),
    )
    rows = max(1, _CELLS_PER_GROUP // len(layout.columns))
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(layout.records, rows)):
            columns = [
                pa.array(cells, type_, from_pandas=True)  # NaN becomes null
                for cells, type_ in zip(zip(*group, strict=True), schema.types, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


class FrameBuilder:
    """Collects the long table in memory: about 90 bytes per row.

    Photos may come in any order.
    """

    def __init__(self) -> None:
        self._ranks = array("q")
        self._columns: dict[str, list[str] | array[float]] = {
            name: [] if kind == "text" else array("d") for name, kind in LONG_COLUMNS.items()
        }

    def add(self, rank: int, outcome: Outcome) -> None:
        """Add a photo.

        Parameters
        ----------
        rank : int
            Its place among the photos.
        outcome : Outcome
        """
        for record in long_records(outcome):
            self._ranks.append(rank)
            for column, cell in zip(self._columns.values(), record, strict=True):
                if isinstance(column, list):
                    column.append(sys.intern(str(cell)))
                else:
                    column.append(float(cell))

    def frame(self) -> pd.DataFrame:
        """Make the table, sorted by the photos' places."""
        import numpy as np  # noqa: PLC0415 - heavy
        import pandas as pd  # noqa: PLC0415 - heavy

        data = {
            name: column if isinstance(column, list) else np.array(column, dtype=np.float64)
            for name, column in self._columns.items()
        }
        table = pd.DataFrame(data)
        order = np.argsort(np.array(self._ranks, dtype=np.int64), kind="stable")
        return table.iloc[order].reset_index(drop=True)
