"""Truth and capture in, picture out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skinscan.phantom import camera, eyes, occluders, shading, skin
from skinscan.phantom.capture import Capture
from skinscan.phantom.fractal import as_f32
from skinscan.phantom.geometry import carry, head_shape
from skinscan.phantom.optics import project_head, rays
from skinscan.phantom.seen import Strip, lookup, seen
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
    view = seen(shape, capture, seed=person.seed, hairline_mm=person.hairline_mm)
    maps = skin.skin_maps(truth, px_per_mm=capture.px_per_mm)
    image = np.zeros((*view.coverage.shape, 3), dtype=np.float32)
    # NaN is the texture of the wall: no eye is there
    uv = np.full((*view.coverage.shape, 2), np.nan, dtype=np.float32)
    for strip in view.strips:
        uv[strip.rows, strip.columns] = strip.uv
        image[strip.rows, strip.columns] = _shade(truth, maps, strip, view.light)
    eyes.paint(
        image, uv, shape=shape, view=view.view, light=view.light, person=person, capture=capture
    )
    worn = occluders.cover(truth, capture)
    if worn.any:
        occluders.shade_beneath(image, worn, view.light)
    wall = _wall(capture, view.light)
    image -= wall
    image *= view.coverage[..., None]
    image += wall
    if worn.any:
        # hair and temples reach beyond the outline of the head
        occluders.paint(image, worn, view.light)
    image *= np.float32(_EXPOSURE)
    return image


def _shade(truth: FaceTruth, maps: skin.SkinMaps, strip: Strip, light: shading.Light) -> F32:
    """Linear light of one strip, before the eyes and the wall, shape (h, w, 3)."""
    pigment = lookup(maps.pigment, strip.uv, skin.PIGMENT_EXTENT, skin.PIGMENT_PX_MM)
    detail = lookup(maps.detail, strip.uv, skin.DETAIL_EXTENT, maps.detail_px_mm)
    normal = strip.normal
    fine = shading.bend(normal, strip.x, strip.z, detail[..., 0], detail[..., 1])
    # a groove sees less of the room: half of it is gone at about 0.35 mm
    groove = 1 / (1 + detail[..., 2] * np.float32(2.8))
    visible = as_f32(strip.cavity * pigment[..., 3] * groove)
    lit = as_f32(strip.lit * (0.35 + 0.65 * pigment[..., 3]) * (0.45 + 0.55 * groove))
    irradiance = shading.diffuse(normal, fine, lit, visible, light)
    gloss = shading.specular(fine, strip.towards, lit, visible * pigment[..., 3], light)
    albedo = skin.reflectance(pigment[..., 0], pigment[..., 1])
    hairs = detail[..., 3:4]
    albedo += hairs * (np.asarray(truth.person.brow_rgb, dtype=np.float32) - albedo)
    image = albedo * irradiance
    shine = gloss * np.float32(truth.specular)
    shine *= (1 + 0.3 * pigment[..., 2]) * (1 - 0.95 * hairs[..., 0])
    image += shine[..., None]
    _dress(
        image,
        strip,
        lit=lit,
        visible=visible,
        gloss=gloss,
        light=light,
        truth=truth,
    )
    return np.asarray(image, dtype=np.float32)


def _dress(
    image: F32,
    strip: Strip,
    *,
    lit: F32,
    visible: F32,
    gloss: F32,
    light: shading.Light,
    truth: FaceTruth,
) -> None:
    """Put hair and cloth over the skin, in place."""
    covered = (strip.around[..., 0] > 0) | (strip.around[..., 2] > 0)
    if not covered.any():
        return
    normal, around = strip.normal[covered], strip.around[covered]
    lit, visible, gloss = lit[covered], visible[covered], gloss[covered]
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
    dressed = image[covered]
    dressed += hair * (strands - dressed)
    cloth, weave = around[..., 2:3], around[..., 3:4]
    fabric = np.asarray(truth.person.cloth_rgb, dtype=np.float32) * weave * level[..., None]
    dressed += cloth * (fabric - dressed)
    image[covered] = dressed


def _wall(capture: Capture, light: shading.Light) -> F32:
    """Paint a plain grey wall, a little brighter towards the lamp."""
    x = np.arange(capture.width_px, dtype=np.float32)[None, :] / capture.width_px - 0.5
    y = np.arange(capture.height_px, dtype=np.float32)[:, None] / capture.height_px - 0.5
    tilt = np.float32(np.sin(np.deg2rad(capture.light_azimuth_deg)))
    fall = 1 + 0.10 * tilt * x - 0.12 * y - 0.10 * (x * x + y * y)
    level = np.float32(0.62 * light.key + light.ambient)
    return np.asarray((fall * level)[..., None] * _WALL, dtype=np.float32)
