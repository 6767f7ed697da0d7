"""Captures: one face photographed again and again, as in a careful clinic and as not.

The population, the wandering of a clinic and the nuisances that benchmarks/precision.py asks
about. A face never changes within one person: whatever differs between two of its photos is error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from _responses import Scene

from skinscan.phantom import Capture, FaceTruth, Person, Pores, Spot, default_wrinkles

#: Samplings of photos: an ordinary picture, a good one, a phone's own camera close up.
_SAMPLINGS_PX_MM = (3.2, 4.8, 6.4)
_SAMPLING_SHARES = (0.4, 0.3, 0.3)
#: Takes of one face: so many as in a careful clinic, then so many that are not.
CAREFUL, CARELESS = 4, 4
#: Persons are numbered from here: those the model is fitted to, those it is tried on, those who
#: show what each nuisance does, and those on whom the rules of `skinscan.progress` were chosen.
FITTED_FROM, TRIED_FROM, CURVES_FROM, CHOSEN_FROM = 10_000, 20_000, 30_000, 40_000


@lru_cache(maxsize=256)
def random_face(seed: int) -> FaceTruth:
    """Anybody: any skin tone, any amount of lines, pores, spots, redness and shadows."""
    rng = np.random.default_rng([seed, 201])
    dark = float(rng.uniform(0.02, 0.12))
    spots = tuple(
        Spot(
            x_mm=float(rng.choice([-1, 1]) * rng.uniform(8, 60)),
            y_mm=float(rng.choice([rng.uniform(-40, 8), rng.uniform(66, 88)])),
            diameter_mm=float(rng.uniform(1.2, 5.0)),
            melanin_od=float(rng.uniform(0.03, 0.2)),
        )
        for _ in range(int(rng.integers(0, 16)))
    )
    return FaceTruth(
        person=Person(
            seed=seed,
            melanin_od=float(rng.uniform(0.06, 0.85)),
            hair_rgb=(dark, dark * 0.65, dark * 0.45),
        ),
        wrinkles=default_wrinkles(seed, amount=float(rng.uniform(0.3, 1.5))),
        pores=Pores(density_cm2=float(rng.uniform(30, 150))),
        spots=spots,
        redness_od=float(rng.uniform(0.0, 0.1)),
        mottling=float(rng.uniform(0.5, 2.0)),
        under_eye_shadow_dl=float(rng.uniform(0.0, 9.0)),
        under_eye_bag_mm=float(rng.uniform(0.0, 2.0)),
        roughness_mm=float(rng.uniform(0.004, 0.022)),
        specular=float(rng.uniform(0.5, 2.0)),
        jaw_sag_mm=float(rng.uniform(0.0, 4.0)),
        cheek_fullness_mm=float(rng.uniform(-3.0, 3.0)),
        brow_raise_mm=float(rng.uniform(-2.0, 2.0)),
        lid_aperture_mm=float(rng.uniform(-1.0, 1.0)),
        mouth_corner_raise_mm=float(rng.uniform(-2.0, 2.0)),
    )


def usual_capture(seed: int) -> Capture:
    """How one practice photographs one client: its lamp, its distance, its camera."""
    rng = np.random.default_rng([seed, 202])
    sampling = float(rng.choice(_SAMPLINGS_PX_MM, p=_SAMPLING_SHARES)) * rng.uniform(0.97, 1.03)
    return Capture.at_scale(
        sampling,
        distance_mm=float(rng.uniform(550, 900)),
        light_azimuth_deg=float(np.clip(rng.normal(0, 15), -40, 40)),
        light_elevation_deg=float(rng.uniform(10, 50)),
        light_softness=float(rng.uniform(0.25, 0.8)),
        iso_noise=float(rng.uniform(0.7, 1.6)),
        blur_px=float(rng.uniform(0.5, 0.9)),
        jpeg_quality=int(rng.integers(88, 97)),
    )


def careful(usual: Capture, seed: int, take: int) -> Capture:
    """Wander as little as a careful clinic does."""
    rng = np.random.default_rng([seed, take, 203])
    nearer = float(np.exp(rng.normal(0, 0.015)))
    return replace(
        usual,
        light_azimuth_deg=usual.light_azimuth_deg + float(rng.normal(0, 1.5)),
        light_elevation_deg=usual.light_elevation_deg + float(rng.normal(0, 1.5)),
        light_softness=float(np.clip(usual.light_softness + rng.normal(0, 0.015), 0, 1)),
        yaw_deg=float(rng.normal(0, 1.2)),
        pitch_deg=float(rng.normal(0, 1.2)),
        roll_deg=float(rng.normal(0, 1.2)),
        offset_x_mm=float(rng.normal(0, 4)),
        offset_y_mm=float(rng.normal(0, 4)),
        distance_mm=usual.distance_mm * nearer,
        exposure_ev=float(rng.normal(0, 0.08)),
        white_balance_k=5500.0 + float(rng.normal(0, 80)),
        blur_px=usual.blur_px * float(np.exp(rng.normal(0, 0.06))),
        smile=float(np.clip(rng.normal(0, 0.015), 0, 1)),
        seed=int(rng.integers(2**31)),
    )


def careless(usual: Capture, seed: int, take: int) -> Capture:
    """Let about half of all that can go wrong go wrong, a little or much."""
    rng = np.random.default_rng([seed, take, 204])
    base = careful(usual, seed, take)

    def amiss(widest: float) -> float:
        return float(rng.uniform(-widest, widest)) if rng.random() < 0.5 else 0.0

    return replace(
        base,
        light_azimuth_deg=base.light_azimuth_deg + amiss(20),
        light_elevation_deg=base.light_elevation_deg + amiss(15),
        light_softness=float(np.clip(base.light_softness + amiss(0.2), 0.05, 0.95)),
        yaw_deg=base.yaw_deg + amiss(8),
        pitch_deg=base.pitch_deg + amiss(8),
        roll_deg=base.roll_deg + amiss(8),
        distance_mm=base.distance_mm * float(np.exp(amiss(0.3))),
        exposure_ev=base.exposure_ev + amiss(0.7),
        white_balance_k=base.white_balance_k + amiss(800),
        blur_px=base.blur_px * float(np.exp(abs(amiss(1.0)))),
        iso_noise=base.iso_noise * float(np.exp(amiss(0.8))),
        jpeg_quality=int(base.jpeg_quality - abs(amiss(30))),
        smile=float(np.clip(base.smile + abs(amiss(0.4)), 0, 1)),
    )


def takes(seed: int) -> tuple[Scene, ...]:
    """Every photo of one person: the careful ones first."""
    face, usual = random_face(seed), usual_capture(seed)
    return tuple(
        (face, (careful if k < CAREFUL else careless)(usual, seed, k))
        for k in range(CAREFUL + CARELESS)
    )


@dataclass(frozen=True)
class Nuisance:
    """Something that differs between photos although the skin does not.

    Attributes
    ----------
    label : str
        With unit, for tables and plots.
    steps : tuple of float
        Differences from the baseline; 0 is the baseline.
    change : callable
        (capture, step) -> capture.
    """

    label: str
    steps: tuple[float, ...]
    change: Callable[[Capture, float], Capture]


def _added(field: str) -> Callable[[Capture, float], Capture]:
    def change(capture: Capture, step: float) -> Capture:
        return replace(capture, **{field: getattr(capture, field) + step})

    return change


def _set(field: str) -> Callable[[Capture, float], Capture]:
    def change(capture: Capture, step: float) -> Capture:
        return replace(capture, **{field: step})

    return change


def _distance(capture: Capture, step: float) -> Capture:
    """Another distance, the face as large in the picture: perspective alone."""
    distance = capture.distance_mm + step
    return replace(
        capture, distance_mm=distance, focal_px=capture.focal_px * distance / capture.distance_mm
    )


def _sampling(capture: Capture, step: float) -> Capture:
    """Fewer pixels on the face, by a factor."""
    return Capture.at_scale(
        capture.px_per_mm * step,
        **{
            k: v
            for k, v in capture.to_dict().items()
            if k not in {"focal_px", "width_px", "height_px"}
        },
    )


#: How cameras treat a picture: sharpening, noise reduction, tone curve.
_CAMERAS = (
    {"sharpen": 0.3, "denoise": 0.2, "contrast": 0.25},
    {"sharpen": 0.0, "denoise": 0.0, "contrast": 0.0},
    {"sharpen": 0.6, "denoise": 0.2, "contrast": 0.25},
    {"sharpen": 0.3, "denoise": 0.6, "contrast": 0.25},
    {"sharpen": 0.3, "denoise": 0.2, "contrast": 0.5},
)


def switched_camera(capture: Capture, step: float) -> Capture:
    """Another camera's treatment of the picture; 0 is the usual one."""
    return replace(capture, **_CAMERAS[int(step)])


