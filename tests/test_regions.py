"""The atlas: every region of the design, mirrored, disjoint, and free of what is no skin."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from skinscan.errors import UnknownNameError
from skinscan.frame import GRID_PX_MM, LEVELS_PX_MM, atlas_mesh, map_size
from skinscan.landmarks import View
from skinscan.regions import (
    groups,
    line_directions,
    region,
    region_mask,
    region_window,
    regions,
)
from skinscan.skinmask import feature_mask, fill_outline

#: Design, section 7: paired ones as left and right.
MIDLINE = {
    "forehead_upper",
    "forehead_lower",
    "glabella",
    "nose_bridge",
    "nose_tip",
    "upper_lip",
    "chin",
}
PAIRED = {
    "temple",
    "crows_feet",
    "upper_lid",
    "under_eye",
    "tear_trough",
    "lid_bag",
    "cheek_malar",
    "cheek_buccal",
    "nasolabial",
    "marionette",
    "jawline",
}
#: What is no skin, as landmark outlines of the subject's right side, drawn without any margin.
NO_SKIN = {
    "eye": (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    "left eye": (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    "brow": (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    "left brow": (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
    "lips": (61, 40, 37, 0, 267, 270, 291, 375, 405, 17, 181, 91),
    "nostril": (218, 237, 242, 99, 60),
    "left nostril": (438, 457, 462, 328, 290),
}


def test_the_regions_of_the_design_are_all_there():
    expected = MIDLINE | {f"{g}_{side}" for g in PAIRED for side in ("left", "right")}
    assert set(regions()) == expected
    assert set(groups()) == MIDLINE | PAIRED
    for name, item in regions().items():
        assert item.name == name
        assert item.title
        assert item.title[0].isupper()
    assert len({item.title for item in regions().values()}) == len(regions())


def test_an_unknown_region_has_its_error():
    with pytest.raises(UnknownNameError, match="crows_feet_left"):
        region("cheek")


@pytest.mark.parametrize("group", sorted(PAIRED))
def test_left_mirrors_right(group):
    right, left = groups()[group]
    assert (right.side, left.side) == (View.RIGHT, View.LEFT)
    assert right.name.endswith("_right")
    assert right.outline_mm[:, 0].mean() < 0 < left.outline_mm[:, 0].mean()
    for level in LEVELS_PX_MM:
        one, other = region_mask(right.name, level), region_mask(left.name, level)
        # At 2 px/mm the smallest region is 400 px: rounding of its border alone makes 2 %.
        assert other.sum() == pytest.approx(one.sum(), rel=0.03 if level < 3 else 0.02)
        overlap = (one & other[:, ::-1]).sum() / one.sum()
        assert overlap > 0.93


@pytest.mark.parametrize("name", sorted(MIDLINE))
def test_midline_regions_are_symmetric(name):
    mask = region_mask(name, 3.0)
    assert (mask & mask[:, ::-1]).sum() > 0.93 * mask.sum()


def apart(one, other):
    """Whether the outlines cannot meet."""
    low = np.maximum(one.outline_mm.min(axis=0), other.outline_mm.min(axis=0))
    high = np.minimum(one.outline_mm.max(axis=0), other.outline_mm.max(axis=0))
    return bool((low > high + 1).any())


def related(one, other):
    return one.group == other.part_of or other.group == one.part_of


@pytest.mark.parametrize("level", [3.0, 9.0])
def test_regions_do_not_overlap(level):
    for one, other in combinations(regions().values(), 2):
        if apart(one, other):
            continue
        masks = [region_mask(r.name, level) for r in (one, other)]
        shared = masks[0] & masks[1]
        if related(one, other):
            if one.side == other.side:
                assert shared.any()
            continue
        # Both own the line of pixels that their common border runs through, and no more.
        inside = cv2.erode(shared.astype(np.uint8), np.ones((3, 3), np.uint8))
        assert inside.sum() / level**2 < 1.0, f"{one.name} and {other.name}"
        smaller = min(mask.sum() for mask in masks)
        assert shared.sum() <= 0.27 / level * smaller, f"{one.name} and {other.name}"


def test_parts_lie_inside_their_whole():
    for item in regions().values():
        if item.part_of:
            whole = region_mask(f"{item.part_of}_{item.side}", 3.0)
            part = region_mask(item.name, 3.0)
            assert (part & whole).sum() > 0.9 * part.sum(), item.name


@pytest.mark.parametrize("level", LEVELS_PX_MM)
def test_no_brow_eye_lip_or_nostril_is_inside(level):
    vertices = atlas_mesh().vertices_mm[:, :2]
    anywhere = np.any([region_mask(name, level) for name in regions()], axis=0)
    for what, outline in NO_SKIN.items():
        inside = fill_outline(vertices[list(outline)], level) > 0
        assert inside.any()
        assert not (anywhere & inside).any(), what


@pytest.mark.parametrize("level", LEVELS_PX_MM)
def test_every_region_is_on_the_face_and_worth_measuring(level):
    for name in regions():
        mask = region_mask(name, level)
        assert mask.shape == map_size(level)
        assert mask.sum() / level**2 > 40, f"{name} is smaller than 40 mm²"
        window = region_window(name, level)
        assert mask[window].sum() == mask.sum()
        with pytest.raises(ValueError, match="read-only"):
            mask[0, 0] = True
    on_face = atlas_mesh().grid_triangle >= 0
    for name in regions():
        mask = region_mask(name, GRID_PX_MM)
        assert (mask & on_face).sum() > 0.97 * mask.sum(), name


def test_areas_agree_between_levels():
    for name in regions():
        outline = np.vstack([region(name).outline_mm, region(name).outline_mm[:1]])
        perimeter = np.hypot(*np.diff(outline, axis=0).T).sum()
        areas = [region_mask(name, level).sum() / level**2 for level in LEVELS_PX_MM]
        for level, area in zip(LEVELS_PX_MM, areas, strict=True):
            # The pixels on the border belong to the region: half a pixel more all around.
            assert area == pytest.approx(areas[-1], abs=0.6 * perimeter / level), name


def test_the_features_cover_a_plausible_part_of_the_face():
    share = feature_mask().sum() / (atlas_mesh().grid_triangle >= 0).sum()
    assert 0.08 < share < 0.3


def test_which_view_sees_which_side():
    for item in regions().values():
        assert item.seen_from(View.FRONT)
    assert region("temple_left").seen_from(View.LEFT)
    assert not region("temple_left").seen_from(View.RIGHT)
    assert region("chin").seen_from(View.RIGHT)


def test_directions_of_lines_are_mirrored():
    direction, spread = line_directions(2.0)
    inside = region_mask("forehead_upper", 2.0)
    assert np.median(direction[inside]) in {0.0, 180.0}
    right, left = (
        np.median(direction[region_mask(f"nasolabial_{side}", 2.0)]) for side in ("right", "left")
    )
    assert right == pytest.approx(180.0 - left)
    # A fold from the nose to the corner of the mouth falls away from the midline.
    assert 90 < left < 180
    known = np.isfinite(direction)
    assert ((direction[known] >= 0) & (direction[known] < 180)).all()
    assert (spread > 0).all()
