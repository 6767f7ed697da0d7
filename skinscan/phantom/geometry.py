"""The phantom's head as one smooth surface, and how a person's differs from the mean.

The head is a height field over a cylinder: radius r(q, y) about a vertical
axis inside the head, with q = 2·R0·tan(θ/2), so that faces seen from the side
are sampled as well as those seen from the front and no arc tangent is needed
per pixel. The face part interpolates the canonical mesh by a thin-plate
spline (no facets); skull, ears, neck and shoulders continue it.

Two frames: the *neutral* frame holds the canonical mesh with lips closed and
lids opened (the bundle's mesh has parted lips and narrow lids); the *person*
frame is it after the person's shape and the session's doses. Textures are
attached to the neutral frame: u = R0·θ, v = y in mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator, RBFInterpolator

from skinscan.mesh import canonical_mesh
from skinscan.phantom.truth import FaceTruth, Person

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Radius of the parameter cylinder and place of its axis, mm.
R0_MM = 75.0
AXIS_Z_MM = -22.0
#: Grid of the head: q from -Q_HALF to Q_HALF, y from Y_TOP down to Y_BOTTOM, 1 mm steps.
Q_HALF_MM = 270
Y_TOP_MM = 150
Y_BOTTOM_MM = -230

_GRID_STEP_MM = 2
_OUTLINE_JAW = (
    58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288,
)  # fmt: skip


def to_cylinder(points: F64) -> tuple[F64, F64, F64]:
    """Convert head-frame points to cylinder coordinates.

    Parameters
    ----------
    points : ndarray, shape (..., 3)
        x, y, z in mm.

    Returns
    -------
    theta, y, radius : ndarray, shape (...)
        Radians (positive to the subject's left), mm, mm.
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2] - AXIS_Z_MM
    return np.arctan2(x, z), y, np.hypot(x, z)


def from_cylinder(theta: F64, y: F64, radius: F64) -> F64:
    """Inverse of ``to_cylinder``; returns shape (..., 3)."""
    return np.stack(
        np.broadcast_arrays(radius * np.sin(theta), y, AXIS_Z_MM + radius * np.cos(theta)), axis=-1
    )


def grid_axes(step_mm: int = 1) -> tuple[F64, F64]:
    """Angles (rad, per column) and heights (mm, per row) of the head grid."""
    q = np.arange(-Q_HALF_MM, Q_HALF_MM + 1, step_mm, dtype=np.float64)
    y = np.arange(Y_TOP_MM, Y_BOTTOM_MM - 1, -step_mm, dtype=np.float64)
    return 2 * np.arctan(q / (2 * R0_MM)), y


def _bump(x: F64, centre: float, width: float) -> F64:
    return np.exp(-(((x - centre) / width) ** 2))


def close_mouth_open_lids(points: F64) -> F64:
    """Move points of the canonical mesh to the neutral frame.

    Lips meet at one line and the lids stand about 9 mm apart, as in a
    relaxed face; elsewhere nothing moves by more than 0.1 mm.

    Parameters
    ----------
    points : ndarray, shape (..., 3)
        Canonical mm.

    Returns
    -------
    ndarray, same shape
    """
    x, y = points[..., 0], points[..., 1]
    t = y + 42.75
    near = np.exp(-((np.maximum(np.abs(t) - 2.8, 0) / 8.0) ** 2)) * np.exp(-((x / 27.0) ** 6))
    shift = -np.sign(t) * np.minimum(np.abs(t), 2.55) * near
    eye = np.exp(-(((np.abs(x) - 31.5) / 12.5) ** 4))
    t_eye = y - 26.2
    shift = shift + eye * np.where(t_eye > 0, 1.5, 0.8) * np.tanh(t_eye / 2.0) * np.exp(
        -((t_eye / 10.0) ** 2)
    )
    # the ring above the crease lies under the brow in people, 4 mm above the mesh's place
    shift = shift + eye * 3.2 * np.exp(-(((t_eye - 7.0) / 3.6) ** 2))
    moved = points.copy()
    moved[..., 1] = y + shift
    return moved


