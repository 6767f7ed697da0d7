"""The set-up, drawn from above and from the side. Angles are true to scale, lengths are not."""

from __future__ import annotations

from fpdf import FPDF

from skinscan.guide import pen
from skinscan.guide.pen import Place
from skinscan.guide.text import farthest_cm
from skinscan.quality import RULES, SIDE_YAW_DEG

HEIGHT = 62.0
_LABEL = 8.5
_WALL, _CLIENT, _CAMERA, _LAMP = 4.0, 21.0, 66.0, 79.0


def draw_above(pdf: FPDF, at: Place, width: float) -> None:
    """Draw client, camera and lamp as seen from the ceiling.

    Parameters
    ----------
    pdf : FPDF
    at : tuple of float
        Top left corner, mm.
    width : float
        mm, of about 90.
    """
    x, y = at
    _panel(pdf, at, width, "From above")
    eye_y = y + 32.5
    head = x + _CLIENT, eye_y
    nose = head[0] + 6.5, eye_y
    light_deg = RULES["light_direction"].good
    reach = _LAMP - _CLIENT - 2.0

    pen.sector(pdf, nose, light_deg, reach, pen.LIGHT)
    for side in (1, -1):
        edge = pen.towards(nose, side * light_deg, reach)
        pen.stroke(pdf, nose, edge, colour=pen.LAMP, dash=1.2)
        turned = pen.towards(head, side * SIDE_YAW_DEG, 17.0)
        pen.stroke(pdf, head, turned, colour=pen.ACCENT, dash=0.8)
        pen.arrow_tip(pdf, turned, side * SIDE_YAW_DEG, pen.ACCENT)
    pen.stroke(pdf, nose, (x + _CAMERA, eye_y), colour=pen.QUIET, dash=1.2)

    pen.box(pdf, (x + _WALL, y + 10.0), (1.6, 40.0), pen.CLOTH)
    pen.disc(pdf, (head[0] - 2.5, eye_y), (4.6, 12.0), pen.CLOTH)
    pen.disc(pdf, head, (6.0, 5.0), pen.SKIN)
    pen.shape(
        pdf,
        [(head[0] + 5.2, eye_y - 1.5), (nose[0] + 0.9, eye_y), (head[0] + 5.2, eye_y + 1.5)],
        pen.SKIN,
    )
    _camera(pdf, (x + _CAMERA, eye_y))
    pen.shape(
        pdf,
        [
            (x + _LAMP, eye_y - 11.0),
            (x + _LAMP + 4.5, eye_y - 4.0),
            (x + _LAMP + 4.5, eye_y + 4.0),
            (x + _LAMP, eye_y + 11.0),
        ],
        pen.LAMP,
    )

    angle = f"{SIDE_YAW_DEG:g}°"
    pen.write(
        pdf, (head[0] + 14.5, eye_y - 11.5), f"{angle}: right view", _LABEL, colour=pen.ACCENT
    )
    pen.write(pdf, (head[0] + 14.5, eye_y + 14.0), f"{angle}: left view", _LABEL, colour=pen.ACCENT)
    pen.write(pdf, (x + width - 4.0, y + 6.5), "one large, soft lamp", _LABEL, anchor=1.0)
    pen.write(
        pdf, (x + width - 4.0, eye_y + 15.0), f"light within {light_deg:g}°", _LABEL, anchor=1.0
    )
    pen.write(pdf, (x + _WALL, y + 54.8), "plain wall", _LABEL)
    pen.dimension(pdf, (nose[0], y + 54.0), x + _CAMERA)
    pen.write(
        pdf,
        ((nose[0] + x + _CAMERA) / 2, y + 58.8),
        f"up to {farthest_cm(2)} cm (2× lens) or {farthest_cm(1)} cm (1×)",
        _LABEL,
        anchor=0.5,
    )


