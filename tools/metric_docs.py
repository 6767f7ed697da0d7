"""Write docs/metrics/ from the registry, so that no metric goes undocumented.

Run ``python tools/metric_docs.py`` after a metric was added or changed, or after
``benchmarks/accuracy.py --write docs`` or ``tools/metric_examples.py`` drew new figures;
``--check`` only compares, and exits with 1 when a page is out of date.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skinscan.conditions import KINDS
from skinscan.flags import SENTENCES, Flag, flag_names
from skinscan.frame import LEVELS_PX_MM
from skinscan.metrics import Concern, Metric, by_family, metrics
from skinscan.precision import SDC_SEMS, DayToDay, day_to_day, precision_model
from skinscan.regions import groups

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "metrics"
FIGURES = ROOT / "docs" / "figures"
INDEX_PAGE = "README.md"

MEASURE = "python benchmarks/accuracy.py --write docs"
REPEAT = "python benchmarks/precision.py --write docs --write-model"
DRAW = "python tools/metric_examples.py"
NOT_MEASURED = f"Not measured yet: run `{MEASURE}`."
_WRITTEN = (
    "<!-- Written by tools/metric_docs.py from the registry; edit the registry, not this. -->"
)
_BETTER = {"down": "lower", "up": "higher", "neutral": "neither"}
_DOI = re.compile(r"doi:(10\.[^\s,;]+)")

_HEAD = """\
# Metrics

{written}

