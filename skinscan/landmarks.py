"""Photo -> Face: 478 landmarks, head pose, expression and scale.

The landmark model stands behind the two-method interface `FaceFinder`, so that
it can be replaced without touching anything else.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.errors import FaceTooSmallError, NoFaceError, SeveralFacesError
from skinscan.mesh import canonical_mesh
from skinscan.photo import Photo, captured_stderr
from skinscan.resources import landmark_model_bytes

#: Horizontal visible iris diameter of adults in mm (design, section 6: 11.7 ± 0.5).
IRIS_DIAMETER_MM = 11.7

#: Longest side in px of the picture given to the model, whose own input is 256 px a side.
_SEARCH_SIDE_PX = 1024
#: Below this inter-pupil distance in the searched picture the face is cut out and searched again.
_REFINE_BELOW_PUPILS_PX = 90.0
#: A face with fewer px between its pupils carries no usable skin at any level.
_SMALLEST_PUPILS_PX = 40.0
#: Up to this yaw a photo counts as a front view.
_FRONT_VIEW_YAW_DEG = 20.0

_RIGHT_IRIS = (468, 469, 470, 471, 472)
_LEFT_IRIS = (473, 474, 475, 476, 477)


class View(StrEnum):
    """Which side of the face the camera sees (left and right are the subject's)."""

    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Pose:
    """Rotation of the head, in degrees.

    Attributes
    ----------
    yaw_deg : float
        Positive when the subject turns to their own left, which shows their right side.
    pitch_deg : float
        Positive when the subject looks up.
    roll_deg : float
        Positive when the head is tilted clockwise in the picture.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, eq=False)
class RawFace:
    """What a `FaceFinder` returns for one face.

    Attributes
    ----------
    points_px : ndarray of float64, shape (478, 3)
        x, y in px of the searched picture; z in the same unit, negative towards the camera.
    blendshapes : Mapping[str, float]
        Expression coefficients in 0..1.
    """

    points_px: NDArray[np.float64]
    blendshapes: Mapping[str, float]


class FaceFinder(Protocol):
    """The only door to a landmark model."""

    def find(self, rgb: NDArray[np.uint8]) -> list[RawFace]:
        """Return the faces in an sRGB picture of shape (H, W, 3)."""
        ...

    def close(self) -> None:
        """Free the model; `find` must not be called afterwards."""
        ...


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one photo.

    Attributes
    ----------
    landmarks_px : ndarray of float64, shape (478, 2)
        Pixels of the full-size oriented photo; origin at the centre of the top-left pixel.
    depth_px : ndarray of float64, shape (478,)
        Depth in the same unit, larger towards the camera.
    pose : Pose
        Head rotation.
    rotation : ndarray of float64, shape (3, 3)
        Canonical frame -> camera frame (x right, y up, z towards the camera).
    expression : Mapping[str, float]
        The 52 blendshape coefficients in 0..1.
    scale_iris_px_mm, scale_mesh_px_mm : float
        Pixels of the full-size photo per mm, from the iris (11.7 mm) and from the
        fit of the canonical mesh. Their ratio differs between people.
    faces_in_photo : int
        How many faces the photo shows.
    """

    landmarks_px: NDArray[np.float64]
    depth_px: NDArray[np.float64]
    pose: Pose
    rotation: NDArray[np.float64]
    expression: Mapping[str, float]
    scale_iris_px_mm: float
    scale_mesh_px_mm: float
    faces_in_photo: int = 1

    @property
    def view(self) -> View:
        """View recognised from the yaw."""
        if abs(self.pose.yaw_deg) <= _FRONT_VIEW_YAW_DEG:
            return View.FRONT
        return View.RIGHT if self.pose.yaw_deg > 0 else View.LEFT

    @property
    def pupils_px(self) -> float:
        """Distance between the iris centres in px of the full-size photo."""
        return float(np.hypot(*(self.landmarks_px[468] - self.landmarks_px[473])))


class _MediaPipeFinder:
    """FaceLandmarker behind `FaceFinder`; calls are serialised."""

    def __init__(self, *, max_faces: int = 4) -> None:
        with captured_stderr():
            import mediapipe  # noqa: PLC0415 - half a second that `import skinscan` must not pay
            from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415

            self._image_type: Any = mediapipe.Image
            self._srgb: Any = mediapipe.ImageFormat.SRGB
            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=landmark_model_bytes()),
                num_faces=max_faces,
                output_face_blendshapes=True,
            )
            self._model: Any = vision.FaceLandmarker.create_from_options(options)
            # The graph's threads write their start-up lines during the first detection.
            self._detect(np.zeros((64, 64, 3), dtype=np.uint8))
        self._lock = threading.Lock()

    def _detect(self, rgb: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - mediapipe has no types
        image = self._image_type(image_format=self._srgb, data=np.ascontiguousarray(rgb))
        return self._model.detect(image)

    def find(self, rgb: NDArray[np.uint8]) -> list[RawFace]:
        with self._lock:
            if self._model is None:
                return []
            result = self._detect(rgb)
        height, width = rgb.shape[:2]
        size = np.array([width, height, width], dtype=np.float64)
        faces = []
        for points, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
            unit = np.array([(p.x, p.y, p.z) for p in points], dtype=np.float64)
            # Normalised coordinates have their origin at the corner of the picture.
            scaled = unit * size - np.array([0.5, 0.5, 0.0])
            faces.append(
                RawFace(
                    points_px=scaled,
                    blendshapes=MappingProxyType(
                        {s.category_name: float(s.score) for s in shapes if s.category_name}
                    ),
                )
            )
        return faces

    def close(self) -> None:
        with self._lock:
            if self._model is not None:
                with captured_stderr():
                    self._model.close()
                self._model = None


@cache
def default_finder() -> FaceFinder:
    """Return this process's landmark model, made on the first call."""
    # Importing mediapipe leaves a caught error behind for good, and with it all that is on the
    # stack: without a thread of its own, the first photo of the process.
    with ThreadPoolExecutor(1) as apart:
        finder = apart.submit(_MediaPipeFinder).result()
    # mediapipe closes through a thread pool, which refuses work once `atexit` runs; this hook,
    # the one that concurrent.futures itself uses, comes earlier.
    register = getattr(threading, "_register_atexit", atexit.register)
    register(finder.close)
    return finder


def fit_mesh(
    points_px: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Fit the canonical mesh to landmarks by a weighted similarity transform.

    Parameters
    ----------
    points_px : ndarray of float64, shape (>= 468, 3)
        Landmarks in px: x right, y down, z negative towards the camera.

    Returns
    -------
    rotation : ndarray of float64, shape (3, 3)
        Canonical frame -> camera frame (x right, y up, z towards the camera).
    scale_px_mm : float
        Pixels per mm.

    Notes
    -----
    Closed-form least squares after Umeyama (1991), doi:10.1109/34.88573, on the
    33 weighted landmarks that the model bundle names for this purpose.
    """
    mesh = canonical_mesh()
    source = mesh.vertices_mm[mesh.fit_index]
    target = points_px[mesh.fit_index] * np.array([1.0, -1.0, -1.0])
    weight = mesh.fit_weight / mesh.fit_weight.sum()
    source = source - weight @ source
    target = target - weight @ target
    covariance = (target * weight[:, None]).T @ source
    u, s, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((s * sign).sum() / (weight @ (source**2).sum(axis=1)))
    return rotation, scale


def pose_of(rotation: NDArray[np.float64]) -> Pose:
    """Read yaw, pitch and roll in degrees from a (3, 3) rotation."""
    forward = rotation[:, 2]
    yaw = np.degrees(np.arctan2(forward[0], forward[2]))
    pitch = np.degrees(np.arcsin(np.clip(forward[1], -1.0, 1.0)))
    side = rotation[:, 0]
    roll = np.degrees(np.arctan2(-side[1], np.hypot(side[0], side[2])))
    return Pose(yaw_deg=float(yaw), pitch_deg=float(pitch), roll_deg=float(roll))


def _iris_scale(points_px: NDArray[np.float64], yaw_deg: float) -> float:
    """Pixels per mm from the width of both irises, undoing the turn of the head."""
    widths = [
        np.hypot(*(points_px[ring[1], :2] - points_px[ring[3], :2]))
        for ring in (_RIGHT_IRIS, _LEFT_IRIS)
    ]
    # The eye on the far side is foreshortened most; the wider iris is the better seen one.
    width = max(widths) if abs(yaw_deg) > _FRONT_VIEW_YAW_DEG else float(np.mean(widths))
    return float(width / IRIS_DIAMETER_MM / max(np.cos(np.radians(yaw_deg)), 0.5))


def _shrink(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    factor = side / max(rgb.shape[:2])
    if factor >= 1.0:
        return rgb
    size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _moved(raw: RawFace, *, ratio: NDArray[np.float64], offset: NDArray[np.float64]) -> RawFace:
    """Express a face of a resized cut-out in px of the picture it was cut from."""
    points = raw.points_px.copy()
    points[:, :2] = (points[:, :2] + 0.5) * ratio - 0.5 + offset
    points[:, 2] *= ratio[0]
    return RawFace(points_px=points, blendshapes=raw.blendshapes)


def _search(
    rgb: NDArray[np.uint8], finder: FaceFinder, box: tuple[int, int, int, int]
) -> list[RawFace]:
    x0, y0, x1, y1 = box
    cut = rgb[y0:y1, x0:x1]
    small = _shrink(cut, _SEARCH_SIDE_PX)
    ratio = np.array([cut.shape[1] / small.shape[1], cut.shape[0] / small.shape[0]])
    return [
        _moved(raw, ratio=ratio, offset=np.array([x0, y0], dtype=np.float64))
        for raw in finder.find(small)
    ]


def _pupils(raw: RawFace) -> float:
    return float(np.hypot(*(raw.points_px[468, :2] - raw.points_px[473, :2])))


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping cut-outs of half the size, for a face too small in the whole picture."""
    w, h = max(width // 2, 1), max(height // 2, 1)
    for y0 in (0, h // 2, height - h):
        for x0 in (0, w // 2, width - w):
            yield x0, y0, x0 + w, y0 + h


def _refined(rgb: NDArray[np.uint8], raw: RawFace, finder: FaceFinder) -> RawFace:
    """Search again in a cut-out around a face that was small in the first search."""
    height, width = rgb.shape[:2]
    low, high = raw.points_px[:, :2].min(axis=0), raw.points_px[:, :2].max(axis=0)
    margin = 0.6 * float((high - low).max())
    x0, y0 = np.maximum(np.floor(low - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high + margin), [width, height]).astype(int)
    centre = raw.points_px[:, :2].mean(axis=0)
    near = [
        found
        for found in _search(rgb, finder, (int(x0), int(y0), int(x1), int(y1)))
        if np.hypot(*(found.points_px[:, :2].mean(axis=0) - centre)) < margin
    ]
    return max(near, key=_pupils) if near else raw


@dataclass(frozen=True)
class FaceOptions:
    """How to choose among faces.

    Attributes
    ----------
    largest : bool
        Take the largest of several faces instead of raising.
    ignore_smaller_than : float
        A second face counts only when its pupil distance is at least this share
        of the largest face's: a picture on the wall is not a second client.
    """

    largest: bool = False
    ignore_smaller_than: float = field(default=0.25)


def find_face(
    photo: Photo,
    *,
    options: FaceOptions | None = None,
    finder: FaceFinder | None = None,
) -> Face:
    """Find the face in a photo.

    Parameters
    ----------
    photo : Photo
        At any reduction; landmarks are returned in full-size pixels.
    options : FaceOptions, optional
        What to do when there are several faces.
    finder : FaceFinder, optional
        Landmark model; the process's own by default.

    Returns
    -------
    Face

    Raises
    ------
    NoFaceError
        No face was found.
    SeveralFacesError
        More than one face, and ``options.largest`` is false.
    FaceTooSmallError
        Fewer than 40 px between the pupils.
    """
    options = options or FaceOptions()
    finder = finder or default_finder()
    height, width = photo.rgb.shape[:2]
    found = _search(photo.rgb, finder, (0, 0, width, height))
    if not found:
        for tile in _tiles(height, width):
            found = _search(photo.rgb, finder, tile)
            if found:
                break
    if not found:
        raise NoFaceError(
            expected="one face, seen from the front or up to 45° from the side",
            found="none",
            remedy="Fill the frame with the face, in even light, nothing covering it",
        )
    found.sort(key=_pupils, reverse=True)
    rivals = [f for f in found if _pupils(f) >= options.ignore_smaller_than * _pupils(found[0])]
    if len(rivals) > 1 and not options.largest:
        raise SeveralFacesError(
            expected="one face",
            found=f"{len(rivals)}",
            remedy="Crop the photo to the client, or ask for the largest face",
        )
    best = found[0]
    shrink = min(1.0, _SEARCH_SIDE_PX / max(height, width))
    if _pupils(best) * shrink < _REFINE_BELOW_PUPILS_PX:
        best = _refined(photo.rgb, best, finder)
    return _to_face(best, photo, faces=len(rivals))


def _to_face(raw: RawFace, photo: Photo, *, faces: int) -> Face:
    landmarks = photo.to_full_px(raw.points_px[:, :2])
    ratio = photo.full_size_px[0] / photo.rgb.shape[1]
    points = np.column_stack([landmarks, raw.points_px[:, 2] * ratio])
    rotation, scale = fit_mesh(points)
    pose = pose_of(rotation)
    face = Face(
        landmarks_px=landmarks,
        depth_px=-points[:, 2],
        pose=pose,
        rotation=rotation,
        expression=raw.blendshapes,
        scale_iris_px_mm=_iris_scale(points, pose.yaw_deg),
        scale_mesh_px_mm=scale,
        faces_in_photo=faces,
    )
    if face.pupils_px < _SMALLEST_PUPILS_PX * np.cos(np.radians(pose.yaw_deg)):
        raise FaceTooSmallError(
            expected=f"at least {_SMALLEST_PUPILS_PX:.0f} px between the pupils",
            found=f"{face.pupils_px:.0f} px",
            remedy="Send the original photo, or stand closer",
        )
    return face
