"""Layout of the guide on one sheet of paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib import metadata

from fpdf import FPDF

from skinscan.errors import BadOptionError
from skinscan.guide import figure, pen, text
from skinscan.guide.pen import Place
from skinscan.guide.sheet import Paper, open_sheet, refuse_unknown_letters

#: All in mm.
_MARGIN = 12.0
_COLUMN_GAP = 7.0
_LEAST_GAP = 3.0
_ROW_GAP = 2.0
_INDENT = 9.0
#: Sizes in points at scale 1: titles of steps, text, tables, the bottom line.
_TITLE, _BODY, _SMALL, _FINE = 11.0, 9.5, 8.5, 8.5
#: Letters are as large as the page allows.
_SCALES = (1.2, 1.15, 1.1, 1.05, 1.0, 0.95, 0.9, 0.85)
_NAME, _LEAST_NAME = 12.0, 8.0
_NAME_WIDTH = 62.0
#: The same page must be the same bytes, so it does not say when it was made.
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def photo_guide(
    *,
    paper: Paper = Paper.A4,
    practice: str = "",
    limits: Mapping[str, str] | None = None,
) -> bytes:
    """Make the guide as a PDF of one page.

    Parameters
    ----------
    paper : Paper
    practice : str
        Name printed in the corner; a line to write on when empty.
    limits : mapping of str to str, optional
        Per metric family one sentence on what may differ between two photos.

    Returns
    -------
    bytes
        The same for the same arguments and version.

    Raises
    ------
    BadOptionError
        If a text has letters that the font lacks, or does not fit.
    """
    words = practice.strip(), limits or {}
    with _sheet(paper) as scratch:
        room = scratch.h - _MARGIN
        for letters in _SCALES:
            spare = room - _compose(scratch, *words, letters=letters, gap=_LEAST_GAP)
            if spare >= 0:
                break
        else:
            raise BadOptionError(
                expected="limits that fit on one page",
                found=f"{-spare:.0f} mm too much",
                remedy="Shorten the sentences",
            )
    with _sheet(paper) as page:
        gaps = len(_blocks(page, *words, letters=letters)) - 1
        _compose(page, *words, letters=letters, gap=_LEAST_GAP + spare / gaps)
        return bytes(page.output())


def _sheet(paper: Paper) -> AbstractContextManager[FPDF]:
    return open_sheet(paper, title=text.TITLE, language="en", created=_CREATED)


def _compose(
    pdf: FPDF, practice: str, limits: Mapping[str, str], *, letters: float, gap: float
) -> float:
    """Draw all blocks under each other; return where the last one ends, mm."""
    y = _MARGIN
    for block in _blocks(pdf, practice, limits, letters=letters):
        y = block(y) + gap
    return y - gap


def _blocks(
    pdf: FPDF, practice: str, limits: Mapping[str, str], *, letters: float
) -> tuple[Callable[[float], float], ...]:
    """Return what draws each block from a height downwards, and returns where it ends."""
    refuse_unknown_letters(pdf, practice, *limits, *limits.values())
    return (
        lambda y: _header(pdf, y, practice),
        lambda y: _setup(pdf, y),
        lambda y: _steps(pdf, y, letters),
        lambda y: _checks(pdf, y, letters),
        *((lambda y: _families(pdf, y, limits, letters),) if limits else ()),
        lambda y: _footer(pdf, y),
    )


def _inner(pdf: FPDF) -> float:
    return pdf.w - 2 * _MARGIN


def _column(pdf: FPDF) -> float:
    return (_inner(pdf) - _COLUMN_GAP) / 2


def _columns(pdf: FPDF) -> tuple[float, float]:
    return _MARGIN, _MARGIN + _column(pdf) + _COLUMN_GAP


def _header(pdf: FPDF, y: float, practice: str) -> float:
    pen.write(pdf, (_MARGIN, y + 8.5), text.TITLE, 25, bold=True, colour=pen.ACCENT)
    right = pdf.w - _MARGIN
    if practice:
        size = _fitting_size(pdf, practice)
        pen.write(pdf, (right, y + 8.5), practice, size, bold=True, anchor=1.0)
    else:
        pen.stroke(pdf, (right - _NAME_WIDTH, y + 9.0), (right, y + 9.0), colour=pen.QUIET)
        pen.write(pdf, (right, y + 13.0), "Practice", _FINE, colour=pen.QUIET, anchor=1.0)
    return pen.paragraph(pdf, (_MARGIN, y + 12.5), _inner(pdf) - 20, text.WHY, 12)


def _fitting_size(pdf: FPDF, name: str) -> float:
    pen.set_type(pdf, _NAME, bold=True)
    size = min(_NAME, _NAME * _NAME_WIDTH / pdf.get_string_width(name))
    if size < _LEAST_NAME:
        raise BadOptionError(
            expected="a name that fits into the corner of the page",
            found=f"{len(name)} letters",
            remedy="Shorten it",
        )
    return size


def _setup(pdf: FPDF, y: float) -> float:
    left, right = _columns(pdf)
    figure.draw_above(pdf, (left, y), _column(pdf))
    figure.draw_side(pdf, (right, y), _column(pdf))
    return y + figure.HEIGHT


def _steps(pdf: FPDF, y: float, letters: float) -> float:
    """Draw the numbered steps in two columns, read downwards; rows share their height."""
    steps = text.steps()
    rows = (len(steps) + 1) // 2
    for row in range(rows):
        ends = [
            _step(pdf, (left, y), k + 1, steps[k], letters)
            for left, k in zip(_columns(pdf), range(row, len(steps), rows), strict=False)
        ]
        y = max(ends) + _ROW_GAP
    return y - _ROW_GAP


def _step(pdf: FPDF, at: Place, number: int, step: text.Step, letters: float) -> float:
    title = _TITLE * letters
    radius = 0.68 * pen.line_height(title)
    centre = at[0] + radius, at[1] + radius
    pen.disc(pdf, centre, (radius, radius), pen.ACCENT)
    base = centre[0], centre[1] + 0.26 * pen.line_height(title)
    pen.write(pdf, base, str(number), 0.92 * title, bold=True, colour=pen.WHITE, anchor=0.5)
    left = at[0] + _INDENT * letters
    width = _column(pdf) - _INDENT * letters
    top = centre[1] - pen.line_height(title) / 2
    below = pen.paragraph(pdf, (left, top), width, step.title, title, bold=True)
    return pen.paragraph(pdf, (left, below), width, step.text, _BODY * letters)


def _heading(pdf: FPDF, y: float, words: str, letters: float) -> float:
    size = _TITLE * letters
    return pen.paragraph(pdf, (_MARGIN, y), _inner(pdf), words, size, bold=True) + 1.5


def _checks(pdf: FPDF, y: float, letters: float) -> float:
    """Draw the limits in two columns, read downwards."""
    top = _heading(pdf, y, "What skinscan checks in every photo, and what counts as good", letters)
    rows = text.limit_rows()
    half = (len(rows) + 1) // 2
    widest = max(_row_width(pdf, row) for row in rows)
    size = min(_SMALL * letters, _column(pdf) / widest)
    height = pen.line_height(size) + 0.9
    for k, (title, limit) in enumerate(rows):
        left = _columns(pdf)[k // half]
        right = left + _column(pdf)
        line = top + (k % half) * height
        base = line + 0.8 * height
        pen.stroke(pdf, (left, line), (right, line), colour=pen.HAIRLINE, width=0.2)
        pen.write(pdf, (left, base), title, size)
        pen.write(pdf, (right, base), limit, size, bold=True, anchor=1.0)
    return top + half * height


def _row_width(pdf: FPDF, row: tuple[str, str]) -> float:
    """Width that a row needs, mm for each point of its letters."""
    size = 10.0
    pen.set_type(pdf, size)
    title = pdf.get_string_width(row[0] + "   ")
    pen.set_type(pdf, size, bold=True)
    return (title + pdf.get_string_width(row[1])) / size


def _families(pdf: FPDF, y: float, limits: Mapping[str, str], letters: float) -> float:
    """Draw one line per metric family, the names in a column of their own."""
    y = _heading(pdf, y, "What may differ between two photos", letters)
    size = _SMALL * letters
    pen.set_type(pdf, size, bold=True)
    indent = max(pdf.get_string_width(family.capitalize()) for family in limits) + 4.0
    for family, sentence in limits.items():
        pen.paragraph(pdf, (_MARGIN, y), indent, family.capitalize(), size, bold=True)
        y = pen.paragraph(pdf, (_MARGIN + indent, y), _inner(pdf) - indent, sentence, size) + 0.4
    return y


def _footer(pdf: FPDF, y: float) -> float:
    pen.stroke(pdf, (_MARGIN, y), (pdf.w - _MARGIN, y), colour=pen.HAIRLINE)
    base = y + 1.2 * pen.line_height(_FINE)
    version = f"skinscan {metadata.version('skinscan')}"
    pen.write(pdf, (_MARGIN, base), text.DISCLAIMER, _FINE, colour=pen.QUIET)
    pen.write(pdf, (pdf.w - _MARGIN, base), version, _FINE, colour=pen.QUIET, anchor=1.0)
    return base
