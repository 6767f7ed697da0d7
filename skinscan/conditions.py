"""How a photo was taken, as far as the photo itself tells, and how two photos differ in that.

What differs here without any change of the skin is what can fake a change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from skinscan.facemap import FaceMap
from skinscan.landmarks import Face
from skinscan.light import Light, angle_between_deg
from skinscan.photo import Photo
from skinscan.pixels import gaussian, median

#: Half of the diagonal of a 35 mm frame, to which equivalent focal lengths refer, in mm.
_FILM_DIAGONAL_MM = 43.27
#: Where the skin's own detail is told from smoothing: level, and Gaussian sigma.
_DETAIL_LEVEL, _DETAIL_MM = 3.0, 0.5
#: A loss of skin detail of this size in 100·ln, beyond what the eyes' own blur explains, is no
#: treatment: two thirds of the finest detail do not go while lids and lashes stay sharp. Beauty
#: filters take 140 and more, another blur or compression up to 75 (docs/decisions.md).
_SMOOTHED_PCT = 100.0
#: Skin detail falls faster with blur than the edges around the eyes do.
_DETAIL_PER_BLUR = 2.0


@dataclass(frozen=True)
class Conditions:
    """What one photo tells of its own capture.

    Attributes
    ----------
    light : Light
    yaw_deg, pitch_deg, roll_deg : float
        Pose of the head.
    resolution_px_mm : float
        Pixels per canonical mm.
    blur : float
        Width of the sharpest edges as a multiple of the least to be expected.
    skin_detail : float
        100·ln of the usual size of skin detail finer than 1 mm, at 3 px/mm; NaN where the photo
        has less.
    brightness : float
        100·ln of the median luminance of the skin.
    expression : Mapping[str, float]
        Strength 0..1 of each expression that moves what is measured.
    distance_mm : float
        Camera to face, from the focal length in the photo's EXIF and the iris; NaN without.
    jpeg_quality : float
        1..100, of the IJG table that comes nearest; NaN for other formats.
    camera, lens, software : str
        As the photo says; empty where it does not.
    """

    light: Light
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    resolution_px_mm: float
    blur: float
    skin_detail: float
    brightness: float
    expression: Mapping[str, float]
    distance_mm: float
    jpeg_quality: float
    camera: str
    lens: str
    software: str


def conditions_to_dict(conditions: Conditions) -> dict[str, Any]:
    """Plain values of a `Conditions`, ready for JSON; NaN becomes None."""
    data = asdict(replace(conditions, expression={}))
    data["expression"] = dict(conditions.expression)
    return _without_nan(data)


def _without_nan(data: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            plain[key] = _without_nan(value)
        elif isinstance(value, tuple):
            plain[key] = [None if math.isnan(v) else v for v in value]
        else:
            plain[key] = None if isinstance(value, float) and math.isnan(value) else value
    return plain


def conditions_from_dict(data: Mapping[str, Any]) -> Conditions:
    """Rebuild what `conditions_to_dict` gave."""

    def known(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(value, list):
            return tuple(math.nan if v is None else v for v in value)
        return math.nan if value is None else value

    plain = {k: known(v) for k, v in data.items()}
    plain["light"] = Light(**{k: known(v) for k, v in data["light"].items()})
    plain["expression"] = MappingProxyType(dict(data["expression"]))
    return Conditions(**plain)


def _skin_detail(facemap: FaceMap) -> float:
    layer = facemap.layers.get(_DETAIL_LEVEL)
    if layer is None or not layer.skin.any():
        return math.nan
    smooth = gaussian(layer.log_y, _DETAIL_MM * _DETAIL_LEVEL)
    usual = float(median(np.abs(layer.log_y - smooth)[layer.skin]))
    return 100.0 * math.log(max(usual, 1e-3))


def _distance_mm(photo: Photo, face: Face) -> float:
    if photo.focal_length_35mm is None:
        return math.nan
    focal_px = photo.focal_length_35mm * math.hypot(*photo.full_size_px) / _FILM_DIAGONAL_MM
    return focal_px / face.scale_iris_px_mm


def conditions_of(
    photo: Photo,
    face: Face,
    facemap: FaceMap,
    *,
    light: Light,
    blur: float,
    expression: Mapping[str, float],
) -> Conditions:
    """Collect what a photo tells of its capture.

    Parameters
    ----------
    photo : Photo
    face : Face
    facemap : FaceMap
    light : Light
    blur : float
        As `skinscan.quality` judges it.
    expression : Mapping[str, float]
        As `skinscan.quality` names it.

    Returns
    -------
    Conditions
    """
    base = facemap.layers[min(facemap.layers)]
    brightness = float(median(base.log_y[base.skin])) if base.skin.any() else math.nan
    return Conditions(
        light=light,
        yaw_deg=face.pose.yaw_deg,
        pitch_deg=face.pose.pitch_deg,
        roll_deg=face.pose.roll_deg,
        resolution_px_mm=facemap.resolution_px_mm,
        blur=blur,
        skin_detail=_skin_detail(facemap),
        brightness=brightness,
        expression=MappingProxyType(dict(expression)),
        distance_mm=_distance_mm(photo, face),
        jpeg_quality=math.nan if photo.jpeg_quality is None else float(photo.jpeg_quality),
        camera=photo.camera or "",
        lens=photo.lens or "",
        software=photo.software or "",
    )


@dataclass(frozen=True)
class Kind:
    """One way in which two captures can differ.

    Attributes
    ----------
    title, unit : str
        For people.
    size : callable
        (photo, baseline) -> size of the difference, at least 0; NaN where it cannot be told.
    advice : str
        What to do about it.
    limit : float or None
        Fixed limit; None where the precision model has one per metric.
    bars : tuple of str
        Families that cannot be compared beyond the fixed limit.
    logarithmic : bool
        The size is 100 times the logarithm of a ratio, which is a percentage while it is small.
    """

    title: str
    unit: str
    size: Callable[[Conditions, Conditions], float]
    advice: str
    limit: float | None = None
    bars: tuple[str, ...] = ()
    logarithmic: bool = False


def _smoothing(photo: Conditions, baseline: Conditions) -> float:
    """Skin detail lost beyond what blur explains, in either of the two photos."""
    blur = 100.0 * math.log(photo.blur / baseline.blur) if baseline.blur > 0 < photo.blur else 0.0
    lost = baseline.skin_detail - photo.skin_detail
    return max(abs(lost) - _DETAIL_PER_BLUR * max(math.copysign(1.0, lost) * blur, 0.0), 0.0)


def _other_camera(photo: Conditions, baseline: Conditions) -> float:
    known = [(photo.camera, baseline.camera), (photo.lens, baseline.lens)]
    told = [(a, b) for a, b in known if a and b]
    return float(any(a != b for a, b in told)) if told else math.nan


def _expression_change(photo: Conditions, baseline: Conditions) -> float:
    names = photo.expression.keys() & baseline.expression.keys()
    return max((abs(photo.expression[n] - baseline.expression[n]) for n in names), default=math.nan)


def _cast_change(photo: Conditions, baseline: Conditions) -> float:
    return math.hypot(
        photo.light.red_green_pct - baseline.light.red_green_pct,
        photo.light.blue_green_pct - baseline.light.blue_green_pct,
    )


def _ratio(a: float, b: float) -> float:
    return abs(100.0 * math.log(a / b)) if a > 0 and b > 0 else math.nan


#: Families of metrics that are read from skin, not from shapes.
_READ_FROM_SKIN = ("wrinkles", "texture", "tone", "under_eye", "radiance")


#: Every kind of difference; the precision model has a slope, and a limit, for each.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "light_direction": Kind(
            "Direction of the light",
            "°",
            lambda a, b: angle_between_deg(a.light, b.light),
            "Put the lamp, and the chair, where they were at the baseline.",
        ),
        "light_softness": Kind(
            "Softness of the light",
            "",
            lambda a, b: abs(a.light.directed_share - b.light.directed_share),
            "Use the same lamp, and the same curtains and walls, as at the baseline.",
        ),
        "exposure": Kind(
            "Brightness",
            "%",
            lambda a, b: abs(a.brightness - b.brightness),
            "Expose as at the baseline.",
            logarithmic=True,
        ),
        "colour_cast": Kind(
            "Colour of the light",
            "%",
            _cast_change,
            "Use the same lamp and a fixed white balance.",
        ),
        "yaw": Kind(
            "Head turned",
            "°",
            lambda a, b: abs(a.yaw_deg - b.yaw_deg),
            "Turn the head as at the baseline.",
        ),
        "pitch": Kind(
            "Head up or down",
            "°",
            lambda a, b: abs(a.pitch_deg - b.pitch_deg),
            "Hold the chin, and the camera, as high as at the baseline.",
        ),
        "roll": Kind(
            "Head tilted",
            "°",
            lambda a, b: abs(a.roll_deg - b.roll_deg),
            "Hold the head upright.",
        ),
        "distance": Kind(
            "Camera distance",
            "%",
            lambda a, b: _ratio(a.distance_mm, b.distance_mm),
            "Stand where the baseline was taken, and do not zoom.",
            logarithmic=True,
        ),
        "resolution": Kind(
            "Pixels per millimetre",
            "%",
            lambda a, b: _ratio(a.resolution_px_mm, b.resolution_px_mm),
            "Send the original photo, taken from the same distance.",
            logarithmic=True,
        ),
        "sharpness": Kind(
            "Sharpness",
            "%",
            lambda a, b: _ratio(a.blur, b.blur),
            "Focus on the eyes and hold still.",
            logarithmic=True,
        ),
        "expression": Kind(
            "Expression",
            "",
            _expression_change,
            "Relax the face as at the baseline: lips closed, no smile, brows at rest.",
        ),
        "camera": Kind(
            "Another camera or lens",
            "",
            _other_camera,
            "Photograph a whole course with one camera and one lens.",
            # One pair shows little of it, a course much: three in four courses of unchanged skin
            # had a false claim after a change of camera (docs/decisions.md).
            limit=0.5,
            bars=_READ_FROM_SKIN,
        ),
        "smoothing": Kind(
            "Skin smoothed by the camera",
            "%",
            _smoothing,
            "Switch beauty filter, portrait mode and retouching off.",
            limit=_SMOOTHED_PCT,
            bars=_READ_FROM_SKIN,
        ),
        "compression": Kind(
            "JPEG quality",
            "",
            lambda a, b: abs(a.jpeg_quality - b.jpeg_quality),
            "Send the original file, not one that a messenger shrank.",
        ),
    }
)


def differences(photo: Conditions, baseline: Conditions) -> Mapping[str, float]:
    """Size of each kind of difference between two captures.

    Parameters
    ----------
    photo, baseline : Conditions

    Returns
    -------
    Mapping[str, float]
        By name in `KINDS`; a kind that cannot be told from both photos is absent.
    """
    sizes = {name: kind.size(photo, baseline) for name, kind in KINDS.items()}
    return MappingProxyType({k: v for k, v in sizes.items() if math.isfinite(v)})
