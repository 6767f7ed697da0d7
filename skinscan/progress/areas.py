"""Roll-ups: which regions make up an area, and how their numbers and errors become one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from statistics import fmean

from skinscan.errors import UnknownNameError
from skinscan.metrics import Metric
from skinscan.progress.readings import Found
from skinscan.progress.statistics import capture_of_contrast, capture_of_mean
from skinscan.progress.values import Scope
from skinscan.regions import FACE, Region, measured_regions, members


@dataclass(frozen=True)
class Area:
    """Regions whose mean is one number, or the difference of two such means.

    Attributes
    ----------
    scope : Scope
    name : str
    inside : tuple of str
        Regions.
    outside : tuple of str
        Regions whose mean is taken off; usually none.
    """

    scope: Scope
    name: str
    inside: tuple[str, ...]
    outside: tuple[str, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        """All regions of either kind."""
        return self.inside + self.outside

    def within(self, usable: Collection[str]) -> Area | None:
        """Keep the regions that are usable; None where nothing can be said of them."""
        inside = tuple(r for r in self.inside if r in usable)
        outside = tuple(r for r in self.outside if r in usable)
        if not inside or (self.outside and not outside):
            return None
        return Area(self.scope, self.name, inside, outside)


def _own_regions(entry: Metric) -> list[Region]:
    """Regions of a metric without those that lie inside another one of it."""
    found = [region for group in entry.groups for region in members(group)]
    return [region for region in found if region.part_of not in entry.groups]


def areas_of(entry: Metric, treated: frozenset[str]) -> tuple[Area, ...]:
    """List everything that a metric is followed in, from the whole face down.

    Parameters
    ----------
    entry : Metric
    treated : frozenset of str
        Treated regions; empty where nothing was declared.
    """
    names = tuple(region.name for region in _own_regions(entry))
    result = [Area(Scope.FACE, Scope.FACE.value, names)]
    inside = tuple(n for n in names if n in treated)
    outside = tuple(n for n in names if n not in treated)
    if inside:
        result.append(Area(Scope.TREATED, Scope.TREATED.value, inside))
    if inside and outside:
        both = Scope.TREATED_MINUS_UNTREATED
        result.append(Area(Scope.UNTREATED, Scope.UNTREATED.value, outside))
        result.append(Area(both, both.value, inside, outside))
    for group in entry.groups:
        sides = tuple(region.name for region in members(group))
        result.append(Area(Scope.GROUP, group, sides))
        result += [Area(Scope.REGION, name, (name,)) for name in sides]
    return tuple(result)


def treated_names(treated: Collection[str]) -> frozenset[str]:
    """Regions that names of regions or groups stand for.

    Raises
    ------
    UnknownNameError
        If there is no region or group of a name.
    """
    by_name = {region.name: (region.name,) for region in measured_regions()}
    by_group: dict[str, tuple[str, ...]] = {}
    for region in measured_regions():
        if region.name != FACE:
            by_group[region.group] = (*by_group.get(region.group, ()), region.name)
    found: set[str] = set()
    for name in treated:
        regions = by_group.get(name) or by_name.get(name)
        if regions is None or name == FACE:
            raise UnknownNameError(
                expected="names of regions or region groups, for example crows_feet",
                found=repr(name),
                remedy="`skinscan.regions.regions()` lists them",
            )
        found.update(regions)
    return frozenset(found)


def combined(founds: Mapping[str, Found], area: Area, *, shared: float) -> Found:
    """One number of an area from those of its regions, all usable.

    How far regions share their day and the effect of another capture is not known. A mean takes
    them as fully shared, a difference of two means as independent: the wider one each time.

    Parameters
    ----------
    founds : Mapping of str to Found
        By region, at least those of the area.
    area : Area
    shared : float
        Share of the capture variance that all regions of a photo have in common.
    """
    inside = [founds[name] for name in area.inside]
    outside = [founds[name] for name in area.outside]
    both = inside + outside
    if len(both) == 1:
        return both[0]
    if outside:
        capture = capture_of_contrast(_captures(inside), _captures(outside), shared=shared)
    else:
        capture = capture_of_mean(_captures(inside), shared=shared)
    sets = [part for part in (inside, outside) if part]
    return Found(
        takes=min(f.takes for f in both),
        level_px_mm=min(f.level_px_mm for f in both),
        value=fmean([f.value for f in inside])
        - (fmean([f.value for f in outside]) if outside else 0),
        capture=capture,
        day=math.hypot(*(fmean([f.day for f in part]) for part in sets)),
        added=math.hypot(*(fmean([f.added for f in part]) for part in sets)),
        reasons=(),
        flags=reduce(or_, (f.flags for f in both)),
    )


def _captures(founds: Sequence[Found]) -> list[float]:
    return [f.capture for f in founds]
