"""Real faces with brows, mouth corners or jaw moved by known amounts.

A section of benchmarks/accuracy.py (--photos DIR). A photo is warped by a smooth field that moves
a part of the face by 1 to 3 mm (by the px/mm of the fitted mesh) and dies away before the
landmarks against which the part is measured; then it is measured like any other. The gain
is the slope of measured over true movement: below 1 where the landmark model trusts the average
face more than the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from _common import Report, number, pictures, progress, scan_kept
from _response import median, slope
from numpy.typing import NDArray

from skinscan.landmarks import Face
from skinscan.metrics import metrics
from skinscan.phantom import encode_jpeg
from skinscan.photo import load_photo
from skinscan.scan import Scan

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

STEPS_MM = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)
GOAL_MM, GOAL_DEG = 1.0, 1.5
_QUALITY = 95

#: Landmarks of the subject's right and left side.
_BROWS = ((63, 105, 66), (293, 334, 296))
_CORNERS = ((61,), (291,))
_JOWLS = ((136, 150), (365, 379))
_JAW_ENDS = ((58, 148), (288, 377))
_EYES = (33, 263)
_STOMION = (13, 14)


@dataclass(frozen=True)
class Push:
    """A patch of the picture that is moved.

    Attributes
    ----------
    centre_px, move_px : ndarray of float64, shape (2,)
    along_px, across_px : float
        Half-widths along and across the line of the eyes.
    """

    centre_px: F64
    move_px: F64
    along_px: float
    across_px: float


def frame(face: Face) -> tuple[F64, F64]:
    """Return unit vectors in the picture along the line of the eyes and up the face."""
    right, left = face.landmarks_px[list(_EYES)]
    along = (left - right) / np.linalg.norm(left - right)
    return along, np.array([along[1], -along[0]])


def field_at(pushes: Sequence[Push], points: F64, along: F64) -> F64:
    """Displacement in px at points, shape (N, 2): flat in the middle of a patch, then nothing."""
    up = np.array([along[1], -along[0]])
    total = np.zeros_like(points)
    for push in pushes:
        away = points - push.centre_px
        t = np.hypot(away @ along / push.along_px, away @ up / push.across_px)
        total += np.exp(-(t**4))[:, None] * push.move_px
    return total


def moved(pushes: Sequence[Push], points: F64, along: F64) -> F64:
    """Where the warp takes points of the picture."""
    goal = points.copy()
    for _ in range(30):
        goal = points + field_at(pushes, goal, along)
    return goal


def warp(rgb: NDArray[np.uint8], pushes: Sequence[Push], along: F64) -> NDArray[np.uint8]:
    """Move patches of a picture."""
    y, x = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]].astype(np.float64)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    source = (points - field_at(pushes, points, along)).astype(np.float32)
    grid = source.reshape(*rgb.shape[:2], 2)
    return np.asarray(
        cv2.remap(rgb, grid[..., 0], grid[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def brows(face: Face, mm: float) -> list[Push]:
    """Raise both brows."""
    px = face.scale_mesh_px_mm
    _, up = frame(face)
    return [
        Push(face.landmarks_px[list(side)].mean(axis=0), mm * px * up, 30 * px, 10 * px)
        for side in _BROWS
    ]


def corners(face: Face, mm: float) -> list[Push]:
    """Raise both corners of the mouth."""
    px = face.scale_mesh_px_mm
    _, up = frame(face)
    return [Push(face.landmarks_px[side[0]], mm * px * up, 11 * px, 11 * px) for side in _CORNERS]


def jaw(face: Face, mm: float) -> list[Push]:
    """Push both jowls outwards, square to the jaw."""
    px = face.scale_mesh_px_mm
    return [
        Push(
            face.landmarks_px[list(_JOWLS[side])].mean(axis=0),
            mm * px * _outwards(face.landmarks_px, side),
            18 * px,
            18 * px,
        )
        for side in (0, 1)
    ]


def _outwards(points: F64, side: int) -> F64:
    """Return the unit normal of the jaw, away from the face, in the picture."""
    first, second = points[list(_JAW_ENDS[side])]
    along = (second - first) / np.linalg.norm(second - first)
    normal = np.array([along[1], -along[0]])
    inside = points[list(_STOMION)].mean(axis=0) - (first + second) / 2
    return np.asarray(-normal if normal @ inside > 0 else normal)


# --- what is read, from landmarks whether found or moved by the warp --------------------------


def brow_mm(points: F64, face: Face) -> float:
    """Height of the brows above the line of the eyes, mm, in the picture's plane."""
    _, up = frame(face)
    index = [i for side in _BROWS for i in side]
    height = (points[index].mean(axis=0) - points[list(_EYES)].mean(axis=0)) @ up
    return float(height / face.scale_mesh_px_mm)


def corner_deg(points: F64, face: Face) -> float:
    """Angle of the corners of the mouth above the line of the eyes, degrees."""
    along, up = frame(face)
    middle = points[list(_STOMION)].mean(axis=0)
    angles = [
        math.degrees(math.atan2(d @ up, abs(d @ along)))
        for side in _CORNERS
        for d in [points[side[0]] - middle]
    ]
    return float(np.mean(angles))


def jowl_mm(points: F64, face: Face) -> float:
    """Distance of the jowls outside the line from jaw to chin, mm, in the picture's plane."""
    out = [
        (points[list(_JOWLS[side])].mean(axis=0) - points[list(_JAW_ENDS[side])].mean(axis=0))
        @ _outwards(face.landmarks_px, side)
        for side in (0, 1)
    ]
    return float(np.mean(out) / face.scale_mesh_px_mm)


