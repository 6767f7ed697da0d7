"""Compare a picture in Display-P3 with the same picture in sRGB, in all four formats.

Usage: python benchmarks/colour.py [--write docs/figures/colour.md]

Rendered faces of three skin tones are coded in Display-P3, saved with its profile and opened by
skinscan: CIEDE2000 to the sRGB pixels that they were made from, per pixel and over squares of 8
px, and to the same sRGB picture saved in the same format, between the medians of the regions,
which is what metrics see. JPEG and HEIF round every picture to 8-bit luma and chroma; "codec
alone" is what the sRGB picture itself loses in the same format.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import cv2
import numpy as np
import pillow_heif
from _common import Report, number, parser
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from wide_gamut import as_p3, p3_profile

from skinscan.facemap import rectify
from skinscan.landmarks import Face, find_face
from skinscan.metrics.maps import face_maps
from skinscan.phantom import Capture, FaceTruth, Person, default_wrinkles, melanin_for_ita, render
from skinscan.photo import load_photo
from skinscan.regions import region_mask, regions

Picture = NDArray[np.uint8]

FORMATS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {"compress_level": 1},
    "WEBP": {"lossless": True, "exact": True},
    "HEIF": {"quality": 100, "chroma": 444},
}
ITA_DEG = {"light": 55.0, "brown": 20.0, "dark": -35.0}
GOAL = 0.5


def encode(rgb: Picture, kind: str, *, profile: bytes | None) -> bytes:
    """Save a picture with or without a profile."""
    out = io.BytesIO()
    options = dict(FORMATS[kind])
    if profile is not None:
        options["icc_profile"] = profile
    Image.fromarray(rgb).save(out, kind, **options)
    return out.getvalue()


def squares(rgb: Picture) -> NDArray[np.float32]:
    """Average over 8 x 8 px, 0..1."""
    size = (rgb.shape[1] // 8, rgb.shape[0] // 8)
    return np.asarray(cv2.resize(rgb.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA))


def difference(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Mean CIEDE2000."""
    return float(deltaE_ciede2000(rgb2lab(one), rgb2lab(other)).mean())


def region_colours(rgb: Picture, face: Face) -> NDArray[np.float64]:
    """Median L*a*b* of every region, shape (regions, 3)."""
    facemap = rectify(load_photo(rgb), face, levels=(2.0,))
    lab = face_maps(facemap).levels[2.0].lab
    skin = facemap.layers[2.0].skin
    inside = (region_mask(name, 2.0) & skin for name in regions())
    return np.array([np.median(lab[m], axis=0) if m.any() else [np.nan] * 3 for m in inside])


def faces() -> Iterator[tuple[str, Picture]]:
    """Render a face of every skin tone."""
    for tone, ita in ITA_DEG.items():
        person = Person(seed=31, melanin_od=melanin_for_ita(ita))
        truth = FaceTruth(person=person, wrinkles=default_wrinkles(31))
        yield tone, render(truth, Capture.at_scale(3.1, seed=31))


def main() -> None:
    """Run, print and write."""
    chosen = parser(__doc__).parse_args()
    pillow_heif.register_heif_opener()
    report = Report("Colour management", "colour.py")
    rows = []
    for tone, rgb in faces():
        wide = as_p3(rgb)
        face = find_face(load_photo(rgb))
        for kind in FORMATS:
            shown = load_photo(encode(wide, kind, profile=p3_profile())).rgb
            plain = load_photo(encode(rgb, kind, profile=None)).rgb
            medians = deltaE_ciede2000(region_colours(shown, face), region_colours(plain, face))
            rows.append(
                (
                    tone,
                    kind,
                    number(difference(wide, rgb)),
                    number(difference(shown, rgb)),
                    number(difference(plain, rgb)),
                    number(difference(squares(shown), squares(rgb))),
                    number(float(np.nanmedian(medians))),
                    number(float(np.nanmax(medians))),
                )
            )
    report.say(
        f"Mean ΔE00 to the sRGB pixels. Goal: {GOAL:g}. JPEG at quality 95 and HEIF at 100, both "
        "4:4:4. What is left per pixel is the codec's: the same picture without any profile loses "
        "nearly as much (codec alone). Region medians: against the sRGB file of the same format."
    )
    report.table(
        (
            "skin",
            "format",
            "profile ignored",
            "managed, per pixel",
            "codec alone, per pixel",
            "managed, 8 x 8 px",
            "managed, region medians",
            "worst region",
        ),
        rows,
    )
    report.write(chosen.write)


if __name__ == "__main__":
    main()
