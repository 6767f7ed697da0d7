"""What a metric sees: one region of one FaceMap at one level, with the lines found in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from skinscan.facemap import FaceMap, Layer
from skinscan.metrics.lines import PRESENCE_STEPS, LevelLines
from skinscan.regions import Region, region_mask, region_window
from skinscan.shape import Shape

if TYPE_CHECKING:
    from skinscan.metrics.maps import LevelMaps

Item = TypeVar("Item", bound=np.generic)
P = ParamSpec("P")
T = TypeVar("T")

#: Certainty from which a pixel belongs to a line, in steps of `LevelLines.presence`, and the weight
#: of each step as skin between lines.
ON_A_LINE = PRESENCE_STEPS // 2
PLAINNESS = np.maximum(1.0 - np.arange(256) / ON_A_LINE, 0.0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RegionSample:
    """One region at one level.

    Attributes
    ----------
    region : Region
    layer : Layer
    facemap : FaceMap
    shape : Shape
        Landmarks and outline in the head's own frame.
    maps : LevelMaps
        Derived pictures of the whole layer, computed once and shared by all metrics.
    all_lines : Mapping[float, LevelLines]
        Lines of the face at every level.
    memory : dict
        What `once_per_sample` keeps.
    """

    region: Region
    layer: Layer
    facemap: FaceMap
    shape: Shape
    maps: LevelMaps
    all_lines: Mapping[float, LevelLines]
    memory: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def lines(self) -> LevelLines:
        """Lines found at this level."""
        return self.all_lines[self.layer.level_px_mm]

    @cached_property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns that enclose the region."""
        return region_window(self.region.name, self.layer.level_px_mm)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Skin of the region inside ``window``."""
        whole = region_mask(self.region.name, self.layer.level_px_mm)
        return np.asarray(whole[self.window] & self.layer.skin[self.window])

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        """Flat index in the whole layer of each pixel of ``mask``."""
        rows, columns = np.nonzero(self.mask)
        down, across = (part.start for part in self.window)
        return np.asarray((rows + down) * self.layer.skin.shape[1] + columns + across)

    @cached_property
    def area_cm2(self) -> float:
        """Area of the skin that is measured."""
        return float(np.count_nonzero(self.mask)) / self.layer.level_px_mm**2 / 100.0

    @cached_property
    def flat(self) -> NDArray[np.float32]:
        """Illumination-free layer inside ``window``: contrast in % to the local mean."""
        return self.maps.flat(self.window)

    @cached_property
    def plain(self) -> NDArray[np.bool_]:
        """Skin of the region inside ``window``, traced lines left out."""
        return np.asarray(self.mask & (self.lines.presence[self.window] < ON_A_LINE))

    @cached_property
    def line_lengths_mm(self) -> NDArray[np.float64]:
        """Length times certainty of each candidate inside the region, shape (candidates,)."""
        return self.lines.lengths_inside(self.region.name)

    def cut(self, picture: NDArray[Item]) -> NDArray[Item]:
        """Cut a picture of the whole layer to the window."""
        return picture[self.window]

    def pixels(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of a picture on the region's skin, shape (n,) or (n, channels)."""
        return np.take(picture.reshape(-1, *picture.shape[2:]), self._places, axis=0)


def once_per_sample(
    compute: Callable[Concatenate[RegionSample, P], T],
) -> Callable[Concatenate[RegionSample, P], T]:
    """Remember the result per sample and arguments, for what several metrics share."""

    @wraps(compute)
    def remembered(sample: RegionSample, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (compute, args, tuple(kwargs.items()))
        if key not in sample.memory:
            sample.memory[key] = compute(sample, *args, **kwargs)
        result: T = sample.memory[key]
        return result

    return cast("Callable[Concatenate[RegionSample, P], T]", remembered)
