"""The canonical face: 468 vertices in millimetres, read from the model bundle.

The frame has its origin inside the head, x towards the subject's left
(to the right in a frontal photo), y up, z towards the camera, in mm.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from skinscan.errors import ModelError
from skinscan.resources import landmark_model_bytes

_GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
_MM_PER_CM = 10.0


@dataclass(frozen=True, eq=False)
class CanonicalMesh:
    """Mean face geometry of the landmark model.

    Attributes
    ----------
    vertices_mm : ndarray of float64, shape (468, 3)
        x, y, z in mm.
    uv : ndarray of float64, shape (468, 2)
        Texture coordinates in 0..1 as stored in the bundle.
    triangles : ndarray of int32, shape (898, 3)
        Vertex indices, counter-clockwise seen from the camera.
    fit_index : ndarray of int32, shape (33,)
        Vertices that move little with expression.
    fit_weight : ndarray of float64, shape (33,)
        Their weights in a rigid fit.
    """

    vertices_mm: NDArray[np.float64]
    uv: NDArray[np.float64]
    triangles: NDArray[np.int32]
    fit_index: NDArray[np.int32]
    fit_weight: NDArray[np.float64]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Walk one protobuf message: varint, 32-bit and length-delimited fields."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            size, at = _varint(data, at)
            yield number, data[at : at + size]
            at += size
        elif wire == 5:
            yield number, data[at : at + 4]
            at += 4
        else:
            raise ValueError(f"wire type {wire}")


def _floats(chunks: list[bytes]) -> NDArray[np.float64]:
    return np.frombuffer(b"".join(chunks), dtype="<f4").astype(np.float64)


@cache
def canonical_mesh() -> CanonicalMesh:
    """Read the canonical mesh out of the landmark model bundle.

    Returns
    -------
    CanonicalMesh
        Arrays are read-only.

    Raises
    ------
    ModelError
        If the bundle has no geometry or its size is not the expected one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(landmark_model_bytes())) as bundle:
            top = list(_fields(bundle.read(_GEOMETRY)))
        mesh = next(v for n, v in top if n == 1 and isinstance(v, bytes))
        inner = list(_fields(mesh))
        vertex_data = _floats([v for n, v in inner if n == 3 and isinstance(v, bytes)])
        index = np.array([v for n, v in inner if n == 4], dtype=np.int32)
        basis = [dict(_fields(v)) for n, v in top if n == 2 and isinstance(v, bytes)]
        fit_index = np.array([b[1] for b in basis], dtype=np.int32)
        fit_weight = np.array(
            [struct.unpack("<f", b[2])[0] for b in basis if isinstance(b[2], bytes)]
        )
        table = vertex_data.reshape(468, 5)
        triangles = index.reshape(898, 3)
    except (KeyError, IndexError, StopIteration, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(
            expected="a canonical mesh of 468 vertices and 898 triangles in the model bundle",
            found=type(error).__name__,
            remedy="Install skinscan again; do not replace the model file by hand",
        ) from error
    result = CanonicalMesh(
        vertices_mm=table[:, :3] * _MM_PER_CM,
        uv=table[:, 3:],
        triangles=triangles,
        fit_index=fit_index,
        fit_weight=fit_weight,
    )
    for array in (
        result.vertices_mm,
        result.uv,
        result.triangles,
        result.fit_index,
        result.fit_weight,
    ):
        array.flags.writeable = False
    return result
