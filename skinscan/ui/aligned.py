"""A course's photos in one frame, by their landmarks: no pixels are needed. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skinscan.landmarks import Face
from skinscan.plots.alignment import chained, landmark_map

F64 = NDArray[np.float64]

#: Width of the frame, px; heights follow the face.
FRAME_PX: Final = 640
#: Room around the landmarks, as a share of their extent: beside, above, below.
_BESIDE, _ABOVE, _BELOW = 0.16, 0.3, 0.1


def frame(face: Face) -> tuple[F64, tuple[int, int]]:
    """Return the map from full-size px to a frame around a face, and its width and height.

    Parameters
    ----------
    face : Face
        Of the photo that all others are laid on.
    """
    at = np.asarray(face.landmarks_px, dtype=np.float64)[:, :2]
    low, high = at.min(axis=0), at.max(axis=0)
    extent = high - low
    low = low - extent * [_BESIDE, _ABOVE]
    high = high + extent * [_BESIDE, _BELOW]
    scale = FRAME_PX / (high[0] - low[0])
    size = (FRAME_PX, round(scale * (high[1] - low[1])))
    return np.array([[scale, 0.0, -scale * low[0]], [0.0, scale, -scale * low[1]]]), size


def to_frame(reference: Face, face: Face, *, reduced: float) -> F64:
    """Return the map from px of a reduced picture to the frame of the reference.

    Parameters
    ----------
    reference, face : Face
        Of full-size photos.
    reduced : float
        Size of the picture as a share of the full-size photo.

    Returns
    -------
    ndarray of float64, shape (2, 3)
    """
    to_canvas, _ = frame(reference)
    full = np.array([[1.0 / reduced, 0.0, 0.0], [0.0, 1.0 / reduced, 0.0]])
    return chained(chained(to_canvas, landmark_map(reference, face)), full)


def one_a_session(days: Sequence[object]) -> list[int]:
    """Return the index of the first photo of each day, in the order given."""
    return [k for k, day in enumerate(days) if day not in days[:k]]
