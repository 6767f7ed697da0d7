"""Conditions of a usual capture, made by hand, for tests that need no photo."""

import math
from types import MappingProxyType

from skinscan.conditions import Conditions
from skinscan.light import Light


def lamp(azimuth_deg=0.0, *, directed=0.6, cast=(0.0, 0.0)):
    turn = math.radians(azimuth_deg)
    towards = (math.sin(turn), 0.0, math.cos(turn))
    return Light(
        face_xyz=towards,
        camera_xyz=towards,
        directed_share=directed,
        left_right_pct=0.0,
        red_green_pct=cast[0],
        blue_green_pct=cast[1],
        miss_pct=1.0,
        sem_deg=2.0,
    )


def conditions(**changes):
    usual = {
        "light": lamp(),
        "yaw_deg": 0.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        "resolution_px_mm": 6.0,
        "blur": 1.1,
        "skin_detail": 50.0,
        "brightness": -100.0,
        "expression": MappingProxyType({"a smile": 0.02, "an open mouth": 0.01}),
        "distance_mm": 600.0,
        "jpeg_quality": 95.0,
        "camera": "Maker One",
        "lens": "",
        "software": "",
    }
    return Conditions(**(usual | changes))
