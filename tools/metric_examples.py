"""Draw docs/figures/examples: every dose on a rendered face, low, middle and high.

python tools/metric_examples.py [DOSE ...]

`benchmarks/doses.py` says what each dose is. A dose that the phantom of this version cannot be
given yet is left out with a message; `tests/test_registry.py` then misses its picture.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.facemap import rectify
from skinscan.landmarks import View, find_face
from skinscan.metrics.registry import Dose
from skinscan.phantom import Capture, FaceTruth, render
from skinscan.photo import load_photo
from skinscan.regions import FACE, members

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from doses import COARSE, LIGHTS, SEEDS, SETUPS, capture_of, person  # noqa: E402

TARGET = ROOT / "docs" / "figures" / "examples"
#: What is on the pictures, for tools/metric_docs.py.
INDEX = TARGET / "examples.json"

#: Skin tone of the person shown.
TONE = "light"
#: Least sampling on the face: for texture and lines, and for all that is larger.
FINE_PX_MM, COARSE_PX_MM = 6.2, 4.0
#: Width and height of one picture, and the gap between two.
SIZE_PX, GAP_PX = 220, 6
QUALITY = 88
#: Room round the regions, as a share of their size.
MARGIN = 0.08


@dataclass(frozen=True)
class Place:
    """Where to look: not all of `Setup.groups`, because one place is shown larger than many.

    Attributes
    ----------
    groups : tuple of str
        Region groups to enclose.
    one_side : bool
        Only the subject's right one of a pair.
    width_mm : float or None
        Show this much of their middle instead.
    """

    groups: tuple[str, ...]
    one_side: bool = False
    width_mm: float | None = None


_WHOLE = Place((FACE,))
_EYE = Place(("under_eye", "upper_lid"), one_side=True)
_FOREHEAD = Place(("forehead_upper",), width_mm=68.0)
PLACES: Mapping[Dose, Place] = {
    Dose.WRINKLE_DEPTH: Place(("crows_feet", "under_eye"), one_side=True),
    Dose.LINE_COUNT: Place(("forehead_upper", "glabella"), width_mm=85.0),
    Dose.FINE_LINES: Place(("forehead_upper",), width_mm=36.0),
    Dose.WRINKLES: _FOREHEAD,
    Dose.FOLDS: _FOREHEAD,
    Dose.LINE_WIDTH: _FOREHEAD,
    Dose.ROUGHNESS: Place(("cheek_malar",), one_side=True, width_mm=25.0),
    # Between nose and cheek bone, where pores are densest.
    Dose.PORES: Place(("cheek_malar", "nose_tip"), one_side=True, width_mm=22.0),
    Dose.MELANIN: _WHOLE,
    Dose.WHITE_BALANCE: _WHOLE,
    Dose.REDNESS: _WHOLE,
    Dose.MOTTLING: Place(("cheek_malar", "cheek_buccal"), one_side=True),
    Dose.PIGMENT_PATCH: Place(("marionette", "chin")),
    Dose.SPOTS: _WHOLE,
    Dose.UNDER_EYE_SHADOW: _EYE,
    Dose.UNDER_EYE_BAG: _EYE,
    Dose.CHEEK_FULLNESS: Place(("jawline", "cheek_malar")),
    Dose.BROW_RAISE: Place(("upper_lid", "forehead_lower")),
    Dose.LID_APERTURE: _EYE,
    Dose.MOUTH_CORNER_RAISE: Place(("marionette", "upper_lip")),
    Dose.JAW_SAG: Place(("jawline", "chin")),
    Dose.FACE_ASYMMETRY: _WHOLE,
    Dose.SPECULAR: _WHOLE,
}

U8 = NDArray[np.uint8]


class NotYetError(LookupError):
    """A dose that phantoms cannot be given yet."""


@dataclass(frozen=True)
class Window:
    """Square part of a photo, px."""

    left: int
    top: int
    side: int

    def cut(self, picture: U8) -> U8:
        """Cut it out and bring it to the size of the page."""
        part = picture[self.top : self.top + self.side, self.left : self.left + self.side]
        how = cv2.INTER_AREA if self.side > SIZE_PX else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (SIZE_PX, SIZE_PX), interpolation=how), dtype=np.uint8)


def window_of(picture: U8, dose: Dose) -> Window:
    """Find the square round the regions of a dose."""
    photo = load_photo(_as_png(picture))
    facemap = rectify(photo, find_face(photo))
    height, width = picture.shape[:2]
    place = PLACES[dose]
    shown = [
        region
        for group in place.groups
        for region in members(group)
        if not (place.one_side and region.side is View.LEFT)
    ]
    points = np.vstack([facemap.to_photo_px(r.outline_mm) for r in shown])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    wanted = (
        (1 + 2 * MARGIN) * float((high - low).max())
        if place.width_mm is None
        else place.width_mm * facemap.resolution_px_mm
    )
    side = min(round(wanted), width, height)
    left, top = np.round(0.5 * (low + high) - 0.5 * side).astype(int)
    return Window(
        left=int(np.clip(left, 0, width - side)),
        top=int(np.clip(top, 0, height - side)),
        side=side,
    )


def scenes(dose: Dose) -> tuple[dict[str, object], list[tuple[FaceTruth, Capture]]]:
    """Say what is shown, and give face and capture of low, middle and high.

    Raises
    ------
    NotYetError
        If benchmarks/doses.py or the phantom does not know the dose.
    """
    if dose not in SETUPS:
        raise NotYetError("benchmarks/doses.py does not have it")
    setup = SETUPS[dose]
    px_mm = max(setup.px_per_mm, FINE_PX_MM if setup.px_per_mm > COARSE else COARSE_PX_MM)
    light = setup.lights[0]
    values = [setup.values[0], setup.values[len(setup.values) // 2], setup.values[-1]]
    # One capture for all: only the dose differs between the pictures.
    face, capture = person(SEEDS[0], TONE), capture_of(SEEDS[0], light, px_mm)
    try:
        made = [setup.make(face, capture, value) for value in values]
    except TypeError as error:
        raise NotYetError(f"the phantom does not have it: {error}") from error
    lamp = LIGHTS[light]
    said: dict[str, object] = {
        "label": setup.label,
        "values": values,
        "px_per_mm": px_mm,
        "light_azimuth_deg": lamp["light_azimuth_deg"],
        "light_elevation_deg": lamp["light_elevation_deg"],
        "tone": TONE,
    }
    return said, made


def strip(made: Sequence[tuple[FaceTruth, Capture]], dose: Dose) -> U8:
    """Render the faces and put the same part of each side by side."""
    pictures = [np.ascontiguousarray(render(*scene)) for scene in made]
    window = window_of(pictures[0], dose)
    gap = np.full((SIZE_PX, GAP_PX, 3), 255, dtype=np.uint8)
    row = [part for picture in pictures for part in (gap, window.cut(picture))]
    return np.hstack(row[1:])


def _as_png(picture: U8) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def _as_jpeg(picture: U8) -> bytes:
    done, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1],
    )
    assert done
    return data.tobytes()


def main(arguments: Sequence[str]) -> int:
    """Draw the chosen doses, by default all; return 1 when one could not be drawn."""
    chosen = [Dose(name) for name in arguments] or list(Dose)
    TARGET.mkdir(parents=True, exist_ok=True)
    index = json.loads(INDEX.read_text(encoding="utf-8")) if INDEX.exists() else {}
    missing = []
    for dose in chosen:
        try:
            said, made = scenes(dose)
        except NotYetError as error:
            missing.append(dose)
            print(f"{dose.value}: not drawn, {error}", file=sys.stderr)
            continue
        data = _as_jpeg(strip(made, dose))
        (TARGET / f"{dose.value}.jpg").write_bytes(data)
        index[dose.value] = said
        print(f"{dose.value}: {len(data) / 1000:.0f} kB", file=sys.stderr, flush=True)
    text = json.dumps(dict(sorted(index.items())), indent=1, ensure_ascii=False) + "\n"
    INDEX.write_text(text, encoding="utf-8")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
