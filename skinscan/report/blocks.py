"""Pieces of a page whose height is known before they are drawn, and how they fall on pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue

from skinscan.guide import pen

#: All in mm.
MARGIN = 15.0
#: Below the last block, for the line at the page's bottom.
FOOT = 10.0
#: Above the first block of a later page, for its running head.
HEAD = 9.0
#: Sizes in points at scale 1.
TITLE, HEADING, BODY, SMALL = 17.0, 12.0, 9.5, 8.2


@dataclass(frozen=True)
class Block:
    """A piece of a page.

    Attributes
    ----------
    height : float
        mm.
    draw : callable
        Draws it below a height of the page, mm.
    above : float
        Gap to the block before, mm; none at the top of a page.
    keep : bool
        Stays on the page of the next block.
    again : Block or None
        Drawn first where this block begins a page: the head of its table.
    """

    height: float
    draw: Callable[[float], None]
    above: float = 0.0
    keep: bool = False
    again: Block | None = None


@dataclass(frozen=True)
class Press:
    """A document, and how large its letters are.

    Attributes
    ----------
    pdf : FPDF
    letters : float
        Scale of all sizes.
    """

    pdf: FPDF
    letters: float
    _heights: dict[tuple[str, float, float, bool], float] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def width(self) -> float:
        """Between the margins, mm."""
        return float(self.pdf.w) - 2 * MARGIN

    def height(self, words: str, width: float, size: float, *, bold: bool = False) -> float:
        """Return how high a paragraph becomes, mm."""
        if not words:
            return 0.0
        asked = words, width, size, bold
        if asked not in self._heights:
            pen.set_type(self.pdf, size * self.letters, bold=bold)
            found = self.pdf.multi_cell(
                width,
                pen.line_height(size * self.letters),
                together(words),
                align="L",
                padding=0,
                dry_run=True,
                output=MethodReturnValue.HEIGHT,
            )
            self._heights[asked] = cast("float", found)
        return self._heights[asked]

    def write(
        self,
        at: pen.Place,
        width: float,
        words: str,
        size: float,
        *,
        bold: bool = False,
        colour: pen.Colour = pen.INK,
    ) -> float:
        """Write a paragraph from its top left corner; return where it ends, mm."""
        if not words:
            return at[1]
        return pen.paragraph(
            self.pdf, at, width, together(words), size * self.letters, bold=bold, colour=colour
        )

    def text(
        self,
        words: str,
        size: float = BODY,
        *,
        bold: bool = False,
        colour: pen.Colour = pen.INK,
        above: float = 1.0,
        keep: bool = False,
    ) -> Block:
        """Make a paragraph over the whole width."""

        def draw(y: float) -> None:
            self.write((MARGIN, y), self.width, words, size, bold=bold, colour=colour)

        return Block(self.height(words, self.width, size, bold=bold), draw, above, keep)

    def heading(self, words: str) -> Block:
        """Make a heading, which the reader's list of contents names too."""

        def draw(y: float) -> None:
            self.pdf.set_y(y)
            self.pdf.start_section(words)
            self.write((MARGIN, y), self.width, words, HEADING, bold=True, colour=pen.ACCENT)

        return Block(self.height(words, self.width, HEADING, bold=True), draw, 5.0, keep=True)


def together(words: str) -> str:
    """Keep per cent at their number."""
    return words.replace(" %", "\N{NO-BREAK SPACE}%")


Placed = tuple[float, Block]


def paged(blocks: Sequence[Block], *, room: float, first_room: float) -> list[list[Placed]]:
    """Let blocks fall on pages.

    Parameters
    ----------
    blocks : sequence of Block
    room, first_room : float
        Height of a page and of the first one, mm.

    Returns
    -------
    list of list of (offset, Block)
        For each page, what stands how far below its top, mm. A group of blocks that is higher than
        a page is broken up all the same.
    """
    pages: list[list[Placed]] = [[]]
    y = 0.0
    for group in _groups(blocks):
        height = sum(b.height + b.above for b in group) - group[0].above
        limit = first_room if len(pages) == 1 else room
        if pages[-1] and y + group[0].above + height > limit:
            pages.append([])
            y = 0.0
            again = group[0].again
            if again is not None:
                pages[-1].append((y, again))
                y = again.height
        for block in group:
            top = y + block.above if pages[-1] else y
            pages[-1].append((top, block))
            y = top + block.height
    return pages


def _groups(blocks: Sequence[Block]) -> list[list[Block]]:
    """Join blocks that must stay with the next one to it."""
    groups: list[list[Block]] = []
    open_group = False
    for block in blocks:
        if open_group:
            groups[-1].append(block)
        else:
            groups.append([block])
        open_group = block.keep
    return groups
