"""The registry: nothing is measured that is not documented, and nothing registered is forgotten."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pytest

from skinscan.errors import UnknownNameError
from skinscan.flags import SENTENCES, Flag, flag_names, parse_flags, sentences
from skinscan.frame import LEVELS_PX_MM
from skinscan.metrics import Better, Concern, by_family, metric, metrics
from skinscan.metrics.registry import register
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
    "texture.glcm_contrast_0_5mm": "",
    "texture.glcm_homogeneity_1mm": "",
    "texture.glcm_entropy_1mm": "bit",
    "texture.lbp_entropy": "bit",
    "texture.pore_density": "/cm²",
    "texture.pore_area_fraction": "%",
    "tone.lightness": "",
    "tone.a": "",
    "tone.b": "",
    "tone.ita": "°",
    "tone.evenness": "ΔE",
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
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("tool", "page"), [("metric_docs", "metrics.md"), ("capture_docs", "capture.md")]
)
def test_the_documentation_is_up_to_date(tool, page):
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == writer_of(tool).page(), f"run: python tools/{tool}.py"


@every_metric
def test_the_documentation_names_every_metric(entry):
    written = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert f"(`{entry.name}`)" in written
    assert entry.description in written
