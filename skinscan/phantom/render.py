"""Truth and capture in, picture out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.phantom import camera, eyes, head, occluders, shading, skin
from skinscan.phantom.capture import Capture
from skinscan.phantom.fractal import as_f32
from skinscan.phantom.geometry import HeadShape, carry, head_shape
from skinscan.phantom.optics import STRIP, Hits, project_head, rays, sample, trace
from skinscan.phantom.truth import FaceTruth

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_WALL = np.array([0.47, 0.47, 0.475], dtype=np.float32)
_EXPOSURE = 1.12


def render(truth: FaceTruth, capture: Capture) -> NDArray[np.uint8]:
    """Render one photograph of a phantom.

    Parameters
    ----------
    truth : FaceTruth
        The face.
    capture : Capture
        Light, pose and camera.

    Returns
    -------
    ndarray of uint8, shape (height_px, width_px, 3)
        sRGB as the camera's processing left it, before JPEG (see ``photograph``).
        Equal arguments give equal pixels.
    """
    return camera.expose(scene_light(truth, capture), capture)


def photograph(truth: FaceTruth, capture: Capture, *, taken: str | None = None) -> bytes:
    """Render and encode as JPEG of the capture's quality.

    Parameters
    ----------
    truth, capture
        As for ``render``.
    taken : str, optional
        EXIF time, ``YYYY:MM:DD HH:MM:SS``.

    Returns
    -------
    bytes
    """
    return camera.encode_jpeg(render(truth, capture), capture.jpeg_quality, taken=taken)


def project(truth: FaceTruth, capture: Capture) -> F64:
    """Where the 468 canonical vertices of this face are in the picture.

    Returns
    -------
    ndarray of float64, shape (468, 2)
        x, y in px, origin at the centre of the top-left pixel.
    """
    return project_head(head_shape(truth, smile=capture.smile).vertices_mm, capture)


def project_iris(truth: FaceTruth, capture: Capture) -> F64:
    """Centres of both irises in the picture, subject's right then left, shape (2, 2), px."""
    shape = head_shape(truth, smile=capture.smile)
    return project_head(eyes.iris_centres_mm(shape, rays(capture).origin_mm), capture)


def project_points(truth: FaceTruth, capture: Capture, points_mm: F64) -> F64:
    """Where points of the canonical frontal frame are in the picture.

    Points travel with their triangle of the mesh, as in a rectified photo.

    Parameters
    ----------
    truth, capture
        As for ``render``.
    points_mm : ndarray of float64, shape (N, 2)
        Canonical x, y in mm, such as the points of a Wrinkle.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        px.
    """
    vertices = head_shape(truth, smile=capture.smile).vertices_mm
    return project_head(carry(np.asarray(points_mm, dtype=np.float64), vertices), capture)


def scene_light(truth: FaceTruth, capture: Capture) -> F32:
    """Linear light at the sensor before the camera does anything to it, shape (H, W, 3)."""
    person = truth.person
    shape = head_shape(truth, smile=capture.smile)
    hits = trace(shape, capture)
    view = rays(capture)
    light = shading.light_of(capture)
    lit = shading.cast_shadow(shape, hits, light)
    scene = _Scene(
        truth=truth,
        shape=shape,
        maps=skin.skin_maps(truth, px_per_mm=capture.px_per_mm),
        around=head.surroundings(person.seed, person.hairline_mm),
        light=light,
        origin_mm=view.origin_mm,
    )
    image = np.empty((*hits.x.shape, 3), dtype=np.float32)
    uv = np.empty((*hits.x.shape, 2), dtype=np.float32)
    for top in range(0, len(image), STRIP):
        part = slice(top, top + STRIP)
        uv[part] = sample(shape.uv_mm, hits.column[part], hits.row[part])
        image[part] = _shade(scene, hits.rows(part), uv[part], lit[part])
    eyes.paint(image, uv, shape=shape, view=view, light=light, person=person, capture=capture)
    worn = occluders.cover(truth, capture, hits=hits)
    if worn.any:
        occluders.shade_beneath(image, worn, light)
    wall = _wall(capture, light)
    image -= wall
    image *= hits.coverage[..., None]
    image += wall
    if worn.any:
        # hair and temples reach beyond the outline of the head
        occluders.paint(image, worn, light)
    image *= np.float32(_EXPOSURE)
    return image


@dataclass(frozen=True, eq=False)
class _Scene:
    """What every strip of the picture shares."""

    truth: FaceTruth
    shape: HeadShape
    maps: skin.SkinMaps
    around: F32
    light: shading.Light
    origin_mm: F64