def draw_side(pdf: FPDF, at: Place, width: float) -> None:
    """Draw client, camera and lamp as seen from the side.

    Parameters
    ----------
    pdf : FPDF
    at : tuple of float
        Top left corner, mm.
    width : float
        mm, of about 90.
    """
    x, y = at
    _panel(pdf, at, width, "From the side")
    eye_y, floor_y = y + 23.0, y + 51.0
    head = x + _CLIENT, eye_y
    eye = head[0] + 3.2, eye_y
    pitch_deg = RULES["pitch"].good

    pen.sector(pdf, eye, pitch_deg, _CAMERA - _CLIENT - 8.0, pen.LIGHT)
    for side in (1, -1):
        edge = pen.towards(eye, side * pitch_deg, _CAMERA - _CLIENT - 8.0)
        pen.stroke(pdf, eye, edge, colour=pen.LAMP, dash=1.2)
    pen.stroke(pdf, eye, (x + _CAMERA, eye_y), colour=pen.QUIET, dash=1.2)

    pen.box(pdf, (x + _WALL, y + 10.0), (1.6, floor_y - y - 10.0), pen.CLOTH)
    pen.stroke(pdf, (x + _WALL, floor_y), (x + width - 4.0, floor_y), colour=pen.QUIET, width=0.4)
    _sitter(pdf, head, floor_y)
    for foot in (-6.0, 0.5, 7.0):
        pen.stroke(
            pdf, (x + _CAMERA + 3.0, eye_y + 3.0), (x + _CAMERA + 3.0 + foot, floor_y), width=0.6
        )
    _camera(pdf, (x + _CAMERA, eye_y))
    stand = x + _LAMP + 4.0
    pen.stroke(pdf, (stand, eye_y - 11.0), (stand, floor_y), width=0.6)
    pen.shape(
        pdf,
        [
            (stand - 8.0, eye_y - 13.5),
            (stand - 1.0, eye_y - 14.5),
            (stand + 2.0, eye_y - 9.0),
            (stand - 4.0, eye_y - 5.0),
        ],
        pen.LAMP,
    )

    pen.write(pdf, (stand - 10.0, eye_y - 10.5), "lamp just above the lens", _LABEL, anchor=1.0)
    pen.write(pdf, (head[0] + 14.0, eye_y + 11.0), "lens at eye height,", _LABEL)
    pen.write(pdf, (head[0] + 14.0, eye_y + 15.0), f"chin level within {pitch_deg:g}°", _LABEL)
    for mark in (head[0], x + _CAMERA + 3.0):
        pen.box(pdf, (mark - 2.5, floor_y + 0.4), (5.0, 1.1), pen.ACCENT)
    pen.write(
        pdf,
        ((head[0] + x + _CAMERA) / 2, y + 58.8),
        "tape on the floor: the same distance each time",
        _LABEL,
        anchor=0.5,
    )


def _panel(pdf: FPDF, at: Place, width: float, title: str) -> None:
    pen.box(pdf, at, (width, HEIGHT), pen.PANEL, corner=2.0)
    pen.write(pdf, (at[0] + 4.0, at[1] + 6.5), title, 10.5, bold=True)


def _camera(pdf: FPDF, lens: Place) -> None:
    """Draw a phone on its tripod's head; the lens looks to the left."""
    pen.box(pdf, (lens[0], lens[1] - 4.5), (2.2, 9.0), pen.INK, corner=0.6)
    pen.box(pdf, (lens[0] - 0.8, lens[1] - 1.0), (0.9, 2.0), pen.INK)


def _sitter(pdf: FPDF, head: Place, floor_y: float) -> None:
    """Draw a person on a stool who looks to the right."""
    x, y = head
    seat_y = floor_y - 10.0
    for top, foot in ((-4.0, -5.5), (2.0, 3.5)):
        pen.stroke(pdf, (x + top, seat_y), (x + foot, floor_y), width=0.6)
    pen.box(pdf, (x - 6.5, seat_y - 0.6), (11.0, 1.2), pen.INK)
    pen.box(pdf, (x - 5.5, seat_y - 5.0), (16.0, 4.4), pen.CLOTH, corner=2.0)
    pen.box(pdf, (x + 6.7, seat_y - 5.0), (3.8, floor_y - seat_y + 5.0), pen.CLOTH, corner=1.8)
    pen.box(pdf, (x + 6.7, floor_y - 2.0), (6.0, 2.0), pen.CLOTH, corner=0.9)
    pen.box(pdf, (x - 5.5, y + 8.0), (8.6, seat_y - y - 9.0), pen.CLOTH, corner=2.5)
    pen.box(pdf, (x - 3.2, y + 3.0), (4.4, 7.0), pen.SKIN, corner=1.5)
    pen.disc(pdf, (x - 0.8, y), (5.2, 6.4), pen.SKIN)
    pen.shape(pdf, [(x + 4.0, y - 0.2), (x + 6.0, y + 2.2), (x + 3.6, y + 2.4)], pen.SKIN)
    pen.disc(pdf, (x + 3.0, y - 0.2), (0.5, 0.5), pen.INK)
