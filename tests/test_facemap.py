"""The FaceMap: photo and map show the same skin at the same place, and nothing is smeared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinscan.colour import luminance, to_linear
from skinscan.facemap import LEVEL_TOLERANCE, levels_for, rectify
from skinscan.flags import Flag
from skinscan.frame import (
    GRID_PX_MM,
    LEVELS_PX_MM,
    atlas_mesh,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.landmarks import find_face
from skinscan.metrics import metric
from skinscan.phantom import Person, encode_jpeg, project_points
from skinscan.photo import load_photo, open_photo
from skinscan.regions import region, region_mask
from skinscan.skinmask import feature_mask

PLACES_MM = np.array(
    [(0, 70), (-30, 62), (32, 75), (-42, -8), (45, -12), (-35, -35), (33, -40), (0, -80), (0, 12)],
    dtype=float,
)


@pytest.fixture(scope="module")
def facemap(portrait):
    return portrait.pixels.facemap


@pytest.fixture(scope="module")
def picture(studio, lined, near):
    return studio.shoot(lined, near)


@pytest.fixture(scope="module")
def turned(studio, plain, far):
    """FaceMaps with the head turned by 40° to either side."""
    return {yaw: studio.scan(plain, replace(far, yaw_deg=float(yaw))) for yaw in (40, -40)}


both_turns = pytest.mark.parametrize(
    ("yaw", "far_side", "near_side"), [(40, "left", "right"), (-40, "right", "left")]
)


def nodes(mask):
    rows, columns = np.nonzero(mask)
    return rows, columns, map_px_to_mm(np.column_stack([columns, rows]).astype(float), GRID_PX_MM)


def test_photo_to_map_and_back_within_a_pixel(facemap):
    rows, columns, _ = nodes(facemap.skin)
    pick = np.random.default_rng(0).choice(len(rows), 3000, replace=False)
    points = facemap.grid_px[rows[pick], columns[pick]].astype(float)
    points += np.random.default_rng(1).uniform(-1, 1, points.shape)
    mm = facemap.to_map_mm(points)
    known = np.isfinite(mm).all(axis=1)
    # At the silhouette the map ends within the step of the search.
    assert known.mean() > 0.99
    error = np.hypot(*(facemap.to_photo_px(mm[known]) - points[known]).T)
    assert np.percentile(error, 99.5) < 0.2
    assert np.percentile(error, 99.9) < 1.0
    # One point in three thousand lies on the edge of the jaw, where the mesh turns away; how far it
    # strays depends on the last digits of the landmarks, which differ between processors.
    assert error.max() < 2.0


def test_map_to_photo_and_back(facemap):
    _, _, mm = nodes(facemap.skin)
    mm = mm[::17]
    back = facemap.to_map_mm(facemap.to_photo_px(mm))
    error = np.hypot(*(back - mm).T)
    # A few points lie in folds of the mesh, where one pixel shows two places.
    assert np.nanpercentile(error, 99) < 0.3
    assert np.isfinite(error).mean() > 0.99


def test_points_off_the_face_have_no_place(facemap, picture):
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width - 1, 0), (0, height - 1)], dtype=float)
    assert np.isnan(facemap.to_map_mm(corners)).all()
    assert facemap.to_map_mm(np.zeros((0, 2))).shape == (0, 2)
    assert np.isnan(facemap.to_photo_px(np.array([[np.nan, 0.0]]))).all()


def test_the_map_is_where_the_truth_is(facemap, lined, near):
    truth = project_points(lined, near, PLACES_MM)
    error = np.hypot(*(facemap.to_photo_px(PLACES_MM) - truth).T) / near.px_per_mm
    # What is left is the error of the landmarks themselves, 3 % of 62 mm between the pupils.
    assert np.median(error) < 2.0
    assert error.max() < 4.5


def test_a_painted_dot_appears_where_it_belongs(facemap, portrait, picture):
    photo = picture.copy()
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    for place in facemap.to_photo_px(PLACES_MM):
        near = np.hypot(x - place[0], y - place[1]) < 8
        photo[near] = (photo[near] * 0.5).astype(np.uint8)
    marked = rectify(load_photo(photo), portrait.face)
    for level, layer in marked.layers.items():
        change = np.exp(facemap.layers[level].log_y / 100) - np.exp(layer.log_y / 100)
        for wanted in mm_to_map_px(PLACES_MM, level):
            reach = int(4 * level)
            u, v = np.round(wanted).astype(int)
            cut = np.maximum(change[v - reach : v + reach + 1, u - reach : u + reach + 1], 0)
            weight = cut / cut.sum()
            yy, xx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
            found = np.array([u + (weight * xx).sum(), v + (weight * yy).sum()])
            assert np.hypot(*(found - wanted)) < 1.0, f"at {level} px/mm"


@given(st.floats(0.3, 40.0))
def test_levels_never_exceed_the_photo(resolution):
    levels = levels_for(resolution)
    assert levels
    assert list(levels) == sorted(levels)
    assert set(levels) <= set(LEVELS_PX_MM)
    assert levels[0] == LEVELS_PX_MM[0]
    assert all(resolution >= level * LEVEL_TOLERANCE for level in levels[1:])
    missing = [level for level in LEVELS_PX_MM if level not in levels]
    assert all(resolution < level * LEVEL_TOLERANCE for level in missing)


@pytest.mark.parametrize(
    ("resolution", "top"), [(0.5, 2.0), (1.8, 2.0), (3.4, 3.0), (5.0, 4.5), (6.0, 6.0), (30.0, 9.0)]
)
def test_the_top_level_of_known_photos(resolution, top):
    assert max(levels_for(resolution)) == top


def test_layers_have_the_size_of_their_level(facemap):
    assert facemap.top_level == 6.0
    for level, layer in facemap.layers.items():
        size = map_size(level)
        assert layer.level_px_mm == level
        assert layer.log_y.shape == layer.skin.shape == size
        if layer.linear is not None:
            assert layer.linear.shape == (*size, 3)
            ratio = np.exp(layer.log_y / 100) / np.maximum(luminance(layer.linear), 1 / 4096)
            # Averaging to a level and taking luminance may come in either order.
            assert np.percentile(np.abs(ratio[layer.skin] - 1), 99) < 0.05
            assert np.median(ratio[layer.skin]) == pytest.approx(1, abs=0.005)
        assert layer.skin.any()


def test_levels_show_the_same_light(facemap):
    for name in ("forehead_lower", "cheek_malar_left", "chin"):
        assert facemap.layers[GRID_PX_MM].linear is not None, "colour is always there"
        means = [
            np.exp(layer.log_y[region_mask(name, level) & layer.skin] / 100).mean()
            for level, layer in facemap.layers.items()
        ]
        np.testing.assert_allclose(means, means[0], rtol=0.01)
    shares = [layer.skin.mean() for layer in facemap.layers.values()]
    np.testing.assert_allclose(shares, shares[0], rtol=0.02)


def test_the_map_shows_the_photo_s_own_light(facemap, picture):
    layer = facemap.layers[2.0]
    places = facemap.to_photo_px(PLACES_MM)
    for mm, (x, y) in zip(PLACES_MM, np.round(places).astype(int), strict=True):
        wanted = to_linear(picture[y - 5 : y + 6, x - 5 : x + 6]).mean(axis=(0, 1))
        u, v = np.round(mm_to_map_px(mm[None], 2.0)[0]).astype(int)
        seen = layer.linear[v - 1 : v + 2, u - 1 : u + 2].mean(axis=(0, 1))
        np.testing.assert_allclose(seen, wanted, rtol=0.08)


def test_the_forehead_reaches_above_the_mesh(facemap):
    top_of_mesh = atlas_mesh().vertices_mm[10, 1]
    _, _, mm = nodes(facemap.skin)
    above = mm[(mm[:, 1] > top_of_mesh + 3) & (np.abs(mm[:, 0]) < 20)]
    assert len(above) / GRID_PX_MM**2 > 150, "mm² of forehead beyond the mesh"


def test_hair_is_no_skin(studio, plain, far):
    low = replace(plain, person=Person(seed=5, hairline_mm=88.0))
    skin = studio.scan(low, far).pixels.facemap.skin
    rows, columns, mm = nodes(atlas_mesh().grid_triangle >= 0)
    middle = np.abs(mm[:, 0]) < 15
    hair = middle & (mm[:, 1] > 96)
    forehead = middle & (mm[:, 1] > 60) & (mm[:, 1] < 78)
    assert skin[rows[hair], columns[hair]].mean() < 0.1
    assert skin[rows[forehead], columns[forehead]].mean() > 0.95


def test_skin_is_visible_and_has_no_features(facemap):
    assert not (facemap.skin & ~facemap.visible).any()
    assert not (facemap.skin & feature_mask()).any()
    assert not (facemap.skin & facemap.clipped).any()
    face = atlas_mesh().grid_triangle >= 0
    assert not (facemap.visible & ~face).any()
    assert (facemap.facing[facemap.visible] > 0.3).all()
    for name in ("forehead_lower", "cheek_malar_left", "cheek_buccal_right", "chin", "nose_tip"):
        assert facemap.skin[region_mask(name, GRID_PX_MM)].mean() > 0.9, name


def test_a_grey_bar_over_the_forehead_is_no_skin(portrait, picture, facemap):
    corners = facemap.to_photo_px(np.array([[-45.0, 80.0], [45.0, 60.0]]))
    (x0, y0), (x1, y1) = np.round(corners).astype(int)
    covered = picture.copy()
    covered[y0:y1, x0:x1] = 128
    seen = rectify(load_photo(covered), portrait.face, levels=(2.0,))
    _, _, mm = nodes(np.ones(map_size(GRID_PX_MM), dtype=bool))
    bar = ((np.abs(mm[:, 0]) < 40) & (mm[:, 1] > 63) & (mm[:, 1] < 77)).reshape(seen.skin.shape)
    assert seen.skin[bar].mean() < 0.05
    away = region_mask("cheek_malar_left", GRID_PX_MM)
    assert seen.skin[away].mean() > 0.9


def test_burnt_out_skin_is_clipped_and_no_skin(portrait, picture, facemap):
    x, y = np.round(facemap.to_photo_px(np.array([[-42.0, -10.0]]))[0]).astype(int)
    burnt = picture.copy()
    burnt[y - 30 : y + 31, x - 30 : x + 31] = 255
    seen = rectify(load_photo(burnt), portrait.face, levels=(2.0, 4.5))
    u, v = np.round(mm_to_map_px(np.array([[-42.0, -10.0]]), GRID_PX_MM)[0]).astype(int)
    patch = (slice(v - 6, v + 7), slice(u - 6, u + 7))
    assert seen.clipped[patch].all()
    assert not seen.skin[patch].any()
    assert not facemap.clipped[patch].any()
    u, v = np.round(mm_to_map_px(np.array([[-42.0, -10.0]]), 4.5)[0]).astype(int)
    assert not seen.layers[4.5].skin[v - 12 : v + 13, u - 12 : u + 13].any()


def test_what_lies_outside_the_photo_is_masked(portrait, picture, facemap):
    cut = int(facemap.to_photo_px(np.array([[0.0, -55.0]]))[0, 1])
    photo = load_photo(np.ascontiguousarray(picture[:cut]))
    seen = rectify(photo, portrait.face, levels=(2.0,))
    assert not seen.visible[region_mask("chin", GRID_PX_MM)].any()
    assert not seen.skin[region_mask("chin", GRID_PX_MM)].any()
    np.testing.assert_array_equal(
        seen.visible[region_mask("glabella", GRID_PX_MM)],
        facemap.visible[region_mask("glabella", GRID_PX_MM)],
    )


@both_turns
def test_the_far_side_is_masked_not_smeared(turned, yaw, far_side, near_side):
    scan = turned[yaw]
    facemap = scan.pixels.facemap
    for group in ("temple", "crows_feet", "cheek_buccal", "cheek_malar"):
        assert facemap.visible[region_mask(f"{group}_{near_side}", GRID_PX_MM)].mean() > 0.8, group
    for group in ("temple", "crows_feet", "cheek_buccal"):
        assert facemap.visible[region_mask(f"{group}_{far_side}", GRID_PX_MM)].mean() < 0.35, group
    # Where the map claims to see skin, a mm of it has enough pixels of its own in the photo.
    step = np.hypot(*np.moveaxis(np.diff(facemap.grid_px, axis=1), -1, 0)) * GRID_PX_MM
    both = facemap.visible[:, 1:] & facemap.visible[:, :-1]
    assert np.percentile(step[both], 1) > 0.25 * facemap.resolution_px_mm


@both_turns
def test_regions_of_the_far_side_say_so(turned, yaw, far_side, near_side):
    scan = turned[yaw]
    assert scan.view == near_side
    for m in scan.measurements:
        side = region(m.region).side
        if side == far_side or metric(m.metric).front_only:
            assert m.flags & Flag.WRONG_VIEW
        else:
            assert not m.flags & Flag.WRONG_VIEW
        if m.region == f"cheek_buccal_{far_side}":
            assert m.flags & Flag.OCCLUDED
        if m.region == f"cheek_buccal_{near_side}":
            assert not m.flags & Flag.OCCLUDED


def test_a_reduced_decode_gives_the_same_map(studio, lined, near):
    file = open_photo(encode_jpeg(studio.shoot(lined, near), 95))
    full = file.decode()
    face = find_face(full)
    one = rectify(full, face, levels=(2.0,)).layers[2.0]
    other = rectify(file.decode(reduction=2), face, levels=(2.0,)).layers[2.0]
    both = one.skin & other.skin
    assert both.sum() > 0.98 * one.skin.sum()
    difference = (other.log_y - one.log_y)[both]
    assert np.abs(difference).mean() < 1.0
    assert abs(difference.mean()) < 0.1
