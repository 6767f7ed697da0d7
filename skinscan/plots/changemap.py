"""Where on the face one metric changed, on a drawn face that is nobody's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.frame import map_size, mm_to_map_px
from skinscan.mesh import canonical_mesh
from skinscan.metrics import Better, metric
from skinscan.plots.lettering import RGB, lettered
from skinscan.plots.sessions import signed
from skinscan.plots.style import (
    BLUE,
    GREY,
    VERMILION,
    per_unit,
    percents,
    unit_shown,
)
from skinscan.progress import Change, Progress, Scope, words
from skinscan.progress.locales import Locale
from skinscan.progress.locales import locale as locale_of
from skinscan.regions import region, whole_face
from skinscan.skinmask import EYE, mirror_index

_LEVEL_PX_MM = 4.0
_TOP_PX, _BOTTOM_PX, _BAR_PX = 80, 130, 24
_PAPER, _SKIN, _LINE = (255, 255, 255), (244, 242, 240), (120, 120, 120)
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_NOSE = (168, 6, 197, 195, 5, 4)
_WINGS = (129, 98, 97, 2, 326, 327, 358)
_SHIFT = 4


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=np.float64)


def _ends(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours of the largest fall and the largest rise: blue is the better one."""
    rising = metric(name).better is Better.UP
    low, high = (VERMILION, BLUE) if rising else (BLUE, VERMILION)
    return _rgb(low), _rgb(high)


def _shade(share: float, name: str) -> tuple[int, int, int]:
    """Return the colour of a change, as a share of the scale's end, -1 to 1."""
    low, high = _ends(name)
    end = low if share < 0 else high
    mixed = 255.0 + (end - 255.0) * min(abs(share), 1.0)
    r, g, b = (round(float(v)) for v in mixed)
    return r, g, b


def _points(points_mm: NDArray[np.float64]) -> NDArray[np.int32]:
    at = mm_to_map_px(points_mm, _LEVEL_PX_MM) + np.array([0.0, _TOP_PX])
    return np.asarray(np.round(at * 2**_SHIFT), dtype=np.int32)


def _of_regions(progress: Progress, name: str) -> list[Change]:
    """Return the changes of single regions, whole regions before the parts of them."""
    found = [c for c in progress.changes if c.metric == name and c.scope is Scope.REGION]
    return sorted(found, key=lambda c: region(c.place).part_of is not None)


def _size(change: Change) -> float:
    return per_unit(change) * change.difference


def _scale_end(changes: list[Change]) -> float:
    """Return a round number that no claimed change exceeds."""
    largest = max((abs(_size(c)) for c in changes if c.verdict.claimed), default=1.0)
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(k * power for k in (1.0, 2.0, 3.0, 5.0, 10.0) if k * power >= largest))


def _same_unit(changes: list[Change]) -> list[Change]:
    """Keep those in the unit of most claims: a per cent and a point share no scale."""
    claimed = [percents(c) for c in changes if c.verdict.claimed]
    usual = 2 * sum(claimed) >= len(claimed)
    return [c for c in changes if not c.verdict.claimed or percents(c) is usual]


def change_map(progress: Progress, name: str, *, locale: str = "en-GB") -> RGB:
    """Colour each region by the change that is claimed there.

    Parameters
    ----------
    progress : Progress
    name : str
        Metric.
    locale : str
        How numbers are written.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB. Blue is the better direction, vermilion the other; regions where nothing is claimed
        are grey, those that were not measured have no colour. The subject's right is on the left.
    """
    changes = _same_unit(_of_regions(progress, name))
    end = _scale_end(changes)
    rows, columns = map_size(_LEVEL_PX_MM)
    canvas = np.full((_TOP_PX + rows + _BOTTOM_PX, columns, 3), _PAPER, dtype=np.uint8)

    def line(points_mm: NDArray[np.float64], *, closed: bool, thick: int) -> None:
        at = [_points(points_mm)]
        cv2.polylines(canvas, at, closed, _LINE, thick, cv2.LINE_AA, _SHIFT)

    # The mesh ends below the hairline; the forehead reaches beyond it.
    edge = np.vstack([whole_face().outline_mm, region("forehead_upper").outline_mm])
    head = np.asarray(cv2.convexHull(edge.astype(np.float32))[:, 0], dtype=np.float64)
    cv2.fillPoly(canvas, [_points(head)], _SKIN, cv2.LINE_AA, _SHIFT)
    grey = tuple(int(v) for v in _rgb(GREY))
    for change in changes:
        claimed = change.verdict.claimed
        colour = _shade(_size(change) / end, name) if claimed else grey
        outline = region(change.place).outline_mm
        cv2.fillPoly(canvas, [_points(outline)], colour, cv2.LINE_AA, _SHIFT)
        line(outline, closed=True, thick=1)
    line(head, closed=True, thick=2)
    vertices, mirror = canonical_mesh().vertices_mm[:, :2], mirror_index()
    for feature in (EYE, _BROW):
        line(vertices[list(feature)], closed=True, thick=2)
        line(vertices[mirror[list(feature)]], closed=True, thick=2)
    line(vertices[list(_LIPS)], closed=True, thick=2)
    for strokes in (_NOSE, _WINGS):
        line(vertices[list(strokes)], closed=False, thick=2)
    return _with_words(canvas, name, changes, end, locale_of(locale))


def _with_words(canvas: RGB, name: str, changes: list[Change], end: float, locale: Locale) -> RGB:
    """Write heading, sides and the colour bar."""
    height, width = canvas.shape[:2]
    first, last, top = 70, width - 70, height - 86
    for column in range(first, last):
        share = 2.0 * (column - first) / (last - 1 - first) - 1.0
        canvas[top : top + _BAR_PX, column] = _shade(share, name)
    canvas[top + _BAR_PX + 34 :, first : first + 30] = _rgb(GREY)
    canvas[height - 12 :] = _PAPER
    said = words.words_of(name)
    claimed = [c for c in changes if c.verdict.claimed]
    unit = unit_shown(claimed[0]) if claimed else words.PERCENT
    middle, under = width / 2, top + _BAR_PX + 16
    texts = [
        ((middle, 22), "mm", words.words_of(name).subject),
        ((14, 62), "lm", words.SUBJECTS_RIGHT),
        ((width - 14, 62), "rm", words.SUBJECTS_LEFT),
        ((first, top - 16), "lm", said.less),
        ((last, top - 16), "rm", said.more),
        ((first, under), "mm", f"−{locale.plain(end)} {unit}"),
        ((middle, under), "mm", "0"),
        ((last, under), "mm", f"+{locale.plain(end)} {unit}"),
        ((first + 40, height - 20), "lm", words.NO_CHANGE_CLAIMED),
    ]
    return lettered(canvas, texts)


def described(progress: Progress, name: str, *, locale: str = "en-GB") -> str:
    """Write the alternative text of the map.

    Parameters
    ----------
    progress : Progress
    name : str
        Metric.
    locale : str
        How numbers are written.
    """
    written = locale_of(locale)
    claimed = [c for c in _same_unit(_of_regions(progress, name)) if c.verdict.claimed]
    said = words.words_of(name).subject
    if not claimed:
        return words.MAP_ALT_NONE.format(subject=said)
    parts = [
        f"{region(c.place).title} {signed(_size(c), written, places=1)} {unit_shown(c)}"
        for c in claimed
    ]
    return words.MAP_ALT.format(subject=said, changes="; ".join(parts))
