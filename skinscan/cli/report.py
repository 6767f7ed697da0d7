"""One Scan as text for a terminal: first whether to trust the photo, then the numbers.

Each concern is a table with a row per region and a column per metric; metrics that do not fit the
width go into a further table. Conditions that qualify a number are letters behind it, explained
below; those that qualify every number are said once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_
from string import ascii_lowercase
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from skinscan.flags import SENTENCES, Flag
from skinscan.metrics import Concern, Measurement, Metric, metrics
from skinscan.photoscore import PhotoScore
from skinscan.quality import Check
from skinscan.regions import measured_regions
from skinscan.scan import Scan

#: Widths with the space between columns.
_REGION_WIDTH: Final = 24
_NUMBER_WIDTH: Final = 14
_NUMBER_AND_ERROR_WIDTH: Final = 18
_DIGITS: Final = 3
_STYLES: Final[Mapping[str, str]] = {"good": "green", "acceptable": "yellow", "poor": "red"}
#: Points that are met, missed and open.
_MARKS: Final[Mapping[bool | None, tuple[str, str]]] = {
    True: ("1", "green"),
    False: ("0", "red"),
    None: ("–", "dim"),
}
_CONCERNS: Final[Mapping[Concern, str]] = {
    Concern.WRINKLES: "Wrinkles and fine lines",
    Concern.TEXTURE: "Texture",
    Concern.TONE: "Tone",
    Concern.UNDER_EYE: "Under the eyes",
    Concern.LIFT: "Lift",
    Concern.RADIANCE: "Radiance",
}


def report(scan: Scan, score: PhotoScore) -> RenderableType:
    """Make the report of one Scan.

    Parameters
    ----------
    scan : Scan
    score : PhotoScore
        Of the same photo.

    Returns
    -------
    rich renderable
        Fits any width from 60 columns on.
    """
    shown = highest(scan.measurements)
    common = reduce(and_, (m.flags for m in shown), ~Flag.NONE) if shown else Flag.NONE
    letters = _letters(shown, common)
    parts: list[RenderableType] = [_headline(scan), "", _capture(scan), "", _points(score)]
    for concern, title in _CONCERNS.items():
        chosen = [m for m in metrics().values() if m.concern is concern]
        values = {(m.metric, m.region): m for m in shown if m.metric in {c.name for c in chosen}}
        if values:
            parts += ["", Text(title, style="bold"), _Numbers(chosen, values, letters)]
    parts += ["", *_footnotes(letters, common)]
    return Group(*parts)


def highest(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Keep each metric and region at the highest level measured."""
    best: dict[tuple[str, str], Measurement] = {}
    for m in measurements:
        key = m.metric, m.region
        if key not in best or m.level_px_mm > best[key].level_px_mm:
            best[key] = m
    return list(best.values())


