"""A Scan: one result whatever the source, saved without loss, refused when damaged."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import skinscan
from skinscan.conditions import conditions_to_dict
from skinscan.errors import (
    OutputError,
    ScanFileError,
    SkinscanError,
    UnknownNameError,
)
from skinscan.landmarks import View
from skinscan.metrics import METRICS_VERSION
from skinscan.phantom import encode_jpeg
from skinscan.photo import load_photo, open_photo
from skinscan.scan import SCAN_FORMAT, TABLE_COLUMNS, Scan, analyze, load_scan

PATIENT = "jane_doe_1980"


@pytest.fixture(scope="module")
def data(studio, lined, quick):
    return encode_jpeg(studio.shoot(lined, quick), 90, taken="2026:03:03 10:00:00")


@pytest.fixture(scope="module")
def scan(data):
    return analyze(data, name="first")


@pytest.fixture(scope="module")
def saved(portrait, tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.json"
    portrait.save(path)
    return path


def same(one, other):
    """Equality of nested values in which NaN equals NaN and arrays are compared whole."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name))
            for f in fields(one)
            if f.name != "pixels"
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "items"):
        return dict(one) == dict(other)
    return type(one) is type(other) and one == other


# Saving ---------------------------------------------------------------------------------


def test_a_scan_is_saved_without_loss(portrait, saved):
    loaded = load_scan(saved)
    for f in fields(Scan):
        if f.name != "pixels":
            assert same(getattr(portrait, f.name), getattr(loaded, f.name)), f.name
    assert loaded.pixels is None
    assert any(math.isnan(m.value) for m in portrait.measurements), "NaN among them"
    assert loaded.table(levels="all").equals(portrait.table(levels="all"))


def test_time_camera_and_name_are_kept(scan, tmp_path):
    full = replace(
        scan, name="Ä ✓ 'x'", captured_at=datetime(2026, 3, 3, 10, tzinfo=UTC), camera="A\nB"
    )
    full.save(tmp_path / "scan.json")
    assert same(full, load_scan(tmp_path / "scan.json"))


def test_saving_twice_gives_the_same_bytes(saved, tmp_path):
    load_scan(saved).save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == saved.read_bytes()


def test_a_saved_scan_holds_no_pixels(saved, portrait):
    text = saved.read_text(encoding="utf-8")
    assert set(json.loads(text)) & {"pixels", "photo", "rgb"} == set()
    height, width = portrait.pixels.photo.rgb.shape[:2]
    assert len(text) < height * width


def test_saving_replaces_a_file_whole(scan, tmp_path):
    path = tmp_path / "scan.json"
    path.write_text("old", encoding="utf-8")
    scan.save(path)
    assert load_scan(path).sha256 == scan.sha256
    assert [p.name for p in tmp_path.iterdir()] == ["scan.json"], "nothing is left behind"


@pytest.mark.parametrize("where", ["no/such/folder/scan.json", ""])
def test_an_unwritable_place_has_its_error(scan, tmp_path, where):
    with pytest.raises(OutputError) as caught:
        scan.save(tmp_path / where)
    assert str(tmp_path) not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "3",
        '"scan"',
        "{}",
        '{"format": 1}',
        '{"format": "1"}',
        "\x00",
        "{",
        "NaN",
        pytest.param("[" * 100_000, id="nested"),
    ],
)
def test_a_file_that_is_no_scan_is_refused(tmp_path, text):
    path = tmp_path / f"{PATIENT}.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScanFileError) as caught:
        load_scan(path)
    assert PATIENT not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "scan.json").write_bytes(bytes(range(256)))
    with pytest.raises(ScanFileError):
        load_scan(tmp_path / "scan.json")


