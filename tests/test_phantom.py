"""Phantoms: the truth is kept, the camera is a camera, and each dose does what it says."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import mediapipe as mp
import numpy as np
import pytest
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions
from PIL import Image

from skinscan.colour import linear_to_lab, to_linear
from skinscan.mesh import canonical_mesh
from skinscan.phantom import (
    Capture,
    FaceTruth,
    Person,
    PhantomError,
    Pores,
    Spot,
    Wrinkle,
    default_wrinkles,
    encode_jpeg,
    ita_deg,
    make_course,
    melanin_for_ita,
    photograph,
    project,
    project_iris,
    project_points,
    render,
    with_wrinkles,
    write_course,
)
from skinscan.phantom.capture import REFERENCE_Z_MM
from skinscan.phantom.geometry import neutral_vertices
from skinscan.phantom.optics import AIM_Y_MM
from skinscan.resources import landmark_model_bytes

PERSON = Person(seed=5, melanin_od=0.2)
PLAIN = FaceTruth(person=PERSON, mottling=0.0, pores=Pores(density_cm2=0), roughness_mm=0.0)
STILL = Capture.at_scale(2.5, iso_noise=0.0, denoise=0.0, sharpen=0.0, contrast=0.0)


def patch(rgb, truth, capture, xy, half_px=6):
    """Mean linear RGB around a canonical point."""
    x, y = np.round(project_points(truth, capture, np.array([xy]))[0]).astype(int)
    cut = rgb[y - half_px : y + half_px + 1, x - half_px : x + half_px + 1]
    return to_linear(cut).reshape(-1, 3).mean(axis=0)


def lab(linear):
    return linear_to_lab(np.asarray(linear, dtype=np.float32)[None, None])[0, 0]


@pytest.fixture(scope="module")
def plain():
    return render(PLAIN, STILL)


def test_same_arguments_same_pixels():
    truth = FaceTruth(person=PERSON, wrinkles=default_wrinkles(5))
    capture = Capture.at_scale(1.5, seed=9)
    first = render(truth, capture)
    assert first.dtype == np.uint8
    assert first.shape == (capture.height_px, capture.width_px, 3)
    np.testing.assert_array_equal(first, render(truth, capture))
    other = render(truth, replace(capture, seed=10))
    assert (first != other).any()
    assert np.abs(first.astype(int) - other).mean() < 4


def test_another_seed_is_another_face():
    capture = Capture.at_scale(1.5)
    one = project(FaceTruth(person=Person(seed=1)), capture)
    two = project(FaceTruth(person=Person(seed=2)), capture)
    assert np.abs(one - two).max() > 1.5


def test_truth_and_capture_survive_json():
    truth = FaceTruth(
        person=PERSON,
        wrinkles=default_wrinkles(3),
        spots=(Spot(x_mm=40, y_mm=-10, diameter_mm=3, melanin_od=0.1),),
        under_eye_bag_mm=1.5,
        jaw_sag_mm=2.0,
    )
    capture = Capture.at_scale(6.0, yaw_deg=4.0)
    assert FaceTruth.from_dict(json.loads(json.dumps(truth.to_dict()))) == truth
    assert Capture.from_dict(json.loads(json.dumps(capture.to_dict()))) == capture


@pytest.mark.parametrize("distance_mm", [400.0, 900.0])
def test_projection_is_a_pinhole(distance_mm):
    mean = FaceTruth(person=Person(shape_spread=0.0), under_eye_bag_mm=0.0)
    capture = Capture.at_scale(4.0, distance_mm=distance_mm)
    seen = project(mean, capture)
    points = neutral_vertices()
    scale = capture.focal_px / (REFERENCE_Z_MM + distance_mm - points[:, 2])
    expected = np.stack(
        [
            (capture.width_px - 1) / 2 + scale * points[:, 0],
            (capture.height_px - 1) / 2 - scale * (points[:, 1] - AIM_Y_MM),
        ],
        axis=1,
    )
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_pose_turns_the_way_it_says():
    mean = FaceTruth(person=Person(shape_spread=0.0))
    straight = project(mean, STILL)
    nose = {
        name: (project(mean, replace(STILL, **{name: 10.0})) - straight)[1]
        for name in ("yaw_deg", "pitch_deg", "roll_deg")
    }
    assert nose["yaw_deg"][0] > 20, "yaw turns to the right of the picture"
    assert nose["pitch_deg"][1] < -20, "pitch looks up"
    top = project(mean, replace(STILL, roll_deg=10.0))[10] - straight[10]
    assert top[0] < -20, "roll leans to the left of the picture"


def test_mean_mesh_moves_only_at_lips_and_lids():
    moved = np.linalg.norm(neutral_vertices() - canonical_mesh().vertices_mm, axis=1)
    assert moved.max() < 4.5
    assert (moved > 0.1).mean() < 0.4


def test_iris_is_where_it_is_said_to_be(plain):
    for centre in project_iris(PLAIN, STILL):
        x, y = np.round(centre).astype(int)
        pupil = to_linear(plain[y - 1 : y + 2, x - 1 : x + 2]).mean()
        beside = to_linear(plain[y : y + 3, x + 11 : x + 14]).mean()
        assert pupil < 0.35 * beside


def groove_contrast(depth_mm, light_azimuth_deg=0.0, elevation=40.0):
    """100 Δln Y between a forehead line and the skin above and below it."""
    line = Wrinkle("forehead", ((-25.0, 70.0), (0.0, 70.0), (25.0, 70.0)), depth_mm, 1.2)
    truth = replace(PLAIN, wrinkles=(line,))
    capture = replace(
        STILL, light_azimuth_deg=light_azimuth_deg, light_elevation_deg=elevation, blur_px=0.0
    )
    rgb = to_linear(render(truth, capture)) @ [0.2126, 0.7152, 0.0722]
    path = np.stack([np.zeros(81), np.linspace(66, 74, 81)], axis=1)
    x, y = np.round(project_points(truth, capture, path)).astype(int).T
    profile = np.array([rgb[b, a - 6 : a + 7].mean() for a, b in zip(x, y, strict=True)])
    shoulders = (profile[:12].mean() + profile[-12:].mean()) / 2
    return 100 * np.log(shoulders / profile[25:56].min())


def test_deeper_groove_is_darker():
    contrast = [groove_contrast(d) for d in (0.0, 0.08, 0.16, 0.3)]
    assert contrast[0] < 3
    assert np.diff(contrast).min() > 1.5


def test_groove_contrast_depends_on_the_light():
    across = groove_contrast(0.2, elevation=60.0)
    along = groove_contrast(0.2, light_azimuth_deg=60.0, elevation=0.0)
    assert across > 1.3 * along


def test_with_wrinkles_scales_depth_only():
    truth = FaceTruth(wrinkles=default_wrinkles(1))
    half = with_wrinkles(truth, 0.5)
    for a, b in zip(truth.wrinkles, half.wrinkles, strict=True):
        assert b == replace(a, depth_mm=a.depth_mm / 2)
    regions = {w.region for w in truth.wrinkles}
    assert {"forehead", "glabella", "crows_feet_left", "nasolabial_right"} <= regions


def test_left_is_the_subjects_left():
    for w in default_wrinkles(2):
        if w.region.endswith("_left"):
            assert np.mean(w.points_mm, axis=0)[0] > 0
        if w.region.endswith("_right"):
            assert np.mean(w.points_mm, axis=0)[0] < 0


def test_melanin_lowers_lightness():
    values = []
    for m in (0.1, 0.3, 0.6):
        truth = replace(PLAIN, person=replace(PERSON, melanin_od=m))
        values.append(lab(patch(render(truth, STILL), truth, STILL, (-42, -12)))[0])
    assert values[0] > values[1] + 5 > values[2] + 10


def test_tones_reach_from_very_light_to_very_dark():
    assert ita_deg(melanin_for_ita(58)) == pytest.approx(58, abs=0.5)
    assert ita_deg(melanin_for_ita(-45)) == pytest.approx(-45, abs=0.5)


def test_redness_raises_a_star(plain):
    red = replace(PLAIN, redness_od=0.15)
    before = lab(patch(plain, PLAIN, STILL, (-40, -6)))
    after = lab(patch(render(red, STILL), red, STILL, (-40, -6)))
    assert after[1] > before[1] + 3


def test_under_eye_shadow_dose_is_in_lightness():
    point = (-30.0, 14.0)
    doses = (0.0, 4.0, 8.0)
    seen = []
    for dose in doses:
        truth = replace(PLAIN, under_eye_shadow_dl=dose)
        seen.append(lab(patch(render(truth, STILL), truth, STILL, point, half_px=3))[0])
    drop = np.array(seen[0]) - seen
    np.testing.assert_allclose(drop, doses, rtol=0.3, atol=0.3)


def test_spot_is_where_it_was_put(plain):
    truth = replace(PLAIN, spots=(Spot(x_mm=-45, y_mm=-15, diameter_mm=5, melanin_od=0.12),))
    spotted = render(truth, STILL)
    change = plain.astype(int).sum(axis=2) - spotted.astype(int).sum(axis=2)
    y, x = np.nonzero(change > change.max() * 0.5)
    centre = np.array([x.mean(), y.mean()])
    wanted = project_points(truth, STILL, np.array([[-45.0, -15.0]]))[0]
    assert np.linalg.norm(centre - wanted) < 2.5


def test_more_pores_more_texture():
    spread = []
    for density in (0, 120):
        truth = replace(PLAIN, pores=Pores(density_cm2=density, depth_mm=0.08))
        capture = replace(STILL, blur_px=0.3)
        rgb = render(truth, capture)
        x, y = np.round(project_points(truth, capture, np.array([[-27.0, -4.0]]))[0]).astype(int)
        cut = rgb[y - 15 : y + 16, x - 15 : x + 16].mean(axis=2)
        spread.append(np.abs(np.diff(cut, axis=1)).mean())
    assert spread[1] > 1.3 * spread[0]


def test_exposure_brightens_and_white_balance_tints(plain):
    bright = render(PLAIN, replace(STILL, exposure_ev=0.5))
    ratio = patch(bright, PLAIN, STILL, (-42, -12)) / patch(plain, PLAIN, STILL, (-42, -12))
    np.testing.assert_allclose(ratio, 2**0.5, rtol=0.06)
    warm = render(PLAIN, replace(STILL, light_temperature_k=4200.0))
    shift = patch(warm, PLAIN, STILL, (-42, -12)) / patch(plain, PLAIN, STILL, (-42, -12))
    assert shift[0] > 1.05
    assert shift[2] < 0.95


def test_light_from_the_right_lights_the_right():
    sides = []
    for azimuth in (-40.0, 40.0):
        capture = replace(STILL, light_azimuth_deg=azimuth, light_softness=0.2)
        rgb = render(PLAIN, capture)
        right = patch(rgb, PLAIN, capture, (45, -12)).mean()
        sides.append(right / patch(rgb, PLAIN, capture, (-45, -12)).mean())
    assert sides[1] > 1.3
    assert sides[0] < 0.77


def test_doses_of_shape_move_vertices():
    base = project(PLAIN, STILL)
    px = STILL.px_per_mm
    brow = project(replace(PLAIN, brow_raise_mm=3.0), STILL) - base
    assert -brow[[105, 334], 1].mean() / px == pytest.approx(3.0, rel=0.25)
    mouth = project(replace(PLAIN, mouth_corner_raise_mm=2.0), STILL) - base
    assert -mouth[[61, 291], 1].mean() / px == pytest.approx(2.0, rel=0.25)
    jaw = project(replace(PLAIN, jaw_sag_mm=4.0), STILL) - base
    assert jaw[[150, 379], 1].mean() / px > 2.0
    smile = project(PLAIN, replace(STILL, smile=1.0)) - base
    assert smile[291, 0] > 2 * px
    assert smile[61, 0] < -2 * px


def test_landmarker_finds_tones_and_poses():
    options = FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=landmark_model_bytes()), num_faces=1
    )
    cases = [(58, 0, 0, 0), (-55, 10, -8, 5), (10, -14, 10, -12)]
    with FaceLandmarker.create_from_options(options) as net:
        for ita, yaw, pitch, roll in cases:
            person = Person(seed=ita + 100, melanin_od=melanin_for_ita(ita))
            truth = FaceTruth(person=person, wrinkles=default_wrinkles(ita + 100))
            capture = Capture.at_scale(2.0, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
            rgb = render(truth, capture)
            found = net.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)).face_landmarks
            assert len(found) == 1
            h, w = rgb.shape[:2]
            seen = np.array([(p.x * w - 0.5, p.y * h - 0.5) for p in found[0]])
            pupils = project_iris(truth, capture)
            between = np.linalg.norm(pupils[0] - pupils[1])
            error = np.linalg.norm(seen[:468] - project(truth, capture), axis=1) / between
            assert np.median(error) < 0.05


def test_jpeg_carries_time_and_nothing_personal():
    truth, capture = FaceTruth(person=PERSON), Capture.at_scale(1.5, jpeg_quality=80)
    data = photograph(truth, capture, taken="2026-03-03 10:00:00".replace("-", ":"))
    with Image.open(io.BytesIO(data)) as image:  # noqa: TID251 - the EXIF as written is the test
        exif = image.getexif()
        assert exif.get_ifd(0x8769)[0x9003] == "2026:03:03 10:00:00"
        assert exif[0x0131] == "skinscan phantom"
        assert 0x8825 not in exif
        assert image.size == (capture.width_px, capture.height_px)


def test_course_has_the_effect_it_documents():
    plan = make_course(4)
    assert len(plan) == 8
    assert plan[-1].wrinkle_scale == pytest.approx(0.65)
    first, last = plan[0].truth, plan[-1].truth
    assert last.under_eye_shadow_dl == pytest.approx(0.6 * first.under_eye_shadow_dl, abs=1e-3)
    red = np.array([s.truth.redness_od for s in plan])
    assert abs(np.polyfit(np.arange(8), red, 1)[0]) < 0.02 * red.mean()
    assert red.std() > 0.02 * red.mean()
    for s in plan:
        assert abs(s.capture.yaw_deg) <= 2
        assert abs(s.capture.exposure_ev) <= 0.1
        assert abs(s.capture.distance_mm / 800 - 1) <= 0.03
    assert plan[0].file_name == "2026-03-03_front.jpg"
    assert make_course(4) == plan


def test_course_is_written_with_its_truth(tmp_path):
    written = write_course(tmp_path, seed=2, sessions=2, px_per_mm=1.5)
    assert [p.name for p in written] == [
        "2026-03-03_front.jpg",
        "2026-03-10_front.jpg",
        "truth.json",
    ]
    truth = json.loads(written[-1].read_text(encoding="utf-8"))
    assert "skinscan phantom" in truth["made_by"]
    assert [s["file"] for s in truth["sessions"]] == [p.name for p in written[:-1]]
    assert Capture.from_dict(truth["sessions"][1]["capture"]).px_per_mm == pytest.approx(
        1.5, rel=0.05
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Person(melanin_od=-0.1),
        lambda: Person(hair_rgb=(0.1, 0.2)),
        lambda: Person(iris_rgb=(0.1, 0.2, 3.0)),
        lambda: Wrinkle("forehead", ((0.0, 70.0),), 0.1, 0.5),
        lambda: Wrinkle("forehead", ((0.0, 70.0), (500.0, 70.0)), 0.1, 0.5),
        lambda: Wrinkle("forehead", ((0.0, 70.0), (5.0, 70.0)), float("nan"), 0.5),
        lambda: Pores(density_cm2=1e6),
        lambda: Spot(x_mm=0, y_mm=0, diameter_mm=0, melanin_od=0.1),
        lambda: FaceTruth(redness_od=2.0),
        lambda: Capture(yaw_deg=90),
        lambda: Capture(jpeg_quality=0),
        lambda: Capture.at_scale(50.0),
        lambda: with_wrinkles(FaceTruth(), -1.0),
        lambda: default_wrinkles(1, amount=9),
        lambda: make_course(1, sessions=0),
        lambda: FaceTruth.from_dict({"no_such_field": 1}),
        lambda: Capture.from_dict({"no_such_field": 1}),
        lambda: FaceTruth.from_dict({"wrinkles": [{"region": "forehead"}]}),
        lambda: encode_jpeg(np.zeros((8, 8, 3), np.uint8), 101),
    ],
)
def test_impossible_values_are_refused(make):
    with pytest.raises(PhantomError, match="Expected"):
        make()


def test_lids_open_by_the_dose_and_nothing_else_does():
    base = project(PLAIN, STILL)
    irises = project_iris(PLAIN, STILL)
    for dose in (-2.0, 1.0, 3.0):
        truth = replace(PLAIN, lid_aperture_mm=dose)
        rise = -(project(truth, STILL) - base)[:, 1] / STILL.px_per_mm
        assert rise[[159, 386]].mean() == pytest.approx(dose, rel=0.1)
        assert np.abs(rise[[145, 374]]).max() < 0.1, "lower lids stay"
        assert np.abs(rise[[105, 334]]).max() < 0.1, "brows stay"
        np.testing.assert_allclose(project_iris(truth, STILL), irises, atol=1e-6)


def test_open_lids_show_more_white_of_the_eye(plain):
    wide = render(replace(PLAIN, lid_aperture_mm=3.0), STILL)
    lid, _ = np.round(project(PLAIN, STILL)[[159, 386]]).astype(int)
    x, y = lid[0] + 8, lid[1] - 2
    before, after = (to_linear(p[y - 2 : y + 2, x - 2 : x + 3]) for p in (plain, wide))
    # skin is red, the eyeball is white
    assert (before[..., 0] / before[..., 2]).mean() > 1.25 * (after[..., 0] / after[..., 2]).mean()


def test_asymmetry_lowers_the_left_side_only(plain):
    truth = replace(PLAIN, asymmetry_mm=4.0)
    drop = (project(truth, STILL) - project(PLAIN, STILL))[:, 1] / STILL.px_per_mm
    assert drop[[334, 291]] == pytest.approx([4.0, 4.0], rel=0.2)
    assert np.abs(drop[[105, 61]]).max() < 0.3
    tilted = render(truth, STILL)
    for left, right in ((334, 105), (291, 61)):
        moved = []
        for index in (left, right):
            x, y = np.round(project(PLAIN, STILL)[index]).astype(int)
            cut = (slice(y - 8, y + 9), slice(x - 8, x + 9))
            moved.append(np.abs(plain[cut].astype(int) - tilted[cut]).mean())
        assert moved[0] > 5 * moved[1], "the picture moves where the landmarks do"


def test_cached_views_do_not_leak_between_pictures():
    truth = FaceTruth(person=PERSON, wrinkles=default_wrinkles(5))
    capture = Capture.at_scale(1.5)
    first = render(truth, capture)
    for other in (
        replace(truth, person=replace(PERSON, seed=6)),
        replace(truth, person=replace(PERSON, hairline_mm=110.0)),
        replace(truth, under_eye_bag_mm=3.0),
        replace(truth, roughness_mm=0.03, mottling=3.0),
    ):
        assert (render(other, capture) != first).any()
    for view in (replace(capture, light_azimuth_deg=-60.0), replace(capture, yaw_deg=8.0)):
        assert (render(truth, view) != first).mean() > 0.2
    np.testing.assert_array_equal(render(truth, capture), first)
