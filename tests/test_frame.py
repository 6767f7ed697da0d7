"""The canonical frame: the mesh it comes from, its coordinates and its lookup."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinscan import mesh as mesh_module
from skinscan.errors import ModelError
from skinscan.frame import (
    BOTTOM_MM,
    GRID_PX_MM,
    LEFT_MM,
    LEVELS_PX_MM,
    RIGHT_MM,
    TOP_MM,
    atlas_mesh,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.mesh import canonical_mesh
from skinscan.resources import landmark_model_bytes

GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
levels = st.sampled_from(LEVELS_PX_MM)


def test_the_mesh_is_the_one_the_design_describes():
    mesh = canonical_mesh()
    assert mesh.vertices_mm.shape == (468, 3)
    assert mesh.triangles.shape == (898, 3)
    extent = np.ptp(mesh.vertices_mm, axis=0)
    # "About 16 x 18 cm".
    assert extent[0] == pytest.approx(155, abs=10)
    assert extent[1] == pytest.approx(175, abs=10)
    assert set(np.unique(mesh.triangles)) == set(range(468))
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1


def test_the_mesh_knows_its_anatomy():
    v = canonical_mesh().vertices_mm
    assert v[:, 2].argmax() in {1, 4, 19}, "the tip of the nose is nearest to the camera"
    assert v[10, 1] > v[9, 1] > v[2, 1] > v[17, 1] > v[152, 1], "forehead, nose, lips, chin"
    assert v[263, 0] > 0 > v[33, 0], "x grows towards the subject's left"
    assert v[263] == pytest.approx(v[33] * [-1, 1, 1], abs=0.5)


def test_the_mesh_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        canonical_mesh().vertices_mm[0, 0] = 1.0


def tampered(change):
    """Bundle whose geometry went through ``change``; None drops the file."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(landmark_model_bytes())) as old, zipfile.ZipFile(out, "w") as z:
        for name in old.namelist():
            data = old.read(name)
            if name == GEOMETRY:
                data = change(data)
                if data is None:
                    continue
            z.writestr(name, data)
    return out.getvalue()


def no_zip():
    return b"not a zip"


@pytest.mark.parametrize(
    "bundle",
    [
        no_zip,
        lambda: tampered(lambda _: None),
        lambda: tampered(lambda _: b""),
        lambda: tampered(lambda data: data[: len(data) // 2]),
        lambda: tampered(lambda data: b"\xff" * 40 + data),
    ],
    ids=["no zip", "no geometry", "empty", "cut", "noise"],
)
def test_a_tampered_bundle_is_refused(monkeypatch, bundle):
    data = bundle()
    monkeypatch.setattr(mesh_module, "landmark_model_bytes", lambda: data)
    with pytest.raises(ModelError, match="468 vertices"):
        canonical_mesh.__wrapped__()


@given(st.floats(LEFT_MM, RIGHT_MM), st.floats(BOTTOM_MM, TOP_MM), levels)
def test_mm_to_px_and_back(x, y, level):
    point = np.array([[x, y]])
    px = mm_to_map_px(point, level)
    np.testing.assert_allclose(map_px_to_mm(px, level), point, atol=1e-9)
    rows, columns = map_size(level)
    assert -0.5 <= px[0, 0] <= columns - 0.5
    assert -0.5 <= px[0, 1] <= rows - 0.5


@given(st.floats(-70, 70), st.floats(-90, 110), levels)
def test_a_mm_has_level_pixels_to_the_left_and_up(x, y, level):
    here, left, up = mm_to_map_px(np.array([[x, y], [x + 1, y], [x, y + 1]]), level)
    np.testing.assert_allclose(left - here, [level, 0], atol=1e-9)
    np.testing.assert_allclose(up - here, [0, -level], atol=1e-9)


def test_the_map_has_its_size_at_every_level():
    assert LEVELS_PX_MM == (2.0, 3.0, 4.5, 6.0, 9.0)
    for level in LEVELS_PX_MM:
        assert map_size(level) == (216 * level, 160 * level)
    corner = map_px_to_mm(np.array([[-0.5, -0.5]]), 4.5)
    np.testing.assert_allclose(corner, [[LEFT_MM, TOP_MM]])


def test_the_lookup_covers_the_face_and_interpolates_exactly():
    atlas = atlas_mesh()
    mesh = canonical_mesh()
    inside = atlas.grid_triangle >= 0
    assert inside.shape == map_size(GRID_PX_MM)
    # The silhouette of the canonical face is about 155 x 175 mm, roughly an ellipse.
    area_cm2 = inside.sum() / GRID_PX_MM**2 / 100
    assert 200 < area_cm2 < 300
    px = np.round(mm_to_map_px(mesh.vertices_mm[:, :2], GRID_PX_MM)).astype(int)
    hit = inside[np.clip(px[:, 1], 0, None), np.clip(px[:, 0], 0, None)]
    assert hit.mean() > 0.9, "all but the outermost vertices"
    v, u = np.nonzero(inside)
    corners = atlas.vertices_mm[atlas.triangles[atlas.grid_triangle[v, u]]][..., :2]
    found = (corners * atlas.grid_weights[v, u][..., None]).sum(axis=1)
    wanted = map_px_to_mm(np.column_stack([u, v]).astype(float), GRID_PX_MM)
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    # Rounding of outlines puts a few pixels of the silhouette beside their triangle.
    assert (atlas.grid_weights[v, u].min(axis=1) < -0.35).mean() < 1e-3


def test_the_forehead_is_extended_to_the_hairline():
    atlas = atlas_mesh()
    edge = canonical_mesh().vertices_mm[10, 1]
    inside = np.nonzero((atlas.grid_triangle >= 0).any(axis=1))[0]
    top = map_px_to_mm(np.array([[0.0, inside.min()]]), GRID_PX_MM)[0, 1]
    assert 12 < top - edge < 35
    assert top < TOP_MM
    extra = atlas.vertices_mm[468:]
    assert len(atlas.extension_base) == len(extra)
    assert (extra[:, 1] > atlas.vertices_mm[atlas.extension_base, 1]).all()
    assert (extra[:, 2] < atlas.vertices_mm[atlas.extension_base, 2]).all(), "and backwards"
