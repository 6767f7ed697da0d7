"""Tables on paper: rows of wrapped cells between hairlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skinscan.guide import pen
from skinscan.report.blocks import MARGIN, SMALL, Block, Press

_GAP = 2.0
_PADDING = 0.8

#: Words, and whether they are bold.
Cell = tuple[str, bool]


def row(
    press: Press,
    cells: Sequence[Cell],
    shares: Sequence[float],
    *,
    size: float = SMALL,
    colour: pen.Colour = pen.INK,
) -> Block:
    """Make one row.

    Parameters
    ----------
    press : Press
    cells : sequence of (words, bold)
    shares : sequence of float
        Widths of the columns, as shares of the whole.
    size : float
        In points.
    colour : tuple of int
        Of the letters.
    """
    wide = press.width - _GAP * (len(shares) - 1)
    widths = [wide * share / sum(shares) for share in shares]
    lefts = [MARGIN + sum(widths[:k]) + k * _GAP for k in range(len(widths))]
    height = max(
        press.height(words, width, size, bold=bold)
        for (words, bold), width in zip(cells, widths, strict=True)
    )

    def draw(y: float) -> None:
        right = MARGIN + press.width
        pen.stroke(press.pdf, (MARGIN, y), (right, y), colour=pen.HAIRLINE, width=0.2)
        for (words, bold), left, width in zip(cells, lefts, widths, strict=True):
            press.write((left, y + _PADDING), width, words, size, bold=bold, colour=colour)

    return Block(height + 2 * _PADDING, draw)


def table(
    press: Press,
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    shares: Sequence[float],
) -> list[Block]:
    """Make a table whose head stands on every page that it reaches.

    Parameters
    ----------
    press : Press
    heads : sequence of str
    rows : sequence of sequence of (words, bold)
    shares : sequence of float
        Widths of the columns, as shares of the whole.
    """
    head = row(press, [(words, True) for words in heads], shares, colour=pen.QUIET)
    below = [replace(row(press, cells, shares), again=head) for cells in rows]
    return [replace(head, above=1.5, keep=True), *below]
