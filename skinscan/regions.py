"""The atlas: named areas of the FaceMap, their outlines and the views that see them.

Outlines are polygons over vertices of the atlas mesh (the canonical landmarks and the
extended forehead). A paired region is written once, for the subject's right side, and
mirrored. A corner is a vertex, or a point between two vertices.

Adding a region is one entry in `_DEFINITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from skinscan.errors import UnknownNameError
from skinscan.frame import atlas_mesh, map_px_to_mm, map_size, mm_to_map_px
from skinscan.landmarks import View
from skinscan.resizing import resized_nearest
from skinscan.skinmask import feature_mask, fill_outline, mirror_index

#: A vertex, or (vertex, vertex, share): the point at ``share`` of the way to the second.
Corner = int | tuple[int, int, float]

#: Direction in which lines usually run, degrees counter-clockwise from the subject's
#: left-right axis, for the subject's right side; None where lines run in any direction.
Direction = float | None


#: Group of the whole face, for what is measured once per face.
FACE = "face"

#: The face's edge from the middle of the forehead round by the subject's left.
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Region:
    """A named area of the face.

    Attributes
    ----------
    name : str
        Unique; paired regions end in ``_left`` or ``_right`` (the subject's).
    group : str
        The name without side: what both sides have in common.
    title : str
        For people.
    side : View or None
        The subject's side, None for regions on the midline.
    outline_mm : ndarray of float64, shape (N, 2)
        Polygon in the canonical frame, mm.
    line_direction_deg : float or None
        Usual direction of lines, counter-clockwise from the subject's left-right axis;
        None for any.
    radial_from_mm : ndarray of float64, shape (2,), or None
        Point from which lines fan out, instead of one direction.
    direction_spread_deg : float
        How far lines stray from it.
    part_of : str or None
        Group of the larger region that contains this one.
    """

    name: str
    group: str
    title: str
    side: View | None
    outline_mm: NDArray[np.float64]
    line_direction_deg: Direction
    radial_from_mm: NDArray[np.float64] | None
    direction_spread_deg: float
    part_of: str | None

    def seen_from(self, view: View) -> bool:
        """Whether a photo of this view shows the region well."""
        return view is View.FRONT or self.side is None or self.side is view


@dataclass(frozen=True)
class _Definition:
    group: str
    title: str
    outline: tuple[Corner, ...]
    paired: bool = True
    direction: Direction = None
    radial_from: Corner | None = None
    spread: float = 90.0
    part_of: str | None = None


_DEFINITIONS = (
    _Definition(
        "forehead_upper",
        "Upper forehead",
        (104, 103, 496, 497, 498, 499, 500, 501, 502, 332, 333, 299, 337, 151, 108, 69),
        paired=False,
        direction=0.0,
        spread=25.0,
    ),
    _Definition(
        "forehead_lower",
        "Lower forehead",
        (
            68,
            104,
            69,
            108,
            151,
            337,
            299,
            333,
            298,
            293,
            334,
            296,
            (336, 337, 0.30),
            (9, 151, 0.42),
            (107, 108, 0.30),
            66,
            105,
            63,
        ),
        paired=False,
        direction=0.0,
        spread=25.0,
    ),
    _Definition(
        "glabella",
        "Between the brows",
        ((107, 108, 0.30), (9, 151, 0.42), (336, 337, 0.30), 336, 285, 417, 168, 193, 55, 107),
        paired=False,
        direction=90.0,
        spread=40.0,
    ),
    _Definition(
        "temple",
        "Temple",
        (
            (54, 68, 0.5),
            68,
            (68, 63, 0.6),
            70,
            156,
            (139, 156, 0.3),
            (162, 156, 0.45),
            (21, 71, 0.5),
        ),
        direction=None,
    ),
    _Definition(
        "crows_feet",
        "Crow's feet",
        (
            (226, 35, 0.3),
            (113, 124, 0.6),
            124,
            156,
            139,
            34,
            227,
            (116, 123, 0.4),
            (117, 50, 0.35),
            (228, 117, 0.3),
            (31, 111, 0.3),
        ),
        radial_from=(33, 133, 0.35),
        spread=35.0,
    ),
    _Definition(
        "upper_lid",
        "Upper lid",
        (130, 226, 113, 225, 224, 223, 222, 221, 189, 190, 56, 28, 27, 29, 30, 247),
        direction=0.0,
        spread=35.0,
    ),
    _Definition(
        "under_eye",
        "Under the eye",
        (25, 110, 24, 23, 22, 26, 112, 233, 128, 121, 47, 120, 119, 118, 228, 31),
        direction=0.0,
        spread=45.0,
    ),
    _Definition(
        "tear_trough",
        "Tear trough",
        (112, 233, 128, 121, 47, 120, (119, 120, 0.5), (230, 231, 0.5), 231, 232),
        direction=35.0,
        spread=40.0,
        part_of="under_eye",
    ),
    _Definition(
        "lid_bag",
        "Lid bag",
        (25, 110, 24, 23, 22, 26, 232, 231, 230, 229, 228, 31),
        direction=0.0,
        spread=40.0,
        part_of="under_eye",
    ),
    _Definition(
        "nose_bridge",
        "Bridge of the nose",
        (193, 168, 417, 351, 419, 248, 281, 5, 51, 3, 196, 122),
        paired=False,
        direction=0.0,
        spread=60.0,
    ),
    _Definition(
        "nose_tip",
        "Tip of the nose",
        (134, 51, 5, 281, 363, 440, 275, 1, 45, 220),
        paired=False,
        direction=None,
    ),
    _Definition(
        "cheek_malar",
        "Cheek bone",
        ((116, 123, 0.4), (117, 50, 0.35), 118, 119, 100, 36, 205, 187, 123),
        direction=None,
    ),
    _Definition(
        "cheek_buccal",
        "Cheek",
        (123, 187, (205, 207, 0.4), (207, 216, 0.35), (212, 214, 0.5), 214, 192, 213, 147),
        direction=None,
    ),
    _Definition(
        "nasolabial",
        "Nasolabial fold",
        (
            129,
            142,
            36,
            (205, 206, 0.35),
            (207, 216, 0.35),
            (212, 214, 0.5),
            212,
            57,
            186,
            (92, 165, 0.3),
            165,
            98,
        ),
        direction=55.0,
        spread=35.0,
    ),
    _Definition(
        "upper_lip",
        "Upper lip",
        (98, 97, 2, 326, 327, 391, 322, 410, 270, 269, 267, 0, 37, 39, 40, 186, 92, 165),
        paired=False,
        direction=90.0,
        spread=40.0,
    ),
    _Definition(
        "marionette",
        "Marionette line",
        (57, 43, (106, 204, 0.5), 211, 210, 214, 212),
        direction=75.0,
        spread=35.0,
    ),
    _Definition(
        "chin",
        "Chin",
        (194, 182, 83, 18, 313, 406, 418, 262, 369, 396, 175, 171, 140, 32),
        paired=False,
        direction=None,
    ),
    _Definition(
        "jawline",
        "Jawline",
        (58, 172, 136, 150, 149, 170, 211, 210, 135, 138, 215),
        direction=None,
    ),
)


def _corner_mm(corner: Corner, *, mirrored: bool) -> NDArray[np.float64]:
    vertices = atlas_mesh().vertices_mm[:, :2]
    mirror = mirror_index()

    def vertex(index: int) -> NDArray[np.float64]:
        return np.asarray(vertices[mirror[index] if mirrored else index])

    if isinstance(corner, tuple):
        first, second, share = corner
        return np.asarray(vertex(first) * (1 - share) + vertex(second) * share)
    return vertex(corner)


def _build(definition: _Definition, side: View | None) -> Region:
    mirrored = side is View.LEFT
    outline = np.array([_corner_mm(c, mirrored=mirrored) for c in definition.outline])
    outline.flags.writeable = False
    direction = definition.direction
    if direction is not None and mirrored:
        direction = -direction
    suffix = f"_{side.value}" if side else ""
    title = f"{definition.title} ({side.value})" if side else definition.title
    return Region(
        name=definition.group + suffix,
        group=definition.group,
        title=title,
        side=side,
        outline_mm=outline,
        line_direction_deg=direction,
        radial_from_mm=(
            None
            if definition.radial_from is None
            else _corner_mm(definition.radial_from, mirrored=mirrored)
        ),
        direction_spread_deg=definition.spread,
        part_of=definition.part_of,
    )


@cache
def regions() -> Mapping[str, Region]:
    """All regions by name, in anatomical order from the hairline to the chin."""
    built = [
        _build(definition, side)
        for definition in _DEFINITIONS
        for side in ((View.RIGHT, View.LEFT) if definition.paired else (None,))
    ]
    return MappingProxyType({region.name: region for region in built})


@cache
def whole_face() -> Region:
    """Outline what is measured once per face; it contains all others."""
    return _build(_Definition(FACE, "Whole face", _OVAL, paired=False), None)


def measured_regions() -> tuple[Region, ...]:
    """Everything a measurement can belong to: the whole face, then the atlas."""
    return (whole_face(), *regions().values())


def members(group: str) -> tuple[Region, ...]:
    """Regions of a group, also of `FACE`: a pair for paired ones."""
    return (whole_face(),) if group == FACE else groups()[group]


def region(name: str) -> Region:
    """Return one region, or the whole face.

    Raises
    ------
    UnknownNameError
        If there is no region of that name.
    """
    found = whole_face() if name == FACE else regions().get(name)
    if found is None:
        raise UnknownNameError(
            expected="the name of a region, for example crows_feet_left",
            found=repr(name),
            remedy="`skinscan.regions.regions()` lists them",
        )
    return found


@cache
def groups() -> Mapping[str, tuple[Region, ...]]:
    """Regions of the atlas by group name: a pair for paired ones."""
    result: dict[str, tuple[Region, ...]] = {}
    for item in regions().values():
        result[item.group] = (*result.get(item.group, ()), item)
    return MappingProxyType(result)


@cache
def _features_at(level: float) -> NDArray[np.bool_]:
    grown = resized_nearest(feature_mask().astype(np.uint8), *map_size(level))
    return np.asarray(grown > 0)


@cache
def region_mask(name: str, level: float) -> NDArray[np.bool_]:
    """Pixels of a region in the FaceMap at ``level`` px/mm, shape ``map_size(level)``.

    Eyes, brows, lips and nostrils are never inside.
    """
    window = region_window(name, level)
    inside = fill_outline(region(name).outline_mm, level, window=window) > 0
    result = np.zeros(map_size(level), dtype=bool)
    result[window] = inside & ~_features_at(level)[window]
    result.flags.writeable = False
    return result


@cache
def region_bits(level: float) -> tuple[NDArray[np.uint64], Mapping[str, np.uint64]]:
    """All regions at ``level`` px/mm in one picture, for many regions of few pixels.

    Returns
    -------
    bits : ndarray of uint64, shape ``map_size(level)``
    bit_of : mapping of str to uint64
        The bit that is set where a region lies, by its name.
    """
    bits = np.zeros(map_size(level), dtype=np.uint64)
    bit_of = {item.name: np.uint64(1 << k) for k, item in enumerate(measured_regions())}
    for name, bit in bit_of.items():
        window = region_window(name, level)
        bits[window] |= region_mask(name, level)[window] * bit
    bits.flags.writeable = False
    return bits, MappingProxyType(bit_of)


@cache
def line_directions(level: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Usual direction of lines at each pixel of the FaceMap at ``level`` px/mm.

    Returns
    -------
    direction_deg : ndarray of float32, shape ``map_size(level)``
        0..180, NaN where lines run in any direction.
    spread_deg : ndarray of float32, shape ``map_size(level)``
        How far lines stray from it.
    """
    rows, columns = map_size(level)
    direction = np.full((rows, columns), np.nan, dtype=np.float32)
    spread = np.full((rows, columns), 90.0, dtype=np.float32)
    for item in sorted(regions().values(), key=lambda r: r.part_of is not None):
        window = region_window(item.name, level)
        inside = fill_outline(item.outline_mm, level, window=window) > 0
        if item.radial_from_mm is not None:
            v, u = np.nonzero(inside)
            u, v = u + window[1].start, v + window[0].start
            ray = map_px_to_mm(np.column_stack([u, v]).astype(np.float64), level)
            ray -= item.radial_from_mm
            direction[v, u] = np.degrees(np.arctan2(ray[:, 1], ray[:, 0])) % 180.0
        elif item.line_direction_deg is not None:
            direction[window][inside] = item.line_direction_deg % 180.0
        else:
            continue
        spread[window][inside] = item.direction_spread_deg
    return direction, spread


@cache
def region_window(name: str, level: float) -> tuple[slice, slice]:
    """Rows and columns of the FaceMap that enclose a region."""
    px = mm_to_map_px(region(name).outline_mm, level)
    (left, top), (right, bottom) = np.floor(px.min(axis=0)), np.ceil(px.max(axis=0))
    rows, columns = map_size(level)
    return (
        slice(max(int(top) - 1, 0), min(int(bottom) + 2, rows)),
        slice(max(int(left) - 1, 0), min(int(right) + 2, columns)),
    )
