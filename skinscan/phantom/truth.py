"""What is true about a phantom: every dose that its picture is made from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from skinscan.errors import SkinscanError

_T = TypeVar("_T")


class PhantomError(SkinscanError):
    """A truth or a capture asks for a face or a camera that cannot exist."""

    cause = "phantom"


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise unless ``low <= value <= high``.

    Parameters
    ----------
    name : str
        Field as the caller knows it.
    value, low, high : float
        Found value and closed range.

    Raises
    ------
    PhantomError
        If the value is outside the range or not finite.
    """
    if not (math.isfinite(value) and low <= value <= high):
        raise PhantomError(
            expected=f"{name} between {low:g} and {high:g}",
            found=f"{value!r}",
            remedy=f"Give a value of {name} inside the range",
        )


def check_colour(name: str, colour: Sequence[float]) -> tuple[float, float, float]:
    """Return a linear-light colour as a tuple, or raise.

    Parameters
    ----------
    name : str
        Field as the caller knows it.
    colour : sequence of float
        Red, green and blue in 0..1.

    Raises
    ------
    PhantomError
        If there are not three numbers in 0..1.
    """
    found = tuple(float(c) for c in colour)
    if len(found) != 3:
        raise PhantomError(
            expected=f"three numbers in {name}",
            found=f"{len(found)}",
            remedy="Give linear red, green and blue in 0..1",
        )
    for c in found:
        check_range(name, c, 0.0, 1.0)
    return found[0], found[1], found[2]


def build(kind: type[_T], data: Mapping[str, Any]) -> _T:
    """Make a dataclass from a mapping, refusing keys that it does not have.

    Raises
    ------
    PhantomError
        If a key is unknown or a required one is missing.
    """
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - known)
    if unknown:
        raise PhantomError(
            expected=f"fields of {kind.__name__}: {', '.join(sorted(known))}",
            found=", ".join(unknown),
            remedy="Read the file with the version of skinscan that wrote it",
        )
    try:
        return kind(**data)
    except TypeError as error:
        raise PhantomError(
            expected=f"a complete description of {kind.__name__}",
            found=str(error),
            remedy="Read the file with the version of skinscan that wrote it",
        ) from error


@dataclass(frozen=True)
class Person:
    """Who the phantom is; everything that does not change over a course.

    Attributes
    ----------
    seed : int
        Decides shape, mottling, pore places and hair.
    melanin_od : float
        Epidermal melanin as optical density at red (see ``skin``), 0 to 1;
        0.1 is very light (ITA about 59°), 0.9 very dark (ITA about −55°).
    shape_spread : float
        How far the shape may be from the mean face, in standard deviations
        of the modes; 0 gives the mean face.
    hair_rgb, brow_rgb, iris_rgb : tuple of float
        Linear-light colours, 0..1.
    lip_haemoglobin_od : float
        Blood colour of the lips above that of the skin.
    hairline_mm : float
        Height of the hairline at the midline, canonical y in mm.
    cloth_rgb : tuple of float
        Linear-light colour of the gown.
    """

    seed: int = 0
    melanin_od: float = 0.2
    shape_spread: float = 1.0
    hair_rgb: tuple[float, float, float] = (0.045, 0.028, 0.018)
    brow_rgb: tuple[float, float, float] = (0.035, 0.022, 0.015)
    iris_rgb: tuple[float, float, float] = (0.10, 0.075, 0.05)
    lip_haemoglobin_od: float = 0.17
    hairline_mm: float = 101.0
    cloth_rgb: tuple[float, float, float] = (0.30, 0.36, 0.40)

    def __post_init__(self) -> None:
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_range("melanin_od", self.melanin_od, 0.0, 1.0)
        check_range("shape_spread", self.shape_spread, 0.0, 2.5)
        check_range("lip_haemoglobin_od", self.lip_haemoglobin_od, 0.0, 0.6)
        check_range("hairline_mm", self.hairline_mm, 88.0, 125.0)
        for name in ("hair_rgb", "brow_rgb", "iris_rgb", "cloth_rgb"):
            object.__setattr__(self, name, check_colour(name, getattr(self, name)))


