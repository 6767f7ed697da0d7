"""Test whether every number follows what it is named after, and nothing else, on every skin.

Usage: python benchmarks/accuracy.py [--doses a,b] [--quick] [--clinic] [--one-tone] [--workers 2]
           [--photos DIR] [--write docs]

Phantoms of five persons and three skin tones are photographed at twelve steps of each dose
(benchmarks/doses.py), wrinkle depth under five lights. Per registered metric:

- dose-response: Spearman correlation with its own dose, per person and tone;
- wrinkle severity: straight line through the logarithms of depth and severity, per light;
- fairness: slope on light and on dark skin relative to middle skin;
- selectivity: what the full dose of everything else does to it, relative to its own full dose.

With --photos the same is asked of real faces, as far as truth can be made there: known warps
(benchmarks/lift_warps.py). Measured photos are kept in benchmarks/results/accuracy by scene and
sources: a stopped run goes on where it was. `--write docs` writes docs/figures/accuracy.md,
docs/figures/accuracy.json and docs/figures/accuracy/*.svg.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import lift_warps
import numpy as np
from _common import RESULTS, Report, number, parser, progress, source_hash
from _plots import Series, dose_response, heat_map
from _response import median, power_law, slope, spearman, worst
from _responses import (
    Curve,
    Shot,
    Table,
    acting_regions,
    curve,
    measure_all,
    over_regions,
    series,
)
from doses import COMMON_PX_MM, LIGHTS, MIDDLE, SEEDS, SETUPS, TONES, TRUE_VALUE, dose_of
from numpy.typing import NDArray

from skinscan.metrics import Metric, metrics
from skinscan.metrics.registry import Dose

F64 = NDArray[np.float64]

RHO_GOAL, R2_GOAL, FAIR_GOAL, LEAK_GOAL = 0.98, 0.98, 0.15, 0.10
SEVERITY = "wrinkles.severity"
#: What is painted into, or done to, real photos; a section takes the report and the folder.
PHOTO_SECTIONS: tuple[Callable[[Report, Path], None], ...] = (lift_warps.section,)


@dataclass(frozen=True)
class Plan:
    """How much is rendered.

    Attributes
    ----------
    doses : tuple of Dose
    seeds : tuple of int
    tones : tuple of str
    steps : int
        Of the twelve values of a dose, evenly chosen.
    px_limit : float
        No photo is finer than this.
    clinic : bool
        Also let every photo of a series be taken anew.
    one_tone : bool
        Only middle skin under other lights than the first.
    """

    doses: tuple[Dose, ...]
    seeds: tuple[int, ...] = SEEDS
    tones: tuple[str, ...] = tuple(TONES)
    steps: int = 12
    px_limit: float = np.inf
    clinic: bool = False
    one_tone: bool = False

    def values(self, dose: Dose) -> tuple[float, ...]:
        """List the steps of a dose."""
        every = SETUPS[dose].values
        chosen = np.unique(np.linspace(0, len(every) - 1, self.steps).round().astype(int))
        return tuple(every[k] for k in chosen)

    def series(self, dose: Dose, *, wander: bool = False) -> list[tuple[Shot, ...]]:
        """Shots of the dose-response of one dose."""
        return list(
            series(
                dose,
                seeds=self.seeds,
                tones=self.tones,
                values=self.values(dose),
                px=min(SETUPS[dose].px_per_mm, self.px_limit),
                wander=wander,
                one_tone=self.one_tone,
            )
        )

    def ends(self, dose: Dose) -> list[tuple[Shot, Shot]]:
        """Nothing and everything of a dose, per person, at a sampling common to all doses."""
        setup, px = SETUPS[dose], min(COMMON_PX_MM, self.px_limit)
        return [
            (
                Shot(dose, seed, MIDDLE, setup.lights[0], setup.none, px),
                Shot(dose, seed, MIDDLE, setup.lights[0], setup.full, px),
            )
            for seed in self.seeds
        ]

    def shots(self) -> list[Shot]:
        """Every photo that is needed."""
        wanted = [s for d in self.doses for part in self.series(d) for s in part]
        if self.clinic:
            wanted += [s for d in self.doses for part in self.series(d, wander=True) for s in part]
        return wanted + [s for d in self.doses for pair in self.ends(d) for s in pair]

    def metrics(self) -> list[tuple[Metric, Dose]]:
        """Metrics named after the chosen doses; raises where one has no dose."""
        named = [(m, dose_of(m)) for m in metrics().values()]
        return [(m, d) for m, d in named if d in self.doses]


# --- what is found -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Response:
    """One metric against its own dose.

    Attributes
    ----------
    metric : Metric
    dose : Dose
    curves : tuple of Curve
        Under the first light of the dose.
    rhos : ndarray of float64
        Spearman per person and tone, positive in the usual direction of the metric.
    rising : bool
        Whether more dose gives a larger number.
    slopes : mapping
        tone -> median slope over persons, metric's unit per unit of the dose (or of the truth).
    fairness : mapping
        tone -> median over persons of slope relative to middle skin, minus one.
    """

    metric: Metric
    dose: Dose
    curves: tuple[Curve, ...]
    rhos: F64
    rising: bool
    slopes: Mapping[str, float]
    fairness: Mapping[str, float]

    @property
    def unfair(self) -> float:
        """Largest deviation from middle skin."""
        return -worst([-abs(v) for v in self.fairness.values()])


def response(metric: Metric, dose: Dose, curves: Sequence[Curve]) -> Response:
    """Judge the curves of one metric."""
    signed = np.array([spearman(c.doses, c.values) for c in curves])
    rising = bool(median(signed) >= 0)
    slopes = {(c.seed, c.tone): slope(c.truth, c.values) for c in curves}
    tones = list(dict.fromkeys(c.tone for c in curves))
    seeds = list(dict.fromkeys(c.seed for c in curves))
    return Response(
        metric=metric,
        dose=dose,
        curves=tuple(curves),
        rhos=signed if rising else -signed,
        rising=rising,
        slopes={t: median([slopes[s, t] for s in seeds]) for t in tones},
        fairness={
            t: median(
                [
                    slopes[s, t] / slopes[s, MIDDLE] - 1 if slopes[s, MIDDLE] else np.nan
                    for s in seeds
                ]
            )
            for t in tones
            if t != MIDDLE and MIDDLE in tones
        },
    )


def responses(plan: Plan, tables: Mapping[Shot, Table], *, wander: bool = False) -> list[Response]:
    """All metrics against their own doses."""
    out = []
    for metric, dose in plan.metrics():
        light = SETUPS[dose].lights[0]
        parts = [p for p in plan.series(dose, wander=wander) if p[0].light == light]
        out.append(response(metric, dose, [curve(metric, p, tables) for p in parts]))
    return out


def leaks(plan: Plan, tables: Mapping[Shot, Table]) -> tuple[list[Metric], F64]:
    """Movement of each metric under each full dose, relative to its own full dose.

    Returns
    -------
    metrics : list of Metric
    shares : ndarray of float64, shape (doses, metrics)
        Median over persons; NaN where the metric has no number or its own dose does nothing.
    """
    named = plan.metrics()
    shares = np.full((len(plan.doses), len(named)), np.nan)

    def moves(metric: Metric, dose: Dose, own: Dose) -> F64:
        where = acting_regions(dose, metric)
        if not set(where) & set(acting_regions(own, metric)):
            where = acting_regions(own, metric)
        return np.array(
            [
                np.diff(over_regions([tables[a], tables[b]], metric, where))[0]
                for a, b in plan.ends(dose)
            ]
        )

    for k, (metric, own) in enumerate(named):
        full = moves(metric, own, own)
        full[full == 0] = np.nan
        for r, dose in enumerate(plan.doses):
            shares[r, k] = median(moves(metric, dose, own) / full)
    return [m for m, _ in named], shares


# --- report ----------------------------------------------------------------------------------


def _met(value: float, goal: float, *, least: bool) -> str:
    if not np.isfinite(value):
        return "not measured"
    return "yes" if (value >= goal if least else value <= goal) else "**no**"


def say_responses(
    report: Report, found: Sequence[Response], clinic: Sequence[Response] | None
) -> None:
    """Write the table of dose-response."""
    report.section(f"Dose-response (goal: Spearman ≥ {RHO_GOAL:g})")
    report.say(
        "Rank correlation of the metric with its own dose, per person and tone: median and worst. "
        "Mean over the regions on which the dose acts. Persons and tones without a number at "
        "enough steps are not measured."
    )
    rows = []
    for k, r in enumerate(found):
        rows.append(
            (
                r.metric.name,
                r.dose.value,
                "rises" if r.rising else "falls",
                f"{np.isfinite(r.rhos).sum()} of {len(r.rhos)}",
                number(median(r.rhos), 3),
                number(worst(r.rhos), 3),
                _met(median(r.rhos), RHO_GOAL, least=True),
                _met(worst(r.rhos), RHO_GOAL, least=True),
                *([number(median(clinic[k].rhos), 3)] if clinic else []),
            )
        )
    head = [
        "metric",
        "dose",
        "with dose",
        "measured",
        "median",
        "worst",
        "median ≥ goal",
        "all ≥ goal",
    ]
    report.table(head + (["each photo taken anew: median"] if clinic else []), rows)


def say_lights(report: Report, plan: Plan, tables: Mapping[Shot, Table]) -> dict[str, object]:
    """Write severity over depth at each light."""
    dose = Dose.WRINKLE_DEPTH
    if dose not in plan.doses or SEVERITY not in metrics():
        return {}
    report.section(f"Wrinkle severity over depth, five lights (goal: log-log R² ≥ {R2_GOAL:g})")
    report.say(
        "severity = c · depth^exponent, fitted per person and tone. Line contrast is not depth: "
        "the exponent belongs to the light."
    )
    rows, kept = [], {}
    for light in SETUPS[dose].lights:
        curves = [
            curve(metrics()[SEVERITY], p, tables) for p in plan.series(dose) if p[0].light == light
        ]
        fits = [power_law(c.doses, c.values) for c in curves]
        rhos = [spearman(c.doses, c.values) for c in curves]
        r2 = [fit[1] for fit in fits]
        powers = {
            t: median([f[0] for f, c in zip(fits, curves, strict=True) if c.tone == t])
            for t in plan.tones
        }
        lamp = LIGHTS[light]
        rows.append(
            (
                light,
                f"{lamp['light_azimuth_deg']:g}° / {lamp['light_elevation_deg']:g}°",
                number(median(rhos), 3),
                number(worst(rhos), 3),
                number(median(r2), 3),
                number(worst(r2), 3),
                _met(worst(r2), R2_GOAL, least=True),
                *(number(v) for v in powers.values()),
            )
        )
        kept[light] = {
            "r_squared": {"median": median(r2), "worst": worst(r2)},
            "spearman": {"median": median(rhos), "worst": worst(rhos)},
            "exponent": powers,
        }
    report.table(
        [
            "light",
            "azimuth / elevation",
            "Spearman median",
            "worst",
            "R² median",
            "worst",
            "all ≥ goal",
            *(f"exponent, {t}" for t in plan.tones),
        ],
        rows,
    )
    return kept


def say_fairness(report: Report, found: Sequence[Response]) -> None:
    """Write slopes per tone."""
    report.section(f"Fairness (goal: within ±{100 * FAIR_GOAL:.0f} % of middle skin)")
    report.say(
        "Slope (Theil-Sen) over the dose, median over persons; its deviation from the same person "
        "with middle skin. Colours are held against the colour of the skin under even light, in "
        f"their own unit: {', '.join(TRUE_VALUE)}."
    )
    tones = list(found[0].slopes)
    others = [t for t in tones if t != MIDDLE]
    report.table(
        [
            "metric",
            "slope per",
            *(f"slope, {t}" for t in tones),
            *(f"{t} − {MIDDLE}, %" for t in others),
            "goal met",
        ],
        [
            (
                r.metric.name,
                "true value" if r.metric.name in TRUE_VALUE else r.dose.value,
                *(f"{r.slopes[t]:.3g}" for t in tones),
                *(number(100 * r.fairness.get(t, np.nan), 0) for t in others),
                _met(r.unfair, FAIR_GOAL, least=False),
            )
            for r in found
        ],
    )


def say_leaks(report: Report, plan: Plan, items: Sequence[Metric], shares: F64) -> None:
    """Write the exceptions of selectivity."""
    report.section(f"Selectivity (goal: below {100 * LEAK_GOAL:.0f} % for other families)")
    report.say(
        "Full dose minus none, middle skin, median over persons, in % of what the metric's own "
        "full dose does. Heat map: [selectivity.svg](accuracy/selectivity.svg). Exceptions:"
    )
    rows = []
    for r, dose in enumerate(plan.doses):
        moved = [
            (abs(shares[r, k]), m.name)
            for k, m in enumerate(items)
            if not related(dose, m) and abs(shares[r, k]) >= LEAK_GOAL
        ]
        if moved:
            listed = ", ".join(f"{name} {100 * s:.0f}" for s, name in sorted(moved, reverse=True))
            rows.append((dose.value, str(len(moved)), listed))
    report.table(["full dose of", "metrics moved", "which, %"], rows)
    judged = [
        abs(shares[r, k])
        for r, dose in enumerate(plan.doses)
        for k, m in enumerate(items)
        if not related(dose, m) and np.isfinite(shares[r, k])
    ]
    below = int(np.sum(np.array(judged) < LEAK_GOAL))
    report.say(
        f"{below} of {len(judged)} pairs of dose and metric of another family are below the goal."
    )


def related(dose: Dose, metric: Metric) -> bool:
    """Whether a metric of the same family is named after the dose."""
    return any(m.family == metric.family and m.dose is dose for m in metrics().values())


def say_misses(report: Report, found: Sequence[Response]) -> None:
    """Name what misses a goal."""
    report.section("Misses")
    slow = [r.metric.name for r in found if not median(r.rhos) >= RHO_GOAL]
    some = [r.metric.name for r in found if median(r.rhos) >= RHO_GOAL > worst(r.rhos)]
    unfair = [r.metric.name for r in found if not r.unfair <= FAIR_GOAL]
    report.say(f"- Not monotone in the median: {', '.join(slow) or 'none'}.")
    report.say(f"- Monotone in the median, not in everyone: {', '.join(some) or 'none'}.")
    report.say(f"- Other sensitivity on light or dark skin: {', '.join(unfair) or 'none'}.")


# --- files -----------------------------------------------------------------------------------


def chart(r: Response) -> str:
    """Dose-response of one metric as SVG."""
    shown = [
        Series(
            f"{tone} skin",
            r.curves[0].doses,
            np.array([c.values for c in r.curves if c.tone == tone]),
            line,
        )
        for tone, line in _medians(r).items()
    ]
    unit = f", {r.metric.unit}" if r.metric.unit else ""
    return dose_response(r.metric.name, SETUPS[r.dose].label, f"{r.metric.title}{unit}", shown)


def _plain(value: object) -> object:
    """Make something JSON can hold: five digits, None for what is not known."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return value