def test_a_missing_file_is_refused_without_its_name(tmp_path):
    for path in (tmp_path / f"{PATIENT}.json", tmp_path):
        with pytest.raises(ScanFileError) as caught:
            load_scan(path)
        assert PATIENT not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_number_beyond_any_is_refused(small_json, tmp_path):
    data = json.loads(small_json.read_text(encoding="utf-8"))
    data["resolution_px_mm"] = 10**400
    (tmp_path / "scan.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ScanFileError):
        load_scan(tmp_path / "scan.json")


def test_the_conditions_of_a_scan_are_saved(saved, portrait):
    before, after = portrait.quality, load_scan(saved).quality
    assert after.view is before.view
    assert conditions_to_dict(after.conditions) == conditions_to_dict(before.conditions)
    assert after.light == before.light


@pytest.mark.parametrize("written", [SCAN_FORMAT + 1, SCAN_FORMAT - 1, 99, "new", None, 1.5])
def test_another_format_is_refused(saved, tmp_path, written):
    data = json.loads(saved.read_text(encoding="utf-8"))
    data["format"] = written
    (tmp_path / "scan.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ScanFileError, match=r"format|Scan\.save"):
        load_scan(tmp_path / "scan.json")


def test_a_scan_of_unknown_metrics_is_refused(saved, tmp_path):
    data = json.loads(saved.read_text(encoding="utf-8"))
    del data["metrics_version"]
    (tmp_path / "scan.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ScanFileError):
        load_scan(tmp_path / "scan.json")


@pytest.fixture(scope="module")
def small(scan):
    """A scan with few measurements, quick to write many times."""
    return replace(scan, measurements=scan.measurements[:3], wrinkles=scan.wrinkles[:1])


@pytest.fixture(scope="module")
def small_json(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "scan.json"
    small.save(path)
    return path


def places(node, path=()):
    """Every path into a JSON document, arrays of numbers by their first entries."""
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for i, value in enumerate(node[:2]):
            yield from places(value, (*path, i))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**12),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pick=st.floats(0, 1, exclude_max=True), junk=JUNK, drop=st.booleans())
def test_a_damaged_scan_is_refused_or_read_never_worse(small_json, tmp_path, pick, junk, drop):
    document = json.loads(small_json.read_text(encoding="utf-8"))
    everywhere = list(places(document))[1:]
    *path, last = everywhere[int(pick * len(everywhere))]
    node = document
    for step in path:
        node = node[step]
    if drop:
        del node[last]
    else:
        node[last] = junk
    target = tmp_path / "scan.json"
    target.write_text(json.dumps(document), encoding="utf-8")
    try:
        loaded = load_scan(target)
    except ScanFileError as error:
        assert error.remedy  # noqa: PT017 - both outcomes are right, no third one is
    else:
        assert isinstance(loaded, Scan)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), flip=st.integers(0, 255))
def test_a_cut_or_flipped_scan_is_refused_or_read(small_json, tmp_path, cut, flip):
    content = bytearray(small_json.read_bytes())
    at = min(int(cut * len(content)), len(content) - 1)
    target = tmp_path / "scan.json"
    target.write_bytes(content[:at])
    with pytest.raises(ScanFileError):
        load_scan(target)
    content[at] ^= flip
    target.write_bytes(content)
    try:
        load_scan(target)
    except ScanFileError:
        return


# Drawing --------------------------------------------------------------------------------


def test_drawing_marks_the_face_and_nothing_else(portrait):
    rgb = portrait.pixels.photo.rgb
    drawn = portrait.draw()
    assert drawn.dtype == np.uint8
    assert max(drawn.shape[:2]) <= 1600
    assert drawn.shape[0] / drawn.shape[1] == pytest.approx(rgb.shape[0] / rgb.shape[1], rel=0.01)
    bare = portrait.draw(regions=False, lines=False)
    assert (drawn != bare).any(axis=2).mean() > 0.005
    meshed = portrait.draw(mesh=True, regions=False, lines=False)
    assert (meshed != bare).any(axis=2).mean() > 0.02
    only_lines = portrait.draw(regions=False)
    ys, xs = np.nonzero((only_lines != bare).any(axis=2))
    assert len(ys) > 100
    factor = drawn.shape[1] / rgb.shape[1]
    points = np.vstack([w.points_px for w in portrait.wrinkles]) * factor
    low, high = points.min(axis=0) - 6, points.max(axis=0) + 6
    assert (xs >= low[0]).all()
    assert (xs <= high[0]).all()
    assert (ys >= low[1]).all()
    assert (ys <= high[1]).all()


