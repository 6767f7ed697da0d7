"""A face map on which regions can be seen, drawn from the atlas."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from skinscan.regions import groups, measured_regions, whole_face
from skinscan.ui.pictures import image_tag

#: Greys and a blue that are seen on both themes.
_STYLE: Final = (
    ".sk-face{fill:none;stroke:#8a9391;stroke-width:1}"
    ".sk-region{fill:#8a9391;fill-opacity:.1;stroke:#8a9391;stroke-width:.5}"
    ".sk-chosen{fill:#2a7fb8;fill-opacity:.8}"
)


def group_name(name: str) -> str:
    """Write the name of a group of regions without its side."""
    return groups()[name][0].title.partition(" (")[0]


def face_map(chosen: Collection[str], *, alt: str) -> str:
    """Draw the face with some groups of regions filled.

    Parameters
    ----------
    chosen : collection of str
        Names of groups.
    alt : str
        For those who cannot see it.
    """
    edge = whole_face().outline_mm
    (left, bottom), (right, top) = edge.min(axis=0) - 4, edge.max(axis=0) + 28

    def polygon(points: object, css: str) -> str:
        at = " ".join(f"{x:.1f},{-y:.1f}" for x, y in points)  # type: ignore[attr-defined]
        return f'<polygon class="{css}" points="{at}"/>'

    parts = [polygon(edge, "sk-face")]
    for region in measured_regions():
        if region.part_of is None or region.group in chosen:
            css = "sk-region sk-chosen" if region.group in chosen else "sk-region"
            parts.append(polygon(region.outline_mm, css))
    box = f"{left:.0f} {-top:.0f} {right - left:.0f} {top - bottom:.0f}"
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><style>{_STYLE}</style>'
        f"{''.join(parts)}</svg>"
    )
    # As a picture: pages are cleaned of drawings that stand in their text.
    return image_tag(drawn.encode(), alt=alt, css="sk-face-map", kind="image/svg+xml")
