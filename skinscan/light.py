"""Where the light of a photo comes from, read off the face itself.

One lamp and light from all around, fitted to the brightness of the skin over its normals. With
normals alone (spherical harmonics; Basri & Jacobs 2003, doi:10.1109/TPAMI.2003.1177153;
Ramamoorthi & Hanrahan 2001, doi:10.1145/383259.383317) the direction is more than three times as
far from the truth: a face shows only half of the sphere, and over that half the orders mix
(docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from skinscan.facemap import FaceMap, atlas_points_px
from skinscan.frame import GRID_PX_MM, atlas_mesh, map_size
from skinscan.landmarks import Face
from skinscan.pixels import median
from skinscan.regions import groups, region_mask
from skinscan.resizing import resized_area

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Vector = tuple[float, float, float]

#: The face is looked at in squares of this many grid pixels (4 mm).
_SQUARE = 8
#: Squares with less skin, or turned further away, are left out.
_LEAST_SKIN, _LEAST_FACING = 0.5, 0.3
#: With fewer squares there is no fit.
_LEAST_SQUARES = 150

#: Light from all around is stronger from above: rooms have brighter ceilings than floors. A lamp
#: cannot be told from such a gradient, so this is assumed, not fitted.
_CEILING = 0.25
#: Skin scatters light past the terminator, and lamps have a width: cos² of half a hemisphere more.
_WRAP = 0.25
#: Exponent of the gloss (Blinn 1977, doi:10.1145/563858.563893), broad as on skin.
_GLOSS_POWER = 10.0
#: Concentration of the lamp that casts shadows: edges of about 18°.
_SHADOW_EDGE = 10.0
#: Misses beyond this (in ln Y) count as spots, shadows or hair and lose weight.
_OUTLIER = 0.08
#: Weak expectations, which decide only where the photo says nothing: lamp 1.5 times the light
#: from all around, no gloss.
_USUAL_RATIO, _RATIO_PULL, _GLOSS_PULL = 1.5, 0.02, 0.02
#: The standard error of independent misses, times this, is that of the direction: misses of
#: neighbouring squares go together, and the shape is not exactly this person's. Set so that the
#: median error of 72 phantoms is that of two normal components.
_SEM_FACTOR = 6.5

#: Directions in which shadows are tabulated: this many on the sphere, those down to this z kept.
_DIRECTIONS, _LOWEST_Z = 240, -0.35
#: Shadow rays start above the surface, which is known no better than that.
_RAY_LIFT_MM, _RAY_START_MM, _RAY_END_MM, _RAY_STEP_MM = 1.5, 3.0, 90.0, 2.5
#: Tangent over which a shadow's edge runs from full to none.
_RAY_EDGE = 0.2
_BEHIND_MM = -200.0

_ROUNDS = 30
#: Every so many pixels are enough for the median colour.
_SPARSE = 3
_NAN3: Vector = (float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Light:
    """The light of one photo.

    Attributes
    ----------
    face_xyz, camera_xyz : tuple of float
        Unit vector towards the lamp, in the frame of the face (x to the subject's left, y up, z
        out of the face) and in that of the camera (x right in the picture, y up, z to the camera).
    directed_share : float
        Lamp / (lamp + light from all around): 0 = the same from everywhere, 1 = lamp only.
    left_right_pct : float
        Brightness of the subject's left minus right half of the face, 100·Δln Y, median of paired
        regions.
    red_green_pct, blue_green_pct : float
        Median 100·ln R/G and 100·ln B/G of the skin: the colour of light and skin together, so
        only differences between photos of one person tell of the light.
    miss_pct : float
        Median distance of the skin from the fit, 100·Δln Y.
    sem_deg : float
        Standard error of the direction.
    """

    face_xyz: Vector
    camera_xyz: Vector
    directed_share: float
    left_right_pct: float
    red_green_pct: float
    blue_green_pct: float
    miss_pct: float
    sem_deg: float

    @property
    def azimuth_deg(self) -> float:
        """Angle about the face's vertical, positive to the subject's left."""
        return _azimuth_deg(self.face_xyz)

    @property
    def elevation_deg(self) -> float:
        """Angle above the face's horizontal plane."""
        return _arcsine_deg(self.face_xyz[1])

    @property
    def camera_azimuth_deg(self) -> float:
        """Angle about the picture's vertical, positive to the right of the picture."""
        return _azimuth_deg(self.camera_xyz)

    @property
    def camera_elevation_deg(self) -> float:
        """Angle above the camera's horizontal plane."""
        return _arcsine_deg(self.camera_xyz[1])

    @property
    def side_deg(self) -> float:
        """Angle between the lamp and the plane that halves the face, positive to the left."""
        return _arcsine_deg(self.face_xyz[0])


