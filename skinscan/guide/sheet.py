"""A document to print on: paper, embedded letters, and the same bytes for the same content."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum

from fpdf import FPDF
from fpdf.fonts import TTFFont

from skinscan.errors import BadOptionError
from skinscan.guide import pen
from skinscan.resources import font_path


class Paper(StrEnum):
    """Sheet size."""

    A4 = "a4"
    LETTER = "letter"


@contextmanager
def open_sheet(paper: Paper, *, title: str, language: str, created: datetime) -> Iterator[FPDF]:
    """Open a document with one empty page, and close its fonts in the end.

    Parameters
    ----------
    paper : Paper
    title : str
        Stands in the file's metadata, so that it names nobody.
    language : str
        Tag of the language, for those who have the page read to them.
    created : datetime
        The same document must be the same bytes, so the clock has no say.

    Yields
    ------
    FPDF
        In mm, without margins or automatic page breaks.
    """
    # At each reading fontTools remarks that Lato's date of birth is odd.
    log = logging.getLogger("fontTools")
    before = log.level
    log.setLevel(logging.ERROR)
    pdf = FPDF(unit="mm", format=paper.value)
    try:
        pdf.set_creation_date(created)
        pdf.set_title(title)
        pdf.set_lang(language)
        pdf.set_auto_page_break(False)
        pdf.set_margin(0)
        pdf.c_margin = 0
        pdf.add_font(pen.FONT, "", font_path("Regular"))
        pdf.add_font(pen.FONT, "B", font_path("Bold"))
        pdf.add_page()
        yield pdf
    finally:
        for font in _fonts(pdf):
            font.close()
        log.setLevel(before)


def _fonts(pdf: FPDF) -> list[TTFFont]:
    return [font for font in pdf.fonts.values() if isinstance(font, TTFFont)]


def refuse_unknown_letters(pdf: FPDF, *words: str) -> None:
    """Refuse words that the fonts cannot write.

    Raises
    ------
    BadOptionError
        Naming the letters by their code points.
    """
    unknown = sorted(
        {c for font in _fonts(pdf) for word in words for c in word if ord(c) not in font.cmap}
    )
    if unknown:
        raise BadOptionError(
            expected="Latin, Greek or Cyrillic letters",
            found=" ".join(f"U+{ord(c):04X}" for c in unknown[:5]),
            remedy="Write the name in one of these",
        )