def _shade(scene: _Scene, hits: Hits, uv: F32, lit: F32) -> F32:
    """Linear light of one strip, before the eyes and the wall, shape (h, W, 3)."""
    light, maps, person = scene.light, scene.maps, scene.truth.person
    normal = sample(scene.shape.normal, hits.column, hits.row)
    pigment = _lookup(maps.pigment, uv, skin.PIGMENT_EXTENT, skin.PIGMENT_PX_MM)
    detail = _lookup(maps.detail, uv, skin.DETAIL_EXTENT, maps.detail_px_mm)
    around = _lookup(scene.around, uv, head.EXTENT, head.PX_MM)
    fine = shading.bend(normal, hits, detail[..., 0], detail[..., 1])
    # a groove sees less of the room: half of it is gone at about 0.35 mm
    groove = 1 / (1 + detail[..., 2] * np.float32(2.8))
    cavity = sample(scene.shape.cavity, hits.column, hits.row)
    visible = as_f32(cavity * pigment[..., 3] * groove)
    lit = as_f32(lit * (0.35 + 0.65 * pigment[..., 3]) * (0.45 + 0.55 * groove))
    irradiance = shading.diffuse(normal, fine, lit, visible, light)
    towards = _towards_camera(hits, scene.origin_mm)
    gloss = shading.specular(fine, towards, lit, visible * pigment[..., 3], light)
    albedo = skin.reflectance(pigment[..., 0], pigment[..., 1])
    hairs = detail[..., 3:4]
    albedo += hairs * (np.asarray(person.brow_rgb, dtype=np.float32) - albedo)
    image = albedo * irradiance
    shine = gloss * np.float32(scene.truth.specular)
    shine *= (1 + 0.3 * pigment[..., 2]) * (1 - 0.95 * hairs[..., 0])
    image += shine[..., None]
    _dress(
        image,
        around,
        normal=normal,
        lit=lit,
        visible=visible,
        gloss=gloss,
        light=light,
        truth=scene.truth,
    )
    return np.asarray(image, dtype=np.float32)


def _lookup(texture: F32, uv: F32, extent: tuple[float, float, float], px_mm: float) -> F32:
    half, top, _ = extent
    x = (uv[..., 0] + np.float32(half)) * np.float32(px_mm)
    y = (np.float32(top) - uv[..., 1]) * np.float32(px_mm)
    return as_f32(cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _towards_camera(hits: Hits, origin_mm: F64) -> F32:
    o = origin_mm.astype(np.float32)
    out = np.stack([o[0] - hits.x, o[1] - hits.y, o[2] - hits.z], axis=-1)
    out /= np.sqrt((out * out).sum(axis=-1, keepdims=True))
    return out


def _dress(
    image: F32,
    around: F32,
    *,
    normal: F32,
    lit: F32,
    visible: F32,
    gloss: F32,
    light: shading.Light,
    truth: FaceTruth,
) -> None:
    """Put hair and cloth over the skin, in place."""
    cosine = np.clip(normal @ light.direction.astype(np.float32), -1, 1)
    level = (
        np.float32(light.key) * lit * shading.wrapped(cosine, 0.35)
        + shading.ambient_of(normal, light) * visible
    )
    hair, tone = around[..., 0:1], around[..., 1]
    colour = np.asarray(truth.person.hair_rgb, dtype=np.float32)
    # strands show where they catch the light
    strands = (tone**1.5)[..., None] * (
        level[..., None] * colour + (gloss * tone * 0.30)[..., None]
    )
    image += hair * (strands - image)
    cloth, weave = around[..., 2:3], around[..., 3:4]
    fabric = np.asarray(truth.person.cloth_rgb, dtype=np.float32) * weave * level[..., None]
    image += cloth * (fabric - image)


def _wall(capture: Capture, light: shading.Light) -> F32:
    """Paint a plain grey wall, a little brighter towards the lamp."""
    y, x = np.mgrid[0 : capture.height_px, 0 : capture.width_px].astype(np.float32)
    x = x / capture.width_px - 0.5
    y = y / capture.height_px - 0.5
    tilt = np.float32(np.sin(np.deg2rad(capture.light_azimuth_deg)))
    fall = 1 + 0.10 * tilt * x - 0.12 * y - 0.10 * (x * x + y * y)
    level = np.float32(0.62 * light.key + light.ambient)
    return np.asarray((fall * level)[..., None] * _WALL, dtype=np.float32)
