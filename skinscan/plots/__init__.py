"""Progress -> charts, pictures and the report that a client takes home.

Rooms, each importing only from those before it: `style` (colours and units), `lettering` (words on
pictures), `course` (charts, Altair), `changemap` (where the face changed), `alignment` (photos on
each other), `pairs` (before and after), `timelapse` (all of a course), `report` (one HTML page).
"""

from __future__ import annotations

from skinscan.plots.changemap import change_map
from skinscan.plots.course import as_svg, course_chart
from skinscan.plots.lettering import encoded
from skinscan.plots.pairs import before_after
from skinscan.plots.report import Picture, mapped_metrics, report
from skinscan.plots.timelapse import timelapse

__all__ = [
    "Picture",
    "as_svg",
    "before_after",
    "change_map",
    "course_chart",
    "encoded",
    "mapped_metrics",
    "report",
    "timelapse",
]
