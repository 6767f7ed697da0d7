"""Colours and strokes of the page, in mm."""

from __future__ import annotations

import math

from fpdf import FPDF

Colour = tuple[int, int, int]

INK: Colour = (31, 41, 55)
QUIET: Colour = (92, 102, 117)
HAIRLINE: Colour = (203, 210, 219)
PANEL: Colour = (244, 246, 248)
ACCENT: Colour = (15, 104, 98)
LIGHT: Colour = (253, 240, 200)
LAMP: Colour = (214, 148, 22)
SKIN: Colour = (232, 203, 182)
CLOTH: Colour = (176, 188, 202)
WHITE: Colour = (255, 255, 255)

FONT = "Lato"
#: Baseline to baseline, as a multiple of the size.
_LEADING = 1.25
_MM_PER_POINT = 25.4 / 72.0

Place = tuple[float, float]


def line_height(size: float) -> float:
    """Height of a line of text of that size in points, mm."""
    return size * _MM_PER_POINT * _LEADING


def set_type(pdf: FPDF, size: float, *, bold: bool = False, colour: Colour = INK) -> None:
    """Choose letters."""
    pdf.set_font(FONT, "B" if bold else "", size)
    pdf.set_text_color(*colour)


def write(
    pdf: FPDF,
    at: Place,
    text: str,
    size: float,
    *,
    bold: bool = False,
    colour: Colour = INK,
    anchor: float = 0.0,
) -> None:
    """Write one line on the baseline ``at``; ``anchor`` 0 starts there, 0.5 centres, 1 ends."""
    set_type(pdf, size, bold=bold, colour=colour)
    pdf.text(at[0] - anchor * pdf.get_string_width(text), at[1], text)


def paragraph(
    pdf: FPDF,
    at: Place,
    width: float,
    text: str,
    size: float,
    *,
    bold: bool = False,
    colour: Colour = INK,
) -> float:
    """Write lines from the top left corner ``at``; return where they end."""
    set_type(pdf, size, bold=bold, colour=colour)
    pdf.set_xy(*at)
    pdf.multi_cell(width, line_height(size), text, align="L", padding=0)
    return pdf.get_y()


def stroke(
    pdf: FPDF,
    start: Place,
    end: Place,
    *,
    colour: Colour = INK,
    width: float = 0.3,
    dash: float = 0.0,
) -> None:
    """Draw a straight line, dashed where ``dash`` says how long the dashes are."""
    pdf.set_draw_color(*colour)
    pdf.set_line_width(width)
    pdf.set_dash_pattern(dash=dash, gap=dash)
    pdf.line(*start, *end)
    pdf.set_dash_pattern()


def shape(pdf: FPDF, corners: list[Place], fill: Colour) -> None:
    """Fill a polygon."""
    pdf.set_fill_color(*fill)
    pdf.polygon(corners, style="F")


def disc(pdf: FPDF, centre: Place, radii: Place, fill: Colour) -> None:
    """Fill an ellipse."""
    pdf.set_fill_color(*fill)
    pdf.ellipse(centre[0] - radii[0], centre[1] - radii[1], 2 * radii[0], 2 * radii[1], style="F")


def box(pdf: FPDF, at: Place, size: Place, fill: Colour, *, corner: float = 0.0) -> None:
    """Fill a rectangle."""
    pdf.set_fill_color(*fill)
    pdf.rect(*at, *size, style="F", round_corners=corner > 0, corner_radius=corner)


def towards(start: Place, angle_deg: float, length: float) -> Place:
    """Return the place that far away; 0° is to the right, 90° is up."""
    angle = math.radians(angle_deg)
    return start[0] + length * math.cos(angle), start[1] - length * math.sin(angle)


def sector(pdf: FPDF, tip: Place, half_angle_deg: float, length: float, fill: Colour) -> None:
    """Fill the beam that opens to the right, its angle true to scale."""
    rim = [towards(tip, half_angle_deg * k / 12.0, length) for k in range(-12, 13)]
    shape(pdf, [tip, *rim], fill)


def arrow_tip(pdf: FPDF, at: Place, angle_deg: float, colour: Colour) -> None:
    """Fill a small triangle that points that way."""
    shape(pdf, [at, towards(at, angle_deg + 155, 2.2), towards(at, angle_deg - 155, 2.2)], colour)


def dimension(pdf: FPDF, left: Place, right_x: float, colour: Colour = ACCENT) -> None:
    """Draw a horizontal line with a tip at both ends."""
    right = right_x, left[1]
    stroke(pdf, left, right, colour=colour, width=0.35)
    arrow_tip(pdf, left, 180, colour)
    arrow_tip(pdf, right, 0, colour)