@dataclass(frozen=True)
class Wrinkle:
    """One groove in the skin.

    Attributes
    ----------
    region : str
        Where it belongs, e.g. ``crows_feet_left`` (left and right are the subject's).
    points_mm : tuple of (float, float)
        Centreline x, y in mm in the frontal orthographic projection of the
        canonical mesh (x towards the subject's left, y up); two points or more.
    depth_mm : float
        Greatest depth below the surrounding skin, 0 to 3.
    width_mm : float
        Full width at half depth, 0.1 to 12.
    seed : int
        Decides how depth varies along the line.
    """

    region: str
    points_mm: tuple[tuple[float, float], ...]
    depth_mm: float
    width_mm: float
    seed: int = 0

    def __post_init__(self) -> None:
        points = tuple((float(x), float(y)) for x, y in self.points_mm)
        object.__setattr__(self, "points_mm", points)
        if len(points) < 2:
            raise PhantomError(
                expected="a wrinkle of two points or more",
                found=f"{len(points)}",
                remedy="Give the centreline as (x, y) pairs in mm",
            )
        for x, y in points:
            check_range("x of a wrinkle point (mm)", x, -90.0, 90.0)
            check_range("y of a wrinkle point (mm)", y, -105.0, 110.0)
        check_range("depth_mm", self.depth_mm, 0.0, 3.0)
        check_range("width_mm", self.width_mm, 0.1, 12.0)

    @property
    def length_mm(self) -> float:
        """Length of the centreline in the frontal projection, mm."""
        pairs = zip(self.points_mm[:-1], self.points_mm[1:], strict=True)
        return sum(math.dist(a, b) for a, b in pairs)


@dataclass(frozen=True)
class Pores:
    """Pores of the cheeks, nose and forehead.

    Attributes
    ----------
    density_cm2 : float
        Pores per cm² where they are densest (medial cheek), 0 to 250.
    depth_mm, diameter_mm : float
        Mean depth 0 to 0.3 and mean full width at half depth 0.05 to 0.8.
    """

    density_cm2: float = 90.0
    depth_mm: float = 0.055
    diameter_mm: float = 0.26

    def __post_init__(self) -> None:
        check_range("density_cm2", self.density_cm2, 0.0, 250.0)
        check_range("depth_mm", self.depth_mm, 0.0, 0.3)
        check_range("diameter_mm", self.diameter_mm, 0.05, 0.8)


@dataclass(frozen=True)
class Spot:
    """One pigmented spot.

    Attributes
    ----------
    x_mm, y_mm : float
        Centre in the canonical frontal projection.
    diameter_mm : float
        Full width at half dose, 0.3 to 20.
    melanin_od : float
        Melanin added at its centre, 0 to 0.6 (red optical density).
    """

    x_mm: float
    y_mm: float
    diameter_mm: float
    melanin_od: float

    def __post_init__(self) -> None:
        check_range("x_mm", self.x_mm, -90.0, 90.0)
        check_range("y_mm", self.y_mm, -105.0, 110.0)
        check_range("diameter_mm", self.diameter_mm, 0.3, 20.0)
        check_range("melanin_od", self.melanin_od, 0.0, 0.6)


