"""Fit the precision model, try it on other people, and draw what fakes a change.

Usage: python benchmarks/precision.py [--persons 100] [--workers 2] [--photos ../shared/photos]
           [--write docs] [--write-model]

Rendered people of every skin tone are photographed eight times each without any change of their
skin: four times as in a careful clinic, four times with about half of all that can go wrong going
wrong (benchmarks/_captures.py). The standard errors are fitted to half of the people and tried on
the other half: how often does the 95 % interval of a change cover the truth, which is no change?
Six more people show what each nuisance alone does, and so from where on a metric cannot be
compared.

With --photos the same on real people: recaptures simulated from the portraits in london/, and the
retakes one by one. `--write-model` writes models/precision.json, `--write docs`
docs/figures/precision.md and precision.json. Measured photos are kept in benchmarks/results.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from _captures import (
    CAREFUL,
    CURVES_FROM,
    FITTED_FROM,
    NUISANCES,
    TRIED_FROM,
    baseline_step,
    curve_scene,
    takes,
)
from _common import ROOT, Report, number, parser, pictures, source_hash, span, wilson
from _precision_fit import (
    KIND_OF,
    Curves,
    changes,
    kinds_between,
    levels_of,
    limit_of,
    model_data,
    photo_pairs,
    top_places,
)
from _recapture import RECAPTURES, recaptured
from _repeats import Repeat, places, repeats
from _responses import photo_of

from skinscan.conditions import KINDS, differences
from skinscan.metrics import Metric, metrics
from skinscan.precision import PrecisionModel, parse_precision

Z95 = 1.959964
CURVE_PERSONS = 6
MODEL_PATH = ROOT / "models" / "precision.json"

#: Goals of a clinic's careful takes: metric, unit ("%" of the number, or its own), goal.
CV_GOALS = (
    ("texture.roughness_rq", "%", 2.0),
    ("texture.roughness_rz", "%", 2.0),
    ("tone.evenness", "%", 3.0),
    ("tone.redness", "%", 3.0),
    ("wrinkles.severity", "%", 8.0),
    ("under_eye.dark_circle_dl", "%", 5.0),
    ("under_eye.dark_circle_de", "%", 5.0),
    ("lift.brow_height", "mm", 1.0),
    ("lift.lid_aperture", "mm", 1.0),
    ("lift.jaw_sag", "mm", 1.0),
    ("lift.asymmetry", "mm", 1.0),
)
LOW, HIGH = 0.92, 0.98


# --- photos of each job; workers find these by name ------------------------------------------


def person_photos(seed: int) -> Iterator[bytes]:
    """All takes of one person."""
    return (photo_of(scene) for scene in takes(seed))


def curve_photos(seed: int) -> Iterator[bytes]:
    """Every step of every nuisance of one person."""
    return (
        photo_of(curve_scene(seed, name, step))
        for name, nuisance in NUISANCES.items()
        for step in nuisance.steps
    )


def recapture_photos(path: Path) -> Iterator[bytes]:
    """Yield a real portrait, and what other captures would have made of it."""
    return (recaptured(path, name) for name in RECAPTURES)


def retake_photos(path: Path) -> Iterator[bytes]:
    """One photo as it is."""
    yield path.read_bytes()


def curves_of(workers: int) -> Curves:
    """Measure the curves."""
    seeds = [CURVES_FROM + k for k in range(CURVE_PERSONS)]
    steps = [(name, step) for name, nuisance in NUISANCES.items() for step in nuisance.steps]
    result: dict[int, dict[str, dict[float, Repeat | None]]] = {}
    for seed, photos in zip(seeds, repeats(curve_photos, seeds, workers=workers), strict=True):
        person: dict[str, dict[float, Repeat | None]] = {}
        for (name, step), photo in zip(steps, photos, strict=True):
            person.setdefault(name, {})[step] = photo
        result[seed] = person
    return result


# --- what the model says of a photo ----------------------------------------------------------


def with_limits(data: dict, curves: Curves) -> dict:
    """Add the limits of comparability, which need the standard errors."""
    model = parse_precision(data)
    for entry in metrics().values():
        limits: dict[str, float] = {}
        for nuisance, kind in KIND_OF.items():
            found = changes(entry, nuisance, curves, model)
            if found:
                # Less would bar what a careful clinic cannot help.
                limit = max(limit_of(nuisance, found), model.usual[kind])
                limits[kind] = min(limits.get(kind, math.inf), float(f"{limit:.3g}"))
        data["metrics"][entry.name]["limits"] = {
            k: v for k, v in limits.items() if math.isfinite(v)
        }
    return data


# --- tables ----------------------------------------------------------------------------------


def say_repeatability(report: Report, people: Sequence[Sequence[Repeat | None]]) -> None:
    """Careful takes of people that the model was not fitted to, against the goals."""
    report.section("Takes of a careful clinic")
    report.say(
        "Lamp ± 1.5°, pose ± 1.2°, distance ± 1.5 %, exposure ± 0.08 EV, white balance ± 80 K, "
        "standard deviations. Standard deviation between takes of one person and region (median "
        "over regions and people, 95 % interval by resampling people), in % of the number's size "
        "or in its own unit."
    )
    rows = []
    for name, unit, goal in CV_GOALS:
        entry = metrics()[name]
        index = np.array([k for k, _ in top_places(entry)], dtype=np.intp)
        own = []
        for photos in people:
            block = [p.values[index] for p in photos[:CAREFUL] if p is not None]
            if len(block) < CAREFUL:
                continue
            array = np.array(block)
            use = np.isfinite(array).all(axis=0)
            if not use.any():
                continue
            spread = array[:, use].std(axis=0, ddof=1)
            if unit == "%":
                spread = 100.0 * spread / np.maximum(np.abs(array[:, use].mean(axis=0)), 1e-9)
            own.append(float(np.median(spread)))
        if not own:
            rows.append([name, f"{goal:g} {unit}", "–", "–", 0, "not measured"])
            continue
        draws = np.random.default_rng(0).choice(own, (2000, len(own)))
        low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
        middle = float(np.median(own))
        verdict = "yes" if middle <= goal else ("**no**" if low > goal else "inside the interval")
        rows.append(
            [name, f"{goal:g} {unit}", number(middle, 2), span((low, high), 2), len(own), verdict]
        )
    report.table(["metric", "goal", "median", "95 %", "people", "goal met"], rows)


def say_calibration(
    report: Report, model: PrecisionModel, people: Sequence[Sequence[Repeat | None]]
) -> dict[str, dict[str, float | None]]:
    """Say how often 95 % intervals cover "no change", on people that nothing was fitted to."""
    report.section("Calibration: how often does a 95 % interval of a change cover no change?")
    names = list(KINDS)
    pairs = photo_pairs(people, usual=np.array([model.usual[n] for n in names]))
    report.say(
        f"{len(people)} people unseen by the fit, {len(pairs.careful)} pairs of photos, "
        f"{int(pairs.careful.sum())} of them both careful. Goal: 92 to 98 % per metric. Two zeros "
        "(no line in either photo) are left out. *Careless*: at least one of the photos taken with "
        "something amiss, compared only where the limits of comparability allow it; the share that "
        "they bar is in the last column."
    )
    rows, found = [], {}
    for entry in metrics().values():
        inside = {True: 0, False: 0}
        count = {True: 0, False: 0}
        barred = total = 0
        limits = np.array([model.limits[entry.name].get(n, math.inf) for n in names])
        for level in levels_of(entry):
            part = model.levels.get((entry.name, level))
            if part is None:
                continue
            these = pairs.of(entry, level)
            factor = np.array([part.groups.get(g, 1.0) for g in entry.groups])[these.group]
            before, after = (
                factor**2 * (part.absolute**2 + (part.relative * v) ** 2)
                for v in (these.before, these.after)
            )
            slopes = np.array([part.differences.get(n, 0.0) for n in names])
            size = np.maximum(np.abs(these.before), 0.5 * part.typical)
            added = (these.excess * slopes**2).sum(axis=1) * size**2
            fits = (these.kinds <= limits).all(axis=1)
            covered = np.abs(these.after - these.before) <= Z95 * np.sqrt(before + after + added)
            for careful in (True, False):
                use = (these.careful == careful) & (fits | careful)
                inside[careful] += int(covered[use].sum())
                count[careful] += int(use.sum())
            barred += int((~these.careful & ~fits).sum())
            total += int((~these.careful).sum())
        shares = {c: inside[c] / count[c] if count[c] else math.nan for c in (True, False)}
        found[entry.name] = {
            "careful": shares[True] if count[True] else None,
            "careless": shares[False] if count[False] else None,
        }
        rows.append(
            [
                entry.name,
                count[True],
                f"{100 * shares[True]:.1f}" if count[True] else "–",
                _met(inside[True], count[True]),
                f"{100 * shares[False]:.1f}" if count[False] else "–",
                _met(inside[False], count[False]),
                f"{100 * barred / total:.0f}" if total else "–",
            ]
        )
    report.table(
        [
            "metric",
            "careful numbers",
            "covered %",
            "goal met",
            "careless covered %",
            "goal met",
            "careless barred %",
        ],
        rows,
    )
    good, loose = (
        sum(v[k] is not None and LOW <= v[k] <= HIGH for v in found.values())
        for k in ("careful", "careless")
    )
    report.say(
        f"Within 92 to 98 %: {good} of {len(found)} metrics on careful pairs, {loose} on careless "
        "ones."
    )
    return found


#: Melanin as optical density that parts light, middle and dark skin.
_TONES = {"light": (0.0, 0.3), "middle": (0.3, 0.6), "dark": (0.6, 1.0)}


def by_tone(
    entry: Metric, people: Sequence[Sequence[Repeat | None]]
) -> dict[str, dict[str, float | int | None]]:
    """Deviation between careful takes by skin tone, pooled over people and regions."""
    index = np.array([k for k, _ in top_places(entry)], dtype=np.intp)
    result: dict[str, dict[str, float | int | None]] = {}
    for tone, (low, high) in _TONES.items():
        variance, size = [], []
        for number_, photos in enumerate(people):
            melanin = takes(TRIED_FROM + number_)[0][0].person.melanin_od
            block = [p.values[index] for p in photos[:CAREFUL] if p is not None]
            if not low <= melanin < high or len(block) < CAREFUL:
                continue
            array = np.array(block)
            use = np.isfinite(array).all(axis=0)
            variance.append(array[:, use].var(axis=0, ddof=1))
            size.append(np.abs(array[:, use].mean(axis=0)))
        pooled = np.concatenate(variance) if variance else np.zeros(0)
        if not len(pooled):
            result[tone] = {"deviation": None, "percent": None, "numbers": 0}
            continue
        deviation, usual = float(np.sqrt(pooled.mean())), float(np.median(np.concatenate(size)))
        result[tone] = {
            "deviation": deviation,
            "percent": 100.0 * deviation / usual if usual > 0 else None,
            "numbers": len(pooled),
        }
    return result


def _met(inside: int, count: int) -> str:
    if not count:
        return "not measured"
    if LOW <= inside / count <= HIGH:
        return "yes"
    low, high = wilson(inside, count)
    return "inside the interval" if low <= HIGH and high >= LOW else "**no**"


#: One metric per concern, for the tables of curves.
HEADLINES = (
    "wrinkles.severity",
    "wrinkles.length_density",
    "texture.roughness_rq",
    "tone.evenness",
    "tone.redness",
    "tone.spot_area_fraction",
    "under_eye.dark_circle_dl",
    "under_eye.bag",
    "lift.brow_height",
    "lift.jaw_sag",
    "puffiness.cheek_width",
    "radiance.specular_fraction",
)


def say_curves(report: Report, model: PrecisionModel, curves: Curves) -> None:
    """Say what each nuisance alone does."""
    report.section("What fakes a change")
    report.say(
        f"{len(curves)} rendered people, 6.3 px/mm, one thing changed at a time. Mean change of "
        "the metric over regions and people, % of its size; in brackets the root mean square over "
        "regions and people in smallest detectable changes (SDC) of one pair of careful photos: "
        "from 1 on a nuisance alone can pass for a change."
    )
    for name, nuisance in NUISANCES.items():
        zero = baseline_step(name)
        steps = [s for s in nuisance.steps if s != zero]
        rows = []
        for metric in HEADLINES:
            found = changes(metrics()[metric], name, curves, model)
            rows.append(
                [
                    metric,
                    *(
                        f"{found[s][1]:+.1f} ({found[s][0]:.1f})" if s in found else "–"
                        for s in steps
                    ),
                ]
            )
        report.say(f"**{nuisance.label}**")
        report.table(["metric", *(f"{s:g}" for s in steps)], rows)


def say_limits(report: Report, model: PrecisionModel) -> None:
    """Limits of comparability."""
    report.section("Limits of comparability")
    report.say(
        "Greatest difference between two photos, as the photos themselves tell it, with which a "
        "metric is compared: where its curve reaches one SDC, and never more than what was tried "
        "nor less than what a careful clinic stays within. Below the limit the difference "
        "widens the interval; above it the metric is not compared."
    )
    names = list(KINDS)
    report.table(
        ["metric", *(f"{n} ({KINDS[n].unit or '0–1'})" for n in names)],
        [
            [m, *(f"{model.limits[m][n]:.3g}" if n in model.limits[m] else "–" for n in names)]
            for m in metrics()
        ],
    )


def say_recaptures(report: Report, model: PrecisionModel, folder: Path, workers: int) -> None:
    """Real skin, captured otherwise by calculation."""
    files = [p for p in pictures(folder / "london") if "_03" in p.name or "neutral" in p.name]
    files = sorted(files)[:24]
    report.section("Recaptures simulated from real portraits")
    report.say(
        f"{len(files)} neutral portraits: darker, brighter, another white balance, softer, "
        "smaller, recompressed. (Not another lamp: re-lighting a flat photo leaves its shading.) "
        "Share of the numbers whose 95 % interval covers no change, where the limits allow a "
        "comparison; in brackets the share that they bar."
    )
    measured = repeats(recapture_photos, files, workers=workers)
    names = [n for n in RECAPTURES if n != "as it is"]
    tally: dict[tuple[str, str], list[int]] = {}
    for photos in measured:
        base = photos[0]
        if base is None:
            continue
        for name, photo in zip(names, photos[1:], strict=True):
            if photo is not None:
                _tally(tally, name, model, base, photo)
    families = sorted({m.family for m in metrics().values()})
    report.table(
        ["recapture", *families],
        [[name, *(_share(tally.get((name, f), [0, 0, 0])) for f in families)] for name in names],
    )


def _share(counts: Sequence[int]) -> str:
    inside, count, barred = counts
    whole = count + barred
    if not whole:
        return "–"
    share = f"{100 * inside / count:.0f}" if count else "–"
    return f"{share} ({100 * barred / whole:.0f})"


def _tally(
    tally: dict[tuple[str, str], list[int]],
    name: str,
    model: PrecisionModel,
    base: Repeat,
    photo: Repeat,
) -> None:
    """Count per family: inside the interval, compared, barred; at the highest level of both."""
    sizes = differences(photo.conditions, base.conditions)
    for entry in metrics().values():
        counts = tally.setdefault((name, entry.family), [0, 0, 0])
        fixed = (k for k, kind in KINDS.items() if kind.limit is not None)
        barred = bool(model.comparable(entry, sizes)) or any(
            entry.family in KINDS[k].bars and sizes.get(k, 0.0) > KINDS[k].limit for k in fixed
        )
        for level in reversed(levels_of(entry)):
            rows = [
                (p, base.values[k], photo.values[k])
                for k, p in enumerate(places())
                if p.metric == entry.name and p.level == level
            ]
            rows = [r for r in rows if math.isfinite(r[1]) and math.isfinite(r[2])]
            if rows:
                break
        for place, a, b in rows:
            if a == b == 0:
                continue
            if barred:
                counts[2] += 1
                continue
            spread = math.hypot(
                model.capture(entry, place.group, place.level, float(a)),
                model.capture(entry, place.group, place.level, float(b)),
                model.added_by(entry, place.level, float(a), sizes),
            )
            if math.isfinite(spread):
                counts[0] += abs(b - a) <= Z95 * spread
                counts[1] += 1


def say_retakes(report: Report, model: PrecisionModel, folder: Path) -> None:
    """Real retakes, one by one."""
    report.section("Real retakes, one by one")
    report.say(
        "One person, one session, the camera at 15, 30, 45 and 60 cm: the skin did not change. "
        "Eight photos are an illustration, not a statistic. Share inside the 95 % interval, in "
        "brackets the share barred; then what the capture check says differs beyond the limit of "
        "at least half of the metrics."
    )
    files = [folder / "retake" / f"distance_{d}cm.jpg" for d in (15, 30, 45, 60)]
    photos = [p[0] for p in repeats(retake_photos, files, workers=1)]
    families = sorted({m.family for m in metrics().values()})
    rows = []
    for i, j in ((1, 2), (2, 3), (1, 3), (0, 1), (0, 3)):
        a, b = photos[i], photos[j]
        pair = f"{files[i].stem} – {files[j].stem}"
        if a is None or b is None:
            rows.append([pair, *("–" for _ in families), "refused"])
            continue
        tally: dict[tuple[str, str], list[int]] = {}
        _tally(tally, pair, model, a, b)
        sizes = kinds_between(b, a)
        wide = [
            f"{KINDS[n].title} {size:.3g} {KINDS[n].unit}".strip()
            for n, size in zip(KINDS, sizes, strict=True)
            if np.mean([size > model.limits[m].get(n, math.inf) for m in metrics()]) >= 0.5
        ]
        rows.append([pair, *(_share(tally[pair, f]) for f in families), "; ".join(wide) or "–"])
    report.table(["pair", *families, "differs"], rows)


def main() -> None:
    """Fit, try, draw."""
    options = parser(__doc__, target="DOCS")
    options.add_argument("--persons", type=int, default=100, help="to fit, and as many to try")
    options.add_argument("--workers", type=int, default=2, choices=(1, 2))
    options.add_argument("--photos", type=Path, help="folder with london/ and retake/")
    options.add_argument("--write-model", action="store_true", help="write models/precision.json")
    args = options.parse_args()
    fitted_on, tried_on = (
        repeats(person_photos, [first + k for k in range(args.persons)], workers=args.workers)
        for first in (FITTED_FROM, TRIED_FROM)
    )
    curves = curves_of(args.workers)
    report = Report("Precision", "precision.py")
    command = f"python benchmarks/precision.py --persons {args.persons} --write-model"
    data = with_limits(model_data(fitted_on, command=command, sources=source_hash()[:8]), curves)
    model = parse_precision(data)
    say_repeatability(report, tried_on)
    coverage = say_calibration(report, model, tried_on)
    say_limits(report, model)
    say_curves(report, model, curves)
    if args.photos:
        say_recaptures(report, model, args.photos, args.workers)
        say_retakes(report, model, args.photos)
    if args.write_model:
        text = json.dumps(data, indent=1, sort_keys=True)
        MODEL_PATH.write_text(text + "\n", encoding="utf-8")
    if args.write:
        folder = args.write / "figures"
        content = {
            "made_by": command,
            "people": len(tried_on),
            "metrics": {
                name: {**shares, "tones": by_tone(metrics()[name], tried_on)}
                for name, shares in coverage.items()
            },
        }
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
        (folder / "precision.json").write_text(text + "\n", encoding="utf-8")
        report.write(folder / "precision.md")


if __name__ == "__main__":
    main()