Every metric is measured per region and at the resolution levels {levels} px/mm, up to the
photo's own. Below its lowest level it is NaN with the flag `low_resolution`; above its finest
level it repeats the value found there, because more pixels add nothing to it. `sem` is NaN with
the flag `no_sem` where the precision model has no entry. "Better" is the direction of improvement;
"neither" describes the skin or the light without judging it. Nothing here is a diagnosis.
"""


@dataclass(frozen=True)
class Figures:
    """What benchmarks and pictures have left below docs/figures.

    Attributes
    ----------
    accuracy : mapping
        Content of accuracy.json, written by benchmarks/accuracy.py; empty without it.
    curves : frozenset of str
        Metrics whose dose-response is drawn.
    examples : mapping
        Content of examples/examples.json, written by tools/metric_examples.py.
    precision : mapping
        Content of precision.json, written by benchmarks/precision.py; empty without it.
    """

    accuracy: Mapping[str, Any] = field(default_factory=dict)
    curves: frozenset[str] = frozenset()
    examples: Mapping[str, Any] = field(default_factory=dict)
    precision: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def found(cls, folder: Path = FIGURES) -> Figures:
        """Read what is there."""
        return cls(
            accuracy=_json(folder / "accuracy.json"),
            precision=_json(folder / "precision.json"),
            curves=frozenset(path.stem for path in (folder / "accuracy").glob("*.svg")),
            examples={
                dose: said
                for dose, said in _json(folder / "examples" / "examples.json").items()
                if (folder / "examples" / f"{dose}.jpg").exists()
            },
        )


def _json(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _levels(item: Metric) -> str:
    if item.finest_level_px_mm == item.lowest_level_px_mm:
        return f"{item.lowest_level_px_mm:g} px/mm"
    return f"{item.lowest_level_px_mm:g} to {item.finest_level_px_mm:g} px/mm"


def _unit(item: Metric) -> str:
    return item.unit or "none (pure number)"


def _concern(concern: Concern) -> str:
    return concern.value.replace("_", " ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _plain(text: str) -> str:
    """Keep the asterisks of L*, a* and b* from being read as emphasis."""
    return text.replace("*", r"\*")


def _bullets(phrases: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(phrase)}" for phrase in phrases)


def _example(item: Metric, figures: Figures) -> str:
    dose = item.dose.value
    said = figures.examples.get(dose)
    if said is None:
        return f"Not drawn yet: run `{DRAW} {dose}`."
    values = [_number(value) for value in said["values"]]
    return (
        f"![Rendered face with a low, a middle and a high dose](../figures/examples/{dose}.jpg)\n\n"
        f"Low, middle and high dose ({_plain(said['label'])}): {', '.join(values)}. The same "
        f"rendered face, which is nobody's, with {said['tone']} skin, the same light (azimuth "
        f"{said['light_azimuth_deg']:g}°, elevation {said['light_elevation_deg']:g}°) and camera; "
        f"only part of it may be shown. `{DRAW}` draws it."
    )


def _curve(item: Metric, figures: Figures) -> str:
    if item.name not in figures.curves:
        return NOT_MEASURED
    return f"![Dose-response of {_plain(item.title)}](../figures/accuracy/{item.name}.svg)"


def _accuracy(item: Metric, figures: Figures) -> str:
    found = figures.accuracy.get("metrics", {}).get(item.name)
    if found is None:
        return NOT_MEASURED
    goals = figures.accuracy["goals"]
    rho = found["spearman"]
    rows = [
        (tone, _number(slope), _percent(found["fairness"].get(tone)))
        for tone, slope in found["slope"].items()
    ]
    said = (
        f"{figures.accuracy['persons']} rendered persons, each with every skin tone below; the "
        f"metric {'rises' if found['rises'] else 'falls'} with the dose. Rank correlation "
        f"(Spearman) with the dose: median {_number(rho['median'])}, worst "
        f"{_number(rho['worst'])}; goal {goals['spearman']:g}."
    )
    parts = [
        said,
        _table(
            [
                "skin tone",
                f"slope per {found['slope_per'].replace('_', ' ')}",
                f"against middle skin (goal within ±{100 * goals['fairness']:.0f} %)",
            ],
            rows,
        ),
        _selectivity(item, figures),
        f"Written by `{figures.accuracy['made_by']}`; [how](../accuracy.md).",
    ]
    return "\n\n".join(parts)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:+.0f} %"


def _selectivity(item: Metric, figures: Figures) -> str:
    goal = figures.accuracy["goals"]["selectivity"]
    table = figures.accuracy["selectivity"]
    if item.name not in table["metrics"]:
        return "What else moves it is not measured yet."
    column = table["metrics"].index(item.name)
    moved = [
        (dose, row[column])
        for dose, row in zip(table["doses"], table["shares"], strict=True)
        if dose != item.dose.value and row[column] is not None and abs(row[column]) >= goal
    ]
    moved.sort(key=lambda pair: -abs(pair[1]))
    listed = ", ".join(f"{dose.replace('_', ' ')} {_percent(share)}" for dose, share in moved)
    return (
        f"What a full dose of something else does to it, in % of its own full dose, from "
        f"{100 * goal:.0f} % up: {listed or 'nothing'}."
    )


def _formula(item: Metric) -> str:
    *lines, symbols = item.formula.split("\n")
    return "```text\n" + "\n".join(lines) + f"\n```\n\nwhere {_plain(symbols)}."


def _source(item: Metric) -> str:
    return _DOI.sub(r"[doi:\1](https://doi.org/\1)", _plain(item.source))


def _of_day(item: Metric, day: DayToDay) -> str:
    if day.amount:
        return f"{_number(day.amount)} {item.unit}"
    return f"{_number(day.percent)} %"


def _precision(item: Metric, figures: Figures) -> str:
    model = precision_model()
    levels = sorted(level for name, level in model.levels if name == item.name)
    day = day_to_day(item)
    if not levels:
        return (
            f"The precision model has no entry: `sem` of `{item.name}` is NaN with the flag "
            f"`{flag_names(Flag.NO_SEM)}`. Run `{REPEAT}`."
        )
    rows = []
    for level in levels:
        part = model.levels[item.name, level]
        capture = math.hypot(part.absolute, part.relative * part.typical)
        both = math.hypot(capture, day.of(part.typical))
        rows.append(
            (
                f"{level:g}",
                _number(part.typical),
                _number(capture),
                _number(SDC_SEMS * capture),
                _number(SDC_SEMS * both),
                f"{100 * part.shared:.0f} %",
            )
        )
    table = _table(
        [
            "level, px/mm",
            "usual value",
            "capture error of one photo",
            "smallest detectable change, same day",
            "the same, other days",
            "shared by all regions",
        ],
        rows,
    )
    limits = model.limits.get(item.name, {})
    barred = ", ".join(
        f"{KINDS[kind].title.lower()} {_number(limit)} {KINDS[kind].unit}".strip()
        for kind, limit in limits.items()
        if kind != "camera"
    )
    if limits.get("camera", 1.0) < 1.0:
        barred += ", and with another camera or lens not at all"
    parts = [
        _of_one_region(item, model.command),
        table,
        f"Day-to-day part: {_of_day(item, day)} ({_plain(day.source)}).",
        f"Not compared beyond a difference between the two photos of: {barred or 'none tried'}.",
    ]
    tried = figures.precision.get("metrics", {}).get(item.name)
    if tried is not None:
        parts.append(_tried(tried, figures))
    return "\n\n".join(parts)


def _of_one_region(item: Metric, command: str) -> str:
    return (
        f"Of one region, in the metric's unit ({_unit(item)}), for a number of the usual size, "
        f"from rendered people photographed again and again (`{command}`); real skin and cameras "
        "are less kind."
    )


def _tried(tried: Mapping[str, Any], figures: Figures) -> str:
    """Say how the model did on people that it was not fitted to."""
    rows = [
        (tone, _number(said["deviation"]), _number(said["percent"]), str(said["numbers"]))
        for tone, said in tried["tones"].items()
    ]
    table = _table(
        ["skin", "standard deviation between takes", "in % of the number", "numbers"], rows
    )
    covered = "–" if tried["careful"] is None else f"{100 * tried['careful']:.1f} %"
    return (
        f"On {figures.precision['people']} other people, photographed as in a careful clinic "
        f"(`{figures.precision['made_by']}`), 95 % intervals of a change covered the truth, no "
        f"change, in {covered} of the pairs.\n\n{table}"
    )


def metric_page(item: Metric, figures: Figures) -> str:
    """Return the text of one metric's page."""
    facts = [
        ("name", f"`{item.name}`"),
        ("unit", _unit(item)),
        ("better", _BETTER[item.better.value]),
        ("concern", _concern(item.concern)),
        ("levels", _levels(item)),
        ("regions", ", ".join(f"`{group}`" for group in item.groups)),
    ]
    if item.flags:
        facts.append(("always flagged", f"`{flag_names(item.flags)}`"))
    if item.front_only:
        facts.append(("views", f"front; others carry `{flag_names(Flag.WRONG_VIEW)}`"))
    curve = f"Rendered faces are given more and more of `{item.dose.value}`.\n\n"
    sections = [
        ("Formula", _formula(item)),
        ("Responds to", _bullets(item.responds_to)),
        ("Does not respond to", _bullets(item.blind_to)),
        ("Limits", _plain(item.limits) + " See also [known limits](../limits.md)."),
        ("Source", _source(item)),
        ("Example", _example(item, figures)),
        ("Dose-response", curve + _curve(item, figures)),
        ("Accuracy", _accuracy(item, figures)),
        ("Precision", _precision(item, figures)),
    ]
    parts = [f"# {_plain(item.title)}", _WRITTEN, _plain(item.description), _table(["", ""], facts)]
    parts += [f"## {title}\n\n{text}" for title, text in sections]
    parts.append("[All metrics](README.md)")
    return "\n\n".join(parts) + "\n"


