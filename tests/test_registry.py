"""The registry: nothing is measured that is not documented, and nothing registered is forgotten."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import skinscan
from skinscan.cli.report import report
from skinscan.declaration import Declaration
from skinscan.errors import UnknownNameError
from skinscan.flags import SENTENCES, Flag, flag_names, parse_flags, sentences
from skinscan.frame import LEVELS_PX_MM
from skinscan.metrics import Better, Concern, by_family, metric, metrics
from skinscan.metrics.registry import _REGISTRY, Dose, register
from skinscan.photoscore import photo_score
from skinscan.regions import FACE, groups, members
from skinscan.scan import TABLE_COLUMNS

ROOT = Path(__file__).resolve().parent.parent
#: What counts as a published source: a DOI or a standard.
PUBLISHED = re.compile(r"doi:10\.\d{4,}/\S+|ISO \d+|IEC \d+|CIE \d+")

#: Design, section 8: what the families of this version have to measure.
DESIGN = {
    "wrinkles.length_density": "mm/cm²",
    "wrinkles.contrast": "%",
    "wrinkles.width": "mm",
    "wrinkles.area_fraction": "%",
    "wrinkles.severity": "%",
    "wrinkles.fine_line_density": "mm/cm²",
    "wrinkles.wrinkle_density": "mm/cm²",
    "wrinkles.fold_density": "mm/cm²",
    "texture.roughness_rq": "%",
    "texture.roughness_rz": "%",
    "texture.glcm_contrast_0_5mm": "%",
    "texture.glcm_homogeneity_1mm": "",
    "texture.glcm_entropy_1mm": "bit",
    "texture.lbp_entropy": "bit",
    "texture.pore_density": "/cm²",
    "texture.pore_area_fraction": "%",
    "tone.lightness": "",
    "tone.a": "",
    "tone.b": "",
    "tone.ita": "°",
    "tone.evenness": "%",
    "tone.redness": "100·OD",
    "tone.melanin": "100·OD",
    "tone.spot_density": "/cm²",
    "tone.spot_area_fraction": "%",
}

every_metric = pytest.mark.parametrize("entry", metrics().values(), ids=metrics())


@pytest.mark.parametrize(("name", "unit"), DESIGN.items())
def test_the_design_s_metrics_are_registered(name, unit):
    assert metric(name).unit == unit


@every_metric
def test_every_metric_is_documented(entry):
    family, quantity = entry.name.split(".")
    assert family == entry.family
    assert re.fullmatch(r"[a-z][a-z0-9_]*", quantity)
    assert metrics()[entry.name] is entry
    assert entry.title
    assert entry.title[0].isupper()
    assert isinstance(entry.unit, str)
    assert len(entry.description) >= 40
    assert entry.description.endswith(".")
    assert re.search(r"[^.]\.$", entry.limits)
    *formula, symbols = entry.formula.split("\n")
    assert 1 <= len(formula) <= 2
    assert all(" = " in line for line in formula[:1])
    assert re.search(r"\w\S*( |: |,)", symbols), "the last line names the symbols"
    assert not symbols.endswith(".")
    for phrases in (entry.responds_to, entry.blind_to):
        assert phrases
        assert len(set(phrases)) == len(phrases)
        assert all(len(phrase) >= 2 and not phrase.endswith(".") for phrase in phrases)
    for text in (entry.description, entry.limits, *entry.responds_to, *entry.blind_to):
        assert not re.search(r"`|[a-z]_[a-z]|\bNaN\b", text), "practitioners read it: no code"
    assert isinstance(entry.dose, Dose)
    assert PUBLISHED.search(entry.source), f"{entry.source!r} names no DOI and no standard"
    assert isinstance(entry.better, Better)
    assert isinstance(entry.concern, Concern)


@every_metric
def test_every_metric_has_its_place(entry):
    assert entry.groups
    assert len(set(entry.groups)) == len(entry.groups)
    assert set(entry.groups) <= {*groups(), FACE}
    assert entry.lowest_level_px_mm in LEVELS_PX_MM
    assert entry.finest_level_px_mm in LEVELS_PX_MM
    assert entry.lowest_level_px_mm <= entry.finest_level_px_mm


def test_titles_do_not_repeat():
    titles = [entry.title for entry in metrics().values()]
    assert len(set(titles)) == len(titles)


def test_absolute_colour_says_so():
    for name in ("tone.lightness", "tone.a", "tone.b", "tone.ita"):
        assert metric(name).flags & Flag.ABSOLUTE_COLOUR
        assert metric(name).better is Better.NEUTRAL
    for name in ("tone.redness", "tone.melanin", "wrinkles.severity"):
        assert not metric(name).flags & Flag.ABSOLUTE_COLOUR


def test_a_name_is_given_once():
    entry = next(iter(metrics().values()))
    count = len(metrics())
    with pytest.raises(UnknownNameError, match="not taken"):
        register(replace(entry, title="Another"))
    assert len(metrics()) == count
    assert metric(entry.name).title == entry.title


def test_nobody_can_change_the_registry_from_outside():
    with pytest.raises(TypeError):
        metrics()["new"] = metric("tone.a")


def test_an_unknown_metric_has_its_error():
    with pytest.raises(UnknownNameError, match="severity"):
        metric("wrinkles.depth")


def test_families_hold_every_metric_once():
    listed = [entry.name for _, family in by_family() for entry in family]
    assert sorted(listed) == sorted(metrics())
    for family, entries in by_family():
        assert all(entry.family == family for entry in entries)


def test_every_metric_appears_for_each_region_and_level(portrait):
    table = portrait.table(levels="all")
    assert tuple(table.columns) == TABLE_COLUMNS
    seen = set(zip(table.metric, table.region, table.level_px_mm, strict=True))
    wanted = {
        (entry.name, item.name, level)
        for entry in metrics().values()
        for group in entry.groups
        for item in members(group)
        for level in portrait.levels
    }
    assert seen == wanted
    assert len(table) == len(seen), "no row twice"
    assert (table.unit == table.metric.map(lambda name: metric(name).unit)).all()


def test_every_flag_has_a_sentence_and_survives_its_name():
    flags = [f for f in Flag if f]
    assert set(SENTENCES) == set(flags)
    for flag in flags:
        assert SENTENCES[flag].endswith(".")
        assert parse_flags(flag_names(flag)) == flag
    together = Flag.DARK | Flag.OCCLUDED | Flag.NO_SEM
    assert flag_names(together) == "occluded|dark|no_sem"
    assert parse_flags(flag_names(together)) == together
    assert len(sentences(together)) == 3
    assert flag_names(Flag.NONE) == ""
    assert parse_flags("") == Flag.NONE
    assert len({f.value.bit_count() for f in flags}) == 1, "one bit each"


def writer_of(tool):
    spec = importlib.util.spec_from_file_location(tool, ROOT / "tools" / f"{tool}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[tool] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_capture_page_is_up_to_date():
    written = (ROOT / "docs" / "capture.md").read_text(encoding="utf-8")
    assert written == writer_of("capture_docs").page(), "run: python tools/capture_docs.py"


METRIC_DOCS = writer_of("metric_docs")
PAGES = ROOT / "docs" / "metrics"
FIGURES = ROOT / "docs" / "figures"


def test_the_metric_pages_are_up_to_date(capsys):
    stale = METRIC_DOCS.main(["--check"])
    assert not stale, f"run: python tools/metric_docs.py; out of date:\n{capsys.readouterr().out}"


def test_a_page_that_nobody_wrote_is_noticed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(METRIC_DOCS, "FOLDER", tmp_path)
    assert METRIC_DOCS.main([]) == 0
    assert METRIC_DOCS.main(["--check"]) == 0
    (tmp_path / "tone.gone.md").write_text("a metric that was removed", encoding="utf-8")
    (tmp_path / "tone.a.md").write_text("edited by hand", encoding="utf-8")
    assert METRIC_DOCS.main(["--check"]) == 1
    assert capsys.readouterr().out.split() == ["tone.a.md", "tone.gone.md"]
    assert METRIC_DOCS.main([]) == 0
    assert METRIC_DOCS.main(["--check"]) == 0


@every_metric
def test_every_metric_has_its_page(entry):
    text = (PAGES / f"{entry.name}.md").read_text(encoding="utf-8").replace("\\*", "*")
    assert text.startswith(f"# {entry.title}\n")
    for said in (
        f"`{entry.name}`",
        entry.description,
        *entry.formula.split("\n"),
        *entry.responds_to,
        *entry.blind_to,
        entry.limits,
        f"`{entry.dose.value}`",
    ):
        assert said in text
    for doi in re.findall(r"doi:(10\.[^\s,;]+)", entry.source):
        assert f"](https://doi.org/{doi})" in text
    assert f"]({entry.name}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")


@every_metric
def test_every_metric_has_its_curve(entry):
    curve = FIGURES / "accuracy" / f"{entry.name}.svg"
    assert curve.is_file(), f"run: {METRIC_DOCS.MEASURE}"
    assert curve.read_text(encoding="utf-8").lstrip().startswith(("<svg", "<?xml"))
    text = (PAGES / f"{entry.name}.md").read_text(encoding="utf-8")
    assert f"](../figures/accuracy/{entry.name}.svg)" in text
    assert METRIC_DOCS.NOT_MEASURED not in text


@every_metric
def test_every_metric_has_its_example(entry):
    picture = FIGURES / "examples" / f"{entry.dose.value}.jpg"
    assert picture.is_file(), f"run: {METRIC_DOCS.DRAW} {entry.dose.value}"
    assert picture.read_bytes().startswith(b"\xff\xd8")
    assert picture.stat().st_size < 40_000
    text = (PAGES / f"{entry.name}.md").read_text(encoding="utf-8")
    assert f"](../figures/examples/{entry.dose.value}.jpg)" in text


def test_a_page_tells_what_was_measured():
    entry = metric("tone.redness")
    figures = METRIC_DOCS.Figures(
        accuracy={
            "made_by": "python benchmarks/accuracy.py",
            "persons": 5,
            "goals": {"spearman": 0.98, "fairness": 0.15, "selectivity": 0.1},
            "metrics": {
                entry.name: {
                    "rises": True,
                    "slope_per": "redness",
                    "spearman": {"median": 0.991, "worst": 0.873},
                    "slope": {"light": 61.5, "middle": 60.0, "dark": None},
                    "fairness": {"light": 0.025, "dark": None},
                }
            },
            "selectivity": {
                "doses": ["redness", "melanin", "spots", "pores"],
                "metrics": ["tone.a", entry.name],
                "shares": [[1.0, 1.0], [0.0, -0.31], [0.0, 0.09], [0.0, None]],
            },
        },
        curves=frozenset({entry.name}),
    )
    text = METRIC_DOCS.metric_page(entry, figures)
    assert "median 0.991, worst 0.873" in text
    assert "| light | 61.5 | +2 % |" in text
    assert "| middle | 60 | – |" in text
    assert "| dark | – | – |" in text
    assert "melanin -31 %." in text
    assert "spots" not in text.split("## Accuracy")[1]
    assert METRIC_DOCS.NOT_MEASURED not in text
    assert METRIC_DOCS.NOT_MEASURED in METRIC_DOCS.metric_page(entry, METRIC_DOCS.Figures())


@pytest.fixture
def another_metric():
    entry = replace(
        metric("texture.roughness_rq"),
        name="texture.paleness",
        title="Paleness",
        compute=lambda sample: float(sample.flat[sample.mask].mean()),
    )
    register(entry)
    yield entry
    del _REGISTRY[entry.name]


def test_one_entry_in_the_registry_is_all_that_a_metric_needs(another_metric, studio, lined, far):
    scan = skinscan.analyze(studio.shoot(lined, far))
    table = scan.table()
    rows = table[table.metric == another_metric.name]
    assert len(rows) == sum(len(members(group)) for group in another_metric.groups)
    assert rows.value.notna().mean() > 0.5
    shown = io.StringIO()
    Console(file=shown, width=200).print(report(scan, photo_score(scan.quality, Declaration())))
    assert another_metric.title in " ".join(shown.getvalue().split())
    pages = METRIC_DOCS.pages()
    assert another_metric.title in pages["texture.paleness.md"]
    assert "](texture.paleness.md)" in pages["README.md"]


def test_the_metric_of_the_test_above_is_gone():
    assert "texture.paleness" not in metrics()
