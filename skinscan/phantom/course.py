"""The sample course: eight weekly sessions of one made-up client."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from skinscan.errors import OutputError
from skinscan.phantom.capture import Capture
from skinscan.phantom.lines import default_wrinkles
from skinscan.phantom.render import photograph
from skinscan.phantom.skin import ita_deg, melanin_for_ita
from skinscan.phantom.truth import FaceTruth, Person, Spot, check_range, with_wrinkles

#: First session of the sample course.
FIRST_DAY = dt.date(2026, 3, 3)
DEFAULT_SESSIONS = 8
DEFAULT_PX_PER_MM = 9.4
WRINKLE_END = 0.65
SHADOW_END = 0.6
_SHADOW_START_DL = 6.0
_REDNESS_OD = 0.035


@dataclass(frozen=True)
class Session:
    """One photograph of the course with everything that made it.

    Attributes
    ----------
    number : int
        From 1.
    taken : datetime.datetime
    wrinkle_scale : float
        Depth of every line relative to the first session.
    truth : FaceTruth
    capture : Capture
    """

    number: int
    taken: dt.datetime
    wrinkle_scale: float
    truth: FaceTruth
    capture: Capture

    @property
    def file_name(self) -> str:
        """Name of its JPEG."""
        return f"{self.taken:%Y-%m-%d}_front.jpg"


def softening(sessions: int) -> list[float]:
    """Share of the course's full effect reached at each session, from 0 to 1.

    Half a cosine: little at first, most in the middle, settling at the end.
    """
    if sessions == 1:
        return [0.0]
    return [0.5 - 0.5 * float(np.cos(np.pi * k / (sessions - 1))) for k in range(sessions)]


def sample_client(seed: int) -> FaceTruth:
    """Make the course's client before treatment: about 50 years, light to medium skin."""
    rng = np.random.default_rng([seed, 91])
    hair = np.array([0.085, 0.052, 0.032]) * rng.uniform(0.5, 1.3)
    spots = tuple(
        Spot(
            x_mm=round(float(rng.choice([-1, 1]) * rng.uniform(30, 62)), 2),
            y_mm=round(float(rng.uniform(-38, 14)), 2),
            diameter_mm=round(float(rng.uniform(1.4, 3.6)), 2),
            melanin_od=round(float(rng.uniform(0.03, 0.07)), 4),
        )
        for _ in range(7)
    )
    person = Person(
        seed=seed,
        melanin_od=round(melanin_for_ita(float(rng.uniform(36, 44))), 4),
        hair_rgb=(round(hair[0], 4), round(hair[1], 4), round(hair[2], 4)),
        brow_rgb=(0.05, 0.032, 0.022),
        iris_rgb=(0.085, 0.095, 0.085),
    )
    return FaceTruth(
        person=person,
        wrinkles=default_wrinkles(seed, amount=1.25),
        spots=spots,
        redness_od=_REDNESS_OD,
        under_eye_shadow_dl=_SHADOW_START_DL,
        under_eye_bag_mm=0.8,
    )


def make_course(
    seed: int = 1,
    *,
    sessions: int = DEFAULT_SESSIONS,
    px_per_mm: float = DEFAULT_PX_PER_MM,
    interval_days: int = 7,
) -> list[Session]:
    """Plan a course: doses and captures, nothing rendered yet.

    Lines soften by 35 % and the under-eye shadow by 40 % from the first to
    the last session; redness varies from day to day without a trend; light,
    pose, distance, exposure and white balance wander as in a careful clinic.

    Parameters
    ----------
    seed : int
        Decides the client and every wandering.
    sessions : int
        1 to 60.
    px_per_mm : float
        Sampling on the face at the nominal distance; 9.4 stays above 9, the finest
        level of measurement, when the camera steps back by 3 %.
    interval_days : int
        Days between sessions, 1 to 60.

    Returns
    -------
    list of Session

    Raises
    ------
    PhantomError
        If a number is outside its range.
    """
    check_range("sessions", sessions, 1, 60)
    check_range("interval_days", interval_days, 1, 60)
    rng = np.random.default_rng([seed, 92])
    client = sample_client(seed)
    redness = _without_trend(rng, sessions)
    base = Capture.at_scale(px_per_mm, width_mm=208.0, height_mm=290.0, distance_mm=800.0)

    def wander(spread: float) -> float:
        return float(np.clip(rng.normal(0, spread / 1.6), -0.97 * spread, 0.97 * spread))

    plan = []
    for k, done in enumerate(softening(sessions)):
        scale = 1 - (1 - WRINKLE_END) * done
        day = FIRST_DAY + dt.timedelta(days=interval_days * k)
        truth = replace(
            with_wrinkles(client, scale),
            under_eye_shadow_dl=round(_SHADOW_START_DL * (1 - (1 - SHADOW_END) * done), 4),
            redness_od=round(_REDNESS_OD * (1 + redness[k]), 5),
        )
        capture = replace(
            base,
            light_azimuth_deg=round(18.0 + wander(2), 2),
            light_elevation_deg=round(38.0 + wander(2), 2),
            light_softness=0.42,
            yaw_deg=round(wander(2), 2),
            pitch_deg=round(wander(2), 2),
            roll_deg=round(wander(2), 2),
            offset_x_mm=round(wander(3), 2),
            offset_y_mm=round(-2.0 + wander(3), 2),
            distance_mm=round(800.0 * (1 + wander(0.03)), 1),
            exposure_ev=round(wander(0.1), 3),
            light_temperature_k=round(5500.0 + wander(80), 0),
            tint=round(wander(0.006), 4),
            jpeg_quality=90,
            seed=seed * 1000 + k,
        )
        minute = int(rng.integers(0, 45))
        taken = dt.datetime.combine(day, dt.time(10, minute))
        plan.append(Session(k + 1, taken, scale, truth, capture))
    return plan


