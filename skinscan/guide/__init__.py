"""The photo guide for the wall: one printable page that follows from the limits of the checks."""

from skinscan.guide.families import family_limits
from skinscan.guide.page import photo_guide
from skinscan.guide.sheet import Paper

__all__ = ["Paper", "family_limits", "photo_guide"]
