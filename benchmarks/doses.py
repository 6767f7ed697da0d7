"""Doses: what a phantom is given more of, step by step, so that a metric can be held against it.

One entry of `SETUPS` per dose: its values, how a face and a capture are made from a value, where
on the face it acts, and the resolution that the metrics named after it need. Persons, tones and
lights are the same for every dose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from skinscan.colour import linear_to_lab
from skinscan.metrics import Metric
from skinscan.metrics.registry import Dose
from skinscan.phantom import (
    Capture,
    FaceTruth,
    Person,
    Pores,
    Spot,
    Wrinkle,
    default_wrinkles,
    ita_deg,
    with_wrinkles,
)
from skinscan.phantom.camera import light_gains
from skinscan.phantom.skin import RESTING_HAEMOGLOBIN, reflectance, skin_lab

Make = Callable[[FaceTruth, Capture, float], tuple[FaceTruth, Capture]]

#: Very light, middle and very dark skin, melanin as optical density (ITA 57°, 8° and −48°).
TONES: Mapping[str, float] = {"light": 0.1, "middle": 0.4, "dark": 0.8}
MIDDLE = "middle"
#: Persons: other shape, mottling, pores, lines and hair each.
SEEDS = (101, 102, 103, 104, 105)

#: Five lights for wrinkle depth: an ordinary room, and what people do wrong or right.
LIGHTS: Mapping[str, Mapping[str, float]] = {
    "room": {"light_azimuth_deg": 15.0, "light_elevation_deg": 35.0, "light_softness": 0.45},
    "overhead": {"light_azimuth_deg": 0.0, "light_elevation_deg": 65.0, "light_softness": 0.3},
    "side": {"light_azimuth_deg": 50.0, "light_elevation_deg": 20.0, "light_softness": 0.45},
    "frontal": {"light_azimuth_deg": 0.0, "light_elevation_deg": 5.0, "light_softness": 0.35},
    "soft": {"light_azimuth_deg": -20.0, "light_elevation_deg": 40.0, "light_softness": 0.85},
}

#: Sampling on the face that just holds a level (2, 3, 4.5, 6, 9 px/mm) for faces of all sizes.
COARSE, MIDDLING, FINE, FINEST = 3.1, 4.6, 6.2, 9.4
#: At this sampling every metric has a value: selectivity compares them all.
COMMON_PX_MM = FINE

_LINED = (
    "forehead_upper",
    "forehead_lower",
    "glabella",
    "crows_feet",
    "under_eye",
    "nasolabial",
    "marionette",
)
_SLOTTED = ("forehead_upper", "cheek_malar")


@dataclass(frozen=True)
class Setup:
    """How one dose is given.

    Attributes
    ----------
    label : str
        Axis of a plot, with unit.
    none : float
        The value that means "nothing of it".
    values : tuple of float
        Ascending; the last one is the full dose.
    px_per_mm : float
        Lowest sampling at which the metrics of the dose mean something.
    make : callable
        (face, capture, value) -> (face, capture).
    groups : tuple of str or None
        Region groups where it acts; None for all.
    lights : tuple of str
        Keys of `LIGHTS`.
    """

    label: str
    none: float
    values: tuple[float, ...]
    px_per_mm: float
    make: Make
    groups: tuple[str, ...] | None = None
    lights: tuple[str, ...] = ("room",)

    @property
    def full(self) -> float:
        """The full dose."""
        return self.values[-1]


@lru_cache(maxsize=32)
def person(seed: int, tone: str) -> FaceTruth:
    """Face of one person before any dose: lines, pores and mottling as usual."""
    return FaceTruth(
        person=Person(seed=seed, melanin_od=TONES[tone]), wrinkles=default_wrinkles(seed)
    )


def capture_of(seed: int, light: str, px_per_mm: float, *, take: int = 0) -> Capture:
    """Photograph as in a careful clinic.

    Pose, distance, light and exposure wander a little, and the noise is another one, with
    every person and every take; within one take all doses are photographed alike.
    """
    rng = np.random.default_rng([seed, take, 91])
    turn = rng.normal(0.0, 1.0, 3)
    lamp = dict(LIGHTS[light])
    lamp["light_azimuth_deg"] += rng.normal(0.0, 2.0)
    lamp["light_elevation_deg"] += rng.normal(0.0, 2.0)
    return Capture.at_scale(
        px_per_mm,
        distance_mm=800.0 * (1 + 0.01 * float(rng.normal())),
        yaw_deg=float(turn[0]),
        pitch_deg=float(turn[1]),
        roll_deg=float(turn[2]),
        exposure_ev=0.04 * float(rng.normal()),
        jpeg_quality=95,
        seed=int(rng.integers(2**31)),
        **lamp,
    )


# --- how each dose is made -----------------------------------------------------------------


def _field(name: str) -> Make:
    """Set one field of the face to the value."""

    def make(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
        return replace(truth, **{name: value}), capture

    return make


def _depth(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    return with_wrinkles(truth, value), capture


def _count(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    """Keep a share of the lines; the lines of a smaller share are among those of a larger."""
    order = np.random.default_rng([truth.person.seed, 92]).permutation(len(truth.wrinkles))
    kept = sorted(order[: round(value * len(order))])
    return replace(truth, wrinkles=tuple(truth.wrinkles[k] for k in kept)), capture


#: Depth of a line relative to its width: that of the phantom's usual lines.
_STEEPNESS = 0.2


def _segment(
    rng: np.random.Generator, centre: tuple[float, float], length_mm: float, angle_deg: float
) -> tuple[tuple[float, float], ...]:
    """Centreline of a slightly bent line."""
    angle = np.deg2rad(angle_deg + rng.normal(0.0, 3.0))
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    t = np.linspace(-0.5, 0.5, 9)
    bow = rng.normal(0.0, 0.4)
    points = (
        np.asarray(centre) + np.outer(t * length_mm, along) + np.outer(bow * (1 - 4 * t**2), across)
    )
    return tuple((float(x), float(y)) for x, y in points)


def _short_slots() -> list[tuple[tuple[float, float], float, float]]:
    """Places of short lines: centre, length, direction; 5 mm apart or more."""
    slots = [
        ((x, y), 14.0, 0.0)
        for y in (66.0, 71.0, 76.0, 81.0, 86.0)
        for x in (-27.0, -9.0, 9.0, 27.0)
    ]
    for sign in (-1.0, 1.0):
        slots += [((sign * 43.0, y), 14.0, sign * -25.0) for y in (3.0, -3.0, -9.0, -15.0)]
    return slots


def _long_slots() -> list[tuple[tuple[float, float], float, float]]:
    """Places of long lines, 8 mm apart or more."""
    slots = [((x, y), 24.0, 0.0) for y in (66.0, 74.0, 82.0, 90.0) for x in (-16.0, 16.0)]
    for sign in (-1.0, 1.0):
        slots += [((sign * 44.0, y), 20.0, sign * -25.0) for y in (1.0, -11.0)]
    return slots


def _lines(
    truth: FaceTruth,
    capture: Capture,
    value: float,
    *,
    slots: Callable[[], list[tuple[tuple[float, float], float, float]]],
    width_mm: tuple[float, float],
) -> tuple[FaceTruth, Capture]:
    """Draw so many lines of one class instead of the person's own; more keeps the earlier ones."""
    rng = np.random.default_rng([truth.person.seed, 93])
    places = slots()
    lines = [
        Wrinkle(
            region="any",
            points_mm=_segment(rng, *places[k]),
            depth_mm=_STEEPNESS * (width := float(rng.uniform(*width_mm))),
            width_mm=width,
            seed=int(rng.integers(2**31)),
        )
        for k in rng.permutation(len(places))
    ]
    return replace(truth, wrinkles=tuple(lines[: round(value)])), capture