def _azimuth_deg(towards: Vector) -> float:
    return float(np.degrees(np.arctan2(towards[0], towards[2])))


def _arcsine_deg(share: float) -> float:
    return float(np.degrees(np.arcsin(np.clip(share, -1.0, 1.0))))


def angle_between_deg(a: Light, b: Light) -> float:
    """Angle between the lamps of two photos in the frame of the face, degrees.

    The shading of a wrinkle depends on the lamp relative to the face, not to the camera.
    """
    cosine = float(np.dot(a.face_xyz, b.face_xyz))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def estimate_light(facemap: FaceMap, face: Face) -> Light:
    """Estimate the light of a photo from the skin of its FaceMap.

    Parameters
    ----------
    facemap : FaceMap
    face : Face
        Of the same photo.

    Returns
    -------
    Light
        NaN throughout where too little skin is seen; the evenness is NaN where no pair of
        regions is.
    """
    red_green, blue_green = _chromaticity_pct(facemap)
    left_right = _left_right_pct(facemap)
    squares = _squares(facemap, face)
    if squares is None:
        nan = float("nan")
        return Light(_NAN3, _NAN3, nan, left_right, red_green, blue_green, nan, nan)
    found = _fitted(squares)
    lamp = found.solution[1:4]
    ratio = float(np.linalg.norm(lamp))
    towards = lamp / ratio
    return Light(
        face_xyz=_vector(towards),
        camera_xyz=_vector(face.rotation @ towards),
        directed_share=ratio / (1.0 + ratio),
        left_right_pct=left_right,
        red_green_pct=red_green,
        blue_green_pct=blue_green,
        miss_pct=100.0 * found.miss,
        sem_deg=found.sem_deg,
    )


def _vector(values: F64) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


# --- what the face shows ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Squares:
    """The squares of skin that are fitted: N of them.

    Attributes
    ----------
    log_y : ndarray of float64, shape (N,)
    normals : ndarray of float64, shape (N, 3)
        In the frame of the face.
    reach : ndarray of float32, shape (N, D)
        How much of a lamp in each tabulated direction reaches each square, 0..1.
    up, view : ndarray of float64, shape (3,)
        The camera's vertical, and the direction to it, in the frame of the face.
    """

    log_y: F64
    normals: F64
    reach: F32
    up: F64
    view: F64


