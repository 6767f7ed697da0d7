"""Colours and type: one calm look, light and dark, with no web fonts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_SYSTEM_FONT: Final = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
)

#: Streamlit's theme options; keys without the leading ``theme.``.
THEME_OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "font": _SYSTEM_FONT,
        "headingFont": _SYSTEM_FONT,
        "codeFont": "ui-monospace, 'Cascadia Code', Menlo, monospace",
        "baseRadius": "10px",
        "showWidgetBorder": "true",
        "light.primaryColor": "#1f6f6b",
        "light.backgroundColor": "#fbfaf7",
        "light.secondaryBackgroundColor": "#f1efe8",
        "light.textColor": "#23302f",
        "light.linkColor": "#1c625f",
        "light.borderColor": "#d9d6cb",
        "dark.primaryColor": "#217d78",
        "dark.backgroundColor": "#15191a",
        "dark.secondaryBackgroundColor": "#20272a",
        "dark.textColor": "#e8e6df",
        "dark.linkColor": "#7cc8c1",
        "dark.borderColor": "#3a4345",
    }
)

#: Lines in charts: at least 3:1 on both backgrounds, told apart with any colour vision, and
#: backed by different dashes.
LINE_COLOURS: Final = ("#2a7fb8", "#c96a1d", "#8a63b8", "#5d8a3a", "#b54f78", "#7d7f86")
LINE_DASHES: Final = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (10, 4), (1, 3))


def line_style(number: int) -> tuple[str, tuple[int, ...]]:
    """Return colour and dash of a chart's line; the pairs repeat after 36 lines."""
    count = len(LINE_COLOURS)
    return LINE_COLOURS[number % count], LINE_DASHES[(number + number // count) % count]


#: Text in charts by theme: at least 4.5:1 on the background.
CHART_TEXT: Final[Mapping[str, str]] = MappingProxyType({"light": "#4d5958", "dark": "#b9bfbb"})
CHART_GRID: Final[Mapping[str, str]] = MappingProxyType({"light": "#e6e3d9", "dark": "#2d3537"})

#: The page's own style. `currentColor` carries it from the light to the dark theme.
_STYLE: Final = """
[data-testid="stMainBlockContainer"] {
  max-width: 1180px; padding-top: 2.25rem; padding-bottom: 3rem;
}
[data-testid="stHeader"] { background: transparent; height: 0; min-height: 0; }
[data-testid="stMain"] h1 { font-size: 1.6rem; letter-spacing: -0.01em; padding: 0 0 0.25rem; }
[data-testid="stMain"] h2 { font-size: 1.28rem; padding: 1.2rem 0 0.4rem; }
[data-testid="stMain"] h3 { font-size: 1.08rem; padding: 0.9rem 0 0.4rem; }
.st-key-pair_viewer, .st-key-motion_viewer { max-width: 44rem; }
.st-key-apart_viewer { max-width: 27rem; }
.sk-logo { display: block; max-height: 3rem; max-width: 12rem; padding: 4px 6px; border-radius: 8px;
  background: #fff; }
.sk-qr { width: 13rem; max-width: 100%; border-radius: 8px; display: block; }
[data-testid="stHtml"] a { color: inherit; }
.sk-out { margin: 0; font-size: 0.92rem; white-space: nowrap; }
.st-key-top > div:last-child { margin-left: auto; }
.sk-face-map { width: 100%; max-width: 15rem; }
.st-key-welcome h2 { font-size: 1.1rem; padding: 0; }
[data-testid="stButtonGroup"] button:is([aria-checked="true"], [aria-pressed="true"]),
[data-testid="stButtonGroup"] button:is([aria-checked="true"], [aria-pressed="true"]) * {
  color: inherit !important;
}
[data-testid="stMain"] button:not([kind^="primary"]):is(:hover, :focus-visible),
[data-testid="stMain"] button:not([kind^="primary"]):is(:hover, :focus-visible) * {
  color: inherit !important;
}
[data-testid="stButtonGroup"] button:is([aria-checked="true"], [aria-pressed="true"]) p {
  font-weight: 650;
}
[data-testid="stMain"] :focus-visible { outline: 3px solid #2a7fb8; outline-offset: 2px; }
[data-testid="stMain"] .react-aria-ComboBox input:focus-visible { outline: none; }
[data-testid="stMain"] :is(
  .react-aria-ComboBox > [role="group"], [data-testid="stCheckbox"] > label,
  label[data-testid="stRadioOption"]
):has(input:focus-visible) { outline: 3px solid #2a7fb8; outline-offset: 2px; border-radius: 6px; }
[data-testid="stMain"] :is(textarea, [data-testid="stTextInputField"]):focus-visible {
  outline-offset: -2px;
}
.sk-lead { font-size: 1.02rem; line-height: 1.5; margin: 0; max-width: 46rem; opacity: 0.88; }
.sk-note {
  border-left: 4px solid #2a7fb8; padding: 0.7rem 1rem; border-radius: 0 10px 10px 0; margin: 0;
  background: color-mix(in srgb, currentColor 5%, transparent); line-height: 1.5;
}
.sk-note.sk-look { border-left-color: #c96a1d; }
.sk-note strong { font-weight: 650; }
.sk-note p { margin: 0; }
.sk-note p + p, .sk-note ul { margin: 0.35rem 0 0; }
.sk-note ul { padding-left: 1.15rem; }
[data-testid="stHtml"] .sk-facts {
  display: flex; flex-wrap: wrap; gap: 0.35rem 1.8rem; margin: 0; padding: 0;
}
[data-testid="stHtml"] .sk-facts dt { font-size: 0.8rem; opacity: 0.8; margin: 0; }
[data-testid="stHtml"] .sk-facts dd { font-size: 1.02rem; font-weight: 600; margin: 0; }
.sk-eyebrow { font-size: 0.8rem; opacity: 0.8; margin: 0; line-height: 1.3; }
.sk-card-title { font-weight: 650; font-size: 1.02rem; line-height: 1.3; margin: 0; }
.sk-card-what { font-size: 0.84rem; opacity: 0.8; margin: 0.1rem 0 0; line-height: 1.35; }
.sk-value {
  font-size: 1.28rem; font-weight: 600; margin: 0.5rem 0 0; line-height: 1.25;
  font-variant-numeric: tabular-nums;
}
.sk-value small { font-size: 0.84rem; font-weight: 400; opacity: 0.8; }
[data-testid="stHtml"] .sk-strip {
  display: grid; gap: 0.7rem; margin: 0.4rem 0 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(6.2rem, 1fr));
}
[data-testid="stHtml"] .sk-strip li { margin: 0; font-size: 0.84rem; line-height: 1.35; }
.sk-strip img {
  width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 10px; display: block;
  margin-bottom: 0.3rem; background: color-mix(in srgb, currentColor 8%, transparent);
}
.sk-strip b { display: block; font-weight: 600; }
[class*="st-key-doubt_"] .sk-thumb {
  width: 100%; max-width: 9rem; height: auto; border-radius: 10px; display: block;
}
.sk-picture, .sk-drawn { width: 100%; height: auto; border-radius: 10px; display: block; }
.sk-badge.sk-better::before { content: "◆"; color: #2a7fb8; }
.sk-badge.sk-other::before { content: "◇"; color: #c96a1d; }
.sk-badge.sk-changed::before { content: "◈"; color: #8a63b8; }
.sk-badge.sk-same::before { content: "="; }
.sk-badge.sk-unknown::before { content: "?"; }
[data-testid="stHtml"] .sk-sentences {
  list-style: none; margin: 0.3rem 0 0; padding: 0; max-width: 52rem;
}
[data-testid="stHtml"] .sk-sentences li {
  margin: 0; padding: 0.6rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent);
}
.sk-sentences p { margin: 0.15rem 0 0; font-size: 1.02rem; line-height: 1.5; }
.sk-said {
  display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; align-items: baseline; font-size: 0.88rem;
}
.sk-said b { font-weight: 600; opacity: 0.86; }
.st-key-progress_charts [data-testid="stVegaLiteChart"], .sk-paper {
  background: #fff; border-radius: 10px; overflow: hidden;
}
.sk-map { max-width: 27rem; padding: 0.6rem; }
.sk-tall { max-height: 34rem; overflow-y: auto; }
.sk-table.sk-tall th:first-child { white-space: normal; min-width: 11rem; }
.sk-tall td:last-child { white-space: nowrap; }
.sk-badge::before { font-weight: 700; margin-right: 0.35em; }
.sk-badge.sk-good::before { content: "✓"; color: #3b8a5f; }
.sk-badge.sk-acceptable::before { content: "▲"; color: #b8791c; font-size: 0.85em; }
.sk-badge.sk-poor::before { content: "✕"; color: #cf5546; }
[data-testid="stHtml"] .sk-checks { list-style: none; margin: 0.5rem 0 0; padding: 0; }
[data-testid="stHtml"] .sk-checks li {
  display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem; align-items: baseline;
  padding: 0.5rem 0; margin: 0; line-height: 1.4;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent);
}
.sk-checks .sk-what { font-weight: 600; }
.sk-checks .sk-number { font-size: 0.86rem; opacity: 0.8; font-variant-numeric: tabular-nums; }
.sk-checks .sk-do { grid-column: 1 / -1; font-size: 0.92rem; }
.sk-table { width: 100%; overflow-x: auto; }
.sk-table table { border-collapse: collapse; font-size: 0.88rem; width: 100%; }
.sk-table caption { text-align: left; font-size: 0.84rem; opacity: 0.8; padding-bottom: 0.3rem; }
.sk-table th, .sk-table td {
  text-align: right; padding: 0.3rem 0.6rem; font-variant-numeric: tabular-nums;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent);
}
.sk-table th:first-child { text-align: left; white-space: nowrap; }
.sk-table td.sk-nowrap { white-space: nowrap; }
[data-testid="stHtml"] .sk-links { display: flex; flex-wrap: wrap; gap: 0.5rem 0.7rem; margin: 0; }
.sk-links a {
  display: inline-flex; align-items: center; min-height: 40px; padding: 0 1rem; color: inherit;
  text-decoration: none; border-radius: 10px;
  border: 1px solid color-mix(in srgb, currentColor 28%, transparent);
}
.sk-links a:hover { border-color: currentColor; }
[class*="st-key-batch_failed"] { margin-top: 0.5rem; }
.sk-table.sk-preview :is(th, td) { text-align: left; }
.sk-table.sk-preview :is(th, td):is(:nth-child(5), :nth-child(6), :nth-child(8)) {
  text-align: right;
}
.st-key-batch_begin h2 { font-size: 1.1rem; padding: 0; }
.sk-table.sk-preview th:first-child { white-space: normal; min-width: 9rem; }
.sk-table .sk-why { text-align: left; min-width: 9rem; }
.sk-table.sk-tall.sk-audit :is(th, td) { text-align: left; white-space: nowrap; }
.sk-table.sk-audit.sk-tall th:first-child { min-width: 0; }
.sk-formula {
  font-size: 0.84rem; white-space: pre-wrap; margin: 0.5rem 0 0; padding: 0.6rem 0.8rem;
  border-radius: 10px; background: color-mix(in srgb, currentColor 6%, transparent);
}
[data-testid="stHtml"] .sk-behind { margin: 0.4rem 0 0; padding-left: 1.15rem; max-width: 60rem; }
[data-testid="stHtml"] .sk-behind li { font-size: 0.88rem; line-height: 1.5; margin: 0; }
.sk-key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.3rem; font-size: 0.88rem; }
.sk-key span { display: inline-flex; align-items: center; gap: 0.45rem; }
.sk-swatch { flex: none; width: 30px; height: 3px; border-radius: 2px; }
.sk-hollow {
  flex: none; width: 9px; height: 9px; margin: 0 4px; transform: rotate(45deg);
  border: 2px solid currentColor;
}
.sk-small {
  font-size: 0.88rem; line-height: 1.5; opacity: 0.86; margin: 0.4rem 0 0; max-width: 60rem;
}
.sk-foot {
  border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent);
  padding-top: 1rem; margin-top: 1.6rem;
}
@media (max-width: 900px) {
  .sk-table.sk-tall th:first-child { min-width: 9rem; }
  .sk-tall td:last-child { white-space: normal; }
}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 1.25rem 1rem 2.5rem; }
  [data-testid="stMain"] [data-testid="stHorizontalBlock"] { row-gap: 1rem; }
  [data-testid="stMain"] [role="radiogroup"]:has(> button) { gap: 0.35rem; }
  [data-testid="stMain"] button[data-variant="segmented_control"] {
    border-width: 1px; border-style: solid; border-radius: 10px; margin: 0;
  }
  [data-testid="stMain"] button[data-variant="segmented_control"][aria-checked="false"] {
    border-color: color-mix(in srgb, currentColor 28%, transparent) !important;
  }
  [data-testid="stHtml"] .sk-strip {
    grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.5rem;
  }
  [data-testid="stHtml"] .sk-strip li { font-size: 0.76rem; }
  .sk-table.sk-tall th:first-child { min-width: 7.5rem; }
  .sk-table th, .sk-table td { padding: 0.3rem 0.35rem; }
  .sk-table caption { max-width: calc(100vw - 2rem); }
  .sk-readings.sk-table th, .sk-readings.sk-table td {
    padding: 0.3rem 0.25rem; white-space: normal;
  }
  .sk-readings.sk-table .sk-why { min-width: 5rem; }
  .sk-stacked :is(table, caption, tbody) { display: block; }
  .sk-stacked thead {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }
  .sk-stacked tbody tr {
    display: grid; gap: 0.1rem; padding: 0.5rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent);
  }
  .sk-table.sk-tall.sk-stacked tbody :is(th, td) {
    display: flex; justify-content: space-between; gap: 1rem; min-width: 0; padding: 0;
    border: 0; text-align: left;
  }
  .sk-stacked td[data-head]::before { content: attr(data-head); opacity: 0.8; }
}
@media (pointer: coarse) {
  [data-testid="stMain"] :is(
    button[data-testid^="stBaseButton"], button[data-variant], summary,
    .react-aria-ComboBox > [role="group"], input[data-testid="stTextInputField"],
    [data-testid="stCheckbox"] > label, label[data-testid="stRadioOption"], .sk-links a, .sk-out a,
    .sk-strip a
  ) { min-height: 44px; }
  [data-testid="stMain"] :is(
    [data-testid="stCheckbox"] > label, label[data-testid="stRadioOption"], .sk-out a, .sk-strip a
  ) { display: inline-flex; align-items: center; }
  [data-testid="stMain"] :is(
    [data-testid="stTooltipIcon"] button, [data-testid="stDateInputCalendarButton"]
  ) { position: relative; }
  [data-testid="stMain"] :is(
    [data-testid="stTooltipIcon"] button, [data-testid="stDateInputCalendarButton"]
  )::after { content: ""; position: absolute; inset: -14px; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none; transition: none; } }
"""


def _swatch(number: int) -> str:
    colour, dashes = line_style(number)
    stops, at = [], 0
    for k, length in enumerate(dashes):
        paint = "transparent" if k % 2 else colour
        stops.append(f"{paint} {at}px {at + length}px")
        at += length
    pattern = colour if dashes[1] == 0 else f"repeating-linear-gradient(90deg, {', '.join(stops)})"
    return f".sk-line-{number} {{ background: {pattern}; }}"


#: The style element of the page.
STYLE: Final = f"<style>{_STYLE}{''.join(_swatch(k) for k in range(len(LINE_COLOURS)))}</style>"

#: The tab's icon, so that the page does not carry Streamlit's.
ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="8" fill="#1f6f6b"/>'
    '<path d="M7 12c4-4 14-4 18 0M7 18c4-3 14-3 18 0M9 24c4-2 10-2 14 0" '
    'fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/></svg>'
)
