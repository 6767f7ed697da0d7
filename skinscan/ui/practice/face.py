"""A face map on which regions can be seen, drawn from the atlas."""

from __future__ import annotations

from collections.abc import Collection
from html import escape

from skinscan.regions import groups, measured_regions, whole_face


def group_name(name: str) -> str:
    """Write the name of a group of regions without its side."""
    return groups()[name][0].title.partition(" (")[0]


def face_map(chosen: Collection[str], *, alt: str) -> str:
    """Draw the face with some groups of regions filled, as SVG.

    Parameters
    ----------
    chosen : collection of str
        Names of groups.
    alt : str
        For those who cannot see it.
    """
    edge = whole_face().outline_mm
    (left, bottom), (right, top) = edge.min(axis=0) - 4, edge.max(axis=0) + 16

    def polygon(points: object, css: str) -> str:
        at = " ".join(f"{x:.1f},{-y:.1f}" for x, y in points)  # type: ignore[attr-defined]
        return f'<polygon class="{css}" points="{at}"/>'

    parts = [polygon(edge, "sk-face")]
    for region in measured_regions():
        if region.part_of is None or region.group in chosen:
            css = "sk-region sk-chosen" if region.group in chosen else "sk-region"
            parts.append(polygon(region.outline_mm, css))
    box = f"{left:.0f} {-top:.0f} {right - left:.0f} {top - bottom:.0f}"
    return (
        f'<svg class="sk-face-map" viewBox="{box}" role="img" aria-label="{escape(alt)}">'
        f"{''.join(parts)}</svg>"
    )
