"""What a photo may measure at most and must measure at least."""

from __future__ import annotations

from dataclasses import dataclass

from skinscan.errors import BadAspectError, BadOptionError, PhotoTooLargeError, PhotoTooSmallError


@dataclass(frozen=True, kw_only=True)
class PhotoLimits:
    """What a photo may measure at most and must measure at least.

    Parameters
    ----------
    max_bytes : int
        Largest encoded size, bytes.
    max_pixels : int
        Largest width times height, px.
    min_short_side_px : int
        Smallest shorter side, px: below it no face has the 2 px/mm that the
        coarsest metric needs.
    max_aspect : float
        Largest ratio of the longer to the shorter side.

    Raises
    ------
    BadOptionError
        If a limit is not positive, or ``max_aspect`` is below 1.
    """

    max_bytes: int = 25 * 2**20
    max_pixels: int = 50_000_000
    min_short_side_px: int = 200
    max_aspect: float = 4.0

    def __post_init__(self) -> None:
        for name, least in (
            ("max_bytes", 1),
            ("max_pixels", 1),
            ("min_short_side_px", 1),
            ("max_aspect", 1.0),
        ):
            value = getattr(self, name)
            # Written so that NaN fails too.
            if not value >= least:
                raise BadOptionError(
                    expected=f"{name} of at least {least}",
                    found=repr(value),
                    remedy="Correct the limit",
                )


def check_bytes(count: int, limits: PhotoLimits) -> None:
    """Refuse more encoded bytes than the limits allow."""
    if count > limits.max_bytes:
        raise PhotoTooLargeError(
            expected=f"at most {limits.max_bytes / 2**20:.3g} MB",
            found=f"more than that ({count / 2**20:.3g} MB read)",
            remedy="Scale the photo down, or raise max_bytes",
        )


def check_size(size: tuple[int, int], limits: PhotoLimits) -> None:
    """Refuse a picture whose (width, height) lies outside the limits."""
    width, height = size
    shape = f"{width} × {height} px"
    if width * height > limits.max_pixels:
        raise PhotoTooLargeError(
            expected=f"at most {limits.max_pixels / 1e6:g} million pixels",
            found=shape,
            remedy="Scale the photo down, or raise max_pixels",
        )
    short, long = min(size), max(size)
    if short < limits.min_short_side_px:
        raise PhotoTooSmallError(
            expected=f"a shorter side of at least {limits.min_short_side_px} px",
            found=shape,
            remedy="Use the camera's original photo, not a thumbnail",
        )
    if long > limits.max_aspect * short:
        raise BadAspectError(
            expected=f"sides in a ratio of at most {limits.max_aspect:g}",
            found=shape,
            remedy="Use a photo that shows the whole face, not a strip or panorama",
        )