@dataclass(frozen=True)
class Kind:
    """One way to move a face.

    Attributes
    ----------
    metric : str
        The metric that should follow.
    push : callable
        (face, mm) -> patches.
    read : callable
        (landmarks in px, face) -> mm or degrees: the truth when given the warped landmarks.
    unit : str
    goal : float
        Greatest error.
    """

    metric: str
    push: Callable[[Face, float], list[Push]]
    read: Callable[[F64, Face], float]
    unit: str
    goal: float


KINDS: Mapping[str, Kind] = {
    "brows up": Kind("lift.brow_height", brows, brow_mm, "mm", GOAL_MM),
    "mouth corners up": Kind("lift.mouth_corner_angle", corners, corner_deg, "°", GOAL_DEG),
    "jowls out": Kind("lift.jaw_sag", jaw, jowl_mm, "mm", GOAL_MM),
}


def _metric(scan: Scan, name: str) -> float:
    top = max(scan.levels)
    values = [m.value for m in scan.measurements if m.metric == name and m.level_px_mm == top]
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True, eq=False)
class Answer:
    """True and measured movements of one face, one row per step."""

    true: F64
    metric: F64
    landmarks: F64


def answer(path: Path, kind: Kind, steps_mm: Sequence[float] = STEPS_MM) -> Answer | None:
    """Warp one photo by each step and measure it; None where the photo is refused."""
    rgb = load_photo(path.read_bytes()).rgb
    start = scan_kept(encode_jpeg(rgb, _QUALITY))
    if not isinstance(start, Scan):
        return None
    face = start.face
    along, _ = frame(face)
    rows = []
    for mm in steps_mm:
        pushes = kind.push(face, mm)
        after = scan_kept(encode_jpeg(warp(rgb, pushes, along), _QUALITY))
        if not isinstance(after, Scan):
            return None
        goal = kind.read(moved(pushes, face.landmarks_px, along), face)
        before = kind.read(face.landmarks_px, face)
        rows.append(
            (
                goal - before,
                _metric(after, kind.metric) - _metric(start, kind.metric),
                kind.read(after.face.landmarks_px, face) - before,
            )
        )
    table = np.array(rows)
    return Answer(table[:, 0], table[:, 1], table[:, 2])


def section(report: Report, folder: Path, *, limit: int | None = None) -> None:
    """Write the table of lift on real photos.

    Parameters
    ----------
    report : Report
    folder : Path
        Neutral portraits; of a folder with other expressions only files named ``*neutral*``
        or ``*_03*`` are taken.
    limit : int, optional
        No more photos than this.
    """
    report.section("Lift on real photos")
    photos = neutral(folder)[:limit]
    report.say(
        f"{len(photos)} neutral portraits; brows, mouth corners or jowls warped by "
        f"{', '.join(f'{s:+g}' for s in STEPS_MM)} mm. Gain: slope of measured over true movement, "
        "median over people (5 % to 95 %). Error: measured minus true movement at once, and after "
        "division by the median gain. The row `landmarks` reads the same quantity from the "
        "landmarks in the picture, without pose correction."
    )
    rows = []
    for name, kind in KINDS.items():
        progress(f"{name}: {len(photos)} photos")
        answers = [a for p in photos if (a := answer(p, kind)) is not None]
        readings = {"landmarks": [(a.true, a.landmarks) for a in answers]}
        if kind.metric in metrics():
            readings = {kind.metric: [(a.true, a.metric) for a in answers], **readings}
        rows += [_row(name, kind, label, pairs) for label, pairs in readings.items()]
    report.table(
        [
            "warp",
            "read by",
            "faces",
            "gain",
            "5 % to 95 %",
            "error, median",
            "error, 95 %",
            "95 % after gain",
            "goal",
            "95 % ≤ goal",
        ],
        rows,
    )
    missing = sorted({k.metric for k in KINDS.values()} - set(metrics()))
    if missing:
        report.say(f"Not registered, so not judged: {', '.join(missing)}.")


def _row(name: str, kind: Kind, label: str, pairs: Sequence[tuple[F64, F64]]) -> tuple[object, ...]:
    known = [(t, m) for t, m in pairs if np.isfinite(m).all()]
    gains = [slope(t, m) for t, m in known]
    gain = median(gains)
    raw = np.abs(np.concatenate([m - t for t, m in known])) if known else np.array([np.nan])
    corrected = np.abs(np.concatenate([m / gain - t for t, m in known])) if known else raw
    spread = np.quantile(gains, [0.05, 0.95]) if known else [np.nan, np.nan]
    high = float(np.quantile(raw, 0.95))
    return (
        name,
        label,
        str(len(known)),
        gain,
        f"{number(float(spread[0]))} to {number(float(spread[1]))}",
        f"{number(float(np.median(raw)))} {kind.unit}",
        f"{number(high)} {kind.unit}",
        f"{number(float(np.quantile(corrected, 0.95)))} {kind.unit}",
        f"{kind.goal:g} {kind.unit}",
        "yes" if high <= kind.goal else "**no**",
    )


def neutral(folder: Path) -> list[Path]:
    """Photos of a folder; where some are named neutral, only those."""
    found = pictures(folder)
    named = [p for p in found if "neutral" in p.stem.lower()]
    return named or found
