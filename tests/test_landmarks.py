"""Landmarks on phantoms: where they are, which way the head turns, how many px a mm has."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from skinscan import landmarks as module
from skinscan.errors import FaceError, FaceTooSmallError, NoFaceError, SeveralFacesError
from skinscan.landmarks import FaceOptions, RawFace, View, find_face, fit_mesh, pose_of
from skinscan.mesh import canonical_mesh
from skinscan.phantom import encode_jpeg, project, project_iris
from skinscan.photo import load_photo, open_photo


@pytest.fixture(scope="module")
def face(studio, lined, far):
    return studio.face(lined, far)


@pytest.fixture(scope="module")
def picture(studio, lined, far):
    return studio.shoot(lined, far)


@pytest.fixture(scope="module")
def pair(picture):
    """Two people in one photo, one at 60 % of the other's size."""
    small = cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    canvas = np.full((picture.shape[0], picture.shape[1] + small.shape[1], 3), 120, np.uint8)
    canvas[:, : picture.shape[1]] = picture
    canvas[-small.shape[0] :, picture.shape[1] :] = small
    return canvas


def rotation_of(yaw=0.0, pitch=0.0, roll=0.0):
    """Head rotation written from the conventions of `Pose`, in degrees."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    # Looking up lifts the forward axis (z) towards y.
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    # Clockwise in the picture turns x (right) downwards.
    about_z = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def test_there_are_478_finite_points_on_the_face(face, picture):
    assert face.landmarks_px.shape == (478, 2)
    assert face.depth_px.shape == (478,)
    assert np.isfinite(face.landmarks_px).all()
    height, width = picture.shape[:2]
    assert (face.landmarks_px > 0).all()
    assert (face.landmarks_px < [width, height]).all()
    assert face.faces_in_photo == 1
    assert len(face.expression) == 52
    assert all(0 <= v <= 1 for v in face.expression.values())


def test_landmarks_are_near_the_truth(face, lined, far):
    truth = project(lined, far)
    iris = project_iris(lined, far)
    pupils = np.hypot(*(iris[0] - iris[1]))
    assert face.pupils_px == pytest.approx(pupils, rel=0.04)
    error = np.hypot(*(face.landmarks_px[:468] - truth).T) / pupils
    assert np.median(error) < 0.04
    seen = face.landmarks_px[[468, 473]]
    assert np.hypot(*(seen - iris).T).max() / pupils < 0.03, "subject's right iris first"


def test_the_nose_is_nearest_to_the_camera(face):
    assert face.depth_px[1] > face.depth_px[[234, 454, 10, 152]].max()


def test_scales_agree_with_the_truth(face, far):
    # The canonical mm is about 6 % shorter than a true one; the phantom's face is canonical.
    assert face.scale_mesh_px_mm == pytest.approx(far.px_per_mm, rel=0.05)
    assert face.scale_iris_px_mm == pytest.approx(far.px_per_mm, rel=0.12)


def test_scale_grows_with_the_photo(face, picture):
    double = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    larger = find_face(load_photo(double))
    assert larger.scale_mesh_px_mm == pytest.approx(2 * face.scale_mesh_px_mm, rel=0.01)
    assert larger.scale_iris_px_mm == pytest.approx(2 * face.scale_iris_px_mm, rel=0.03)
    moved = (larger.landmarks_px + 0.5) / 2 - 0.5
    # The same point of the picture, half a pixel included: origin at the pixel's centre.
    assert np.median(np.abs(moved - face.landmarks_px), axis=0) == pytest.approx(0, abs=0.35)
    assert (moved - face.landmarks_px).mean(axis=0) == pytest.approx(0, abs=0.25)


@pytest.mark.parametrize(
    ("turn", "read"),
    [
        (("yaw_deg", 12.0, 1), "yaw_deg"),
        (("yaw_deg", -12.0, 1), "yaw_deg"),
        (("pitch_deg", 10.0, 1), "pitch_deg"),
        (("pitch_deg", -10.0, 1), "pitch_deg"),
        # The phantom's roll is counter-clockwise in the picture, that of Pose clockwise.
        (("roll_deg", 10.0, -1), "roll_deg"),
    ],
)
def test_pose_has_its_sign_and_size(studio, plain, tiny, turn, read):
    name, degrees, sign = turn
    straight = studio.face(plain, tiny).pose
    turned = studio.face(plain, replace(tiny, **{name: degrees})).pose
    change = getattr(turned, read) - getattr(straight, read)
    assert change == pytest.approx(sign * degrees, abs=3.0)
    for other in {"yaw_deg", "pitch_deg", "roll_deg"} - {read}:
        assert abs(getattr(turned, other) - getattr(straight, other)) < 3.0


def test_a_straight_phantom_is_read_as_straight(face):
    for angle in (face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg):
        assert abs(angle) < 5


def test_views_are_named_after_the_side_they_show(studio, plain, far):
    # Turning to their own left shows their right side.
    assert studio.face(plain, replace(far, yaw_deg=40.0)).view is View.RIGHT
    assert studio.face(plain, replace(far, yaw_deg=-40.0)).view is View.LEFT


@pytest.mark.parametrize(
    "angles", [{"yaw": 25.0}, {"pitch": 15.0}, {"roll": -20.0}, {"yaw": -30.0, "pitch": 8.0}]
)
def test_the_fit_finds_a_known_pose_and_scale(angles):
    rotation = rotation_of(**angles)
    turned = canonical_mesh().vertices_mm @ rotation.T * 4.2
    points = turned * [1, -1, -1] + [500, 400, 0]
    found, scale = fit_mesh(points)
    np.testing.assert_allclose(found, rotation, atol=1e-9)
    assert scale == pytest.approx(4.2)
    pose = pose_of(found)
    assert pose.yaw_deg == pytest.approx(angles.get("yaw", 0.0), abs=0.01)
    assert pose.pitch_deg == pytest.approx(angles.get("pitch", 0.0), abs=0.01)
    assert pose.roll_deg == pytest.approx(angles.get("roll", 0.0), abs=0.01)


def test_the_fit_is_never_a_reflection():
    points = canonical_mesh().vertices_mm * [-1, -1, -1]
    rotation, _ = fit_mesh(points)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_two_people_are_refused_unless_asked(pair, face):
    with pytest.raises(SeveralFacesError) as caught:
        find_face(load_photo(pair))
    assert caught.value.found == "2"
    chosen = find_face(load_photo(pair), options=FaceOptions(largest=True))
    assert chosen.faces_in_photo == 2
    error = np.hypot(*(chosen.landmarks_px - face.landmarks_px).T)
    assert np.median(error) < 0.02 * face.pupils_px, "the larger one, on the left"


def test_a_picture_on_the_wall_is_no_second_client(pair):
    options = FaceOptions(ignore_smaller_than=0.8)
    assert find_face(load_photo(pair), options=options).faces_in_photo == 1


@pytest.mark.parametrize("fill", [0, 128, 255])
def test_an_empty_photo_has_no_face(fill):
    with pytest.raises(NoFaceError):
        find_face(load_photo(np.full((480, 640, 3), fill, np.uint8)))


def test_noise_has_no_face():
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    with pytest.raises(NoFaceError):
        find_face(load_photo(noise))


def test_a_tiny_face_is_too_small(picture):
    shrunk = cv2.resize(picture, None, fx=0.18, fy=0.18, interpolation=cv2.INTER_AREA)
    canvas = np.full((300, 300, 3), 150, np.uint8)
    canvas[50 : 50 + shrunk.shape[0], 50 : 50 + shrunk.shape[1]] = shrunk
    with pytest.raises((FaceTooSmallError, NoFaceError)):
        find_face(load_photo(canvas))


def test_a_small_face_in_a_large_photo_is_found_and_refined(picture, face):
    canvas = np.full((2400, 3200, 3), 150, np.uint8)
    canvas[1200 : 1200 + picture.shape[0], 2200 : 2200 + picture.shape[1]] = picture
    found = find_face(load_photo(canvas))
    error = np.hypot(*(found.landmarks_px - [2200, 1200] - face.landmarks_px).T)
    assert np.median(error) < 0.03 * face.pupils_px


@pytest.mark.parametrize("reduction", [2, 4])
def test_a_reduced_decode_finds_the_same_points(studio, lined, near, reduction):
    file = open_photo(encode_jpeg(studio.shoot(lined, near), 95))
    full = find_face(file.decode())
    reduced = find_face(file.decode(reduction=reduction))
    error = np.hypot(*(reduced.landmarks_px - full.landmarks_px).T) / full.pupils_px
    assert np.median(error) < 0.008 * reduction
    bias = (reduced.landmarks_px - full.landmarks_px).mean(axis=0) / full.pupils_px
    assert np.abs(bias).max() < 0.005
    assert reduced.scale_mesh_px_mm == pytest.approx(full.scale_mesh_px_mm, rel=0.01)


class FakeFinder:
    """Two-method finder: what it says is what is found."""

    def __init__(self, *faces):
        self.faces = list(faces)
        self.sizes = []

    def find(self, rgb):
        self.sizes.append(rgb.shape)
        return self.faces

    def close(self):
        pass


def raw_face(px_per_mm, *, at=(400.0, 400.0)):
    points = canonical_mesh().vertices_mm * [1, -1, -1] * px_per_mm + [*at, 0]
    iris = [(x, 25.0) for x in (-31.0, 31.0)]
    ring = np.array([(0, 0), (5.85, 0), (0, 5.85), (-5.85, 0), (0, -5.85)])
    more = [
        [(cx + dx) * px_per_mm + at[0], (-cy + dy) * px_per_mm + at[1], -30.0 * px_per_mm]
        for cx, cy in iris
        for dx, dy in ring
    ]
    return RawFace(points_px=np.vstack([points, more]), blendshapes={})


def test_any_finder_with_two_methods_will_do():
    photo = load_photo(np.zeros((800, 800, 3), np.uint8))
    face = find_face(photo, finder=FakeFinder(raw_face(3.0)))
    assert face.scale_mesh_px_mm == pytest.approx(3.0)
    assert face.scale_iris_px_mm == pytest.approx(3.0)
    assert face.pupils_px == pytest.approx(62 * 3.0)


def test_an_iris_seen_from_the_side_is_not_a_larger_distance():
    points = raw_face(3.0).points_px.copy()
    points[468:, 0] = (points[468:, 0] - 400) * np.cos(np.radians(40)) + 400
    assert module._iris_scale(points, 40.0) == pytest.approx(3.0, rel=1e-6)


def test_a_large_photo_is_searched_small():
    finder = FakeFinder(raw_face(2.0))
    find_face(load_photo(np.zeros((3000, 2000, 3), np.uint8)), finder=finder)
    assert max(finder.sizes[0]) <= 1024


def test_the_limit_of_size_is_the_documented_one():
    photo = load_photo(np.zeros((800, 800, 3), np.uint8))
    assert find_face(photo, finder=FakeFinder(raw_face(41 / 62))).pupils_px > 40
    with pytest.raises(FaceTooSmallError, match="39 px"):
        find_face(photo, finder=FakeFinder(raw_face(39 / 62)))


def test_face_errors_say_what_to_do():
    for cls in (NoFaceError, SeveralFacesError, FaceTooSmallError):
        assert issubclass(cls, FaceError)
        assert cls.cause != FaceError.cause


def test_the_model_is_shared_and_closing_it_is_final():
    finder = module.default_finder()
    assert finder is module.default_finder()
    own = module._MediaPipeFinder()
    own.close()
    own.close()
    assert own.find(np.zeros((64, 64, 3), np.uint8)) == []