def _medians(r: Response) -> dict[str, F64]:
    """Median over persons at each step, per tone."""
    by_tone = {t: np.array([c.values for c in r.curves if c.tone == t]) for t in r.slopes}
    return {t: np.array([median(step) for step in rows.T]) for t, rows in by_tone.items()}


def as_json(
    plan: Plan,
    found: Sequence[Response],
    lights: Mapping[str, object],
    selectivity: tuple[list[Metric], F64],
) -> str:
    """Write down everything that was found, for documentation pages and tests."""
    items, shares = selectivity
    data = {
        "made_by": "python benchmarks/accuracy.py --write docs",
        "sources": source_hash()[:8],
        "persons": len(plan.seeds),
        "goals": {
            "spearman": RHO_GOAL,
            "r_squared": R2_GOAL,
            "fairness": FAIR_GOAL,
            "selectivity": LEAK_GOAL,
        },
        "metrics": {
            r.metric.name: {
                "dose": r.dose.value,
                "dose_label": SETUPS[r.dose].label,
                "unit": r.metric.unit,
                "doses": r.curves[0].doses,
                "median": _medians(r),
                "rises": r.rising,
                "spearman": {"median": median(r.rhos), "worst": worst(r.rhos)},
                "slope_per": "true value" if r.metric.name in TRUE_VALUE else r.dose.value,
                "slope": r.slopes,
                "fairness": r.fairness,
            }
            for r in found
        },
        "severity_by_light": lights,
        "selectivity": {
            "doses": [d.value for d in plan.doses],
            "metrics": [m.name for m in items],
            "shares": shares,
        },
    }
    return json.dumps(_plain(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_figures(
    folder: Path,
    plan: Plan,
    found: Sequence[Response],
    lights: Mapping[str, object],
    selectivity: tuple[list[Metric], F64],
) -> None:
    """Write accuracy.json and the charts below a folder of figures."""
    charts = folder / "accuracy"
    charts.mkdir(parents=True, exist_ok=True)
    for r in found:
        (charts / f"{r.metric.name}.svg").write_text(chart(r), encoding="utf-8")
    items, shares = selectivity
    own = np.array([[related(d, m) for m in items] for d in plan.doses])
    picture = heat_map(
        "What a full dose moves",
        [d.value for d in plan.doses],
        [m.name for m in items],
        shares,
        own,
    )
    (charts / "selectivity.svg").write_text(picture, encoding="utf-8")
    text = as_json(plan, found, lights, selectivity)
    (folder / "accuracy.json").write_text(text, encoding="utf-8")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__, target="DOCS")
    made.add_argument("--doses", default="", help="only these, separated by commas")
    made.add_argument("--quick", action="store_true", help="one person, four steps")
    made.add_argument("--persons", type=int, default=len(SEEDS), help="so many of the five")
    made.add_argument("--steps", type=int, default=12, help="so many of the twelve of each dose")
    made.add_argument("--clinic", action="store_true", help="also take every photo anew")
    made.add_argument("--workers", type=int, default=2, choices=(1, 2))
    made.add_argument(
        "--one-tone", action="store_true", help="other lights than the first on middle skin only"
    )
    made.add_argument("--px-limit", type=float, default=np.inf, help="no photo finer than this")
    made.add_argument("--photos", type=Path, help="folder of neutral portraits")
    made.add_argument("--results", type=Path, default=RESULTS / "accuracy")
    return made.parse_args(argv)


def plan_of(args: argparse.Namespace) -> Plan:
    """Decide what is rendered; every registered metric must have a dose."""
    used = {dose_of(m) for m in metrics().values()}
    named = [Dose(d) for d in args.doses.split(",") if d]
    doses = tuple(d for d in Dose if (d in named if named else d in used))
    persons, steps = (1, 4) if args.quick else (args.persons, args.steps)
    return Plan(
        doses,
        seeds=SEEDS[:persons],
        steps=steps,
        px_limit=args.px_limit,
        clinic=args.clinic,
        one_tone=args.one_tone,
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run and print."""
    args = arguments(argv)
    plan = plan_of(args)
    shots = plan.shots()
    progress(f"{len(set(shots))} photos of {len(plan.doses)} doses")
    tables = measure_all(shots, workers=args.workers, folder=args.results)
    report = Report("Accuracy on phantoms", "accuracy.py")
    report.say(
        f"{len(plan.seeds)} persons, {len(plan.tones)} skin tones, {plan.steps} steps of "
        f"{len(plan.doses)} doses; {sum(not t for t in tables.values())} of {len(tables)} photos "
        "were refused."
    )
    found = responses(plan, tables)
    say_responses(report, found, responses(plan, tables, wander=True) if plan.clinic else None)
    lights = say_lights(report, plan, tables)
    say_fairness(report, found)
    selectivity = leaks(plan, tables)
    say_leaks(report, plan, *selectivity)
    say_misses(report, found)
    if args.photos:
        for section in PHOTO_SECTIONS:
            section(report, args.photos)
    if args.write:
        folder = args.write / "figures"
        write_figures(folder, plan, found, lights, selectivity)
        report.write(folder / "accuracy.md")


if __name__ == "__main__":
    main()