def number(value: float) -> str:
    """Write a number with three significant digits and no exponent; a dash for NaN."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):.{min(max(decimals, 0), 4)}f}"


def _letters(shown: Sequence[Measurement], common: Flag) -> dict[Flag, str]:
    used = [f for f in Flag if f and not f & common and any(f & m.flags for m in shown)]
    return dict(zip(used, ascii_lowercase, strict=False))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _headline(scan: Scan) -> Text:
    width, height = scan.photo_size_px
    text = Text(_printable(scan.name), style="bold", overflow="fold")
    facts = [
        f"{scan.view.value} view",
        f"{width} x {height} px",
        f"{scan.resolution_px_mm:.1f} px/mm",
        f"measured at {max(scan.levels):g} px/mm" if scan.levels else "",
        f"{scan.captured_at:%Y-%m-%d %H:%M}" if scan.captured_at else "",
    ]
    text.append("\n" + ", ".join(filter(None, facts)), style="not bold")
    return text


def _capture(scan: Scan) -> Group:
    """Say what the photographer can do; good checks share one line."""
    verdict = scan.quality.verdict
    head = Text.assemble(("Capture check: ", "bold"), (str(verdict), _STYLES.get(verdict, "")))
    weak = [check for check in scan.quality.checks if check.verdict != "good"]
    good = [check.title for check in scan.quality.checks if check.verdict == "good"]
    lines = [_check_line(check) for check in sorted(weak, key=lambda c: c.verdict != "poor")]
    if good:
        lines.append(Padding(Text(f"Good: {', '.join(good)}."), (0, 0, 0, 2)))
    return Group(head, *lines)


def _check_line(check: Check) -> Padding:
    found = f"{number(check.value)} {check.unit}".strip()
    return Padding(
        Text.assemble(
            (f"{check.title}: {check.verdict}", _STYLES.get(check.verdict, "")),
            f" ({found}, wanted {check.limit}). {check.sentence}",
        ),
        (0, 0, 0, 2),
    )


def _points(score: PhotoScore) -> Group:
    """List the nine points, each with its reason."""
    undecided = f", {score.open} not declared or not measured" if score.open else ""
    head = Text.assemble(
        ("Photograph score, after SEPIA: ", "bold"), f"{score.total} of {score.of}{undecided}"
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for point in score.points:
        mark, style = _MARKS[point.met]
        table.add_row(Text(mark, style=style), point.title, point.reason)
    return Group(head, Padding(table, (0, 0, 0, 2)))


class _Numbers:
    """Tables of one concern, as many as the width asks for."""

    def __init__(
        self,
        columns: Sequence[Metric],
        values: Mapping[tuple[str, str], Measurement],
        letters: Mapping[Flag, str],
    ) -> None:
        measured = {metric for metric, _ in values}
        self._columns = [column for column in columns if column.name in measured]
        self._values = values
        self._letters = letters
        with_error = any(math.isfinite(m.sem) for m in values.values())
        self._width = _NUMBER_AND_ERROR_WIDTH if with_error else _NUMBER_WIDTH

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        per_table = max(1, (options.max_width - _REGION_WIDTH) // self._width)
        for start in range(0, len(self._columns), per_table):
            yield self._table(self._columns[start : start + per_table])

    def _table(self, columns: Sequence[Metric]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        table.add_column("", width=_REGION_WIDTH - 1, overflow="fold")
        for column in columns:
            unit = f", {column.unit}" if column.unit else ""
            table.add_column(
                Text(column.title + unit),
                width=self._width - 1,
                justify="right",
                vertical="bottom",
            )
        for name, title in self._rows(columns):
            table.add_row(title, *(self._cell(column.name, name) for column in columns))
        return table

    def _rows(self, columns: Sequence[Metric]) -> Iterator[tuple[str, str]]:
        names = {column.name for column in columns}
        here = {region for metric, region in self._values if metric in names}
        for region in measured_regions():
            if region.name in here:
                yield region.name, region.title

    def _cell(self, metric: str, region: str) -> Text:
        measurement = self._values.get((metric, region))
        if measurement is None:
            return Text("")
        marks = "".join(mark for flag, mark in self._letters.items() if flag & measurement.flags)
        text = Text(number(measurement.value))
        if math.isfinite(measurement.sem):
            text.append(f" ±{number(measurement.sem)}", style="dim")
        # A place for the marks even where there is none keeps the digits aligned.
        text.append(f" {marks:<2}", style="dim")
        return text


def _footnotes(letters: Mapping[Flag, str], common: Flag) -> Iterator[Text]:
    yield Text("Left and right are the subject's.", style="dim")
    for flag in Flag:
        if flag and flag & common:
            yield Text(f"All numbers: {SENTENCES[flag]}", style="dim")
    for flag, letter in letters.items():
        yield Text(f"{letter}  {SENTENCES[flag]}", style="dim")
    yield Text("It measures cosmetic appearance. It diagnoses nothing.", style="dim")
