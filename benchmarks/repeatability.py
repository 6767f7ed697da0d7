"""Measure how far apart takes of one face are whose skin did not change.

Usage: python benchmarks/repeatability.py [--persons 5] [--takes 4] [--workers 1] [--write docs]

Phantoms of three skin tones are photographed again and again as in a careful clinic (`capture_of`
in benchmarks/doses.py: pose, distance, light and exposure wander a little, the noise is
another one). What a metric then varies by, within a person and region, is its repeatability here:
rendered skin and a rendered camera are kinder than real ones, so it is a lower bound.
`--write docs` writes docs/figures/repeatability.md and repeatability.json, from which
tools/metric_docs.py takes the precision table of every metric's page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _common import RESULTS, Report, number, parser
from _responses import Shot, Table, measure_all
from doses import COMMON_PX_MM, SEEDS, TONES

from skinscan.metrics import Metric, metrics
from skinscan.metrics.registry import Dose

LIGHT = "room"
#: The usual face: its lines as deep as they are.
USUAL = (Dose.WRINKLE_DEPTH, 1.0)


@dataclass(frozen=True)
class Spread:
    """Repeatability of one metric on one skin tone.

    Attributes
    ----------
    deviation : float
        Standard deviation between takes, pooled over persons and regions, metric's unit.
    size : float
        Median of the size of the number itself.
    regions : int
        Person-regions with a number in every take.
    """

    deviation: float
    size: float
    regions: int

    @property
    def percent(self) -> float:
        """Deviation in per cent of the number's own size."""
        return 100.0 * self.deviation / self.size if self.size > 0 else float("nan")


def spread(metric: Metric, series: Sequence[Sequence[Table]]) -> Spread:
    """Pool the takes of one metric.

    Parameters
    ----------
    metric : Metric
    series : sequence of sequences of Table
        Takes of each person.
    """
    variances, sizes = [], []
    for takes in series:
        for region in takes[0].get(metric.name, {}):
            values = np.array([t.get(metric.name, {}).get(region, np.nan) for t in takes])
            if np.isfinite(values).all():
                variances.append(values.var(ddof=1))
                sizes.append(np.abs(values).mean())
    if not variances:
        return Spread(float("nan"), float("nan"), 0)
    return Spread(float(np.sqrt(np.mean(variances))), float(np.median(sizes)), len(variances))


def shots(persons: int, takes: int) -> dict[tuple[int, str], list[Shot]]:
    """Every photo, by person and tone."""
    dose, value = USUAL
    return {
        (seed, tone): [
            Shot(dose, seed, tone, LIGHT, value, COMMON_PX_MM, take) for take in range(takes)
        ]
        for seed in SEEDS[:persons]
        for tone in TONES
    }


def main() -> int:
    """Run, print and write."""
    options = parser(__doc__, target="docs")
    options.add_argument("--persons", type=int, default=5)
    options.add_argument("--takes", type=int, default=4)
    options.add_argument("--workers", type=int, default=1)
    chosen = options.parse_args()
    plan = shots(chosen.persons, chosen.takes)
    tables = measure_all(
        [s for part in plan.values() for s in part],
        workers=chosen.workers,
        folder=RESULTS / "accuracy",
    )
    found: dict[str, Mapping[str, Spread]] = {
        item.name: {
            tone: spread(
                item, [[tables[s] for s in part] for (_, t), part in plan.items() if t == tone]
            )
            for tone in TONES
        }
        for item in metrics().values()
    }
    report = Report("Repeatability", "repeatability.py")
    report.say(
        f"{chosen.persons} rendered persons, each with {len(TONES)} skin tones, "
        f"{chosen.takes} takes at {COMMON_PX_MM:g} px/mm as in a careful clinic: pose ± 1°, lamp "
        "± 2°, distance ± 1 %, exposure ± 0.04 EV (standard deviations). Standard deviation "
        "between takes of one person and region, pooled; in brackets in % of the median size of "
        "the number, which means nothing for numbers around 0. A lower bound: real skin and "
        "cameras are less kind."
    )
    report.table(
        ("metric", "unit", *TONES),
        [
            (
                item.name,
                item.unit,
                *(
                    f"{number(s.deviation, 3)} ({number(s.percent, 0)} %)"
                    for s in found[item.name].values()
                ),
            )
            for item in metrics().values()
        ],
    )
    if chosen.write is not None:
        folder = Path(chosen.write) / "figures"
        report.write(folder / "repeatability.md")
        data = {
            "made_by": " ".join(["python", "benchmarks/repeatability.py", *sys.argv[1:]]),
            "persons": chosen.persons,
            "takes": chosen.takes,
            "px_per_mm": COMMON_PX_MM,
            "metrics": {
                name: {
                    tone: {
                        "deviation": None if np.isnan(s.deviation) else s.deviation,
                        "percent": None if np.isnan(s.percent) else s.percent,
                        "regions": s.regions,
                    }
                    for tone, s in tones.items()
                }
                for name, tones in found.items()
            },
        }
        text = json.dumps(data, indent=1) + "\n"
        (folder / "repeatability.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
