"""Small pieces of HTML. Everything that enters them is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

import streamlit as st

from skinscan.ui.theme import LINE_COLOURS

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")
_LONGEST_NAME: Final = 60


def escaped(text: str) -> str:
    """Escape text for HTML."""
    return html.escape(text, quote=True)


def paragraph(text: str, css: str) -> str:
    """Return a paragraph of plain text."""
    return f'<p class="{css}">{escaped(text)}</p>'


def write(text: str, css: str) -> None:
    """Show a paragraph of plain text."""
    st.html(paragraph(text, css))


def value(text: str, unit: str) -> str:
    """Return a large number with its unit."""
    return f'<p class="sk-value">{escaped(text)} <small>{escaped(unit)}</small></p>'


def note(title: str, lines: Iterable[str], *, look: bool = False) -> None:
    """Show a note: a strong first phrase, then sentences."""
    body = "".join(f"<p>{escaped(line)}</p>" for line in lines)
    look_class = " sk-look" if look else ""
    st.html(
        f'<div class="sk-note{look_class}" role="note">'
        f"<p><strong>{escaped(title)}</strong></p>{body}</div>"
    )


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Show a row of facts, each with its name."""
    cells = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in pairs
    )
    st.html(f'<dl class="sk-facts">{cells}</dl>')


def badge(verdict: str, text: str) -> str:
    """Return a verdict as symbol and word, so that colour is not its only carrier."""
    return f'<span class="sk-badge sk-{escaped(verdict)}">{escaped(text)}</span>'


def key(names: Sequence[str], *, hollow: str = "") -> None:
    """Show which line is which: colour and dash as in the chart, and the hollow points."""
    lines = [(f"sk-swatch sk-line-{k % len(LINE_COLOURS)}", name) for k, name in enumerate(names)]
    if hollow:
        lines.append(("sk-hollow", hollow))
    items = "".join(
        f'<span><i class="{css}" aria-hidden="true"></i>{escaped(text)}</span>'
        for css, text in lines
    )
    st.html(f'<div class="sk-key">{items}</div>')


def shortened(name: str) -> str:
    """Prepare a file's name for being shown: printable, not too long."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    if len(shown) > _LONGEST_NAME:
        half = (_LONGEST_NAME - 1) // 2
        shown = f"{shown[:half]}…{shown[-half:]}"
    return shown


def plain(name: str) -> str:
    """Prepare a file's name for Streamlit's Markdown: no markup, not too long."""
    return unmarked(shortened(name))


def unmarked(text: str) -> str:
    """Prepare text for Streamlit's Markdown: no markup."""
    return _MARKDOWN.sub(r"\\\1", text)
