"""Registration puts the same skin at the same place, and leaves every line as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from painting import COURSES, groove, grooves

from skinscan.facemap import Layer
from skinscan.frame import GRID_PX_MM, map_px_to_mm, map_size, mm_to_map_px
from skinscan.phantom import FaceTruth, Person, default_wrinkles, project_points, with_wrinkles
from skinscan.pixels import sampled
from skinscan.registration import KNOT_MM, register, register_textures, texture

LEVEL = 3.0
#: One line each on forehead, cheek and temple, and one far longer than a patch.
LINES = [*COURSES.values(), ((-38, -6), (-40, -30)), ((-45, 60), (0, 62), (45, 60))]


def mm_of(level):
    rows, columns = map_size(level)
    u, v = np.meshgrid(np.arange(columns, dtype=float), np.arange(rows, dtype=float))
    return map_px_to_mm(np.stack([u, v], axis=-1), level)


def painted(layer, dose):
    """Darken a layer by 100·Δln Y."""
    return Layer(layer.level_px_mm, None, (layer.log_y - dose).astype(np.float32), layer.skin)


def register_layers(first, second):
    return register_textures(texture(first), texture(second))


def places():
    x, y = np.meshgrid(np.arange(-60, 61, 5.0), np.arange(-80, 86, 5.0))
    return np.column_stack([x.ravel(), y.ravel()])


def on_skin(facemap, points):
    at = mm_to_map_px(points, GRID_PX_MM)
    inside = np.isfinite(at).all(axis=1)
    skin = sampled(facemap.skin.astype(np.float32), np.nan_to_num(at)[None], outside=0.0)[0]
    return inside & (skin > 0.99)


@pytest.fixture(scope="module")
def takes(studio, lined, far):
    """Scene and FaceMap of two captures; between them time, pose, light and a smile."""
    second = replace(
        far, yaw_deg=6.0, pitch_deg=-3.0, light_azimuth_deg=25.0, smile=0.3, distance_mm=700.0
    )
    scenes = ((lined, far), (with_wrinkles(lined, 0.6), second))
    return [(scene, studio.scan(*scene).pixels.facemap) for scene in scenes]


@pytest.fixture(scope="module")
def maps(takes):
    return [facemap for _, facemap in takes]


@pytest.fixture(scope="module")
def layers(maps):
    return [facemap.layers[LEVEL] for facemap in maps]


@pytest.fixture(scope="module")
def found(maps):
    return register(*maps)


@pytest.fixture(scope="module")
def truth(takes):
    """Where the same skin is in both maps, mm."""
    points = [m.to_map_mm(project_points(*scene, places())) for scene, m in takes]
    seen = np.all([on_skin(m, p) for (_, m), p in zip(takes, points, strict=True)], axis=0)
    assert seen.sum() > 400
    return [p[seen] for p in points]


def test_the_same_skin_is_found_within_a_third_of_a_millimetre(found, truth):
    first, second = truth
    before = np.linalg.norm(second - first, axis=1)
    after = np.linalg.norm(second - found.to_second(first), axis=1)
    assert np.median(before) > 0.4
    assert np.median(after) < 0.3
    assert np.quantile(after, 0.95) < np.quantile(before, 0.95)


def test_the_report_is_as_large_as_the_error(found, truth):
    error = np.median(np.linalg.norm(truth[1] - found.to_second(truth[0]), axis=1))
    assert 0.5 * error < found.median_residual_mm < 3 * error
    assert found.median_residual_mm < found.p95_residual_mm
    assert found.matched_share > 0.8


def test_a_known_shift_is_found(layers):
    first = layers[0]
    moved = [np.roll(p, (2, 3), axis=(0, 1)) for p in (first.log_y, first.skin)]
    patches = register_layers(first, Layer(LEVEL, None, *moved)).patches
    right_and_down = np.array([3 / LEVEL, -2 / LEVEL])
    assert patches.matched.mean() > 0.95
    assert np.abs(patches.shift_mm[patches.matched] - right_and_down).max() < 0.05


def test_there_and_back(found):
    points = places()
    assert np.abs(found.to_first(found.to_second(points)) - points).max() < 1e-3


def test_a_line_that_softened_keeps_its_contrast_and_width(layers):
    """40 % shallower in the second photo stays 40 % shallower after warping."""
    first, second = layers
    mm = mm_of(LEVEL)
    plain = register_layers(first, second)
    there = plain.to_first(mm.reshape(-1, 2)).reshape(mm.shape)
    deep, shallow = (
        grooves(at, LINES, contrast_pct=c, width_mm=1.0) for at, c in ((mm, 30.0), (there, 18.0))
    )
    found = register_layers(painted(first, deep), painted(second, shallow))
    warped = found.warp((second.log_y - shallow).astype(np.float32), level_px_mm=LEVEL)
    line = found.warp(second.log_y, level_px_mm=LEVEL) - warped
    for course in LINES:
        only = groove(mm, course, contrast_pct=30.0, width_mm=1.0)
        near = only > 1.0
        assert line[near].sum() / only[near].sum() == pytest.approx(0.6, rel=0.05)
        core = only > 27.0
        assert line[core].mean() / only[core].mean() == pytest.approx(0.6, rel=0.08)


def test_a_line_in_only_one_photo_does_not_pull(layers):
    first, second = layers
    dose = grooves(mm_of(LEVEL), LINES, contrast_pct=35.0, width_mm=1.2)
    plain = register_layers(first, second)
    for pair in ((painted(first, dose), second), (first, painted(second, dose))):
        change = register_layers(*pair).shift_mm - plain.shift_mm
        skin = first.skin[:: int(LEVEL), :: int(LEVEL)]
        moved = np.linalg.norm(change, axis=-1)[:: int(GRID_PX_MM), :: int(GRID_PX_MM)][skin]
        assert np.median(moved) < 0.03
        assert moved.max() < 0.5


def test_the_field_is_stiffer_than_any_line(found):
    """Over 2 mm, the width of a fold, the field stretches by a tenth of a millimetre at most."""
    step = round(2 * GRID_PX_MM)
    inner = np.abs(np.diff(found.shift_mm[::step, ::step], 2, axis=1))
    assert inner.max() < 0.1
    assert KNOT_MM > 10


def test_other_skin_does_not_match(studio, far, maps):
    other = FaceTruth(person=Person(seed=77), wrinkles=default_wrinkles(77))
    stranger = studio.scan(other, far).pixels.facemap
    assert register(maps[0], stranger).matched_share < 0.3


def test_without_skin_nothing_moves(layers):
    bare = replace(layers[1], skin=np.zeros_like(layers[1].skin))
    found = register_layers(layers[0], bare)
    assert not found.shift_mm.any()
    assert found.matched_share == 0.0
    assert np.isnan(found.median_residual_mm)