@cache
def neutral_vertices() -> F64:
    """Return the 468 canonical vertices in the neutral frame, mm, read-only."""
    vertices = close_mouth_open_lids(canonical_mesh().vertices_mm)
    vertices.flags.writeable = False
    return vertices


def _skull(theta: F64, y: F64) -> F64:
    """Radius of the cranium about the axis; zero above its top."""
    front = np.cos(theta) > 0
    depth = np.where(front, 75.0, 98.0)
    ring = 1 / np.sqrt((np.sin(theta) / 76.0) ** 2 + (np.cos(theta) / depth) ** 2)
    up = np.clip((y - 38.0) / 101.0, 0.0, 1.0)
    return ring * np.sqrt(1 - up**2.2)


def _neck(theta: F64, y: F64) -> F64:
    """Radius of neck, then shoulders and chest, about the head's axis."""
    # an ellipse whose centre lies behind the axis of the head
    a, b, back = 51.0, 54.0, 18.0
    c = np.cos(theta)
    s = np.sin(theta)
    k = (s / a) ** 2 + (c / b) ** 2
    h = c * back / b**2
    neck = (-h + np.sqrt(h**2 + k * (1 - (back / b) ** 2))) / k
    fall = np.clip((-138.0 - y - 6 * np.abs(c)) / 60.0, 0.0, 1.4)
    shoulder = 150.0 * s**2 * fall**1.25 + 34.0 * np.maximum(c, 0) * fall
    return np.asarray(neck + shoulder)


@cache
def _mean_radius() -> F64:
    """Radius of the mean neutral head on the 1 mm grid, shape (rows, columns)."""
    theta, y, radius = to_cylinder(neutral_vertices())
    centres = [np.stack([R0_MM * theta, y], axis=1)]
    values = [radius]

    def add(th: F64, yy: F64, r: F64) -> None:
        centres.append(np.stack([R0_MM * th, yy], axis=1))
        values.append(r)

    # skull above and behind the face
    th, yy = np.meshgrid(np.deg2rad(np.arange(-140.0, 141.0, 14.0)), np.arange(100.0, 151.0, 8.0))
    th, yy = th.ravel(), yy.ravel()
    add(th, yy, _skull(th, yy))
    th, yy = np.meshgrid(
        np.deg2rad(np.array([-140, -125, -112, 112, 125, 140.0])), np.arange(-40.0, 93.0, 14.0)
    )
    th, yy = th.ravel(), yy.ravel()
    blend = np.clip((yy + 45) / 60.0, 0, 1)
    add(th, yy, blend * _skull(th, yy) + (1 - blend) * _neck(th, np.full_like(yy, -100.0)))
    # the neck, and the step from the jaw back to it
    th, yy = np.meshgrid(np.deg2rad(np.arange(-140.0, 141.0, 14.0)), np.arange(-230.0, -127.0, 9.0))
    th, yy = th.ravel(), yy.ravel()
    add(th, yy, _neck(th, yy))
    jaw = list(_OUTLINE_JAW)
    # sampled densely: between the mesh's sparse vertices the spline would bead
    edge_y = PchipInterpolator(theta[jaw], y[jaw])
    edge_r = PchipInterpolator(theta[jaw], radius[jaw])
    jaw_th = np.linspace(theta[jaw[0]], theta[jaw[-1]], 45)
    jaw_y, jaw_r = edge_y(jaw_th), edge_r(jaw_th)
    steep = np.clip((-jaw_y - 22) / 50, 0.25, 1)
    for down, towards in ((4.0, 0.10), (10.0, 0.5), (17.0, 0.9)):
        below = jaw_y - down
        neck = np.minimum(_neck(jaw_th, below), jaw_r - 3)
        w = towards * steep
        add(jaw_th * 1.02, below, (1 - w) * jaw_r + w * neck)
    spline = RBFInterpolator(
        np.concatenate(centres), np.concatenate(values), kernel="thin_plate_spline", smoothing=2.0
    )
    cols, rows = grid_axes(_GRID_STEP_MM)
    uu, vv = np.meshgrid(R0_MM * cols, rows)
    tt = uu / R0_MM
    # the spline is slow: it is evaluated on one half, where no formula says the same
    coarse = _neck(tt, vv)
    middle = uu.shape[1] // 2
    part = (rows < 110) & (rows > -160)
    half = np.stack([uu[part, : middle + 1].ravel(), vv[part, : middle + 1].ravel()], axis=1)
    coarse[part, : middle + 1] = spline(half).reshape(-1, middle + 1)
    coarse[:, middle + 1 :] = coarse[:, :middle][:, ::-1]
    # beyond the cranium's top the radius has to reach zero, which no spline does
    top = np.clip((vv - 88.0) / 20.0, 0, 1)
    coarse = (1 - top) * coarse + top * _skull(tt, vv)
    # below the jaw's edge the control points of the step would show as beads
    edge = np.interp(uu, R0_MM * jaw_th, jaw_y)
    soft = np.clip((edge + 5.0 - vv) / 16.0, 0, 1)
    smooth = cv2.GaussianBlur(coarse, (0, 0), 5.0 / _GRID_STEP_MM)
    coarse = (1 - soft) * coarse + soft * smooth + _ears(tt, vv)
    fine = _upsample(
        np.where(vv > 138.5, -8.0 * (vv - 138.0), np.maximum(coarse, 2.0)), _GRID_STEP_MM
    )
    fine.flags.writeable = False
    return fine


