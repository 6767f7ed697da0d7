"""analyze(): photo -> Scan. The one orchestration of everything above it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinscan.errors import ScanFileError, UnknownNameError
from skinscan.facemap import FaceMap, levels_for, rectify
from skinscan.flags import Flag, flag_names, parse_flags
from skinscan.frame import LEVELS_PX_MM
from skinscan.landmarks import Face, FaceFinder, FaceOptions, Pose, View, find_face
from skinscan.metrics import Measurement, Wrinkle, measure, metric
from skinscan.overlay import draw_overlay
from skinscan.photo import Photo, PhotoFile, PhotoLimits, Source, open_photo
from skinscan.quality import Quality, assess

if TYPE_CHECKING:
    import pandas as pd

#: Format of saved scans; a newer one is refused, an older one is read.
SCAN_FORMAT = 1

#: Columns of every long table, in order.
TABLE_COLUMNS = (
    "photo",
    "view",
    "metric",
    "region",
    "level_px_mm",
    "value",
    "unit",
    "sem",
    "flags",
)

#: Reduction at which landmarks are searched; their model sees 256 px a side anyway.
_SEARCH_REDUCTION = 4
#: A photo is searched at full size when reducing it would leave less than this.
_SEARCH_SIDE_PX = 480