def _squares(facemap: FaceMap, face: Face) -> _Squares | None:
    rows, columns = (n // _SQUARE for n in map_size(GRID_PX_MM))
    base = facemap.layers[min(facemap.layers)]
    y = np.exp(resized_area(base.log_y, *map_size(GRID_PX_MM)) / np.float32(100.0))
    skin = facemap.skin.astype(np.float32)
    share = resized_area(skin, rows, columns)
    facing = np.nan_to_num(facemap.facing[_middles()])
    use = (share > _LEAST_SKIN) & (facing > _LEAST_FACING) & _inside()
    if int(use.sum()) < _LEAST_SQUARES:
        return None
    mean = resized_area(y * skin, rows, columns)[use] / share[use]
    return _Squares(
        log_y=np.log(mean.astype(np.float64)),
        normals=_normals(face)[use],
        reach=_reach()[use],
        up=face.rotation.T @ np.array([0.0, 1.0, 0.0]),
        view=face.rotation.T @ np.array([0.0, 0.0, 1.0]),
    )


def _middles() -> tuple[slice, slice]:
    """Index of the grid pixel in the middle of each square."""
    return (slice(_SQUARE // 2, None, _SQUARE),) * 2


@cache
def _inside() -> NDArray[np.bool_]:
    return np.asarray(atlas_mesh().grid_triangle[_middles()] >= 0)


def _at_middles(values: F64) -> F64:
    """Interpolate per-vertex values, shape (V, C), at the squares: (rows, columns, C)."""
    atlas = atlas_mesh()
    corners = atlas.triangles[np.maximum(atlas.grid_triangle[_middles()], 0)]
    return np.asarray((values[corners] * atlas.grid_weights[_middles()][..., None]).sum(axis=2))


def _normals(face: Face) -> F64:
    """Return the unit normals at the squares, in the frame of the face, shape (rows, columns, 3).

    Half from the landmarks, which are this person's and uncertain in depth, half from the
    canonical mesh, which is nobody's and smooth: nearer to the truth than either.
    """
    own = (atlas_points_px(face) * np.array([1.0, -1.0, 1.0])) @ face.rotation
    normals = _at_middles(_vertex_normals(own) + _canonical_normals())
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9))


@cache
def _canonical_normals() -> F64:
    return _vertex_normals(atlas_mesh().vertices_mm)


def _vertex_normals(vertices: F64) -> F64:
    """Return normals at the vertices, averaged with those of the neighbours: shape (V, 3)."""
    triangles = atlas_mesh().triangles
    corner = vertices[triangles]
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    around = _corners_of() @ flat
    unit = around / np.maximum(np.linalg.norm(around, axis=1), 1e-9)[:, None]
    return np.asarray(_neighbours() @ unit)


@cache
def _corners_of() -> csr_array:
    """Sum of what belongs to the triangles around each vertex, shape (V, T)."""
    atlas = atlas_mesh()
    count = len(atlas.triangles)
    at = (atlas.triangles.ravel(), np.repeat(np.arange(count), 3))
    return coo_array((np.ones(3 * count), at), shape=(len(atlas.vertices_mm), count)).tocsr()


@cache
def _neighbours() -> csr_array:
    """Mean over a vertex and those that share an edge with it, shape (V, V)."""
    together = (_corners_of() @ _corners_of().T).tocsr()
    together.data[:] = 1.0
    return csr_array(together.multiply(1.0 / together.sum(axis=1)[:, None]))


@cache
def _directions() -> F64:
    """Directions spread evenly over the part of the sphere in front of the face, shape (D, 3)."""
    k = np.arange(_DIRECTIONS) + 0.5
    z = 1.0 - 2.0 * k / _DIRECTIONS
    angle = np.pi * (1.0 + np.sqrt(5.0)) * k
    side = np.sqrt(1.0 - z * z)
    points = np.column_stack([side * np.cos(angle), side * np.sin(angle), z])
    return np.asarray(points[z > _LOWEST_Z])


@cache
def _reach() -> F32:
    """Cast shadows of the canonical face: shape (rows, columns, D), 0 shaded, 1 lit.

    From each square a ray walks over the face's relief towards the lamp; the nearest miss
    relative to the distance gives a soft edge.
    """
    depth = _at_middles(atlas_mesh().vertices_mm)[..., 2]
    inside = _inside()
    relief = np.where(inside, depth, _BEHIND_MM).astype(np.float32)
    px_mm = GRID_PX_MM / _SQUARE
    v, u = (at.astype(np.float32) for at in np.nonzero(inside))
    own = relief[inside]
    # All steps of a ray at once, one below the other.
    travelled = np.arange(_RAY_START_MM, _RAY_END_MM, _RAY_STEP_MM)[:, None]
    reach = np.zeros((*relief.shape, len(_directions())), dtype=np.float32)
    for k, (x, y, z) in enumerate(_directions()):
        below = cv2.remap(
            relief,
            u + (travelled * x * px_mm).astype(np.float32),
            v - (travelled * y * px_mm).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_BEHIND_MM,
        )
        height = own + (_RAY_LIFT_MM + travelled * z).astype(np.float32)
        clear = ((height - below) / travelled.astype(np.float32)).min(axis=0)
        reach[inside, k] = np.clip(0.5 + clear / np.float32(_RAY_EDGE), 0.0, 1.0)
    return reach


# --- the fit ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Fit:
    """Parameters found, their median miss in ln Y, and the direction's standard error."""

    solution: F64
    miss: float
    sem_deg: float


def _predicted(squares: _Squares, parameters: F64) -> F64:
    """Ln Y of each square under each set of parameters: (M, 5) -> (M, N).

    A set is: level in ln Y, lamp (three, its length relative to the light from all around),
    gloss relative to the matt skin.
    """
    level, lamp, gloss = parameters[:, :1], parameters[:, 1:4], np.abs(parameters[:, 4:])
    ratio = np.maximum(np.linalg.norm(lamp, axis=1, keepdims=True), 1e-9)
    towards = lamp / ratio
    near = np.exp(_SHADOW_EDGE * (_directions() @ towards.T - 1.0))
    lit = (squares.reach @ (near / near.sum(axis=0)).astype(np.float32)).T
    matt = np.maximum((towards @ squares.normals.T + _WRAP) / (1.0 + _WRAP), 0.0) ** (1.0 + _WRAP)
    half = squares.view + towards
    half = half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9)
    shine = np.maximum(half @ squares.normals.T, 0.0) ** _GLOSS_POWER
    around = 1.0 + _CEILING * (squares.normals @ squares.up)
    light = around + ratio * lit * (matt + gloss * shine)
    return np.asarray(level + np.log(np.maximum(light, 1e-3)))