def _ears(theta: F64, y: F64) -> F64:
    """Height of the ears above the side of the head, mm."""
    # the auricle leans back: its upper part lies further behind
    d = np.abs(np.rad2deg(theta)) - 103.0 - 0.10 * (y - 12.0)
    t = (y - 12.0) / 32.0
    outline = np.clip(1 - np.abs(t) ** 2.6, 0, 1) ** 0.6
    wide = 13.0 + 3.0 * t
    front = np.clip(1 - np.abs(d / wide) ** 3, 0, 1) ** 0.7
    lean = 14.0 + 4.5 * np.clip(t, -1, 1) + 0.25 * d
    concha = 4.5 * np.exp(-(((d + 2.0) / 4.5) ** 2) - (((y - 8.0) / 9.0) ** 2))
    return np.asarray(outline * front * lean - concha * outline * front)


def _upsample(coarse: F64, step: int) -> F64:
    """Cubic upsampling of a node-aligned grid by an integer step."""
    rows, cols = coarse.shape
    shape = ((rows - 1) * step + 1, (cols - 1) * step + 1)
    x, y = np.meshgrid(
        np.arange(shape[1], dtype=np.float32) / step, np.arange(shape[0], dtype=np.float32) / step
    )
    fine: F64 = cv2.remap(
        coarse.astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)
    return fine


@dataclass(frozen=True)
class _Mode:
    """One smooth displacement: a Gaussian in frontal x, y, mirrored or single."""

    x: float
    y: float
    sigma_x: float
    sigma_y: float
    shift: tuple[float, float, float]


def _shape_modes(person: Person) -> list[_Mode]:
    rng = np.random.default_rng([person.seed, 11])
    a = np.clip(rng.standard_normal(20), -2, 2) * person.shape_spread
    return [
        _Mode(58, -62, 26, 26, (2.2 * a[0], 0.8 * a[1], 0.0)),  # jaw width
        _Mode(0, -85, 34, 22, (0.0, 2.0 * a[2], 1.6 * a[3])),  # chin
        _Mode(46, -8, 24, 20, (1.2 * a[4], 0.0, 1.6 * a[4])),  # malar
        _Mode(0, -8, 13, 17, (0.0, 1.3 * a[5], 1.6 * a[6])),  # nose tip
        _Mode(15, -14, 9, 10, (1.1 * a[7], 0.0, 0.0)),  # alar width
        _Mode(0, 22, 11, 14, (0.0, 0.0, 1.1 * a[8])),  # nasal bridge
        _Mode(24, -43, 11, 8, (1.1 * a[9], 0.6 * a[10], 0.0)),  # mouth width
        _Mode(0, -37, 22, 6, (0.0, 0.6 * a[11], 0.0)),  # upper lip
        _Mode(0, -51, 20, 7, (0.0, -0.8 * a[12], 0.3 * a[12])),  # lower lip
        _Mode(40, 49, 20, 11, (0.0, 1.3 * a[13], 0.8 * a[14])),  # brow
        _Mode(32, 27, 16, 13, (0.7 * a[15], 0.4 * a[16], 0.0)),  # eye place
        _Mode(62, 66, 36, 30, (1.8 * a[17], 0.0, 0.0)),  # temples
        _Mode(0, 75, 50, 26, (0.0, 0.0, 1.5 * a[18])),  # forehead
    ]


