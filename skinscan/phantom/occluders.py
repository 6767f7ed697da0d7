"""What is worn over the skin: glasses, loose hair and beard, and the truth where they lie.

Everything is a stroke: a curve in the head frame with a thickness. Strokes are drawn finer
than the picture and averaged, so that a hair of 0.08 mm covers the share of a pixel that it
really covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.frame import (
    BOTTOM_MM,
    GRID_PX_MM,
    LEFT_MM,
    RIGHT_MM,
    TOP_MM,
    atlas_mesh,
    mm_to_map_px,
)
from skinscan.mesh import canonical_mesh
from skinscan.phantom.capture import Capture
from skinscan.phantom.fractal import as_f32
from skinscan.phantom.geometry import EYEBALL_MM, HeadShape, carry, head_shape
from skinscan.phantom.optics import (
    PIVOT_MM,
    Hits,
    camera_centre,
    grid_lookup,
    project_head,
    rotation,
    sample,
    trace,
)
from skinscan.phantom.shading import Light, light_of
from skinscan.phantom.truth import Beard, FaceTruth, Glasses, LooseHair

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Strokes are drawn this much finer than the picture.
_FINER = 4
_SHIFT = 4
#: Distance from the cornea to the lens, mm: opticians fit 12 to 14.
_VERTEX_DISTANCE_MM = 13.0
#: Gap between the two lenses at the nose, mm (the "bridge size" stamped on frames is 14 to 24).
_BRIDGE_MM = 18.0
#: Height of loose hair and of beard above the skin, mm.
_HAIR_LIFT_MM, _BEARD_LIFT_MM = 1.2, 0.3
#: Brightness of single hairs relative to their colour: each lies differently to the light.
_HAIR_TONES = (0.65, 1.0, 1.6)
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
#: Upper limit of the beard, subject's left half, canonical mm: sideburn, cheek line, moustache.
_BEARD_TOP = ((0.0, -25.5), (12.0, -24.5), (25.0, -31.0), (34.0, -36.0), (52.0, -24.0), (68.0, 8.0))
#: Distance below that limit within which the beard grows dense, mm.
_BEARD_EDGE_MM = 9.0


@dataclass(frozen=True, eq=False)
class Stroke:
    """One curve of even thickness.

    Attributes
    ----------
    points_mm : ndarray of float64, shape (N, 3)
        Head frame.
    width_mm : float
    """

    points_mm: F64
    width_mm: float


@dataclass(frozen=True, eq=False)
class Coat:
    """One kind of stroke in the picture.

    Attributes
    ----------
    cover : ndarray of float32, shape (H, W)
        Share of each pixel that is covered.
    rgb : ndarray of float32, shape (3,)
        Its light when fully lit.
    """

    cover: F32
    rgb: F32


@dataclass(frozen=True, eq=False)
class Worn:
    """All that is worn, in the picture.

    Attributes
    ----------
    coats : tuple of Coat
        From the skin outwards.
    glare, shadow : ndarray of float32, shape (H, W), or None
        Light added by lenses; share of the key light that rims take from the skin.
    """

    coats: tuple[Coat, ...] = ()
    glare: F32 | None = None
    shadow: F32 | None = None

    @property
    def any(self) -> bool:
        """Whether anything is worn."""
        return bool(self.coats)


def occluder_cover(truth: FaceTruth, capture: Capture) -> F32:
    """Share of every pixel that glasses, loose hair and beard cover: the truth for skin masks.

    Parameters
    ----------
    truth, capture
        As for ``render``.

    Returns
    -------
    ndarray of float32, shape (height_px, width_px)
        0 to 1. Shadows, lenses and their glare cover nothing.
    """
    worn = cover(truth, capture)
    free: F32 = np.ones((capture.height_px, capture.width_px), dtype=np.float32)
    for coat in worn.coats:
        free *= 1 - coat.cover
    return np.asarray(1 - free, dtype=np.float32)


def cover(truth: FaceTruth, capture: Capture) -> Worn:
    """Draw what is worn.

    Parameters
    ----------
    truth, capture
        As for ``render``.

    Returns
    -------
    Worn
    """
    wears = truth.occluders
    shape = head_shape(truth, smile=capture.smile)
    coats: list[Coat] = []
    glare = shadow = None
    hair_rgb = np.asarray(truth.person.hair_rgb, dtype=np.float32)
    if wears.beard is not None:
        strokes = _beard(wears.beard, truth.person.seed, shape)
        coats += _hair_coats(strokes, hair_rgb, truth.person.seed, capture)
    if wears.hair is not None:
        strokes = _loose_hair(wears.hair, truth, shape)
        coats += _hair_coats(strokes, hair_rgb, truth.person.seed, capture)
    if wears.glasses is not None:
        frame, lenses = _glasses(wears.glasses, shape)
        hits = trace(shape, capture)
        seen = [piece for stroke in frame for piece in _in_front(stroke, hits, capture)]
        light = light_of(capture)
        coats += _frame_coats(wears.glasses, seen, light, capture)
        shadow = _shadow(frame, shape, light, capture)
        if wears.glasses.glare > 0:
            glare = np.float32(wears.glasses.glare) * _glare(lenses, capture)
    return Worn(tuple(coats), glare, shadow)


def shade_beneath(image: F32, worn: Worn, light: Light) -> None:
    """Take the shadow of the rims from the light on the skin, in place."""
    if worn.shadow is not None:
        share = light.key / max(light.key + light.ambient, 1e-6)
        image *= (1 - np.float32(share) * worn.shadow)[..., None]


def paint(image: F32, worn: Worn, light: Light) -> None:
    """Put what is worn over the picture, in place.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W, 3)
        Linear light.
    worn : Worn
    light : Light
    """
    level = np.float32(0.75 * light.key + light.ambient)
    if worn.glare is not None:
        image += (worn.glare * level)[..., None]
    for coat in worn.coats:
        image += coat.cover[..., None] * (coat.rgb * level - image)


# --- drawing ---------------------------------------------------------------------------------


def _drawn(strokes: Sequence[Stroke], capture: Capture) -> F32:
    """Coverage of the picture by strokes, shape (H, W)."""
    size = capture.height_px * _FINER, capture.width_px * _FINER
    canvas = np.zeros(size, dtype=np.uint8)
    if strokes:
        counts = np.cumsum([len(s.points_mm) for s in strokes])[:-1]
        flat = project_head(np.concatenate([s.points_mm for s in strokes]), capture)
        fine = (flat + 0.5) * _FINER - 0.5
        curves = np.split(np.round(fine * 2**_SHIFT).astype(np.int32), counts)
        for stroke, curve in zip(strokes, curves, strict=True):
            thickness, level = _pen(stroke.width_mm * capture.px_per_mm * _FINER)
            cv2.polylines(
                canvas,
                [curve],
                isClosed=False,
                color=round(255 * level),
                thickness=thickness,
                lineType=cv2.LINE_AA,
                shift=_SHIFT,
            )
    small = cv2.resize(
        canvas.astype(np.float32),
        (capture.width_px, capture.height_px),
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(small, dtype=np.float32) / np.float32(255)


@cache
def _drawn_widths() -> F64:
    """Width in px that OpenCV's smooth lines really have, by nominal thickness 1 to 60.

    They are 0.4 to 2.4 px wider than asked for, not evenly.
    """
    found = []
    for thickness in range(1, 61):
        canvas = np.zeros((200, 400), dtype=np.uint8)
        ends = np.array([[100, 60], [300, 140]], dtype=np.int32) << _SHIFT
        cv2.polylines(canvas, [ends], False, 255, thickness, cv2.LINE_AA, _SHIFT)
        found.append(float(canvas[:, 150:250].sum()) / 255 / 100 * np.cos(np.arctan2(80, 200)))
    return np.array(found)


def _pen(width_px: float) -> tuple[int, float]:
    """Nominal thickness and coverage whose product is the width asked for."""
    widths = _drawn_widths()
    if width_px > widths[2]:
        # thick enough to be opaque: the nearest width there is
        return int(np.abs(widths - width_px).argmin()) + 1, 1.0
    index = int(np.searchsorted(widths[:3], width_px))
    return index + 1, width_px / float(widths[index])


def _hair_coats(strokes: Sequence[Stroke], rgb: F32, seed: int, capture: Capture) -> list[Coat]:
    tone = np.random.default_rng([seed, 91]).integers(len(_HAIR_TONES), size=len(strokes))
    return [
        Coat(_drawn([s for s, t in zip(strokes, tone, strict=True) if t == k], capture), rgb * gain)
        for k, gain in enumerate(np.asarray(_HAIR_TONES, dtype=np.float32))
    ]


def _depth(points_mm: F64, capture: Capture) -> F64:
    """Distance from the camera along its axis, mm."""
    seen = (points_mm - PIVOT_MM) @ rotation(capture).T + PIVOT_MM - camera_centre(capture)
    return np.asarray(-seen[:, 2])


def _in_front(stroke: Stroke, hits: Hits, capture: Capture) -> list[Stroke]:
    """Pieces of a stroke that the head does not hide."""
    column, row = np.round(project_head(stroke.points_mm, capture)).astype(int).T
    height, width = hits.x.shape
    c, r = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    head = np.stack([hits.x[r, c], hits.y[r, c], hits.z[r, c]], axis=1).astype(np.float64)
    hidden = (_depth(stroke.points_mm, capture) > _depth(head, capture) + 1.5) & (
        hits.coverage[r, c] > 0.5
    )
    pieces = np.split(stroke.points_mm, np.flatnonzero(np.diff(hidden)) + 1)
    starts_hidden = bool(hidden[0])
    return [
        replace(stroke, points_mm=piece)
        for k, piece in enumerate(pieces)
        if (k % 2 == 1) == starts_hidden and len(piece) > 1
    ]


# --- glasses ---------------------------------------------------------------------------------


def _glasses(glasses: Glasses, shape: HeadShape) -> tuple[list[Stroke], list[F64]]:
    """Rims, bridge and temples as strokes; outlines of the lenses, head frame."""
    eyes = shape.eye_centres_mm
    nose = shape.vertices_mm[[168, 6]]
    # the lenses stand before the corneas, and the bridge rests on the nose
    plane = max(float(eyes[:, 2].mean()) + EYEBALL_MM + _VERTEX_DISTANCE_MM, nose[:, 2].max() + 1)
    height = float(eyes[:, 1].mean()) - 2.0
    half_w = (glasses.lens_width_mm + glasses.rim_mm) / 2
    half_h = (glasses.lens_height_mm + glasses.rim_mm) / 2
    middle_x = float(nose[:, 0].mean())

    def bent(x: F64, y: F64) -> F64:
        # frames follow the curve of the face a little
        return np.stack([middle_x + x, y, plane - 0.0013 * x**2], axis=1)

    angle = np.linspace(0, 2 * np.pi, 181)
    power = 2 / 2.7
    ring_x = half_w * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    ring_y = half_h * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    centre = (_BRIDGE_MM + glasses.lens_width_mm) / 2
    strokes, lenses = [], []
    for side in (-1.0, 1.0):
        outline = bent(side * (centre + ring_x), height + ring_y)
        strokes.append(Stroke(outline, glasses.rim_mm))
        lenses.append(outline)
        edge = centre + half_w
        hinge_y = height + 0.35 * half_h
        start = bent(np.array([side * edge]), np.array([hinge_y]))[0]
        ear = np.array([side * 79.0, hinge_y + 1.0, -38.0])
        corner = start + np.array([side * 4.5, 0.0, -3.0])
        t = np.linspace(0, 1, 60)[:, None]
        arm = np.concatenate(
            [start + np.linspace(0, 1, 6)[:, None] * (corner - start), corner + t * (ear - corner)]
        )
        strokes.append(Stroke(arm, max(1.0, 1.2 * glasses.rim_mm)))
    gap = centre - half_w
    x = np.linspace(-gap, gap, 25)
    arch = height + 0.30 * half_h + 2.5 * (1 - (x / gap) ** 2)
    strokes.append(Stroke(bent(x, arch), max(0.6, 1.1 * glasses.rim_mm)))
    return strokes, lenses


def _frame_coats(
    glasses: Glasses, seen: Sequence[Stroke], light: Light, capture: Capture
) -> list[Coat]:
    body = Coat(_drawn(seen, capture), np.asarray(glasses.rgb, dtype=np.float32))
    if glasses.shine == 0:
        return [body]
    # a round rim reflects the lamp in a line along its side towards the light
    towards = 0.22 * glasses.rim_mm * light.direction
    glints = []
    for stroke in seen:
        along = np.gradient(stroke.points_mm, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        across = 1 - np.abs(along @ light.direction)
        lit = np.flatnonzero(across > 0.45)
        glints += [
            Stroke(stroke.points_mm[run] + towards, 0.3 * glasses.rim_mm)
            for run in np.split(lit, np.flatnonzero(np.diff(lit) > 1) + 1)
            if len(run) > 2
        ]
    white = np.full(3, 0.8 * glasses.shine, dtype=np.float32)
    glint = _drawn(glints, capture) * np.float32(glasses.shine)
    return [body, Coat(as_f32(glint), white + body.rgb)]


def _shadow(frame: Sequence[Stroke], shape: HeadShape, light: Light, capture: Capture) -> F32:
    """Share of the key light that the frame takes from each pixel."""
    fallen, travelled = [], []
    for stroke in frame:
        # walk away from the lamp until the head is met
        t = np.zeros(len(stroke.points_mm))
        for _ in range(40):
            p = (stroke.points_mm - t[:, None] * light.direction).astype(np.float32)
            x, y, z = (np.ascontiguousarray(p[:, k : k + 1]) for k in range(3))
            column, row, radius = grid_lookup(x, y, z)
            gap = (radius - sample(shape.radius_mm, column, row))[:, 0]
            t += np.clip(0.6 * gap, -4.0, 4.0)
        landed = np.abs(gap) < 0.5
        for run in np.split(np.flatnonzero(landed), np.flatnonzero(np.diff(landed)) + 1):
            if len(run) > 2:
                points = stroke.points_mm[run] - t[run, None] * light.direction
                fallen.append(Stroke(points, stroke.width_mm))
                travelled.append(float(t[run].mean()))
    if not fallen:
        return np.zeros((capture.height_px, capture.width_px), dtype=np.float32)
    # half shadow: the lamp's angular radius times the distance
    soft_px = max(0.5 * light.width * float(np.mean(travelled)) * capture.px_per_mm, 0.3)
    return as_f32(cv2.GaussianBlur(_drawn(fallen, capture), (0, 0), soft_px))


def _glare(lenses: Sequence[F64], capture: Capture) -> F32:
    """Window mirrored in the lenses as a slanted band, 0..1."""
    layer = np.zeros((capture.height_px, capture.width_px), dtype=np.float32)
    y, x = np.mgrid[0 : capture.height_px, 0 : capture.width_px].astype(np.float32)
    for outline in lenses:
        px = project_head(outline, capture)
        inside = np.zeros(layer.shape, dtype=np.uint8)
        cv2.fillPoly(inside, [np.round(px).astype(np.int32)], 1)
        low, high = px.min(axis=0), px.max(axis=0)
        slant = ((x - low[0]) / (high[0] - low[0]) + 0.5 * (y - low[1]) / (high[1] - low[1])) / 1.5
        layer += inside * np.exp(-(((slant - 0.35) / 0.14) ** 2)).astype(np.float32)
    return as_f32(cv2.GaussianBlur(layer, (0, 0), 0.8 * capture.px_per_mm))


# --- hair ------------------------------------------------------------------------------------


def _on_skin(points_mm: F64, shape: HeadShape, lift_mm: float) -> F64:
    """Head-frame places of canonical points (N, 2), lifted towards the camera, shape (N, 3)."""
    # Looked up on a lattice: carrying many thousand points one by one needs too much memory.
    step = 4.0
    x = np.arange(LEFT_MM, RIGHT_MM + step, step)
    y = np.arange(TOP_MM, BOTTOM_MM - step, -step)
    xx, yy = np.meshgrid(x, y)
    lattice = carry(np.stack([xx.ravel(), yy.ravel()], axis=1), shape.vertices_mm)
    table = lattice.reshape(*xx.shape, 3).astype(np.float32)
    column = ((points_mm[:, 0] - LEFT_MM) / step).astype(np.float32)[:, None]
    row = ((TOP_MM - points_mm[:, 1]) / step).astype(np.float32)[:, None]
    found = sample(as_f32(table), column, row)[:, 0].astype(np.float64)
    # above the mesh its plane would go on into the air: the skull turns back there
    found[:, 2] -= 0.012 * np.maximum(points_mm[:, 1] - 82.0, 0) ** 2
    found[:, 2] += lift_mm
    return np.asarray(found)


def _on_face(points_mm: F64) -> NDArray[np.bool_]:
    """Which canonical points (N, 2) lie inside the outline of the mesh."""
    column, row = np.round(mm_to_map_px(points_mm, GRID_PX_MM)).astype(int).T
    return np.asarray(atlas_mesh().grid_triangle[row, column] >= 0)


def _strokes(curves: F64, widths: F64, shape: HeadShape, lift_mm: float) -> list[Stroke]:
    """Strokes from curves on the skin, shape (hairs, points, 2)."""
    count, steps, _ = curves.shape
    lifted = _on_skin(curves.reshape(-1, 2), shape, lift_mm).reshape(count, steps, 3)
    return [Stroke(c, float(w)) for c, w in zip(lifted, widths, strict=True)]


def _loose_hair(hair: LooseHair, truth: FaceTruth, shape: HeadShape) -> list[Stroke]:
    rng = np.random.default_rng([truth.person.seed, 92])
    if hair.strands == 0:
        return []
    lock = np.arange(hair.strands) % hair.clumps
    root_x = rng.uniform(-58, 58, hair.clumps)
    sway = rng.normal(0.0, 9.0, (hair.clumps, 2))
    length = hair.reach_mm * rng.uniform(0.55, 1.0, hair.clumps)
    own = hair.strands > hair.clumps
    spread = np.array([3.5, 2.0, 0.9]) * float(own)
    jitter = rng.standard_normal((hair.strands, 3)) * spread
    x0 = root_x[lock] + jitter[:, 0]
    # roots lie inside the hair, whose edge sinks towards the temples
    y0 = truth.person.hairline_mm + 5.0 - 0.006 * x0**2
    fall = length[lock] * (1 - 0.12 * float(own) * rng.random(hair.strands)) + 5.0
    root = np.stack([x0, y0], axis=1)
    bend = np.stack([x0 + sway[lock, 0] + jitter[:, 1], y0 - 0.55 * fall], axis=1)
    tip = np.stack([root_x[lock] + sway[lock, 1] + jitter[:, 2], y0 - fall], axis=1)
    s = np.linspace(0, 1, 24)[None, :, None]
    curves = (1 - s) ** 2 * root[:, None] + 2 * s * (1 - s) * bend[:, None] + s**2 * tip[:, None]
    widths = hair.thickness_mm * np.exp(0.12 * rng.standard_normal(hair.strands))
    return _strokes(curves, widths, shape, _HAIR_LIFT_MM)


def _beard(beard: Beard, seed: int, shape: HeadShape) -> list[Stroke]:
    rng = np.random.default_rng([seed, 93])
    vertices = canonical_mesh().vertices_mm[:, :2]
    low, high = np.array([-74.0, -92.0]), np.array([74.0, 10.0])
    # a fixed list up to the greatest density: a denser beard adds hairs and moves none
    count = round(200.0 * float(np.prod(high - low)) / 100.0)
    root = rng.uniform(low, high, (count, 2))
    lot = rng.random(count)
    top = np.interp(np.abs(root[:, 0]), *np.array(_BEARD_TOP).T)
    dense = np.clip((top - root[:, 1]) / _BEARD_EDGE_MM, 0, 1)
    lips = vertices[list(_LIPS)].astype(np.float32)
    bare = np.array([cv2.pointPolygonTest(lips, (float(a), float(b)), True) for a, b in root]) > -1
    chosen = (lot * 200.0 < beard.density_cm2 * dense) & ~bare & _on_face(root)
    angle = rng.normal(0.0, 0.45, count) + 0.006 * root[:, 0]
    length = beard.length_mm * np.exp(0.25 * rng.standard_normal(count))
    curl = rng.normal(0.0, 0.25, count)
    widths = beard.thickness_mm * np.exp(0.15 * rng.standard_normal(count))
    s = np.linspace(0, 1, 6)
    turn = angle[:, None] + curl[:, None] * s
    reach = length[:, None] * s
    curves = root[:, None] + np.stack([reach * np.sin(turn), -reach * np.cos(turn)], axis=2)
    return _strokes(curves[chosen], widths[chosen], shape, _BEARD_LIFT_MM)