def index_page() -> str:
    """Return the text of the list of all metrics."""
    parts = [
        _HEAD.format(written=_WRITTEN, levels=", ".join(f"{level:g}" for level in LEVELS_PX_MM))
    ]
    # By concern and name: the order of registration depends on what was imported first.
    families = dict(by_family())
    for concern in Concern:
        rows = [
            (
                f"[{_plain(item.title)}]({item.name}.md)",
                f"`{item.name}`",
                item.unit or "–",
                _BETTER[item.better.value],
                _levels(item),
            )
            for _, listed in sorted(families.items())
            for item in listed
            if item.concern is concern
        ]
        table = _table(["metric", "name", "unit", "better", "levels"], rows)
        parts.append(f"## {_concern(concern).capitalize()}\n\n{table}\n")
    rows = []
    for group, listed in groups().items():
        sides = "left and right" if len(listed) > 1 else "midline"
        within = f", part of `{listed[0].part_of}`" if listed[0].part_of else ""
        rows.append((f"`{group}`", f"{listed[0].title.removesuffix(' (right)')}, {sides}{within}"))
    parts.append(f"## Regions\n\n{_table(['group', 'what'], rows)}\n")
    rows = [(f"`{flag_names(flag)}`", sentence) for flag, sentence in SENTENCES.items()]
    parts.append(f"## Flags\n\n{_table(['flag', 'meaning'], rows)}\n")
    return "\n".join(parts)


def pages(figures: Figures | None = None) -> dict[str, str]:
    """Return every page of docs/metrics by file name."""
    known = Figures.found() if figures is None else figures
    return {
        INDEX_PAGE: index_page(),
        **{f"{item.name}.md": metric_page(item, known) for item in metrics().values()},
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them; return the exit code."""
    wanted = pages()
    current = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    if arguments == ["--check"]:
        names = sorted({*wanted, *current})
        stale = [name for name in names if wanted.get(name) != current.get(name)]
        print("\n".join(stale), end="\n" if stale else "")
        return int(bool(stale))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in current.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
