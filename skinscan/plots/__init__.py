"""Progress -> charts, pictures and the report that a client takes home.

Rooms, each importing only from those before it: `style` (colours and units), `lettering` (words on
pictures), `sessions` (rows and axes of charts), `course` and `regions` (charts), `changemap`
(where the face changed), `alignment` (photos on each other), `pairs` (before and after),
`difference` (one skin minus the other), `timelapse` (all of a course), `numbers` (rows of a
table), `report` (one HTML page).
"""

from __future__ import annotations

from skinscan.plots.changemap import change_map
from skinscan.plots.course import as_svg, course_chart
from skinscan.plots.difference import (
    LEAST_MATCHED,
    Difference,
    Unmatched,
    difference,
    skin_difference,
)
from skinscan.plots.lettering import encoded
from skinscan.plots.pairs import before_after, laid_over
from skinscan.plots.regions import region_changes, regions_chart
from skinscan.plots.report import Picture, mapped_metrics, report
from skinscan.plots.timelapse import timelapse

__all__ = [
    "LEAST_MATCHED",
    "Difference",
    "Picture",
    "Unmatched",
    "as_svg",
    "before_after",
    "change_map",
    "course_chart",
    "difference",
    "encoded",
    "laid_over",
    "mapped_metrics",
    "region_changes",
    "regions_chart",
    "report",
    "skin_difference",
    "timelapse",
]