def _asymmetry_modes(person: Person) -> list[_Mode]:
    rng = np.random.default_rng([person.seed, 12])
    a = np.clip(rng.standard_normal(12), -2, 2) * person.shape_spread
    return [
        _Mode(-32, 48, 16, 12, (0.0, 0.5 * a[0], 0.0)),
        _Mode(32, 26, 13, 9, (0.0, 0.25 * a[1], 0.0)),
        _Mode(-24, -43, 13, 11, (0.3 * a[2], 0.5 * a[3], 0.0)),
        _Mode(0, -12, 15, 20, (0.6 * a[4], 0.0, 0.0)),
        _Mode(55, -60, 26, 28, (0.7 * a[5], 0.6 * a[6], 0.0)),
        _Mode(-48, -10, 24, 24, (0.5 * a[7], 0.4 * a[8], 0.5 * a[9])),
    ]


def _dose_modes(truth: FaceTruth, smile: float) -> list[_Mode]:
    s = smile
    return [
        _Mode(38, 49, 24, 10, (0.0, truth.brow_raise_mm, 0.0)),
        _Mode(26, -43, 11, 10, (4.0 * s, truth.mouth_corner_raise_mm + 4.5 * s, -1.5 * s)),
        _Mode(46, -8, 20, 16, (0.5 * s, 2.0 * s, 2.2 * s)),
        _Mode(31, 20, 12, 4.5, (0.0, 1.1 * s, 0.3 * s)),
        _Mode(50, -72, 20, 16, (0.0, -truth.jaw_sag_mm, 0.15 * truth.jaw_sag_mm)),
        _Mode(52, -32, 20, 22, (truth.cheek_fullness_mm * 0.8, 0.0, truth.cheek_fullness_mm * 0.6)),
    ]


#: Height of the upper lids' margin in the neutral frame, mm.
_UPPER_LID_Y_MM = 32.0


def _lid_modes(truth: FaceTruth) -> list[_Mode]:
    """Lift of the upper lids; narrow, so that brows and lower lids stay."""
    a = truth.lid_aperture_mm
    # displacements are functions of the moved point: centred there, the margin moves by all of it
    return [_Mode(31.5, _UPPER_LID_Y_MM + a, 9, 4, (0.0, a, 0.0))]


def _droop_modes(truth: FaceTruth) -> list[_Mode]:
    """Descent of the left brow and the left corner of the mouth."""
    a = truth.asymmetry_mm
    return [
        _Mode(38, 49 - a, 24, 10, (0.0, -a, 0.0)),
        _Mode(26, -43 - a, 11, 10, (0.0, -a, 0.0)),
    ]


