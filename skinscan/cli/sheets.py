"""CSV files that people fill in with a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from skinscan.errors import BadOptionError


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    line : int
        Of the file, from 1.
    cells : Mapping[str, str]
        By column, without spaces around; empty where the column is absent.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """What a file must look like.

    Attributes
    ----------
    option : str
        Of the command, through which the file came.
    needed, others : tuple of str
        Columns that must be there, and that may.
    example : str
        What else a row must hold, for the message.
    """

    option: str
    needed: tuple[str, ...]
    others: tuple[str, ...]
    example: str

    def error(self, found: str) -> BadOptionError:
        """Say what is wrong; ``found`` names the place and never repeats what stands there."""
        return BadOptionError(
            expected=f"a CSV file with the columns {' and '.join(self.needed)}, {self.example}",
            found=found,
            remedy=f"Correct the file given with {self.option}",
        )

    def rows(self, path: Path) -> Iterator[Row]:
        """Read a file.

        Parameters
        ----------
        path : Path
            UTF-8, cells separated by commas, or by semicolons where its first line has no comma.

        Raises
        ------
        BadOptionError
            If it cannot be read, lacks a column, or has a row of another length.
        """
        try:
            # newline="" keeps line breaks inside quotes as they are.
            with path.open(encoding="utf-8-sig", newline="") as file:
                text = file.read()
        except OSError as error:
            raise self.error((error.strerror or type(error).__name__).lower()) from error
        except ValueError as error:
            raise self.error("bytes that are no UTF-8 text") from error
        yield from self._parsed(text)

    def _parsed(self, text: str) -> Iterator[Row]:
        head = next(iter(text.splitlines()), "")
        separator = ";" if ";" in head and "," not in head else ","
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        try:
            columns = [name.strip() for name in next(reader, [])]
            missing = [name for name in self.needed if name not in columns]
            if missing or len(set(columns)) < len(columns):
                raise self.error(
                    f"no column {missing[0]}" if missing else "two columns of one name"
                )
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(columns):
                    raise self.error(f"{len(cells)} cells in line {reader.line_num}")
                given = dict(zip(columns, map(str.strip, cells), strict=True))
                known = {name: given.get(name, "") for name in (*self.needed, *self.others)}
                yield Row(reader.line_num, known)
        except csv.Error as error:
            raise self.error(f"broken quotes near line {reader.line_num}") from error
