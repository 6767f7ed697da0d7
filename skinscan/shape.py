"""Photo + Face -> Shape: landmarks and outline in mm in the frame of the head.

The pose is taken out: x runs to the subject's left, y up, z towards the front, the origin lies
between the inner corners of the eyes. What remains of the pose is told in docs/accuracy.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from skinscan.landmarks import Face
from skinscan.outline import trace_outline
from skinscan.photo import Photo

#: Inner corners of the eyes.
_INNER_CORNERS = (133, 362)


class ScaleSource(StrEnum):
    """What tells how many px a mm has; chosen once per client, kept for the whole course."""

    MESH = "mesh"
    IRIS = "iris"


@dataclass(frozen=True, eq=False)
class Shape:
    """The face's geometry, free of the head's pose.

    Attributes
    ----------
    landmarks_mm : ndarray of float64, shape (478, 3)
        Canonical mm, so that a place on the face does not depend on the scale source.
    outline_mm : ndarray of float64, shape (N, 2)
        x, y of the face's edge from the subject's right ear round the chin to the left ear,
        canonical mm; NaN where no edge is seen.
    length_factor : float
        Length in mm of the chosen scale source per canonical mm.
    """

    landmarks_mm: NDArray[np.float64]
    outline_mm: NDArray[np.float64]
    length_factor: float


def measure_shape(
    photo: Photo, face: Face, *, scale_source: ScaleSource = ScaleSource.MESH
) -> Shape:
    """Take the pose out of landmarks and outline.

    Parameters
    ----------
    photo : Photo
        May be decoded at reduced size.
    face : Face
        Found in the same photo at any reduction.
    scale_source : ScaleSource
        What lengths are given in.

    Returns
    -------
    Shape
    """
    outline = trace_outline(photo, face)
    upright = np.array([1.0, -1.0, 1.0])
    mesh, iris = face.scale_mesh_px_mm, face.scale_iris_px_mm

    def in_head(
        points_px: NDArray[np.float64], depth_px: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        seen = np.column_stack([points_px, depth_px]) * upright
        return np.asarray(seen @ face.rotation / mesh)

    landmarks = in_head(face.landmarks_px, face.depth_px)
    origin = landmarks[list(_INNER_CORNERS)].mean(axis=0)
    return Shape(
        landmarks_mm=landmarks - origin,
        outline_mm=(in_head(outline.points_px, outline.depth_px) - origin)[:, :2],
        length_factor=mesh / iris if scale_source is ScaleSource.IRIS else 1.0,
    )