def test_drawing_does_not_touch_the_photo(portrait):
    before = portrait.pixels.photo.rgb.copy()
    portrait.draw(mesh=True)
    np.testing.assert_array_equal(portrait.pixels.photo.rgb, before)


def test_a_loaded_scan_needs_its_photo_to_draw(scan, data, tmp_path):
    scan.save(tmp_path / "scan.json")
    loaded = load_scan(tmp_path / "scan.json")
    with pytest.raises(ScanFileError, match="photo"):
        loaded.draw()
    np.testing.assert_array_equal(loaded.draw(data), scan.draw())
    np.testing.assert_array_equal(loaded.draw(load_photo(data)), scan.draw())
    other = data + b"\0"
    with pytest.raises(ScanFileError, match="another photo"):
        loaded.draw(other)


# Tables ---------------------------------------------------------------------------------


def test_rows_have_the_order_of_the_columns(portrait):
    assert TABLE_COLUMNS == (
        "photo", "view", "metric", "region", "level_px_mm", "value", "unit", "sem", "flags",
    )  # fmt: skip
    rows = list(portrait.rows())
    table = portrait.table()
    assert list(table.columns) == list(TABLE_COLUMNS)
    assert len(rows) == len(table)
    first = dict(zip(TABLE_COLUMNS, rows[0], strict=True))
    assert first["view"] == "front"
    assert first["metric"] == portrait.measurements[0].metric
    assert set(table.level_px_mm) == {max(portrait.levels)}


def test_every_number_has_its_standard_error(portrait):
    table = portrait.table(levels="all")
    known = table[table.value.notna()]
    assert len(known) > 500
    assert (known["sem"] > 0).all(), known[~(known["sem"] > 0)]
    assert not known["flags"].str.contains("no_sem").any()
    assert table["sem"][table.value.isna()].isna().all()


def test_all_levels_are_one_option_away(portrait):
    table = portrait.table(levels="all")
    assert set(table.level_px_mm) == set(portrait.levels) == {2.0, 3.0, 4.5, 6.0}
    assert len(table) == len(portrait.measurements) == 4 * len(portrait.table())
    with pytest.raises(UnknownNameError, match="highest"):
        list(portrait.rows(levels="best"))


def test_the_name_is_the_label(scan):
    assert set(scan.table().photo) == {"first"}


# Sources --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["path", "text", "file", "opened", "photo", "bytearray"])
def test_every_source_gives_the_same_scan(data, scan, tmp_path, kind):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    source = {
        "path": path,
        "text": str(path),
        "file": io.BytesIO(data),
        "opened": open_photo(data),
        "photo": load_photo(data),
        "bytearray": bytearray(data),
    }[kind]
    assert same(analyze(source, name="first"), scan)


def test_pixels_without_a_file_give_the_same_numbers(data, scan):
    rgb = load_photo(data).rgb
    as_array = analyze(rgb, name="first")
    as_image = analyze(Image.fromarray(rgb), name="first")
    assert same(as_array, as_image)
    assert same(as_array.measurements, scan.measurements)
    assert same(as_array.wrinkles, scan.wrinkles)
    assert as_array.captured_at is None
    assert scan.captured_at == datetime(2026, 3, 3, 10)  # noqa: DTZ001 - cameras give local time


def test_analysis_is_deterministic(data, scan):
    assert same(analyze(data, name="first"), scan)


def test_the_package_exports_it(scan):
    assert skinscan.analyze is analyze
    assert skinscan.load_scan is load_scan
    assert skinscan.Scan is Scan
    assert scan.skinscan_version == skinscan.__version__
    assert scan.metrics_version == METRICS_VERSION


def test_the_view_can_be_said(data, scan):
    assert scan.view is View.FRONT
    said = analyze(data, view=View.LEFT)
    assert said.view is View.LEFT
    assert set(said.table().view) == {"left"}


def test_errors_never_hold_the_file_s_name(tmp_path):
    empty = tmp_path / f"{PATIENT}.jpg"
    empty.write_bytes(b"")
    blank = tmp_path / f"{PATIENT}.png"
    Image.fromarray(np.full((400, 400, 3), 99, np.uint8)).save(blank)
    for source in (empty, blank, tmp_path / PATIENT, str(blank), Path(tmp_path)):
        with pytest.raises(SkinscanError) as caught:
            analyze(source, name=PATIENT)
        text = f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.args}"
        assert PATIENT not in text
        assert caught.value.cause


