"""Small charts written as SVG by hand: nothing that the project depends on saves pictures.

Equal numbers give equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_FONT = 'font-family="Helvetica, Arial, sans-serif"'
_INK, _PALE = "#222222", "#dddddd"
#: Colours that people with any colour vision tell apart (Okabe and Ito), and shapes beside them.
_SERIES = (("#e69f00", "circle"), ("#0072b2", "square"), ("#000000", "triangle"))


@dataclass(frozen=True, eq=False)
class Series:
    """Points and a line of one kind.

    Attributes
    ----------
    label : str
    x : ndarray of float64, shape (N,)
    points : ndarray of float64, shape (P, N)
        One row per repetition; NaN where there is none.
    line : ndarray of float64, shape (N,)
    """

    label: str
    x: F64
    points: F64
    line: F64


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers inside a range, about ``count`` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= raw * 0.999)
    first = np.ceil(low / step - 1e-9)
    return [float(k * step) for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def _span(values: F64) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _text(x: float, y: float, text: str, *, anchor: str = "middle", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _mark(x: float, y: float, colour: str, shape: str) -> str:
    style = f'fill="{colour}" fill-opacity="0.45"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" {style}/>'
    if shape == "square":
        return f'<rect x="{x - 2:.1f}" y="{y - 2:.1f}" width="4" height="4" {style}/>'
    corners = f"{x:.1f},{y - 2.6:.1f} {x - 2.5:.1f},{y + 2:.1f} {x + 2.5:.1f},{y + 2:.1f}"
    return f'<polygon points="{corners}" {style}/>'


def _document(width: float, height: float, body: Sequence[str], title: str) -> str:
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {_FONT} fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        '<g font-size="11">',
        *body,
        "</g>",
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def dose_response(title: str, x_label: str, y_label: str, series: Sequence[Series]) -> str:
    """Draw measured values over the dose, points and median line per series.

    Returns
    -------
    str
        SVG.
    """
    width, height, left, right, top, bottom = 460.0, 300.0, 64.0, 14.0, 44.0, 44.0
    x_low, x_high = _span(np.concatenate([s.x for s in series]))
    y_low, y_high = _span(np.concatenate([s.points.ravel() for s in series]))

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x - x_low) / (x_high - x_low) * (width - left - right),
            height - bottom - (y - y_low) / (y_high - y_low) * (height - top - bottom),
        )

    body = [_text(left, 16, title, anchor="start", more=' font-size="13" font-weight="bold"')]
    for value in ticks(x_low, x_high):
        x, y = place(value, y_low)
        body.append(f'<path d="M{x:.1f} {top:.1f}V{y:.1f}" stroke="{_PALE}"/>')
        body.append(_text(x, y + 14, f"{value:g}"))
    for value in ticks(y_low, y_high):
        x, y = place(x_low, value)
        body.append(f'<path d="M{x:.1f} {y:.1f}H{width - right:.1f}" stroke="{_PALE}"/>')
        body.append(_text(x - 5, y + 4, f"{value:g}", anchor="end"))
    body.append(
        f'<path d="M{left:g} {top:g}V{height - bottom:g}H{width - right:g}" fill="none" '
        f'stroke="{_INK}"/>'
    )
    body.append(_text((left + width - right) / 2, height - 8, x_label))
    body.append(
        _text(
            0,
            0,
            y_label,
            more=f' transform="translate(14 {(top + height - bottom) / 2:g}) rotate(-90)"',
        )
    )
    for k, s in enumerate(series):
        colour, shape = _SERIES[k % len(_SERIES)]
        for row in s.points:
            body += [
                _mark(*place(float(a), float(b)), colour, shape)
                for a, b in zip(s.x, row, strict=True)
                if np.isfinite(b)
            ]
        path = [
            place(float(a), float(b)) for a, b in zip(s.x, s.line, strict=True) if np.isfinite(b)
        ]
        joined = "L".join(f"{a:.1f} {b:.1f}" for a, b in path)
        if path:
            body.append(f'<path d="M{joined}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        x = left + 110 * k
        body.append(_mark(x + 5, 31, colour, shape))
        body.append(f'<path d="M{x + 10:g} 31h14" stroke="{colour}" stroke-width="1.8"/>')
        body.append(_text(x + 28, 35, s.label, anchor="start"))
    return _document(width, height, body, title)


def _shade(share: float) -> str:
    """White at nothing, dark red at one half and above."""
    if not np.isfinite(share):
        return "#f0f0f0"
    t = min(abs(share) / 0.5, 1.0)
    high, low = np.array([165.0, 15.0, 21.0]), np.array([255.0, 255.0, 255.0])
    red, green, blue = (round(v) for v in low + t * (high - low))
    return f"#{red:02x}{green:02x}{blue:02x}"


def heat_map(
    title: str, rows: Sequence[str], columns: Sequence[str], shares: F64, own: NDArray[np.bool_]
) -> str:
    """Draw how far each dose (row) moves each metric (column), in % of the metric's own dose.

    Parameters
    ----------
    title : str
    rows, columns : sequence of str
    shares : ndarray of float64, shape (rows, columns)
        NaN where there is nothing to say.
    own : ndarray of bool, shape (rows, columns)
        Where dose and metric are of one family: framed, not judged.

    Returns
    -------
    str
        SVG.
    """
    cell, left, top = 21.0, 150.0, 190.0
    width, height = left + cell * len(columns) + 100, top + cell * len(rows) + 40
    body = [_text(8, 18, title, anchor="start", more=' font-size="13" font-weight="bold"')]
    for k, name in enumerate(columns):
        x = left + cell * (k + 0.5) + 4
        body.append(
            _text(
                0,
                0,
                name,
                anchor="start",
                more=f' transform="translate({x:g} {top - 6:g}) rotate(-60)"',
            )
        )
    for r, name in enumerate(rows):
        y = top + cell * r
        body.append(_text(left - 6, y + cell * 0.68, name, anchor="end"))
        for k in range(len(columns)):
            share = float(shares[r, k])
            x = left + cell * k
            frame = _INK if own[r, k] else _PALE
            size = cell - 1
            body.append(
                f'<rect x="{x + 0.5:g}" y="{y + 0.5:g}" width="{size:g}" height="{size:g}" '
                f'fill="{_shade(share)}" stroke="{frame}"/>'
            )
            if np.isfinite(share) and abs(share) >= 0.095:
                ink = "#ffffff" if abs(share) > 0.3 else _INK
                label = f"{min(abs(share), 9.99) * 100:.0f}"
                body.append(
                    _text(x + cell / 2, y + cell * 0.67, label, more=f' font-size="8" fill="{ink}"')
                )
    foot = "% of the metric's own full dose; framed: same family; grey: not measured; goal below 10"
    body.append(_text(8, height - 12, foot, anchor="start"))
    return _document(width, height, body, title)
