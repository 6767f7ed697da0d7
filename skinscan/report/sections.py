"""What the report says, part by part, as blocks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import cv2
import numpy as np

from skinscan.guide import pen
from skinscan.metrics import metric
from skinscan.plots import encoded
from skinscan.plots.lettering import RGB
from skinscan.plots.numbers import cells, place_title, tabulated
from skinscan.progress import Change, Progress, Scope, Verdict, words
from skinscan.progress.locales import Locale
from skinscan.progress.summary import concern_sentences
from skinscan.report import capture
from skinscan.report.blocks import BODY, MARGIN, SMALL, TITLE, Block, Press
from skinscan.report.charts import Drawing
from skinscan.report.inputs import PhotoPair, Rating
from skinscan.report.tables import Cell, row, table
from skinscan.scan import Scan

#: All in mm.
_GAP = 6.0
_LOGO = 50.0, 18.0
_PHOTO_GAP, _PHOTO_ABOVE = 8.0, 1.5
_LEAST_PHOTO, _MOST_PHOTO = 45.0, 105.0
_PRINTED_DPI = 250.0
#: Dates named in a row before they are counted.
_DATES_NAMED = 3

_SHORT_SHARES = (38.0, 37.0, 105.0)
_NUMBER_SHARES = (33.0, 27.0, 17.0, 26.0, 30.0, 22.0, 31.0)
_ADVICE_SHARES = (42.0, 14.0, 46.0, 78.0)
_RATING_SHARES = (50.0, 50.0, 40.0, 40.0)


@dataclass(frozen=True)
class Room:
    """How much of each part there is room for.

    Attributes
    ----------
    claims, listed, said : int
        Rows of claimed changes beside those that speak for a concern; of checks, differences and
        events; of the client's ratings.
    """

    claims: int
    listed: int
    said: int


@dataclass(frozen=True, eq=False)
class Content:
    """All that the report shows.

    Attributes
    ----------
    progress : Progress
    locale : Locale
    scans : sequence of Scan
    dates : sequence of date or None
        Of each scan.
    practice, client : str
    logo : ndarray of uint8, shape (H, W, 3), or None
    pair : PhotoPair or None
    ratings : sequence of Rating
    drawings : sequence of Drawing
        Charts.
    made_on : date
    """

    progress: Progress
    locale: Locale
    scans: Sequence[Scan]
    dates: Sequence[date] | None
    practice: str
    client: str
    logo: RGB | None
    pair: PhotoPair | None
    ratings: Sequence[Rating]
    drawings: Sequence[Drawing]
    made_on: date


def title_of(progress: Progress, locale: Locale) -> str:
    """Return the report's title, which names nobody."""
    if not progress.dated:
        return words.REPORT_TITLE_PAIR
    first, last = progress.sessions[0], progress.sessions[-1]
    return words.REPORT_TITLE.format(first=locale.date(first), last=locale.date(last))


def blocks_of(press: Press, content: Content, room: Room, *, first_room: float) -> list[Block]:
    """Return all blocks of the report, in order.

    Parameters
    ----------
    press : Press
    content : Content
    room : Room
    first_room : float
        Height of the first page, mm: the photos are as large as it leaves them.
    """
    opening = [*_head(press, content), *_in_short(press, content, room)]
    said = list(_ratings(press, content, room))
    taken = sum(block.height + block.above for block in [*opening, *said])
    parts = (_course, _numbers, _capture, _method)
    rest = [block for part in parts for block in part(press, content, room)]
    return [*opening, *_photos(press, content, first_room - taken), *said, *rest]


def _head(press: Press, content: Content) -> Iterator[Block]:
    pdf = press.pdf
    size = (0.0, 0.0)
    if content.logo is not None:
        height, width = content.logo.shape[:2]
        scale = min(_LOGO[0] / width, _LOGO[1] / height)
        size = width * scale, height * scale
    left_width = press.width - (size[0] + _GAP if content.logo is not None else 0.0)
    progress, locale = content.progress, content.locale
    counted = words.REPORT_PAIR
    if progress.dated:
        counted = words.REPORT_SESSIONS.format(count=len(progress.sessions))
    made = words.PRINT_MADE.format(date=locale.date(content.made_on))
    lines = (
        (content.practice, 11.0, True, pen.ACCENT),
        (title_of(progress, locale), TITLE, True, pen.INK),
        (content.client, 12.0, True, pen.INK),
        (f"{counted} {made}", BODY, False, pen.QUIET),
    )
    heights = [press.height(w, left_width, s, bold=b) for w, s, b, _ in lines]
    logo = encoded(content.logo, ".png") if content.logo is not None else None

    def draw(y: float) -> None:
        if logo is not None:
            at = MARGIN + press.width - size[0], y
            pdf.image(io.BytesIO(logo), *at, w=size[0], h=size[1], alt_text=words.PRINT_LOGO_ALT)
        for text, points, bold, colour in lines:
            y = press.write((MARGIN, y), left_width, text, points, bold=bold, colour=colour)

    yield Block(max(sum(heights), size[1]), draw)