def _without_trend(rng: np.random.Generator, sessions: int) -> list[float]:
    """Day-to-day factors (about ±20 %) with their straight-line trend taken out."""
    noise = rng.normal(0, 0.2, sessions)
    if sessions > 2:
        t = np.arange(sessions)
        noise = noise - np.polyval(np.polyfit(t, noise, 1), t)
    return [float(np.clip(x, -0.6, 0.6)) for x in noise]


def write_course(
    folder: str | Path,
    *,
    seed: int = 1,
    sessions: int = DEFAULT_SESSIONS,
    px_per_mm: float = DEFAULT_PX_PER_MM,
) -> list[Path]:
    """Render a course into a folder: JPEGs and ``truth.json``.

    Parameters
    ----------
    folder : str or Path
        Made if it does not exist; files of the same names are replaced.
    seed, sessions, px_per_mm
        As for ``make_course``.

    Returns
    -------
    list of Path
        The JPEGs in order of date, then ``truth.json``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    PhantomError
        If a number is outside its range.
    """
    plan = make_course(seed, sessions=sessions, px_per_mm=px_per_mm)
    target = Path(folder)
    written = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for session in plan:
            data = photograph(
                session.truth, session.capture, taken=f"{session.taken:%Y:%m:%d %H:%M:%S}"
            )
            path = target / session.file_name
            path.write_bytes(data)
            written.append(path)
        path = target / "truth.json"
        text = json.dumps(describe(plan, seed=seed, px_per_mm=px_per_mm), indent=1)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    except OSError as error:
        raise OutputError(
            expected="a folder that can be written",
            found=type(error).__name__,
            remedy="Choose another folder or make room",
        ) from error
    return written


def describe(plan: list[Session], *, seed: int, px_per_mm: float) -> dict[str, Any]:
    """Describe a course as it stands in ``truth.json``."""
    client = plan[0].truth
    person = client.to_dict()["person"]
    command = f"skinscan phantom -o DIR --seed {seed}"
    # only what differs from the defaults, so that the usual command stays short
    if len(plan) != DEFAULT_SESSIONS:
        command += f" --sessions {len(plan)}"
    if px_per_mm != DEFAULT_PX_PER_MM:
        command += f" --px-per-mm {px_per_mm:g}"
    return {
        "what": "A course of rendered faces with known truth; nobody's photograph.",
        "made_by": command,
        "licence": "Apache-2.0, as skinscan",
        "view": "front",
        "units": {
            "_mm": "millimetres; wrinkle points are x (to the subject's left) and y (up) in"
            " the frontal orthographic projection of the canonical mesh",
            "_deg": "degrees",
            "_od": "optical density: melanin at red, haemoglobin at green",
            "_dl": "L* of the skin's own colour",
            "_k": "kelvin",
            "_ev": "stops",
            "wrinkle_scale": "depth of every line relative to the first session",
        },
        "intended": {
            "wrinkle_depth_change_pct": round(100 * (plan[-1].wrinkle_scale - 1), 2),
            "under_eye_shadow_change_pct": round(
                100 * (plan[-1].truth.under_eye_shadow_dl / client.under_eye_shadow_dl - 1), 2
            ),
            "redness": "noise from day to day, no trend; "
            "under the eyes less, with the blood in the shadow",
            "everything_else": "constant",
        },
        "person": {**person, "ita_deg": round(ita_deg(client.person.melanin_od), 1)},
        "constant_doses": {
            key: value
            for key, value in client.to_dict().items()
            if key not in {"person", "wrinkles", "redness_od", "under_eye_shadow_dl"}
        },
        "wrinkles_at_first_session": client.to_dict()["wrinkles"],
        "sessions": [
            {
                "number": s.number,
                "file": s.file_name,
                "taken": s.taken.isoformat(),
                "wrinkle_scale": round(s.wrinkle_scale, 4),
                "under_eye_shadow_dl": s.truth.under_eye_shadow_dl,
                "redness_od": s.truth.redness_od,
                "capture": s.capture.to_dict(),
            }
            for s in plan
        ],
    }