def _width(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    return _lines(truth, capture, 12, slots=_long_slots, width_mm=(value, value * 1.0001))


def _pores(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    return replace(truth, pores=Pores(density_cm2=value)), capture


def _melanin(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    level = truth.person.melanin_od + value
    return replace(truth, person=replace(truth.person, melanin_od=level)), capture


def _white_balance(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    return truth, replace(capture, white_balance_k=value)


def _patch(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    """Darken a patch larger than half of a small region: beside both corners of the mouth."""
    spots = tuple(
        Spot(x_mm=sign * 34.0, y_mm=-54.5, diameter_mm=20.0, melanin_od=value) for sign in (-1, 1)
    )
    return replace(truth, spots=spots), capture


_SPOT_PLACES = (
    *((x, y) for y in (71.0, 83.0) for x in (-30.0, -10.0, 10.0, 30.0)),
    *((s * x, y) for s in (-1, 1) for x, y in ((36, 2), (49, 2), (36, -8), (49, -8), (42, -17))),
    *((s * x, y) for s in (-1, 1) for x, y in ((53, -22), (51, -31), (48, -40))),
)
_SPOT_MM = (2.0, 3.0, 4.0, 5.0)
_SPOT_OD = 0.15


def _spots(truth: FaceTruth, capture: Capture, value: float) -> tuple[FaceTruth, Capture]:
    """Add so many spots of several sizes; more keeps the earlier ones."""
    rng = np.random.default_rng([truth.person.seed, 94])
    order = rng.permutation(len(_SPOT_PLACES))
    spots = [
        Spot(
            x_mm=float(_SPOT_PLACES[k][0] + rng.normal(0, 0.7)),
            y_mm=float(_SPOT_PLACES[k][1] + rng.normal(0, 0.7)),
            diameter_mm=_SPOT_MM[n % len(_SPOT_MM)],
            melanin_od=_SPOT_OD,
        )
        for n, k in enumerate(order)
    ]
    return replace(truth, spots=tuple(spots[: round(value)])), capture


def _steps(low: float, high: float, count: int = 12) -> tuple[float, ...]:
    return tuple(round(float(v), 6) for v in np.linspace(low, high, count))


def _ratios(low: float, high: float, count: int = 12) -> tuple[float, ...]:
    return tuple(round(float(v), 6) for v in np.geomspace(low, high, count))


SETUPS: Mapping[Dose, Setup] = {
    Dose.WRINKLE_DEPTH: Setup(
        "depth of all lines, relative to a face of 50 years",
        # not zero: no line has no contrast
        none=0.25,
        values=_ratios(0.25, 2.0),
        px_per_mm=MIDDLING,
        make=_depth,
        groups=_LINED,
        lights=tuple(LIGHTS),
    ),
    Dose.LINE_COUNT: Setup(
        "share of the lines of a face of 50 years",
        none=0.0,
        values=_steps(1 / 12, 1.0),
        px_per_mm=MIDDLING,
        make=_count,
        groups=_LINED,
    ),
    Dose.FINE_LINES: Setup(
        "fine lines (0.30 to 0.45 mm wide), number",
        none=0.0,
        values=_steps(2, 24),
        px_per_mm=FINEST,
        make=partial(_lines, slots=_short_slots, width_mm=(0.30, 0.45)),
        groups=_SLOTTED,
    ),
    Dose.WRINKLES: Setup(
        "wrinkles (0.8 to 1.4 mm wide), number",
        none=0.0,
        values=_steps(2, 24),
        px_per_mm=MIDDLING,
        make=partial(_lines, slots=_short_slots, width_mm=(0.8, 1.4)),
        groups=_SLOTTED,
    ),
    Dose.FOLDS: Setup(
        "folds (2.8 to 4 mm wide), number",
        none=0.0,
        values=_steps(1, 12),
        px_per_mm=MIDDLING,
        make=partial(_lines, slots=_long_slots, width_mm=(2.8, 4.0)),
        groups=_SLOTTED,
    ),
    Dose.LINE_WIDTH: Setup(
        "width of twelve lines, mm",
        none=0.4,
        values=_ratios(0.4, 3.2),
        px_per_mm=MIDDLING,
        make=_width,
        groups=_SLOTTED,
    ),
    Dose.ROUGHNESS: Setup(
        "rms height of the fine relief, mm",
        none=0.0,
        values=_steps(0.003, 0.036),
        px_per_mm=FINE,
        make=_field("roughness_mm"),
    ),
    Dose.PORES: Setup(
        "pores per cm² where they are densest",
        none=0.0,
        values=_steps(15, 180),
        px_per_mm=FINEST,
        make=_pores,
    ),
    Dose.MELANIN: Setup(
        "melanin added, optical density",
        none=-0.08,
        values=_steps(-0.08, 0.08),
        px_per_mm=COARSE,
        make=_melanin,
    ),
    Dose.WHITE_BALANCE: Setup(
        "white balance of the camera, K (light 5500 K)",
        none=5500.0,
        values=_steps(5500, 6600),
        px_per_mm=COARSE,
        make=_white_balance,
    ),
    Dose.REDNESS: Setup(
        "haemoglobin added to cheeks and nose, optical density",
        none=0.0,
        values=_steps(0.015, 0.18),
        px_per_mm=COARSE,
        make=_field("redness_od"),
        groups=("cheek_malar", "nose_tip"),
    ),
    Dose.MOTTLING: Setup(
        "uneven pigmentation, 1 is usual",
        none=0.0,
        values=_steps(0.25, 3.0),
        px_per_mm=COARSE,
        make=_field("mottling"),
    ),
    Dose.PIGMENT_PATCH: Setup(
        "melanin added to a patch of 20 mm, optical density",
        none=0.0,
        values=_steps(0.02, 0.24),
        px_per_mm=COARSE,
        make=_patch,
        groups=("marionette",),
    ),
    Dose.SPOTS: Setup(
        f"spots (2 to 5 mm, {_SPOT_OD:g} optical density), number",
        none=0.0,
        values=_steps(2, 24),
        px_per_mm=COARSE,
        make=_spots,
        groups=("forehead_upper", "cheek_malar", "cheek_buccal"),
    ),
    Dose.UNDER_EYE_SHADOW: Setup(
        "tear trough darker than the cheek, L*",
        none=0.0,
        values=_steps(1.25, 15.0),
        px_per_mm=COARSE,
        make=_field("under_eye_shadow_dl"),
        groups=("under_eye", "tear_trough", "lid_bag"),
    ),
    Dose.UNDER_EYE_BAG: Setup(
        "bulge below the lower lid, mm",
        none=0.0,
        values=_steps(0.25, 3.0),
        px_per_mm=COARSE,
        make=_field("under_eye_bag_mm"),
        groups=("under_eye", "tear_trough", "lid_bag"),
    ),
    Dose.CHEEK_FULLNESS: Setup(
        "cheek pushed outwards, mm",
        none=-5.0,
        values=_steps(-5.0, 5.0),
        px_per_mm=COARSE,
        make=_field("cheek_fullness_mm"),
    ),
    Dose.BROW_RAISE: Setup(
        "brows raised, mm",
        none=-5.0,
        values=_steps(-5.0, 5.0),
        px_per_mm=COARSE,
        make=_field("brow_raise_mm"),
    ),
    Dose.LID_APERTURE: Setup(
        "upper lids raised, mm",
        none=-3.0,
        values=_steps(-3.0, 3.0),
        px_per_mm=COARSE,
        make=_field("lid_aperture_mm"),
    ),
    Dose.MOUTH_CORNER_RAISE: Setup(
        "corners of the mouth raised, mm",
        none=-5.0,
        values=_steps(-5.0, 5.0),
        px_per_mm=COARSE,
        make=_field("mouth_corner_raise_mm"),
    ),
    Dose.JAW_SAG: Setup(
        "jaw outline lowered at the jowl, mm",
        none=0.0,
        values=_steps(0.65, 7.8),
        px_per_mm=COARSE,
        make=_field("jaw_sag_mm"),
    ),
    Dose.FACE_ASYMMETRY: Setup(
        "left brow and mouth corner lowered, mm",
        none=0.0,
        values=_steps(0.5, 6.0),
        px_per_mm=COARSE,
        make=_field("asymmetry_mm"),
    ),
    Dose.SPECULAR: Setup(
        "specular reflection, 1 is usual",
        none=0.0,
        values=_steps(0.25, 3.0),
        px_per_mm=COARSE,
        make=_field("specular"),
    ),
}


class NoSetupError(LookupError):
    """A metric is named after a dose that nobody has said how to give."""


def dose_of(metric: Metric) -> Dose:
    """Return the dose that a metric is named after.

    Raises
    ------
    NoSetupError
        If the table has no entry for it.
    """
    if metric.dose not in SETUPS:
        raise NoSetupError(f"{metric.name}: benchmarks/doses.py has no entry for {metric.dose!r}")
    return metric.dose


# --- colour: what the number itself should be --------------------------------------


def _true_b(truth: FaceTruth, capture: Capture) -> float:
    gains = light_gains(capture.light_temperature_k) / light_gains(capture.white_balance_k)
    level = np.full((1, 1), truth.person.melanin_od, np.float32)
    blood = np.full((1, 1), RESTING_HAEMOGLOBIN, np.float32)
    return float(linear_to_lab(reflectance(level, blood) * gains)[0, 0, 2])


#: The cheek beside which `under_eye.dark_circle_*` shows the under-eye: L* of medium skin.
_STANDARD_CHEEK_L = 62.0


def _luminance_of(lightness: float) -> float:
    """CIE Y of an L* above 8."""
    return ((lightness + 16.0) / 116.0) ** 3


def _true_circle(truth: FaceTruth, _: Capture) -> float:
    """Lightness lost beside a medium cheek by the share of light that the shadow takes here."""
    own = skin_lab(truth.person.melanin_od)[0]
    share = _luminance_of(own - truth.under_eye_shadow_dl) / _luminance_of(own)
    seen = 116.0 * (_luminance_of(_STANDARD_CHEEK_L) * share) ** (1 / 3) - 16.0
    return _STANDARD_CHEEK_L - seen


#: Metrics of colour, with the colour of the same skin under even light. Equal doses of
#: pigment move L* of dark skin less than that of light skin: that is the definition of L*, no
#: unfairness, so these are held against the colour and not against the pigment. The dose of a dark
#: circle is in the skin's own L*, the metric in that of a medium cheek.
TRUE_VALUE: Mapping[str, Callable[[FaceTruth, Capture], float]] = {
    "tone.lightness": lambda truth, _: skin_lab(truth.person.melanin_od)[0],
    "tone.ita": lambda truth, _: ita_deg(truth.person.melanin_od),
    "tone.a": lambda truth, _: skin_lab(
        truth.person.melanin_od, RESTING_HAEMOGLOBIN + truth.redness_od
    )[1],
    "tone.b": _true_b,
    "under_eye.dark_circle_dl": _true_circle,
    "under_eye.dark_circle_de": _true_circle,
}
