"""Shapes and colours of the whole face: outline, lift, puffiness, under-eye, radiance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skinscan.flags import Flag
from skinscan.landmarks import View, find_face
from skinscan.metrics.geometry import at_angle, outer_corners_mm
from skinscan.outline import trace_outline
from skinscan.phantom import Capture, photograph
from skinscan.photo import open_photo
from skinscan.scan import analyze, load_scan
from skinscan.shape import ScaleSource, measure_shape


def value(scan, metric, region=None):
    """Mean over the regions of a metric at 2 px/mm."""
    found = [
        m.value
        for m in scan.measurements
        if m.metric == metric and m.level_px_mm == 2.0 and region in {None, m.region}
    ]
    assert found
    return float(np.mean(found))


@pytest.fixture(scope="module")
def bare(plain):
    """Without lines and without a bag or a shadow under the eye."""
    return replace(plain, under_eye_shadow_dl=0.0, under_eye_bag_mm=0.0)


DOSES = [
    ("lift.brow_height", "brow_raise_mm", (-3.0, 0.0, 3.0), 1.0),
    ("lift.mouth_corner_angle", "mouth_corner_raise_mm", (-2.0, 0.0, 2.0), 2.0),
    ("lift.jaw_sag", "jaw_sag_mm", (0.0, 3.0, 6.0), 0.3),
    ("lift.lower_face_ratio", "jaw_sag_mm", (0.0, 3.0, 6.0), 0.5),
    ("puffiness.jaw_width", "jaw_sag_mm", (0.0, 3.0, 6.0), 0.5),
    ("puffiness.cheek_width", "cheek_fullness_mm", (-5.0, 0.0, 5.0), 0.5),
    ("under_eye.dark_circle_dl", "under_eye_shadow_dl", (0.0, 5.0, 10.0), 1.5),
    ("under_eye.dark_circle_de", "under_eye_shadow_dl", (0.0, 5.0, 10.0), 1.0),
    ("under_eye.bag", "under_eye_bag_mm", (0.0, 1.5, 3.0), 8.0),
    ("radiance.specular_fraction", "specular", (0.0, 1.0, 2.5), 3.0),
    ("radiance.luminance_contrast", "specular", (0.0, 1.0, 2.5), 4.0),
]


@pytest.mark.parametrize(("metric", "dose", "steps", "least"), DOSES, ids=[d[0] for d in DOSES])
def test_each_follows_what_it_is_named_after(studio, bare, quick, *, metric, dose, steps, least):
    values = [value(studio.scan(replace(bare, **{dose: step}), quick), metric) for step in steps]
    assert values[1] - values[0] > least
    assert values[2] - values[1] > least


def test_the_bag_is_not_the_dark_circle(studio, bare, quick):
    def bag(**doses):
        return value(studio.scan(replace(bare, **doses), quick), "under_eye.bag")

    own = bag(under_eye_bag_mm=3.0) - bag()
    assert abs(bag(under_eye_shadow_dl=10.0) - bag()) < 0.1 * own


@pytest.mark.parametrize(
    ("metric", "tolerance"),
    [
        ("under_eye.dark_circle_dl", 0.4),
        ("under_eye.dark_circle_de", 0.6),
        ("under_eye.bag", 1.5),
        ("radiance.luminance_contrast", 1.5),
        ("lift.jaw_sag", 0.4),
        ("lift.brow_height", 0.4),
    ],
)
@pytest.mark.parametrize("change", [{"exposure_ev": -0.7}, {"white_balance_k": 6300.0}])
def test_exposure_and_lamp_colour_change_nothing(studio, bare, quick, *, metric, tolerance, change):
    here = value(studio.scan(bare, quick), metric)
    there = value(studio.scan(bare, replace(quick, **change)), metric)
    assert there == pytest.approx(here, abs=tolerance)


@pytest.mark.parametrize("pose", [{"yaw_deg": 8.0}, {"pitch_deg": -8.0}, {"roll_deg": 8.0}])
@pytest.mark.parametrize(
    ("metric", "tolerance"),
    [("lift.brow_height", 1.0), ("lift.mouth_corner_angle", 1.5), ("lift.jaw_sag", 1.5)],
)
def test_the_pose_is_taken_out(studio, bare, quick, *, metric, tolerance, pose):
    straight = value(studio.scan(bare, quick), metric)
    turned = value(studio.scan(bare, replace(quick, **pose)), metric)
    assert turned == pytest.approx(straight, abs=tolerance)


def test_the_outline_lies_on_the_edge_of_the_face(bare, far):
    photo = open_photo(photograph(bare, far)).decode()
    face = find_face(photo)
    outline = trace_outline(photo, face)
    assert outline.points_px.shape == (121, 2)
    seen = np.isfinite(outline.points_px[:, 0])
    assert seen.mean() > 0.9
    assert (outline.contrast_pct[seen] >= 6.0).all()
    jaw = slice(30, 91)
    sagging = open_photo(photograph(replace(bare, jaw_sag_mm=6.0), far)).decode()
    lower = trace_outline(sagging, find_face(sagging))
    assert np.nanmax(lower.points_px[jaw, 0]) > np.nanmax(outline.points_px[jaw, 0])


def test_a_picture_without_an_edge_has_no_outline(bare, far):
    photo = open_photo(photograph(bare, far)).decode()
    face = find_face(photo)
    blank = open_photo(np.full_like(photo.rgb, 128)).decode()
    outline = trace_outline(blank, face)
    assert np.isnan(outline.points_px).all()
    shape = measure_shape(blank, face)
    assert np.isnan(at_angle(shape, View.LEFT, 45.0)).all()


def test_a_covered_jaw_gives_a_flagged_nan(bare, quick):
    picture = open_photo(photograph(bare, quick)).decode()
    face = find_face(picture)
    rgb = picture.rgb.copy()
    # Everything below the lips in one colour, far beyond the face: no edge is left there.
    chin = face.landmarks_px[152]
    rgb[int(face.landmarks_px[17, 1]) :] = picture.rgb[int(chin[1]) - 10, int(chin[0])]
    sag = [m for m in analyze(rgb).measurements if m.metric == "lift.jaw_sag"]
    assert sag
    assert all(np.isnan(m.value) and m.flags & Flag.OCCLUDED for m in sag)


def test_the_scale_source_is_kept_and_only_scales(bare, quick, tmp_path):
    data = photograph(bare, quick)
    mesh = analyze(data)
    iris = analyze(data, scale_source=ScaleSource.IRIS)
    ratio = mesh.face.scale_mesh_px_mm / mesh.face.scale_iris_px_mm
    for metric in ("lift.brow_height", "lift.jaw_sag", "lift.lid_aperture", "lift.asymmetry"):
        assert value(iris, metric) == pytest.approx(ratio * value(mesh, metric), rel=1e-6)
    for metric in ("lift.mouth_corner_angle", "puffiness.cheek_width", "tone.redness"):
        assert value(iris, metric) == pytest.approx(value(mesh, metric), rel=1e-6, nan_ok=True)
    assert mesh.scale_source is ScaleSource.MESH
    iris.save(tmp_path / "scan.json")
    assert load_scan(tmp_path / "scan.json").scale_source is ScaleSource.IRIS


def test_another_view_is_flagged(studio, bare, quick):
    scan = studio.scan(bare, replace(quick, yaw_deg=35.0))
    lift = [m for m in scan.measurements if m.metric.startswith(("lift.", "puffiness."))]
    assert lift
    assert all(m.flags & Flag.WRONG_VIEW for m in lift)


def test_a_smile_is_flagged(studio, bare, quick):
    scan = studio.scan(bare, replace(quick, smile=1.0))
    corner = [m for m in scan.measurements if m.metric == "lift.mouth_corner_angle"]
    assert all(m.flags & Flag.EXPRESSION for m in corner)


def test_the_eyes_are_the_yardstick_of_fullness(bare):
    photo = open_photo(photograph(bare, Capture.at_scale(2.0))).decode()
    shape = measure_shape(photo, find_face(photo))
    # Outer canthal distance of adults: about 85 to 95 mm.
    assert 75 < outer_corners_mm(shape) < 100