def _quality(capture: Capture, step: float) -> Capture:
    return replace(capture, jpeg_quality=int(step))


NUISANCES: Mapping[str, Nuisance] = {
    "light_azimuth": Nuisance(
        "lamp sideways, °", (-20, -10, -5, -2, 0, 2, 5, 10, 20), _added("light_azimuth_deg")
    ),
    "light_elevation": Nuisance(
        "lamp up or down, °", (-20, -10, -5, -2, 0, 2, 5, 10, 20), _added("light_elevation_deg")
    ),
    "softness": Nuisance(
        "softness of the light (0 to 1)",
        (-0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2),
        _added("light_softness"),
    ),
    "exposure": Nuisance("exposure, EV", (-0.7, -0.35, 0, 0.35, 0.7), _added("exposure_ev")),
    "white_balance": Nuisance(
        "white balance, K", (-800, -400, 0, 400, 800), _added("white_balance_k")
    ),
    "yaw": Nuisance("head turned, °", (-8, -4, -2, 0, 2, 4, 8), _added("yaw_deg")),
    "pitch": Nuisance("head up or down, °", (-8, -4, -2, 0, 2, 4, 8), _added("pitch_deg")),
    "distance": Nuisance("distance, mm from 600", (-200, -100, 0, 100, 200), _distance),
    "blur": Nuisance("blur, px", (0.4, 0.7, 1.0, 1.5, 2.0, 3.0), _set("blur_px")),
    "sampling": Nuisance("px/mm, factor", (1.0, 0.85, 0.7, 0.5), _sampling),
    "jpeg": Nuisance("JPEG quality", (95, 90, 80, 70, 50), _quality),
    "noise": Nuisance("noise, ISO 100 = 1", (0.5, 1.0, 2.0, 4.0), _set("iso_noise")),
    "camera": Nuisance(
        "camera: 1 raw, 2 sharper, 3 denoised, 4 steeper tone curve",
        (0, 1, 2, 3, 4),
        switched_camera,
    ),
    "smile": Nuisance("smile (0 to 1)", (0, 0.05, 0.1, 0.2, 0.4), _set("smile")),
}

#: The photo from which a nuisance differs.
_BASELINE: Mapping[str, float] = {"blur": 0.7, "sampling": 1.0, "jpeg": 95, "noise": 1.0}


def baseline_step(name: str) -> float:
    """Step of a nuisance that is no difference."""
    return _BASELINE.get(name, 0.0)


def curve_scene(seed: int, name: str, step: float) -> Scene:
    """One photo of one person at one step of one nuisance, all else equal, the noise included."""
    face = random_face(seed)
    rng = np.random.default_rng([seed, 205])
    base = Capture.at_scale(
        6.3,
        distance_mm=600.0,
        light_azimuth_deg=float(rng.uniform(-15, 15)),
        light_elevation_deg=float(rng.uniform(20, 45)),
        light_softness=float(rng.uniform(0.3, 0.7)),
        blur_px=0.7,
        jpeg_quality=95,
        seed=int(rng.integers(2**31)),
    )
    return face, NUISANCES[name].change(base, step)