def _in_short(press: Press, content: Content, room: Room) -> Iterator[Block]:
    progress, locale = content.progress, content.locale
    yield press.heading(words.REPORT_IN_SHORT)
    general = list(progress.summary(locale=locale.name))
    if len(progress.sessions) > 1:
        for item in progress.concerns:
            own = list(concern_sentences(item, progress.changes, locale, dated=progress.dated))
            general = [text for text in general if text not in own]
            concern, verdict = words.CONCERNS[item.concern], words.VERDICTS[item.verdict]
            # The sentence of a concern that was not compared begins with its name and verdict.
            row_cells = (
                (concern, True),
                (verdict, item.verdict.claimed),
                ("\n".join(own), False),
            )
            yield row(press, row_cells, _SHORT_SHARES, size=BODY)
    kept = _within(general, room.listed)
    for k, text in enumerate(kept):
        yield press.text(text, SMALL, above=2.0 if k == 0 else 0.6)


def _within(texts: Sequence[str], most: int) -> list[str]:
    """Keep the first sentences, and say how many are missing; the last one always stays."""
    if len(texts) <= most:
        return list(texts)
    missing = words.PRINT_MORE.format(count=len(texts) - most)
    return [*texts[: most - 1], missing, texts[-1]]


def _printable(picture: RGB, height_mm: float) -> bytes:
    """Encode a photo with as many pixels as paper shows."""
    height, width = picture.shape[:2]
    scale = min(1.0, height_mm / 25.4 * _PRINTED_DPI / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return encoded(np.asarray(small, dtype=np.uint8), ".jpg")


def _photos(press: Press, content: Content, room_mm: float) -> Iterator[Block]:
    pair = content.pair
    if pair is None:
        return
    heading = press.heading(words.REPORT_PHOTOS)
    caption = press.text(words.PAIR_CAPTION, SMALL, colour=pen.QUIET)
    titles = [words.BEFORE, words.AFTER]
    for k, (on, dated) in enumerate(
        ((pair.before_on, words.BEFORE_OF), (pair.after_on, words.AFTER_OF))
    ):
        if on is not None:
            titles[k] = dated.format(date=content.locale.date(on))
    half = (press.width - _PHOTO_GAP) / 2
    above = max(press.height(t, half, SMALL, bold=True) for t in titles) + 1.0
    around = above + _PHOTO_ABOVE + sum(b.height + b.above for b in (heading, caption))
    most = max(room_mm - around, _LEAST_PHOTO)
    tall, wide = pair.before.shape[:2]
    scale = min(half / wide, min(most, _MOST_PHOTO) / tall)
    size = wide * scale, tall * scale
    files = [_printable(picture, size[1]) for picture in (pair.before, pair.after)]

    def draw(y: float) -> None:
        for k, (title, file) in enumerate(zip(titles, files, strict=True)):
            left = MARGIN + k * (size[0] + _PHOTO_GAP)
            press.write((left, y), half, title, SMALL, bold=True)
            press.pdf.image(
                io.BytesIO(file),
                left,
                y + above,
                *size,
                alt_text=words.PRINT_PHOTO_ALT.format(title=title),
            )

    yield from (heading, Block(above + size[1], draw, above=_PHOTO_ABOVE, keep=True), caption)


def _course(press: Press, content: Content, _: Room) -> Iterator[Block]:
    drawings = content.drawings
    if not drawings:
        return
    yield press.heading(words.REPORT_COURSE)
    yield press.text(words.PRINT_CHART_NOTE, SMALL, keep=True)
    for k in range(0, len(drawings), 2):
        yield _chart_row(press, drawings[k : k + 2])


def _chart_row(press: Press, drawings: Sequence[Drawing]) -> Block:
    wide = (press.width - _GAP) / 2

    def draw(y: float) -> None:
        for k, drawing in enumerate(drawings):
            left = MARGIN + k * (wide + _GAP)
            press.pdf.image(drawing.file(), left, y, w=wide, alt_text=drawing.alt)

    return Block(wide * max(d.aspect for d in drawings), draw, above=2.5)


def _claimed(progress: Progress) -> list[Change]:
    """Return claimed changes that speak for no concern: measures, then the places of each."""
    leading = [item.leading for item in progress.concerns]
    order = {item.concern: k for k, item in enumerate(progress.concerns)}
    found = [
        c
        for c in progress.changes
        if tabulated(c) and c.verdict.claimed and not any(c is other for other in leading)
    ]

    def rank(change: Change) -> tuple[bool, int, float]:
        return change.scope is Scope.GROUP, order[metric(change.metric).concern], change.p

    return sorted(found, key=rank)


def _number_cells(change: Change, locale: Locale) -> tuple[Cell, ...]:
    before, size, interval, sdc = cells(change, locale)
    claimed = change.verdict.claimed
    return (
        (metric(change.metric).title, claimed),
        (place_title(change), False),
        (before, False),
        (size, claimed),
        (interval, False),
        (sdc, False),
        (words.VERDICTS[change.verdict], claimed),
    )


def _numbers(press: Press, content: Content, room: Room) -> Iterator[Block]:
    progress = content.progress
    if all(item.verdict is Verdict.NOT_COMPARABLE for item in progress.concerns):
        return
    yield press.heading(words.REPORT_NUMBERS)
    yield press.text(words.PRINT_NUMBERS_NOTE, SMALL, keep=True)
    claimed = _claimed(progress)
    shown = [*(item.leading for item in progress.concerns), *claimed[: room.claims]]
    rows = [_number_cells(change, content.locale) for change in shown]
    yield from table(press, words.REPORT_HEADS, rows, _NUMBER_SHARES)
    yield from _missing(press, len(claimed) - room.claims)


def _missing(press: Press, count: int) -> Iterator[Block]:
    if count > 0:
        yield press.text(words.PRINT_MORE.format(count=count), SMALL, colour=pen.QUIET)


def _dates(sessions: Sequence[date], content: Content) -> str:
    """Name sessions, and count them where they are many."""
    progress, locale = content.progress, content.locale
    if not progress.dated:
        both = {progress.sessions[0]: words.BEFORE, progress.sessions[-1]: words.AFTER}
        return ", ".join(both[on] for on in sessions)
    last = progress.sessions[-1]
    named = ", ".join(locale.date(on, beside=last) for on in sessions[:_DATES_NAMED])
    if len(sessions) <= _DATES_NAMED:
        return named
    return words.CAPTURE_MORE_SESSIONS.format(dates=named, count=len(sessions) - _DATES_NAMED)


def _capture(press: Press, content: Content, room: Room) -> Iterator[Block]:
    yield press.heading(words.CAPTURE_TITLE)
    counts = capture.grades(content.scans)
    advice = capture.advice(content.scans, content.dates)
    said = [words.CAPTURE_COUNT.format(count=len(content.scans))]
    said += [words.CAPTURE_GRADES[g].format(count=n) for g, n in counts.items() if n]
    yield press.text(" ".join(said), SMALL, keep=bool(advice))
    if advice:
        rows = [
            (
                (item.title, False),
                (str(item.photos), False),
                (_dates(item.sessions, content) if item.sessions else "–", False),
                (item.sentence, False),
            )
            for item in advice[: room.listed]
        ]
        yield from table(press, words.CAPTURE_HEADS, rows, _ADVICE_SHARES)
        yield from _missing(press, len(advice) - room.listed)
    yield press.heading(words.REPORT_DIFFERENCES)
    differences = capture.differences(content.progress)
    if not differences:
        yield press.text(words.NO_DIFFERENCES, SMALL)
    for found in differences[: room.listed]:
        concerns = ", ".join(words.CONCERNS[c].lower() for c in found.concerns)
        line = words.REPORT_DIFFERENCE.format(
            when=_dates(found.sessions, content),
            sentence=content.locale.sentence(found.sentence),
            concerns=concerns,
        )
        yield press.text(line, SMALL, above=0.8)
    yield from _missing(press, len(differences) - room.listed)


def _ratings(press: Press, content: Content, room: Room) -> Iterator[Block]:
    if not content.ratings:
        return
    yield press.heading(words.RATINGS_TITLE)
    yield press.text(words.RATINGS_NOTE, SMALL, keep=True)
    latest = sorted(content.ratings, key=lambda r: r.on)[-room.said :]
    rows = [
        (
            (content.locale.date(rating.on), False),
            (words.RATINGS[rating.result] if rating.result is not None else "–", False),
            (str(rating.relaxation) if rating.relaxation is not None else "–", False),
            (str(rating.stress) if rating.stress is not None else "–", False),
        )
        for rating in latest
    ]
    yield from table(press, words.RATINGS_HEADS, rows, _RATING_SHARES)
    yield from _missing(press, len(content.ratings) - room.said)


def _method(press: Press, _: Content, __: Room) -> Iterator[Block]:
    yield press.heading(words.REPORT_METHOD_TITLE)
    half = (len(words.METHOD) + 1) // 2
    wide = (press.width - _GAP) / 2
    columns = words.METHOD[:half], words.METHOD[half:]
    apart = 0.8

    def column_height(texts: Sequence[str]) -> float:
        return sum(press.height(text, wide, SMALL) + apart for text in texts) - apart

    def draw(y: float) -> None:
        for k, texts in enumerate(columns):
            top = y
            for text in texts:
                left = MARGIN + k * (wide + _GAP)
                top = press.write((left, top), wide, text, SMALL) + apart

    yield Block(max(column_height(texts) for texts in columns), draw, above=1.0, keep=True)
    yield Block(*_boxed(press, words.DISCLAIMER), above=4.0)


def _boxed(press: Press, text: str) -> tuple[float, Callable[[float], None]]:
    inset = 3.0
    wide = press.width - 2 * inset
    height = press.height(text, wide, BODY) + 2 * inset

    def draw(y: float) -> None:
        pen.box(press.pdf, (MARGIN, y), (press.width, height), pen.PANEL)
        press.write((MARGIN + inset, y + inset), wide, text, BODY)

    return height, draw