def _misses(squares: _Squares, parameters: F64) -> F64:
    """Misses of the squares, then of the two expectations: (M, 5) -> (M, N + 2)."""
    root = np.sqrt(len(squares.log_y))
    ratio = np.maximum(np.linalg.norm(parameters[:, 1:4], axis=1), 1e-9)
    pulls = [
        _RATIO_PULL * root * np.log(ratio / _USUAL_RATIO),
        _GLOSS_PULL * root * parameters[:, 4],
    ]
    return np.column_stack([_predicted(squares, parameters) - squares.log_y, *pulls])


def _cost(misses: F64) -> float:
    return float((np.sqrt(1.0 + (misses / _OUTLIER) ** 2) - 1.0).sum())


def _start(squares: _Squares) -> F64:
    """First-order fit: the direction in which the skin gets brighter."""
    y = np.exp(squares.log_y - median(squares.log_y))
    design = np.column_stack([np.ones(len(y)), squares.normals])
    slope = np.linalg.lstsq(design, np.minimum(y, 2.0), rcond=None)[0][1:]
    slope /= max(float(np.linalg.norm(slope)), 1e-9)
    return np.array([float(median(squares.log_y)) - 0.5, *slope, 0.1])


def _fitted(squares: _Squares) -> _Fit:
    """Levenberg-Marquardt with weights that fall for outliers (pseudo-Huber loss)."""
    at = _start(squares)
    misses = _misses(squares, at[None])[0]
    cost, damping, step = _cost(misses), 1e-2, 1e-4
    size = len(at)
    normal = np.eye(size)
    for _ in range(_ROUNDS):
        slopes = (_misses(squares, at + step * np.eye(size)) - misses) / step
        weighted = slopes / np.sqrt(1.0 + (misses / _OUTLIER) ** 2)
        normal, gradient = weighted @ slopes.T, weighted @ misses
        before = cost
        for _ in range(6):
            move = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -gradient)
            tried = _misses(squares, (at + move)[None])[0]
            if (now := _cost(tried)) < cost:
                at, misses, cost, damping = at + move, tried, now, damping / 5.0
                break
            damping *= 5.0
        if before - cost < 1e-6 * before:
            break
    own = misses[: len(squares.log_y)]
    return _Fit(at, float(median(np.abs(own))), _sem_deg(at, normal, own))


def _sem_deg(at: F64, normal: F64, misses: F64) -> float:
    """Return the standard error of the direction: that of the lamp across itself."""
    weight = 1.0 / np.sqrt(1.0 + (misses / _OUTLIER) ** 2)
    variance = float((weight * misses**2).sum() / max(len(misses) - len(at), 1))
    spread = np.linalg.pinv(normal)[1:4, 1:4] * variance
    towards = at[1:4] / np.linalg.norm(at[1:4])
    across = float(np.trace(spread) - towards @ spread @ towards)
    radians = np.sqrt(max(across, 0.0)) / float(np.linalg.norm(at[1:4]))
    return float(min(_SEM_FACTOR * np.degrees(radians), 180.0))


# --- evenness and colour ---------------------------------------------------------------------


def _left_right_pct(facemap: FaceMap) -> float:
    """Median brightness of the left minus the right one of paired regions, 100·Δln Y."""
    level = min(facemap.layers)
    layer = facemap.layers[level]
    differences = []
    for members in groups().values():
        if len(members) != 2:
            continue
        left, right = sorted(members, key=lambda r: r.name)
        both = [layer.log_y[region_mask(r.name, level) & layer.skin] for r in (left, right)]
        if min(len(b) for b in both) > 50:
            differences.append(float(median(both[0]) - median(both[1])))
    return float(np.median(differences)) if differences else float("nan")


def _chromaticity_pct(facemap: FaceMap) -> tuple[float, float]:
    """Median 100·ln R/G and 100·ln B/G of the skin."""
    base = facemap.layers[min(facemap.layers)]
    if base.linear is None:
        return float("nan"), float("nan")
    skin = base.linear[::_SPARSE, ::_SPARSE][base.skin[::_SPARSE, ::_SPARSE]]
    if not len(skin):
        return float("nan"), float("nan")
    red, green, blue = np.maximum(median(skin.T), 1e-4)
    return float(100.0 * np.log(red / green)), float(100.0 * np.log(blue / green))


__all__ = ["Light", "angle_between_deg", "estimate_light"]
