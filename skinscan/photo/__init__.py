"""Bytes to Photo: the only place that decodes an image.

What is decided here
--------------------
Formats
    JPEG (also MPO, Ultra HDR and motion photos: the base picture), PNG, WebP and
    HEIC/HEIF. Everything else, and every animation, is refused by name. The format
    is told from the bytes, never from the file's name.
Headers first
    Sizes, colour mode, profile and metadata are read from the headers by this
    package; nothing is allocated for pixels before the limits are checked, so a
    small file that would expand to gigabytes costs nothing.
Colour
    Pixels are 8-bit sRGB. An embedded ICC profile (or PNG/HEIF colour code points)
    is converted with relative colorimetric intent; colours outside sRGB clip. A
    profile that cannot be read is an error, not a guess: an ignored Display-P3
    profile shifts a* of skin by 5 to 10. Without a profile, sRGB is assumed.
Colour modes
    Grey and CMYK carry no measurable skin colour, a palette breaks skin into
    blotches, and 16-bit files have no agreed rendering: BadColourModeError. An
    alpha channel is accepted when every pixel is opaque. 10-bit HEIF is rounded to
    8 bits unless it is HDR (PQ or HLG), which is refused.
Orientation
    All eight EXIF orientations are applied. In HEIF the container's own rotation
    (``irot``, ``imir``) wins and EXIF counts only where there is none.
Metadata
    Capture time, camera, lens, focal length and software are kept. Position,
    names and serial numbers are never read.
Damage
    A JPEG must be complete up to its end marker (anything may follow it) and must
    decode without libjpeg's damage warnings; every PNG chunk's checksum must
    match; WebP and HEIF must be as long as their headers say. What cannot be
    detected: damage after which a JPEG's entropy code falls into step again (of
    single changed bits about a quarter is found, most of the rest are invisible; of
    512 zeroed bytes a quarter to nearly all, by kind of JPEG), and changed bytes in
    lossy WebP or in HEIF, which carry no checksums.
Privacy
    No error names a file, and codec messages do not reach standard error.

Modules
-------
Each imports only from those above it.

============  =======================================================================
``limits``    what a photo may measure
``model``     the values: `Photo`, and what its bytes say before they are decoded
``refusals``  errors that several modules raise
``native``    native codecs, and what they write to standard error
``exif``      what is kept of EXIF
``icc``       colour profiles to sRGB
``jpeg``      the header of a JPEG
``png``       the same of a PNG
``webp``      the same of a WebP
``heif``      the same of a HEIF, and libheif
``headers``   which format bytes are, and its header
``decoding``  pixels as they are stored
``file``      `PhotoFile`: pixels upright, in sRGB and reduced
``sources``   paths, file objects, bytes, arrays and PIL images to `PhotoFile`
============  =======================================================================
"""

from __future__ import annotations

from skinscan.photo.file import PhotoFile
from skinscan.photo.limits import PhotoLimits
from skinscan.photo.model import Photo, PhotoFormat, Reduction
from skinscan.photo.native import captured_stderr
from skinscan.photo.sources import Source, digest_of_pixels, load_photo, open_photo

__all__ = [
    "Photo",
    "PhotoFile",
    "PhotoFormat",
    "PhotoLimits",
    "Reduction",
    "Source",
    "captured_stderr",
    "digest_of_pixels",
    "load_photo",
    "open_photo",
]
