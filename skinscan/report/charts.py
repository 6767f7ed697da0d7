"""Charts as vector drawings for paper."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree as ET

import vl_convert

from skinscan.guide import pen
from skinscan.plots import as_svg, course_chart
from skinscan.progress import Change, Progress
from skinscan.resources import font_path

#: Three rows of charts leave room below them on their page.
_HEIGHT_PX = 165
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Drawing:
    """A chart, ready to be placed.

    Attributes
    ----------
    svg : bytes
    aspect : float
        Height as a share of the width.
    alt : str
        Alternative text.
    """

    svg: bytes
    aspect: float
    alt: str

    def file(self) -> io.BytesIO:
        """Return the drawing as a file."""
        return io.BytesIO(self.svg)


@cache
def _know_the_letters() -> None:
    """Let the renderer measure texts in the letters that they are printed in."""
    vl_convert.register_font_directory(str(font_path("Regular").parent))


def drawn(progress: Progress, change: Change, *, locale: str) -> Drawing:
    """Draw the course of one number.

    Parameters
    ----------
    progress : Progress
    change : Change
        Of that course.
    locale : str
        How dates and numbers are written.
    """
    _know_the_letters()
    chart = course_chart(progress, change, locale=locale)
    chart.config.font = pen.FONT
    chart.height = _HEIGHT_PX
    root = _plain(as_svg(chart))
    height, width = (float(root.attrib[side]) for side in ("height", "width"))
    return Drawing(ET.tostring(root), height / width, str(chart.description))


def _plain(svg: str) -> ET.Element:
    """Write out what fpdf2's reader of SVG takes no default for."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)  # noqa: S314 - our own renderer's
    root.set("stroke", "none")
    for line in root.iter(f"{{{_SVG}}}line"):
        for end in ("x1", "y1", "x2", "y2"):
            line.attrib.setdefault(end, "0")
    empty = f"{{{_SVG}}}path"
    for parent in list(root.iter()):
        for child in list(parent):
            hidden = child.get("display") == "none"
            if hidden or (child.tag == empty and not child.get("d")):
                parent.remove(child)
    return root
