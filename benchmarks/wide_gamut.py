"""Pictures in Display-P3, made without any ICC engine: truth for the colour management."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def p3_profile(version: int = 2) -> bytes:
    """Write a Display-P3 profile; colorants are those that Apple publishes, D50-adapted."""

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    if version == 4:
        curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
        values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve += struct.pack(">5i", *(round(v * 65536) for v in values))
    else:
        x = np.linspace(0, 1, 1024)
        y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
        codes = np.rint(y * 65535).astype(">u2").tobytes()
        curve = b"curv" + bytes(4) + struct.pack(">I", 1024) + codes
    bodies = {
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"wtpt": xyz(0.96420, 1.0, 0.82491),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    at = 132 + 12 * len(bodies)
    table = struct.pack(">I", len(bodies))
    for name, body in bodies.items():
        table += name + struct.pack(">II", at, len(body))
        at += len(body)
    head = struct.pack(">I4sI4s4s4s", at, b"\0" * 4, version << 24, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + b"".join(bodies.values())


def as_p3(srgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Re-code sRGB pixels in Display-P3 by the defining matrices, without any ICC engine."""
    x = srgb / 255.0
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [[0.8224622, 0.1775380, 0.0], [0.0331942, 0.9668058, 0.0], [0.0170826, 0.0723974, 0.91052]]
    )
    y = np.clip(linear @ matrix.T, 0, 1)
    return np.rint(
        255 * np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    ).astype(np.uint8)