def test_a_large_photo_is_measured_at_reduced_size(studio, lined, quick):
    """A face with more pixels than any level needs is decoded smaller, and lands the same."""
    from skinscan.scan import _decode

    rgb = studio.shoot(lined, quick)
    big = np.asarray(Image.fromarray(rgb).resize((rgb.shape[1] * 5, rgb.shape[0] * 5)))
    file = open_photo(encode_jpeg(big, 85))
    scan = analyze(file)
    assert scan.photo_size_px == (big.shape[1], big.shape[0])
    assert max(scan.levels) == 9.0
    small = studio.face(lined, quick)
    moved = (scan.face.landmarks_px + 0.5) / 5 - 0.5
    assert np.median(np.hypot(*(moved - small.landmarks_px).T)) < 0.015 * small.pupils_px
    wide = replace(scan.face, scale_mesh_px_mm=19.0)
    assert _decode(file, wide).reduction == 2
    assert _decode(file, scan.face).reduction == 1


# People ---------------------------------------------------------------------------------


@pytest.mark.photos
def test_real_faces_are_analysed(shared_photos):
    names = [
        "london/002_neutral.jpg",
        "london/013_neutral.jpg",
        "london/022_neutral.jpg",
        "canada/003f.jpg",
        "canada/098m.jpg",
        "canada/113m.jpg",
    ]
    for name in names:
        scan = analyze(shared_photos / name)
        assert scan.view is View.FRONT
        assert scan.face.scale_mesh_px_mm > 2.5
        top = max(scan.levels)
        severity = [
            m.value
            for m in scan.measurements
            if m.metric == "wrinkles.severity" and m.level_px_mm == top
        ]
        assert np.isfinite(severity).mean() > 0.9, name
        assert scan.quality.check("yaw").verdict != "poor"


@pytest.mark.photos
def test_a_careless_photo_is_flagged(shared_photos):
    wanted = {"dark", "blurred", "off_pose", "uneven_light", "occluded", "expression"}
    for path in sorted((shared_photos / "retake").glob("dim_*.jpg")):
        scan = analyze(path)
        flags = {flag for text in scan.table()["flags"] for flag in text.split("|")}
        assert flags & wanted, path.name
        assert scan.quality.verdict == "poor", path.name


@pytest.mark.photos
def test_a_smile_is_flagged_and_wrinkles_more(shared_photos):
    severity = {}
    for state in ("neutral", "smiling"):
        scan = analyze(shared_photos / "london" / f"004_{state}.jpg")
        severity[state] = {
            m.region: m.value
            for m in scan.measurements
            if m.metric == "wrinkles.severity" and m.level_px_mm == 3.0
        }
        flagged = "expression" in scan.table()["flags"].iloc[0].split("|")
        assert flagged == (state == "smiling")
    # Beside the nose some faces flatten on one side; benchmarks/real_photos.py counts them.
    for region in ("crows_feet_left", "crows_feet_right", "under_eye_left", "under_eye_right"):
        assert severity["smiling"][region] > severity["neutral"][region], region


def test_a_scan_of_a_file_is_named_after_it(tmp_path, studio, plain, far):
    path = tmp_path / "2026-03-03_front.png"
    Image.fromarray(studio.shoot(plain, far)).save(path)
    assert set(analyze(path).table()["photo"]) == {"2026-03-03_front.png"}
    assert set(analyze(path, name="A 1").table()["photo"]) == {"A 1"}
    assert set(analyze(path.read_bytes()).table()["photo"]) == {""}


FIRST_OF_ITS_PROCESS = """
import gc, sys
from skinscan.facemap import FaceMap
from skinscan.photo import PhotoFile
from skinscan.practice.photos import prepare

prepare(open(sys.argv[1], "rb").read())
gc.collect()
print([type(o).__name__ for o in gc.get_objects() if isinstance(o, (FaceMap, PhotoFile))])
"""


def test_the_first_photo_of_a_process_leaves_with_its_result(data, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", FIRST_OF_ITS_PROCESS, str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"