@dataclass(frozen=True)
class Glasses:
    """Spectacles with rims.

    Attributes
    ----------
    rim_mm : float
        Thickness of the rims, 0.6 (wire) to 4 (acetate).
    rgb : tuple of float
        Linear-light colour of frame and bridge.
    shine : float
        Mirror-like share: 0 matt plastic, 1 polished metal.
    lens_width_mm, lens_height_mm : float
        Inside one rim, 36 to 64 and 24 to 52.
    glare : float
        Light that the lenses reflect as a faint slanted band, 0 to 1.
    """

    rim_mm: float = 1.0
    rgb: tuple[float, float, float] = (0.02, 0.02, 0.02)
    shine: float = 0.2
    lens_width_mm: float = 50.0
    lens_height_mm: float = 38.0
    glare: float = 0.0

    def __post_init__(self) -> None:
        check_range("rim_mm", self.rim_mm, 0.6, 4.0)
        check_range("shine", self.shine, 0.0, 1.0)
        check_range("lens_width_mm", self.lens_width_mm, 36.0, 64.0)
        check_range("lens_height_mm", self.lens_height_mm, 24.0, 52.0)
        check_range("glare", self.glare, 0.0, 1.0)
        object.__setattr__(self, "rgb", check_colour("rgb", self.rgb))


@dataclass(frozen=True)
class LooseHair:
    """Head hair that falls over the forehead and temples, coloured as the person's.

    Attributes
    ----------
    strands : int
        Number of hairs, 0 to 2000.
    clumps : int
        Locks into which they gather, 1 to 200; as many as strands: single hairs.
    thickness_mm : float
        0.04 to 0.15; people's hair is 0.06 to 0.1.
    reach_mm : float
        How far below the hairline the tips hang, 5 to 90.
    """

    strands: int = 6
    clumps: int = 6
    thickness_mm: float = 0.08
    reach_mm: float = 50.0

    def __post_init__(self) -> None:
        check_range("strands", self.strands, 0, 2000)
        check_range("clumps", self.clumps, 1, 200)
        check_range("thickness_mm", self.thickness_mm, 0.04, 0.15)
        check_range("reach_mm", self.reach_mm, 5.0, 90.0)


@dataclass(frozen=True)
class Beard:
    """Hair on upper lip, cheeks, jaw and chin, coloured as the person's.

    Attributes
    ----------
    density_cm2 : float
        Hairs per cm², 0 to 200.
    length_mm : float
        0.2 (yesterday's shave) to 25.
    thickness_mm : float
        0.05 to 0.2; about 0.1.
    """

    density_cm2: float = 40.0
    length_mm: float = 1.0
    thickness_mm: float = 0.1

    def __post_init__(self) -> None:
        check_range("density_cm2", self.density_cm2, 0.0, 200.0)
        check_range("length_mm", self.length_mm, 0.2, 25.0)
        check_range("thickness_mm", self.thickness_mm, 0.05, 0.2)


@dataclass(frozen=True)
class Occluders:
    """What covers the skin; nothing by default.

    Attributes
    ----------
    glasses : Glasses, optional
    hair : LooseHair, optional
    beard : Beard, optional
    """

    glasses: Glasses | None = None
    hair: LooseHair | None = None
    beard: Beard | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Occluders:
        """Rebuild from plain dictionaries.

        Raises
        ------
        PhantomError
            If a field is unknown or outside its range.
        """
        kinds = {"glasses": Glasses, "hair": LooseHair, "beard": Beard}
        parts = {
            name: build(kinds[name], value) if name in kinds and value is not None else value
            for name, value in data.items()
        }
        return build(cls, parts)