def _displacement(
    points: F64, mirrored: list[_Mode], single: list[_Mode], scale: tuple[float, float]
) -> F64:
    """Displacement of person-frame points from the neutral frame, shape (..., 3)."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    total = np.zeros_like(points)
    # the neck and the back of the head stay where they are
    keep = 1 / (1 + np.exp(-(y + 112.0) / 6.0))
    total[..., 0] = scale[0] * x * keep
    total[..., 1] = scale[1] * (y - 20.0) * keep
    side = np.clip((z + 40.0) / 40.0, 0, 1)
    for mode in mirrored:
        if not any(mode.shift):
            continue
        sides = (-1.0, 1.0) if mode.x else (1.0,)
        for sign in sides:
            g = keep * side * _bump(x, sign * mode.x, mode.sigma_x) * _bump(y, mode.y, mode.sigma_y)
            total[..., 0] += g * mode.shift[0] * (sign if mode.x else 0.0)
            total[..., 1] += g * mode.shift[1]
            total[..., 2] += g * mode.shift[2]
    for mode in single:
        if not any(mode.shift):
            continue
        g = keep * side * _bump(x, mode.x, mode.sigma_x) * _bump(y, mode.y, mode.sigma_y)
        for axis in range(3):
            total[..., axis] += g * mode.shift[axis]
    return total


def hairline(theta: F64, middle_mm: float) -> F64:
    """Height y of the hairline at each angle, mm.

    Parameters
    ----------
    theta : ndarray
        Radians.
    middle_mm : float
        Its height at the midline.
    """
    angle = np.abs(np.rad2deg(theta))
    drop = np.interp(
        angle,
        [0, 14, 30, 42, 52, 60, 68, 75, 80, 84, 88, 92, 104, 114, 122, 130, 150],
        [0, 0, 0, -6, -17, -30, -42, -54, -64, -65, -56, -52, -51, -56, -110, -160, -170],
    )
    return np.asarray(middle_mm + drop)


def bag_profile(points: F64) -> F64:
    """Evaluate the unit bulge of an under-eye bag at neutral-frame points, shape (...).

    The crest runs in an arc 9 mm below the lower lid; a shallow groove
    (the tear trough) follows below it.
    """
    x, y = np.abs(points[..., 0]), points[..., 1]
    along = (x - 31.0) / 12.0
    crest = 14.0 + 2.2 * along**2
    t = (y - crest) / 3.6
    return np.asarray(
        np.exp(-(along**4)) * (np.exp(-(t**2)) - 0.35 * np.exp(-(((t + 2.0) / 0.9) ** 2)))
    )


@dataclass(frozen=True, eq=False)
class HeadShape:
    """The person's surface on the 1 mm head grid.

    Attributes
    ----------
    radius_mm : ndarray of float32, shape (rows, columns)
        About the axis.
    normal : ndarray of float32, shape (rows, columns, 3)
        Outward unit normals, head frame.
    uv_mm : ndarray of float32, shape (rows, columns, 2)
        Neutral-frame texture coordinates u = R0·θ, v = y.
    cavity : ndarray of float32, shape (rows, columns)
        Ambient visibility 0..1 from the large shape alone.
    vertices_mm : ndarray of float64, shape (468, 3)
        Where the canonical vertices are on this person.
    eye_centres_mm : ndarray of float64, shape (2, 3)
        Centres of the eyeballs, subject's right then left.
    """

    radius_mm: F32
    normal: F32
    uv_mm: F32
    cavity: F32
    vertices_mm: F64
    eye_centres_mm: F64


#: Radius of the eyeball and of the iris's rim (visible iris 11.7 mm wide, design section 6).
EYEBALL_MM = 12.2
IRIS_MM = 11.7 / 2


@lru_cache(maxsize=8)
def _head_shape(person: Person, doses: tuple[float, ...], smile: float, bag_mm: float) -> HeadShape:
    truth = FaceTruth(
        person=person,
        brow_raise_mm=doses[0],
        mouth_corner_raise_mm=doses[1],
        jaw_sag_mm=doses[2],
        cheek_fullness_mm=doses[3],
        lid_aperture_mm=doses[4],
        asymmetry_mm=doses[5],
    )
    rng = np.random.default_rng([person.seed, 13])
    unlifted = _shape_modes(person) + _dose_modes(truth, smile)
    mirrored = unlifted + _lid_modes(truth)
    single = _asymmetry_modes(person) + _droop_modes(truth)
    sx, sy = 0.018 * person.shape_spread * np.clip(rng.standard_normal(2), -2, 2)
    scale = (float(sx), float(sy))
    mean = _mean_radius().astype(np.float32)
    cols, rows = grid_axes(_GRID_STEP_MM)
    theta, y = np.meshgrid(cols, rows)
    radius = np.asarray(_mean_radius()[::_GRID_STEP_MM, ::_GRID_STEP_MM]).copy()
    source = np.empty((*radius.shape, 3))
    hair_mm = 6.5 * np.clip((y - hairline(theta, person.hairline_mm)) / 16.0, 0, 1) ** 0.7
    hair_mm *= np.clip((139.0 - y) / 14.0, 0, 1) ** 0.5
    for _ in range(6):
        point = from_cylinder(theta, y, np.maximum(radius, 1.0))
        source = point - _displacement(point, mirrored, single, scale)
        t, v, r = to_cylinder(source)
        gx, gy = grid_position(t, v)
        wanted = cv2.remap(
            mean,
            gx.astype(np.float32),
            gy.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        step = 0.95 * (r - wanted - bag_mm * bag_profile(source) - hair_mm)
        radius = np.where(wanted > 0, np.maximum(radius - step, 1.0), wanted)
    t, v, _ = to_cylinder(source)
    fine = _upsample(radius, _GRID_STEP_MM)
    uv = np.stack([_upsample(R0_MM * t, _GRID_STEP_MM), _upsample(v, _GRID_STEP_MM)], axis=-1)
    vertices = neutral_vertices().copy()
    target = _settled(vertices, mirrored, single, scale)
    # the eyeball stays where it is when the lids open over it
    resting = _settled(vertices, unlifted, single, scale)
    # the bag lifts the surface along the radius
    bulge = bag_mm * bag_profile(vertices)
    target, resting = (_bulged(points, bulge) for points in (target, resting))
    eyes = []
    for corner_out, corner_in, top, bottom in ((33, 133, 159, 145), (263, 362, 386, 374)):
        lids = resting[[top, bottom]].mean(axis=0)
        middle = resting[[corner_out, corner_in]].mean(axis=0)
        eyes.append([(lids[0] + middle[0]) / 2, lids[1] + 0.75, lids[2] + 0.4 - EYEBALL_MM])
    return HeadShape(
        radius_mm=fine.astype(np.float32),
        normal=_normals(fine).astype(np.float32),
        uv_mm=uv.astype(np.float32),
        cavity=_cavity(fine).astype(np.float32),
        vertices_mm=target,
        eye_centres_mm=np.array(eyes),
    )


def _settled(
    vertices: F64, mirrored: list[_Mode], single: list[_Mode], scale: tuple[float, float]
) -> F64:
    """Move neutral vertices to where the displacement, a function of the goal, takes them."""
    target = vertices + 0
    for _ in range(12):
        target = vertices + _displacement(target, mirrored, single, scale)
    return target


def _bulged(points: F64, bulge: F64) -> F64:
    theta, y, radius = to_cylinder(points)
    return from_cylinder(theta, y, radius + bulge)


def head_shape(truth: FaceTruth, *, smile: float = 0.0) -> HeadShape:
    """Surface of a truth's head.

    Parameters
    ----------
    truth : FaceTruth
    smile : float
        Expression, 0 to 1.

    Returns
    -------
    HeadShape
        Cached for the last few persons and doses.
    """
    doses = (
        truth.brow_raise_mm,
        truth.mouth_corner_raise_mm,
        truth.jaw_sag_mm,
        truth.cheek_fullness_mm,
        truth.lid_aperture_mm,
        truth.asymmetry_mm,
    )
    # colours do not change the shape: without them more calls hit the cache
    bare = Person(
        seed=truth.person.seed,
        shape_spread=truth.person.shape_spread,
        hairline_mm=truth.person.hairline_mm,
    )
    return _head_shape(bare, doses, smile, truth.under_eye_bag_mm)


def grid_position(theta: F64, y: F64) -> tuple[F64, F64]:
    """Column and row (fractional) of cylinder coordinates on the 1 mm grid."""
    return 2 * R0_MM * np.tan(theta / 2) + Q_HALF_MM, Y_TOP_MM - y


def _normals(radius: F64) -> F64:
    theta, y = grid_axes()
    tt, yy = np.meshgrid(theta, y)
    point = from_cylinder(tt, yy, np.asarray(cv2.GaussianBlur(radius, (0, 0), 1.2), np.float64))
    d_col = np.gradient(point, axis=1)
    d_row = np.gradient(point, axis=0)
    normal = np.cross(d_row, d_col)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9))


def _cavity(radius: F64) -> F64:
    """Ambient visibility from concavity at three scales."""
    dark = np.zeros_like(radius)
    for sigma, gain in ((3.0, 0.11), (8.0, 0.045), (20.0, 0.018)):
        dark += gain * np.clip(cv2.GaussianBlur(radius, (0, 0), sigma) - radius, 0, None)
    return np.asarray(1 / (1 + dark))


def neutral_surface(points_mm: F64) -> F64:
    """Texture coordinates of points given in the canonical frontal projection.

    Each point is carried by its triangle of the canonical mesh (by the
    nearest one outside of it) to the neutral frame, so that it stays where
    a rectified photograph shows it.

    Parameters
    ----------
    points_mm : ndarray of float64, shape (N, 2)
        Canonical x, y.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        u, v in mm.
    """
    lifted = carry(points_mm, neutral_vertices())
    theta, y, _ = to_cylinder(lifted)
    return np.stack([R0_MM * theta, y], axis=1)


def carry(points_mm: F64, vertices: F64) -> F64:
    """Move canonical frontal points onto another set of mesh vertices.

    Parameters
    ----------
    points_mm : ndarray of float64, shape (N, 2)
        Canonical x, y in mm.
    vertices : ndarray of float64, shape (468, D)
        Vertices to interpolate.

    Returns
    -------
    ndarray of float64, shape (N, D)
    """
    flat, inverse, triangles, centre = _triangle_lookup()
    points = np.asarray(points_mm, dtype=np.float64)
    delta = points[:, None, :] - flat[None, triangles[:, 2], :]
    ab = np.einsum("tij,ntj->nti", inverse, delta)
    bary = np.concatenate([ab, 1 - ab.sum(axis=2, keepdims=True)], axis=2)
    outside = np.maximum(-bary.min(axis=2), 0)
    # outside of the mesh the least extrapolating triangle nearby carries the point
    near = np.linalg.norm(points[:, None, :] - centre[None], axis=2)
    best = np.argmin(np.where(outside <= 1e-9, near * 1e-6, 1 + outside + 0.01 * near), axis=1)
    rows = np.arange(len(points))
    return np.asarray(np.einsum("nk,nkd->nd", bary[rows, best], vertices[triangles[best]]))


@cache
def _triangle_lookup() -> tuple[F64, F64, NDArray[np.int32], F64]:
    mesh = canonical_mesh()
    flat = mesh.vertices_mm[:, :2]
    triangles = mesh.triangles
    a, b, c = (flat[triangles[:, k]] for k in range(3))
    edges = np.stack([a - c, b - c], axis=2)
    # triangles seen from behind or edge-on (inside of nostrils and lips) carry nothing
    keep = np.linalg.det(edges) > 0.3
    return flat, np.linalg.inv(edges[keep]), triangles[keep], ((a + b + c) / 3)[keep]


def mean_frontal(u: F32, v: F32) -> F32:
    """Frontal x (mm) of the mean neutral surface at texture coordinates.

    Parameters
    ----------
    u, v : ndarray of float32, shape (H, W)

    Returns
    -------
    ndarray of float32, shape (H, W)
    """
    theta = u.astype(np.float32) / np.float32(R0_MM)
    column = np.float32(2 * R0_MM) * np.tan(theta / 2) + np.float32(Q_HALF_MM)
    radius = cv2.remap(
        _mean_radius().astype(np.float32),
        column.astype(np.float32),
        (np.float32(Y_TOP_MM) - v).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(radius * np.sin(theta), dtype=np.float32)
