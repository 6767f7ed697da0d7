"""Draw docs/figures/atlas.png: the regions on a rendered face, in the canonical frame.

python tools/atlas_figure.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skinscan.colour import from_linear
from skinscan.facemap import rectify
from skinscan.frame import mm_to_map_px
from skinscan.landmarks import View, find_face
from skinscan.photo import load_photo
from skinscan.regions import region_mask, regions
from skinscan.resources import sample_course_dir

LEVEL = 3.0
ZOOM = 2
TARGET = Path(__file__).resolve().parent.parent / "docs" / "figures" / "atlas.png"
#: Okabe & Ito's colours, taken in turn.
COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
)


def main() -> None:
    """Draw the figure."""
    photo = load_photo(min(sample_course_dir().glob("*.jpg")))
    facemap = rectify(photo, find_face(photo))
    linear = facemap.layers[LEVEL].linear
    if linear is None:
        raise SystemExit("colour is not kept at this level")
    canvas = np.round(from_linear(linear) * 255).astype(np.uint8)
    canvas = cv2.resize(canvas, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    level = LEVEL * ZOOM
    shown = [r for r in regions().values() if r.part_of is None]
    for index, region in enumerate(shown):
        mask = region_mask(region.name, level)
        colour = np.array(COLOURS[index % len(COLOURS)])
        canvas[mask] = (0.65 * canvas[mask] + 0.35 * colour).astype(np.uint8)
    for region in regions().values():
        outline = np.round(mm_to_map_px(region.outline_mm, level)).astype(np.int32)
        cv2.polylines(canvas, [outline], True, (255, 255, 255), 1, cv2.LINE_AA)
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=15)
    for region in regions().values():
        if region.side is View.LEFT:
            continue
        x, y = mm_to_map_px(region.outline_mm.mean(axis=0), level)
        y += {"tear_trough": 9, "lid_bag": -9, "under_eye": 34}.get(region.group, 0)
        pen.text(
            (x, y),
            region.group,
            font=font,
            anchor="mm",
            fill="white",
            stroke_width=2,
            stroke_fill=(40, 40, 40),
        )
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(128).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
