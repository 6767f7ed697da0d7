"""How a phantom is photographed: light, pose and camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from skinscan.phantom.truth import build, check_range

#: Plane of the face (canonical z, mm) to which distance and px/mm refer: about the cheeks.
REFERENCE_Z_MM = 40.0

_RANGES: dict[str, tuple[float, float]] = {
    "light_azimuth_deg": (-90, 90),
    "light_elevation_deg": (-60, 90),
    "light_softness": (0, 1),
    "light_temperature_k": (2000, 12000),
    "yaw_deg": (-60, 60),
    "pitch_deg": (-45, 45),
    "roll_deg": (-45, 45),
    "offset_x_mm": (-150, 150),
    "offset_y_mm": (-150, 150),
    "distance_mm": (150, 5000),
    "focal_px": (100, 200000),
    "width_px": (32, 8000),
    "height_px": (32, 8000),
    "exposure_ev": (-5, 5),
    "white_balance_k": (2000, 12000),
    "tint": (-0.5, 0.5),
    "iso_noise": (0, 20),
    "denoise": (0, 1),
    "sharpen": (0, 3),
    "contrast": (0, 1),
    "blur_px": (0, 50),
    "jpeg_quality": (1, 100),
    "smile": (0, 1),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class Capture:
    """One photograph, as physical settings.

    Attributes
    ----------
    light_azimuth_deg, light_elevation_deg : float
        Where the key light stands as seen from the face towards the camera:
        azimuth positive to the right of the picture (the subject's left),
        elevation positive above.
    light_softness : float
        0 a small lamp without fill, 1 ambient light only.
    light_temperature_k, white_balance_k : float
        Colour temperature of the light, and the one that the camera was set to.
    tint : float
        Error of the green gain, ln units; positive is greener.
    yaw_deg, pitch_deg, roll_deg : float
        Head pose. Yaw positive: the face turns to the right of the picture
        (the subject's left). Pitch positive: it looks up. Roll positive: the
        top of the head leans to the left of the picture (counter-clockwise).
    offset_x_mm, offset_y_mm : float
        The head's place beside the optical axis, right and up.
    distance_mm, focal_px : float
        Camera to the plane of the face, and focal length in pixels;
        their quotient is the px/mm on the face.
    width_px, height_px : int
        Size of the picture.
    exposure_ev : float
        Exposure in stops from the standard one.
    iso_noise : float
        Photon and read noise; 1 is a phone at ISO 100, grows as √ISO.
    denoise : float
        In-camera noise reduction, 0 to 1.
    sharpen : float
        In-camera unsharp masking, amount.
    contrast : float
        Strength of the S-shaped tone curve above sRGB, 0 to 1.
    blur_px : float
        Standard deviation of lens and defocus blur.
    jpeg_quality : int
        Used when the picture is written (``photograph``), not by ``render``.
    smile : float
        Expression, 0 neutral to 1.
    seed : int
        Decides the noise of this exposure.
    """

    light_azimuth_deg: float = 15.0
    light_elevation_deg: float = 35.0
    light_softness: float = 0.45
    light_temperature_k: float = 5500.0
    white_balance_k: float = 5500.0
    tint: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    offset_x_mm: float = 0.0
    offset_y_mm: float = 0.0
    distance_mm: float = 800.0
    focal_px: float = 4800.0
    width_px: int = 1320
    height_px: int = 1740
    exposure_ev: float = 0.0
    iso_noise: float = 1.0
    denoise: float = 0.2
    sharpen: float = 0.3
    contrast: float = 0.25
    blur_px: float = 0.6
    jpeg_quality: int = 90
    smile: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            check_range(name, getattr(self, name), low, high)

    @classmethod
    def at_scale(
        cls,
        px_per_mm: float,
        *,
        distance_mm: float = 800.0,
        width_mm: float = 220.0,
        height_mm: float = 290.0,
        **settings: Any,  # noqa: ANN401
    ) -> Capture:
        """Make a capture from the px/mm on the face and the size of the view.

        Parameters
        ----------
        px_per_mm : float
            Sampling in the plane of the face, 0.5 to 14.
        distance_mm : float
            Camera distance.
        width_mm, height_mm : float
            Size of the view in the plane of the face.
        **settings
            Any other field.

        Returns
        -------
        Capture

        Raises
        ------
        PhantomError
            If a value is outside its range.
        """
        check_range("px_per_mm", px_per_mm, 0.5, 14.0)
        return cls(
            distance_mm=distance_mm,
            focal_px=px_per_mm * distance_mm,
            width_px=round(width_mm * px_per_mm),
            height_px=round(height_mm * px_per_mm),
            **settings,
        )

    @property
    def px_per_mm(self) -> float:
        """Pixels per mm in the plane of the face."""
        return self.focal_px / self.distance_mm

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Capture:
        """Rebuild from what ``to_dict`` gave.

        Raises
        ------
        PhantomError
            If a field is unknown or outside its range.
        """
        return build(cls, data)
