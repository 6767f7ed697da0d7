"""How often a course is judged rightly, simulated from the precision model.

    python benchmarks/simulated_courses.py [--courses 4000] [--level 4.5]

For courses without any change: the share with any false claim, also while the capture drifts.
For a reduction of wrinkles: the share found, and the smallest reduction found with 80 % power. The
error model is taken as true here; whether it is, `benchmarks/precision.py` shows.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from _courses import CONCERNS, F64, Errors, of_model, simulate

from skinscan.metrics import Concern
from skinscan.precision import PrecisionModel, precision_model
from skinscan.progress.words import HEADLINES

SESSIONS = (2, 4, 6, 8, 12)
#: What is read first of lines.
LINES = HEADLINES[Concern.WRINKLES]
WRINKLES = CONCERNS.index(Concern.WRINKLES)
#: Of the reduction that is looked for, and steps in which the smallest one found is sought.
REDUCTION, STEP = 0.2, 0.01


def share(hits: np.ndarray) -> str:
    """Write a share with its 95 % interval (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    count, z = len(hits), 1.96
    p = float(hits.mean())
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + (z / (2 * count)) ** 2)
    return f"{100 * p:5.1f} % ({100 * (middle - half):.1f} to {100 * (middle + half):.1f})"


def reduced(errors: Errors, size: float, *, alone: bool) -> dict[str, float]:
    """Less of what is read first of lines, alone or with every other metric of wrinkles."""
    names = [e.name for e in errors.entries if e.concern is Concern.WRINKLES]
    return dict.fromkeys([LINES] if alone else names, -size)


def smallest(errors: Errors, sessions: int, *, alone: bool, courses: int) -> float:
    """Smallest reduction that is found in 80 % of courses."""
    size = 0.0
    while size < 1.0:
        size += STEP
        change = reduced(errors, size, alone=alone)
        outcome = simulate(errors, sessions, courses=courses, seed=3, change=change)
        if outcome.concerns[:, WRINKLES].mean() >= 0.8:
            break
    return size


def drifts(errors: Errors, model: PrecisionModel, level: float, sessions: int) -> dict[str, F64]:
    """List captures that change along with the course, by less than bars a comparison."""
    steps = {
        "lamp moved by 3° half-way": (
            {"light_direction": 3.0},
            np.arange(sessions) >= sessions // 2,
        ),
        "lamp moving by 3°": ({"light_direction": 3.0}, np.linspace(0, 1, sessions)),
        "camera changed half-way": ({"camera": 1.0}, np.arange(sessions) >= sessions // 2),
        "lips relaxing": ({"expression": 0.1}, np.linspace(0, 1, sessions)),
    }
    result = {}
    for name, (difference, extent) in steps.items():
        added = [
            model.added_by(e, level, found.typical, difference) / found.typical
            for e in errors.entries
            for found in [model.levels[e.name, min(level, e.finest_level_px_mm)]]
        ]
        result[name] = np.outer(extent, added)
    return result


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--courses", type=int, default=4000)
    parser.add_argument("--level", type=float, default=4.5)
    options = parser.parse_args()
    model = precision_model()
    errors = of_model(model, options.level)
    if not errors.entries:
        parser.error("the precision model is empty: run benchmarks/precision.py first")
    first = [e.name for e in errors.entries].index(LINES)
    print(f"{options.courses} courses each, {len(errors.entries)} metrics, {options.level} px/mm")
    print(
        f"{LINES} of the whole face: capture {100 * errors.capture[first]:.1f} %, "
        f"day to day {100 * errors.day[first]:.1f} %"
    )
    print(
        "\n| sessions | any false claim | coverage of 95 % intervals | 20 % less of the first, "
        "alone | 20 % less of all wrinkle metrics |\n| --- | --- | --- | --- | --- |"
    )
    for sessions in SESSIONS:
        still = simulate(errors, sessions, courses=options.courses, seed=1)
        found = [
            simulate(
                errors,
                sessions,
                courses=options.courses,
                seed=2,
                change=reduced(errors, REDUCTION, alone=alone),
            ).concerns[:, WRINKLES]
            for alone in (True, False)
        ]
        covered = np.abs(still.error) < 1.96
        print(
            f"| {sessions} | {share(still.concerns.any(axis=1))} | {100 * covered.mean():.1f} % | "
            f"{share(found[0])} | {share(found[1])} |"
        )
    print("\n| capture drifts over 8 sessions | any false claim |\n| --- | --- |")
    for name, drift in drifts(errors, model, options.level, 8).items():
        outcome = simulate(errors, 8, courses=options.courses, seed=4, drift=drift)
        print(f"| {name} | {share(outcome.concerns.any(axis=1))} |")
    print("\n| smallest reduction found with 80 % power | first alone | all wrinkle metrics |")
    print("| --- | --- | --- |")
    for sessions in (2, 8):
        sizes = [
            smallest(errors, sessions, alone=alone, courses=options.courses // 4)
            for alone in (True, False)
        ]
        print(f"| {sessions} sessions | {100 * sizes[0]:.0f} % | {100 * sizes[1]:.0f} % |")


if __name__ == "__main__":
    main()
