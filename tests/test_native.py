"""The compiled loops: found, refused when they do not fit, and equal to the plain ways."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinscan import colour, covers, facemap, native, pixels, resizing, skinmask
from skinscan.frame import GRID_PX_MM, LEVELS_PX_MM, map_size
from skinscan.metrics import grain, maps, paths, texture, tracing, valleys
from skinscan.native.sources import AVX2, BASELINE, digest, library_name, sources

ROOT = Path(__file__).parent.parent
FOLDER = Path(native.__file__).parent
compiled = pytest.mark.skipif(
    native.STATE not in {AVX2, BASELINE}, reason=f"compiled loops: {native.STATE}"
)


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_loops_are_compiled_where_there_is_a_compiler():
    if sys.platform == "win32" or not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("no C compiler on the PATH")
    if os.environ.get(native.SWITCH) == "0":
        pytest.skip("switched off for this run")
    assert native.STATE in {AVX2, BASELINE}


def test_switched_off():
    code = "from skinscan import native; print(native.STATE, native.kernel('valleys_search'))"
    done = run("-c", code, SKINSCAN_COMPILED="0")
    assert (done.stdout, done.stderr) == ("off (SKINSCAN_COMPILED=0) None\n", "")


@compiled
@pytest.mark.parametrize("wrong", [np.zeros(4), [0.0] * 4, None], ids=["dtype", "list", "none"])
def test_a_loop_takes_arrays_of_its_own_kind_only(wrong):
    loop = native.kernel("shrunk_codes", native.F32)
    with pytest.raises(ctypes.ArgumentError, match="float32"):
        loop(wrong)


@pytest.mark.slow
def test_numbers_are_the_same_without_compiled_loops():
    done = run(
        *("-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "tests/test_golden_tables.py"),
        SKINSCAN_COMPILED="0",
        PYTEST_ADDOPTS="",
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


@compiled
def test_numbers_with_what_any_processor_can():
    # OpenCV rounds products as this processor can and these loops do not, so that a line may be
    # linked in another way: nearly all numbers agree, and none is far away.
    code = (
        "import json, sys, skinscan; from skinscan import native;"
        "scan = skinscan.analyze(sys.argv[1]);"
        "print(json.dumps([native.STATE, [m.value for m in scan.measurements]]))"
    )
    photo = str(ROOT / "sample_images" / "2026-03-03_front.jpg")
    (state, found), (_, expected) = (
        json.loads(run("-c", code, photo, SKINSCAN_COMPILED=which).stdout)
        for which in (BASELINE, "")
    )
    assert state == BASELINE
    found, expected = np.array(found), np.array(expected)
    close = np.isclose(found, expected, rtol=1e-3, atol=1e-4, equal_nan=True)
    assert close.mean() > 0.98
    np.testing.assert_allclose(found, expected, rtol=0.2, atol=0.5)


def copied(tmp_path):
    """Compiled loops with their sources, somewhere else."""
    shutil.copytree(FOLDER, tmp_path / "native", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "native"


def state_in(folder):
    code = (
        "import pathlib, sys; from skinscan import native;"
        "native.__file__ = sys.argv[1]; print(native._load()[1])"
    )
    done = run("-c", code, str(folder / "__init__.py"), SKINSCAN_COMPILED="")
    assert not done.stderr
    return done.stdout.strip()


@compiled
def test_library_of_other_sources_is_not_used(tmp_path):
    folder = copied(tmp_path)
    assert state_in(folder) == native.STATE
    changed = sources(folder)[0]
    changed.write_text(changed.read_text() + "\n/* changed */\n")
    assert state_in(folder) == "none (compiled from other sources: install skinscan again)"


@compiled
def test_library_of_another_machine_is_not_used(tmp_path):
    folder = copied(tmp_path)
    (folder / library_name(BASELINE)).write_bytes(b"\x7fELF of some other kind")
    expected = "none (compiled for another kind of machine: install skinscan again)"
    assert state_in(folder) == expected


@compiled
def test_slower_build_is_used_where_there_is_only_that(tmp_path):
    folder = copied(tmp_path)
    (folder / library_name(AVX2)).unlink(missing_ok=True)
    assert state_in(folder) == BASELINE


def test_none_without_a_library(tmp_path):
    folder = copied(tmp_path)
    for build in (BASELINE, AVX2):
        (folder / library_name(build)).unlink(missing_ok=True)
    assert state_in(folder).startswith("none (skinscan was installed without")


def test_digest_sees_every_source_and_no_line_ends(tmp_path):
    (tmp_path / "a.c").write_bytes(b"int a;\n")
    (tmp_path / "a.h").write_bytes(b"int b;\n")
    before = digest(tmp_path)
    (tmp_path / "a.h").write_bytes(b"int b;\r\n")
    assert digest(tmp_path) == before
    (tmp_path / "a.h").write_bytes(b"int c;\n")
    assert digest(tmp_path) != before


def test_sizes_that_the_loops_take_for_granted():
    assert skinmask._position_terms().shape[-1] <= 6
    # A mean narrower than twice `_NARROW_PX` is taken in one piece.
    assert len(pixels.gaussian_half(2 * maps._NARROW_PX)) <= 64
    finest = max(LEVELS_PX_MM)
    assert len(pixels.gaussian_half(texture._PORE_SIGMA_MM * finest)) <= 64
    assert len(valleys._TAPS) == 9
    assert len(tracing._PROFILE_MM) <= 64
    assert valleys.ORIENTATIONS <= valleys._DIRECTION_BITS + 1


@compiled
def test_an_array_of_another_kind_is_refused():
    with pytest.raises(Exception, match="argument 1"):
        valleys._SEARCH(np.zeros(3), *[0] * 21)


@compiled
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    height=st.integers(1, 40),
    width=st.integers(1, 70),
    level=st.sampled_from([2.0, 3.0, 4.5]),
    count=st.integers(0, valleys.ORIENTATIONS),
)
def test_valleys_equal_the_plain_way_to_the_last_bit(seed, height, width, level, count):
    rng = np.random.default_rng(seed)
    scales = tuple(s for s in valleys.SCALES if s.level == level)
    scales = tuple(s for s in scales if s.along_mm == scales[0].along_mm)
    pad = valleys._pad_px(scales, level)
    top, left = rng.integers(0, 5, 2)
    whole = (height + top + 3, width + left + 2)
    signal = rng.normal(0.0, 20.0, [n + 2 * pad for n in whole]).astype(np.float32)
    barred = np.where(rng.random(signal.shape) < 0.2, valleys._BARRED_PCT, np.float32(0.0))
    search = valleys._TileSearch(scales, level, signal, barred)
    directions = np.sort(rng.permutation(valleys.ORIENTATIONS)[:count]).astype(np.int32)
    # Rows of the weights are further apart than they are wide, as in a cut tile.
    weights = rng.random((count, height, width + 4)).astype(np.float32)[:, :, 2:-2]
    place = slice(top, top + height), slice(left, left + width)
    found = np.zeros((2, len(scales), *whole), dtype=np.int32)
    search.run(place, directions, weights, found[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(valleys, "_SEARCH", None)
        search.run(place, directions, weights, found[1])
    np.testing.assert_array_equal(found[0], found[1])
    skin = rng.random(whole) < 0.5
    for packed in found[0]:
        quick = valleys._response(packed, skin)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(valleys, "_UNPACK", None)
            plain = valleys._response(packed, skin)
        np.testing.assert_array_equal(quick.contrast, plain.contrast)
        np.testing.assert_array_equal(quick.direction, plain.direction)
    inside = np.zeros(whole, dtype=bool)
    inside[place] = True
    assert not found[0][:, ~inside].any()
    # A direction is kept with any contrast above nothing.
    assert count or not found[0].any()


@compiled
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    unseen=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_sums_of_profiles_equal_the_plain_ones(seed, sizes, unseen):
    rng = np.random.default_rng(seed)
    begin, end = tracing._ends(np.array(sizes))
    offset = rng.normal(0.0, 0.2, (end[-1], 1))
    # As in a picture: a valley with grain, on which samples lie at the very limit of the reach.
    offset[rng.random(len(offset)) < 0.3] = 0.0
    across = tracing._PROFILE_MM[None, :] - offset
    valley = -20.0 * np.exp(-0.5 * (across / 0.3) ** 2) + rng.normal(0.0, 4.0, across.shape)
    lines = tracing._Profiles(
        height=tracing._about_mean(valley.astype(np.float32)),
        from_centre=across,
        seen=(rng.random(across.shape) >= unseen).astype(np.float32),
        begin=begin,
        end=end,
    )
    reach = rng.choice([0.9, 1.5, 3.0], len(sizes))
    sigma = rng.uniform(0.04, 2.0, len(sizes)).astype(np.float32)
    plain = tracing._sums(lines, reach, sigma)
    quick = tracing._compiled_sums(lines, reach, sigma)
    # Single precision, in another order; small differences of large sums keep its error.
    size = np.sqrt(np.einsum("kii->ki", np.abs(plain[:, :, :3])))
    rows = np.array(sizes)[:, None, None]
    miss = np.abs(quick - plain)
    assert (miss[:, :, :3] <= 2e-5 * (size[:, :, None] * size[:, None, :] + rows)).all()
    tallest = np.abs(lines.height).max() * np.sqrt(across.shape[1] * rows)
    assert (miss[:, :, 3:] <= 2e-5 * tallest * (size[:, :, None] + np.sqrt(rows))).all()
    assert (quick == 0.0).all() if unseen == 1.0 else quick.any()


@compiled
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(0, 40), flat=st.booleans())
def test_valleys_of_profiles_equal_the_plain_ones_to_the_last_bit(seed, rows, flat):
    rng = np.random.default_rng(seed)
    profile = rng.normal(0.0, 0.0 if flat else 9.0, (rows, len(tracing._PROFILE_MM)))
    # At the ends of a profile there is no shoulder on one side.
    lowest = rng.integers(0, profile.shape[1], rows)
    lowest[: rows // 4] = 0
    quick, plain = tracing._compiled_valleys(profile, lowest), tracing._valleys(profile, lowest)
    np.testing.assert_array_equal(quick, plain)


def both_ways(module, loop, job):
    """Do a job in the compiled and in the plain way."""
    quick = job()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, loop, None)
        return quick, job()


def window_of(rng, rows, columns, share):
    """A window of a larger picture and mask, as regions are, and steps of certainty."""
    whole = rows + 3, columns + 5
    picture = rng.normal(3.0, 12.0, whole).astype(np.float32)[1:-2, 2:-3]
    mask = (rng.random(whole) < share)[1:-2, 2:-3]
    steps = np.where(rng.random(whole) < 0.7, 0, rng.integers(0, 256, whole)).astype(np.uint8)
    return picture, mask, steps[1:-2, 2:-3]


@compiled
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60) | st.sampled_from([16, 48, 320])),
    share=st.sampled_from([0.0, 0.1, 0.8, 1.0]),
    sigma=st.floats(0.7, 7.9),
    channels=st.sampled_from([1, 3]),
)
def test_means_over_a_mask_equal_the_plain_way_to_the_last_bit(seed, size, share, sigma, channels):
    rows, columns = size
    rng = np.random.default_rng(seed)
    picture, mask, _ = window_of(rng, rows, columns, share)
    if channels > 1:
        picture = rng.normal(3.0, 12.0, (rows, columns, channels)).astype(np.float32)
    # In one piece: wide means are otherwise taken of a reduced picture.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "_NARROW_PX", 8.0)
        quick, plain = both_ways(maps, "_MEAN", lambda: maps.masked_blur(picture, mask, sigma))
    # OpenCV rounds otherwise at the end of rows that do not fill its registers.
    filled = columns % 16 == 0
    np.testing.assert_allclose(quick, plain, rtol=0, atol=0.0 if filled else 4e-5)
    if channels > 1:
        return
    whole = np.full((rows + 1, columns + 2), np.nan, dtype=np.float32)
    into = whole[1:, 2:]
    maps._compiled_mean(maps._MEAN, picture, mask, sigma, into, contrast=True)
    np.testing.assert_array_equal(into, np.where(mask, picture - quick, np.float32(0.0)))
    assert np.isnan(whole[0]).all()
    assert np.isnan(whole[:, :2]).all()


@compiled
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    share=st.sampled_from([0.0, 0.1, 0.8, 1.0]),
    tile=st.integers(4, 40),
)
def test_roughness_equals_the_plain_way(seed, rows, columns, share, tile):
    picture, mask, steps = window_of(np.random.default_rng(seed), rows, columns, share)
    quick, plain = both_ways(
        grain, "_ROUGHNESS", lambda: grain.roughness_of(picture, steps, mask, tile_px=tile)
    )
    sums = [(found.weight, found.first, found.second) for found in (quick, plain)]
    np.testing.assert_allclose(*sums, rtol=1e-4, atol=0.02)
    for name in ("counts", "lowest", "highest"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(plain, name))


@compiled
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 60),
    columns=st.integers(1, 60),
    share=st.sampled_from([0.0, 0.1, 0.8, 1.0]),
    sigma=st.floats(0.6, 2.0),
)
def test_dots_are_counted_as_in_the_plain_way(seed, rows, columns, share, sigma):
    rng = np.random.default_rng(seed)
    picture, mask, _ = (np.ascontiguousarray(part) for part in window_of(rng, rows, columns, share))
    found = both_ways(
        grain,
        "_DOTS",
        lambda: grain.count_dots(picture, mask, sigma_px=sigma, least=5.0, roundness=0.35),
    )
    assert found[0] == found[1]
    assert share < 1.0 or min(rows, columns) < 40 or found[0][0] > 0


@compiled
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    before=st.sampled_from([GRID_PX_MM, 3.0]),
    after=st.sampled_from(LEVELS_PX_MM),
    set_share=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    share=st.sampled_from([0.5, 0.25, float(np.nextafter(np.float32(0.25), np.float32(0.0)))]),
)
def test_resized_masks_equal_the_plain_way_to_the_last_pixel(seed, before, after, set_share, share):
    rng = np.random.default_rng(seed)
    # Noise has every pattern of neighbours at every phase, and so every tie.
    mask = rng.random(map_size(before)) < set_share
    mask[rng.random(len(mask)) < 0.3] = False
    quick, plain = both_ways(
        resizing, "_ABOVE", lambda: resizing.resized_above(mask, *map_size(after), share=share)
    )
    assert quick.dtype == plain.dtype == bool
    np.testing.assert_array_equal(quick, plain)
    assert not np.shares_memory(quick, mask)


SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))


@compiled
@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10_000), before=SIZES, after=SIZES)
def test_resized_pictures_equal_the_plain_way_to_the_last_bit(seed, before, after):
    rng = np.random.default_rng(seed)
    whole = before[0], before[1] + 3
    picture = rng.normal(-100.0, 40.0, whole).astype(np.float32)[:, 1:-2]
    codes = rng.integers(0, 256, (*whole, 3), dtype=np.uint8)[:, 1:-2]
    for loop, job in (
        ("_AREA", lambda: resizing.resized_area(picture, *after)),
        ("_CODES", lambda: resizing.shrunk_codes(codes, *after)),
    ):
        quick, plain = both_ways(resizing, loop, job)
        assert quick.dtype == plain.dtype
        np.testing.assert_array_equal(quick, plain)


@compiled
@pytest.mark.parametrize("level", LEVELS_PX_MM[1:])
def test_levels_are_shrunk_by_the_loop(level, monkeypatch):
    called = []
    monkeypatch.setattr(resizing, "_AREA", lambda *_: called.append(level))
    below = LEVELS_PX_MM[LEVELS_PX_MM.index(level) - 1]
    resizing.resized_area(np.zeros(map_size(level), dtype=np.float32), *map_size(below))
    assert called == [level]


@compiled
@given(seed=st.integers(0, 10_000), rows=st.integers(0, 80), columns=st.integers(1, 40))
def test_luminance_equals_the_plain_way_to_the_last_bit(seed, rows, columns):
    codes = np.random.default_rng(seed).integers(0, 256, (rows, columns + 3, 3), dtype=np.uint8)
    window = codes[:, 1:-2]
    found = both_ways(colour, "_LUMINANCE", lambda: colour.luminance_of_codes(window))
    np.testing.assert_array_equal(*found)


@compiled
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 40), columns=st.integers(2, 60))
def test_the_best_scale_of_each_pixel_equals_the_plain_way_to_the_last_bit(seed, rows, columns):
    rng = np.random.default_rng(seed)
    sizes = [*rng.integers(2, (rows, columns), endpoint=True, size=(3, 2)), (rows, columns)]
    # Whole numbers, so that some scales are equally good.
    responses = [
        valleys.Response(
            rng.integers(-2, 5, size).astype(np.float32), rng.integers(0, 12, size, dtype=np.uint8)
        )
        for size in map(tuple, sizes)
    ]

    def best():
        found = valleys.best_of(responses, rows, columns)
        return found.contrast, found.direction

    quick, plain = both_ways(valleys, "_KEEP", best)
    np.testing.assert_array_equal(quick[0], plain[0])
    np.testing.assert_array_equal(quick[1], plain[1])
    assert not quick[1][quick[0] == 0].any()


@compiled
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 40),
    columns=st.integers(1, 140),
    radius=st.integers(1, 7),
    most=st.sampled_from([1, 7, 200, 255]),
)
def test_medians_of_windows_equal_the_plain_way(seed, rows, columns, radius, most):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, most, (rows, columns), endpoint=True, dtype=np.uint8)
    found = both_ways(skinmask, "_MEDIANS", lambda: skinmask._medians(picture, radius))
    np.testing.assert_array_equal(*found)


@compiled
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30), columns=st.integers(1, 30))
def test_largest_response_equals_the_plain_way_to_the_last_bit(seed, rows, columns):
    # Few values, so that there are ties: the first response keeps its place.
    responses = np.random.default_rng(seed).integers(-3, 4, (3, rows, columns + 2))

    def kept():
        best, which = np.zeros((2, rows, columns), dtype=np.float32)
        for label, response in zip((45.0, 67.5, 90.0), responses, strict=True):
            covers._keep_largest(response.astype(np.float32)[:, 1:-1], label, best, which)
        return best, which

    quick, plain = both_ways(covers, "_LARGEST", kept)
    np.testing.assert_array_equal(quick, plain)
    assert ((quick[0] > 0) == (quick[1] > 0)).all()


@compiled
@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    share=st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]),
)
def test_ways_along_lines_equal_the_plain_ones(seed, rows, columns, share):
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    quick, plain = both_ways(paths, "_WALKS", lambda: paths.pixel_paths(mask, 4.5))
    assert len(quick) == len(plain)
    for one, other in zip(quick, plain, strict=True):
        np.testing.assert_array_equal(one, other)


@compiled
def test_a_ring_is_one_way():
    mask = np.zeros((9, 9), dtype=bool)
    mask[2, 3:6] = mask[6, 3:6] = mask[3:6, 2] = mask[3:6, 6] = True
    (ring,) = paths.pixel_paths(mask, 4.5)
    assert len(ring) == mask.sum()


@compiled
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    share=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_samples_on_skin_equal_the_plain_way(seed, rows, columns, share):
    rng = np.random.default_rng(seed)
    skin = (rng.random((rows, columns + 4)) < share)[:, 1:-3]
    maps_of = SimpleNamespace(layer=SimpleNamespace(skin=skin))
    x = rng.uniform(-3.0, columns + 2.0, (9, 8)).astype(np.float32)
    y = rng.uniform(-3.0, rows + 2.0, (9, 8)).astype(np.float32)
    # Many lie on a pixel, or on the border between two.
    x[0], y[0] = np.rint(x[0]), np.rint(y[0] * 2.0) / 2.0
    quick, plain = both_ways(tracing, "_ON_MASK", lambda: tracing._on_skin(maps_of, x, y))
    np.testing.assert_array_equal(quick, plain)


@compiled
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    half=st.integers(1, 9),
    seen=st.sampled_from([0.0, 0.2, 0.9, 1.0]),
)
def test_means_along_lines_equal_the_plain_ones(seed, sizes, half, seen):
    rng = np.random.default_rng(seed)
    begin, end = (np.repeat(at, sizes) for at in tracing._ends(np.array(sizes)))
    index = np.arange(len(begin))
    window = np.maximum(index - half, begin), np.minimum(index + half + 1, end)
    picture = rng.normal(-150.0, 30.0, (len(index), 7)).astype(np.float32)
    on = (rng.random(picture.shape) < seen).astype(np.float32)
    quick, plain = both_ways(tracing, "_MEANS", lambda: tracing._means_along(picture, on, *window))
    np.testing.assert_allclose(quick, plain, rtol=1e-6)
    # Each by itself, without sums that run on.
    weight = np.where(on > 0, 1.0, tracing._UNSEEN)
    for row, (a, b) in enumerate(zip(*window, strict=True)):
        mean = (picture[a:b] * weight[a:b]).sum(axis=0) / weight[a:b].sum(axis=0)
        np.testing.assert_allclose(quick[row], mean, rtol=1e-6)


@compiled
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    level=st.sampled_from(LEVELS_PX_MM),
    size=st.tuples(st.integers(4, 300), st.integers(4, 300)),
    beyond=st.sampled_from([0.0, 0.3]),
)
def test_sampled_faces_equal_the_plain_way_to_the_last_bit(seed, level, size, beyond):
    rng = np.random.default_rng(seed)
    picture = rng.random((size[0], size[1] + 5)).astype(np.float32)[:, 2:-3]
    # A turned and bent grid, in part beyond the picture.
    rows, columns = map_size(GRID_PX_MM)
    v, u = np.meshgrid(
        np.linspace(-beyond, 1 + beyond, rows), np.linspace(0, 1, columns), indexing="ij"
    )
    x = (u + 0.1 * np.sin(5 * v)) * (size[1] - 1)
    y = (v + 0.1 * u) * (size[0] - 1)
    places = np.stack([x, y], axis=-1).astype(np.float32)
    codes = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    for kind in (picture, codes):
        quick, plain = both_ways(
            facemap, "_SAMPLED", lambda kind=kind: facemap._remapped(kind, places, level)
        )
        assert quick.shape[:2] == map_size(level)
        assert quick.dtype == plain.dtype == kind.dtype
        np.testing.assert_array_equal(quick, plain)


@compiled
@given(
    seed=st.integers(0, 10_000),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    distance=st.integers(1, 9),
)
def test_pairs_are_counted_as_in_the_plain_way(seed, size, share, distance):
    rng = np.random.default_rng(seed)
    # Steps begin at multiples of 4; a few are beyond all of them.
    contrast = np.rint(rng.normal(0.0, 30.0, size)).astype(np.float32)
    mask = rng.random(size) < share
    found = both_ways(
        grain,
        "_PAIRS",
        lambda: grain.pairs_of(contrast, mask, steps=32, step=4.0, distance_px=distance),
    )
    np.testing.assert_array_equal(*found)
    assert found[0].sum() % 2 == 0


@compiled
@given(
    seed=st.integers(0, 10_000),
    terms=st.integers(1, 6),
    values=st.integers(1, 200),
    cut=st.floats(0.5, 9.0),
)
def test_sums_of_the_trend_equal_the_plain_ones(seed, terms, values, cut):
    rng = np.random.default_rng(seed)
    design, beta = rng.uniform(-1.0, 1.0, (terms, values)), rng.normal(size=terms)
    value, residual = rng.normal(0.0, 3.0, (2, values))
    used = rng.random(values) < 0.7
    quick, plain = both_ways(
        skinmask,
        "_SUMS",
        lambda: skinmask._weighted_sums(design, value, residual, cut, used),
    )
    for one, other in zip(quick, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)
    left = both_ways(skinmask, "_RESIDUAL", lambda: skinmask._residual(design, value, beta))
    np.testing.assert_allclose(*left, rtol=0, atol=1e-13)


@compiled
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    level=st.sampled_from(LEVELS_PX_MM),
    corner=st.tuples(st.integers(0, 300), st.integers(0, 200)),
    size=st.tuples(st.integers(1, 80), st.integers(1, 80)),
)
def test_windows_free_of_light_equal_the_plain_way_to_the_last_bit(seed, level, corner, size):
    rng = np.random.default_rng(seed)
    layers = [
        facemap.Layer(lv, None, rng.normal(-90.0, 20.0, map_size(lv)).astype(np.float32), skin)
        for lv in (GRID_PX_MM, level)
        for skin in [rng.random(map_size(lv)) < 0.7]
    ]
    layer = layers[0] if level == GRID_PX_MM else layers[1]
    window = tuple(slice(at, at + n) for at, n in zip(corner, size, strict=True))
    quick, plain = both_ways(
        maps, "_LESS_RESIZED", lambda: maps.LevelMaps(layer, layers[0]).flat(window)
    )
    assert quick.shape == size
    np.testing.assert_array_equal(quick, plain)


@compiled
@given(seed=st.integers(0, 10_000), channels=st.integers(1, 4))
def test_values_of_the_mesh_equal_the_plain_way_to_the_last_bit(seed, channels):
    values = np.random.default_rng(seed).normal(0.0, 900.0, (900, channels))
    quick, plain = both_ways(facemap, "_INTERPOLATED", lambda: facemap._on_grid(values))
    np.testing.assert_array_equal(quick, plain)
    assert 0.3 < np.isfinite(quick).mean() < 1.0
