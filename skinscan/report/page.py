"""The report of a course as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib import metadata

from fpdf import FPDF, ViewerPreferences

from skinscan.errors import BadOptionError
from skinscan.guide import Paper, pen, text
from skinscan.guide.sheet import open_sheet, refuse_unknown_letters
from skinscan.progress import Progress, Verdict, words
from skinscan.progress.locales import locale as locale_of
from skinscan.report import charts
from skinscan.report.blocks import FOOT, HEAD, MARGIN, SMALL, Placed, Press, paged
from skinscan.report.inputs import PhotoPair, Rating, tidy_name
from skinscan.report.logo import read_logo
from skinscan.report.sections import Content, Room, blocks_of, title_of
from skinscan.scan import Scan

_MOST_PAGES = 3
#: From much to little; each scale of letters goes down to its own least room.
_ROOMS = (
    Room(claims=40, listed=16, said=16),
    Room(claims=24, listed=12, said=12),
    Room(claims=16, listed=10, said=8),
    Room(claims=12, listed=8, said=8),
    Room(claims=8, listed=6, said=6),
    Room(claims=4, listed=5, said=4),
    Room(claims=0, listed=3, said=2),
)
_LETTERS = ((1.0, 5), (0.95, 5), (0.9, 6), (0.85, 7))


def progress_pdf(
    progress: Progress,
    *,
    scans: Sequence[Scan],
    dates: Sequence[date] | None,
    practice: str,
    made_on: date,
    logo: bytes | None = None,
    client: str = "",
    pair: PhotoPair | None = None,
    ratings: Sequence[Rating] = (),
    locale: str = "en-GB",
    paper: Paper = Paper.A4,
) -> bytes:
    """Write the report of a course for paper: one to three pages.

    With ``pair`` it shows a face, with ``client`` it names its owner: keep it as carefully as the
    photos. Neither stands in the file's metadata.

    Parameters
    ----------
    progress : Progress
    scans : sequence of Scan
        Of the course; their capture quality is reported. Pixels are not needed.
    dates : sequence of date or None
        Of each scan; None where two photos without dates were compared.
    practice : str
        Its name; may be empty.
    made_on : date
        Printed, and the file's date: the clock has no say in the bytes.
    logo : bytes, optional
        A PNG, JPEG or WebP file.
    client : str
        Name of the client; may be empty.
    pair : PhotoPair, optional
        Before and after.
    ratings : sequence of Rating
        What the client said.
    locale : str
        How dates and numbers are written, a name in `skinscan.progress.locales.LOCALES`.
    paper : Paper

    Returns
    -------
    bytes
        The same for the same arguments, and versions of skinscan and its libraries.

    Raises
    ------
    BadOptionError
        If a name has letters that the font lacks, or dates are missing.
    LogoError
        If the logo cannot be printed.
    UnknownNameError
        If there is no such locale.
    """
    if dates is not None and len(dates) != len(scans):
        raise BadOptionError(
            expected="a date for each scan",
            found=f"{len(dates)} dates for {len(scans)} scans",
            remedy="Give one date per scan, in their order",
        )
    content = Content(
        progress=progress,
        locale=locale_of(locale),
        scans=scans,
        dates=dates,
        practice=tidy_name(practice),
        client=tidy_name(client),
        logo=read_logo(logo) if logo is not None else None,
        pair=pair,
        ratings=ratings,
        drawings=_drawings(progress, locale),
        made_on=made_on,
    )
    with open_sheet(
        paper,
        title=title_of(progress, content.locale),
        language=content.locale.language,
        created=datetime(made_on.year, made_on.month, made_on.day, tzinfo=UTC),
    ) as pdf:
        # Readers show the title instead of the file's name, which may be a client's.
        pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
        refuse_unknown_letters(pdf, content.practice, content.client)
        press, pages = _fitted(pdf, content)
        for number, placed in enumerate(pages, start=1):
            if number > 1:
                pdf.add_page()
                _running_head(press, content)
            top = MARGIN + (HEAD if number > 1 else 0.0)
            for offset, block in placed:
                block.draw(top + offset)
            _foot(press, number, len(pages))
        return bytes(pdf.output())


def confirm_names(*names: str) -> None:
    """Refuse names that the report could not print, before anything is measured.

    Raises
    ------
    BadOptionError
        If one has letters that the font lacks, or is longer than any name.
    """
    tidied = [tidy_name(name) for name in names]
    with open_sheet(Paper.A4, title="", language="", created=datetime(1, 1, 1, tzinfo=UTC)) as pdf:
        refuse_unknown_letters(pdf, *tidied)


def _drawings(progress: Progress, locale: str) -> list[charts.Drawing]:
    """Draw the course of each concern that could be compared."""
    return [
        charts.drawn(progress, item.leading, locale=locale)
        for item in progress.concerns
        if item.verdict is not Verdict.NOT_COMPARABLE
    ]


def _fitted(pdf: FPDF, content: Content) -> tuple[Press, list[list[Placed]]]:
    """Let the blocks fall on pages, with as much as three pages hold."""
    room_mm = float(pdf.h) - 2 * MARGIN - FOOT + 5.0
    for letters, count in _LETTERS:
        press = Press(pdf, letters)
        for room in _ROOMS[:count]:
            blocks = blocks_of(press, content, room, first_room=room_mm)
            pages = paged(blocks, room=room_mm - HEAD, first_room=room_mm)
            if len(pages) <= _MOST_PAGES:
                return press, pages
    raise BadOptionError(
        expected=f"a course that fits on {_MOST_PAGES} pages",
        found=f"{len(pages)} pages",
        remedy="Shorten the names",
    )


def _running_head(press: Press, content: Content) -> None:
    """Write whose report a later page belongs to."""
    pdf, base = press.pdf, MARGIN + 2.0
    title = title_of(content.progress, content.locale)
    pen.write(pdf, (MARGIN + press.width, base), title, SMALL, colour=pen.QUIET, anchor=1.0)
    left = press.width - float(pdf.get_string_width(title)) - 8.0
    name = _shortened(pdf, content.client or content.practice, left)
    pen.write(pdf, (MARGIN, base), name, SMALL, colour=pen.QUIET)
    pen.stroke(pdf, (MARGIN, base + 2.0), (MARGIN + press.width, base + 2.0), colour=pen.HAIRLINE)


def _shortened(pdf: FPDF, name: str, width: float) -> str:
    """Cut a name where it is too wide, and say so by dots."""
    shown = name
    while shown and pdf.get_string_width(shown if shown == name else shown + "…") > width:
        shown = shown[:-1]
    return shown if shown == name else shown.rstrip() + "…"


def _foot(press: Press, number: int, count: int) -> None:
    pdf = press.pdf
    right, line = MARGIN + press.width, float(pdf.h) - MARGIN
    pen.stroke(pdf, (MARGIN, line - 1.0), (right, line - 1.0), colour=pen.HAIRLINE)
    base = line + 3.0
    pages = words.PRINT_PAGE.format(number=number, count=count)
    version = f"skinscan {metadata.version('skinscan')}"
    pen.write(pdf, (MARGIN, base), text.DISCLAIMER, SMALL, colour=pen.QUIET)
    pen.write(pdf, (right, base), f"{pages} · {version}", SMALL, colour=pen.QUIET, anchor=1.0)