@dataclass(frozen=True)
class FaceTruth:
    """Everything that is true about one phantom in one session.

    Attributes
    ----------
    person : Person
    wrinkles : tuple of Wrinkle
    pores : Pores
    spots : tuple of Spot
    redness_od : float
        Haemoglobin added on cheeks and nose (green optical density), 0 to 0.4.
    mottling : float
        Strength of the uneven pigmentation, 1 is usual, 0 to 4.
    under_eye_shadow_dl : float
        How much darker the tear trough is than the cheek, in L* of the
        skin's own colour under even light, 0 to 20.
    under_eye_bag_mm : float
        Bulge below the lower lid, 0 to 4 mm.
    roughness_mm : float
        Root-mean-square height of the fine relief between pores, 0 to 0.05.
    specular : float
        Specular reflection relative to usual skin, 0 to 4 (radiance).
    brow_raise_mm, mouth_corner_raise_mm : float
        Displacement of both sides, up is positive, −6 to 6.
    jaw_sag_mm : float
        Descent of the jaw outline at the jowl, 0 to 8.
    cheek_fullness_mm : float
        Outward displacement of the buccal cheek, −6 to 6.
    occluders : Occluders
        Glasses, loose hair and beard over the skin.
    lid_aperture_mm : float
        Lift of both upper lids from their usual place, about 9 mm above the
        lower ones, −3 to 3; the eyeball stays.
    asymmetry_mm : float
        Descent of the left brow and the left corner of the mouth, −6 to 6;
        added to the asymmetry that every person has.
    """

    person: Person = field(default_factory=Person)
    wrinkles: tuple[Wrinkle, ...] = ()
    pores: Pores = field(default_factory=Pores)
    spots: tuple[Spot, ...] = ()
    redness_od: float = 0.02
    mottling: float = 1.0
    under_eye_shadow_dl: float = 2.0
    under_eye_bag_mm: float = 0.3
    roughness_mm: float = 0.012
    specular: float = 1.0
    brow_raise_mm: float = 0.0
    mouth_corner_raise_mm: float = 0.0
    jaw_sag_mm: float = 0.0
    cheek_fullness_mm: float = 0.0
    occluders: Occluders = field(default_factory=Occluders)
    lid_aperture_mm: float = 0.0
    asymmetry_mm: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "wrinkles", tuple(self.wrinkles))
        object.__setattr__(self, "spots", tuple(self.spots))
        check_range("redness_od", self.redness_od, 0.0, 0.4)
        check_range("mottling", self.mottling, 0.0, 4.0)
        check_range("under_eye_shadow_dl", self.under_eye_shadow_dl, 0.0, 20.0)
        check_range("under_eye_bag_mm", self.under_eye_bag_mm, 0.0, 4.0)
        check_range("roughness_mm", self.roughness_mm, 0.0, 0.05)
        check_range("specular", self.specular, 0.0, 4.0)
        check_range("brow_raise_mm", self.brow_raise_mm, -6.0, 6.0)
        check_range("mouth_corner_raise_mm", self.mouth_corner_raise_mm, -6.0, 6.0)
        check_range("jaw_sag_mm", self.jaw_sag_mm, 0.0, 8.0)
        check_range("cheek_fullness_mm", self.cheek_fullness_mm, -6.0, 6.0)
        check_range("lid_aperture_mm", self.lid_aperture_mm, -3.0, 3.0)
        check_range("asymmetry_mm", self.asymmetry_mm, -6.0, 6.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FaceTruth:
        """Rebuild from what ``to_dict`` gave, also after a trip through JSON.

        Raises
        ------
        PhantomError
            If a field is unknown, missing or outside its range.
        """
        parts = dict(data)
        if "person" in parts:
            parts["person"] = build(Person, parts["person"])
        if "pores" in parts:
            parts["pores"] = build(Pores, parts["pores"])
        if "occluders" in parts:
            parts["occluders"] = Occluders.from_dict(parts["occluders"])
        parts["wrinkles"] = tuple(build(Wrinkle, w) for w in parts.get("wrinkles", ()))
        parts["spots"] = tuple(build(Spot, s) for s in parts.get("spots", ()))
        return build(cls, parts)


def with_wrinkles(truth: FaceTruth, scale: float) -> FaceTruth:
    """Multiply the depth of every wrinkle.

    Parameters
    ----------
    truth : FaceTruth
    scale : float
        Factor, 0 or more; 0.65 softens by 35 %.

    Returns
    -------
    FaceTruth

    Raises
    ------
    PhantomError
        If the factor is negative or a depth leaves its range.
    """
    check_range("scale", scale, 0.0, 100.0)
    wrinkles = tuple(replace(w, depth_mm=w.depth_mm * scale) for w in truth.wrinkles)
    return replace(truth, wrinkles=wrinkles)
