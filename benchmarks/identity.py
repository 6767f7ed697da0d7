"""Tell the same skin from another person's and from a mirrored photo, without a face model.

Usage: python benchmarks/identity.py [--photos ../shared/photos] [--others 8] [--write FILE.md]

Genuine pairs are a neutral and a smiling photo of one person; different ones are two people, with
equal or different expressions. Limits are derived from every second person, and judged on the rest;
pairs of two people belong to the half in which both are. Nothing is tuned to the half that is
reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from _common import PHOTOS, Report, parser, pictures, progress, span, wilson
from numpy.typing import NDArray

from skinscan.errors import SkinscanError
from skinscan.facemap import FaceMap, rectify
from skinscan.identity import ANOTHER_SHARE, SAME_SHARE, Similarity, Verdict, similarity
from skinscan.landmarks import find_face
from skinscan.phantom.camera import encode_jpeg
from skinscan.photo import load_photo

Picture = NDArray[np.uint8]
NEUTRAL, SMILING = "neutral", "smiling"
#: Sampling of the small copies, px/mm.
SMALL_PX_MM = 2.2


def facemap_of(source: Path | bytes | Picture) -> FaceMap:
    """Rectify a photo."""
    photo = load_photo(source)
    return rectify(photo, find_face(photo))


def blurred(rgb: Picture, sigma_px: float) -> Picture:
    """Blur a photo."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_px), dtype=np.uint8)


def small(rgb: Picture, px_mm: float) -> Picture:
    """Shrink a photo of ``px_mm`` to `SMALL_PX_MM`."""
    share = SMALL_PX_MM / px_mm
    shrunk = cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.uint8)


#: What happened to the second photo, by name.
HARM: dict[str, Callable[[Picture, float], Picture | bytes]] = {
    "mirrored": lambda rgb, _: np.ascontiguousarray(rgb[:, ::-1]),
    "JPEG quality 50": lambda rgb, _: encode_jpeg(rgb, 50),
    "blur 1.5 px": lambda rgb, _: blurred(rgb, 1.5),
    "blur 5 px": lambda rgb, _: blurred(rgb, 5.0),
    "shrunk to 2.2 px/mm": small,
}


@dataclass(frozen=True)
class Pair:
    """Two photos and how alike they are."""

    kind: str
    people: tuple[str, str]
    found: Similarity


def half(pair: Pair, people: Sequence[str]) -> int | None:
    """0 or 1 for the half of the people to which a pair belongs, None for neither."""
    sides = {people.index(name) % 2 for name in pair.people}
    return sides.pop() if len(sides) == 1 else None


def compared(folder: Path, others: int) -> tuple[list[Pair], list[str]]:
    """Every pair, and the people in order."""
    london, canada = (pictures(folder / place) for place in ("london", "canada"))
    assert london, "the development photographs are needed"
    maps = {path.stem: facemap_of(path) for path in (*london, *canada)}
    people = sorted({stem.split("_")[0] for stem in maps})
    rng = np.random.default_rng(0)
    pairs: list[Pair] = []

    def add(kind: str, names: tuple[str, str], first: FaceMap, second: FaceMap) -> None:
        pairs.append(Pair(kind, names, similarity(first, second)))

    for n, name in enumerate(people):
        progress(f"{n + 1} of {len(people)}")
        peers = [p for p in people if p != name and people.index(p) % 2 == n % 2]
        if name not in maps:
            neutral = maps[f"{name}_{NEUTRAL}"]
            path = folder / "london" / f"{name}_{SMILING}.jpg"
            add("same", (name, name), neutral, maps[path.stem])
            for kind, harm in HARM.items():
                rgb = load_photo(path).rgb
                try:
                    harmed = facemap_of(harm(rgb, maps[path.stem].resolution_px_mm))
                except SkinscanError as error:
                    progress(f"{name} {kind}: {error}")
                    continue
                add(kind, (name, name), neutral, harmed)
        else:
            neutral = maps[name]
        for peer in rng.permutation(peers)[:others]:
            same_face = maps.get(str(peer), maps.get(f"{peer}_{NEUTRAL}"))
            assert same_face is not None
            smile = maps.get(f"{peer}_{SMILING}", same_face)
            add("two people", (name, str(peer)), neutral, smile)
            if rng.random() < 0.5:
                add("two people, both neutral", (name, str(peer)), neutral, same_face)
    return pairs, people


def counted(pairs: Iterable[Pair], verdict: Verdict) -> str:
    """How many have a verdict, with the 95 % interval of the share."""
    all_of = list(pairs)
    hits = sum(p.found.verdict is verdict for p in all_of)
    low, high = wilson(hits, len(all_of))
    return f"{hits} of {len(all_of)} ({span((max(100 * low, 0.0), 100 * high), 1)} %)"


def roc(same: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Area under the curve, and the share of others above the score that 99 % of the same reach."""
    above = (same[:, None] > other).mean() + 0.5 * (same[:, None] == other).mean()
    return float(above), float((other >= np.quantile(same, 0.01)).mean())


def main() -> int:
    """Run, print and write."""
    options = parser(__doc__)
    options.add_argument("--photos", type=Path, default=PHOTOS)
    options.add_argument("--others", type=int, default=8, help="people compared with each")
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    start = time.process_time()
    pairs, people = compared(chosen.photos, chosen.others)
    seconds = time.process_time() - start
    report = Report("The same client's skin, another's, or a mirror's", "identity.py")
    report.say(
        f"{len(people)} people, {len(pairs)} pairs; score: share of skin patches found where their "
        f"neighbours foretell. Same from {SAME_SHARE:g} on, another up to {ANOTHER_SHARE:g}. Of "
        "two people "
        f"a random {chosen.others} of each person's own half. {1e3 * seconds / len(pairs):.0f} ms "
        "of processor time for each pair, rectifying included."
    )
    for side, title in ((0, "First half: limits"), (1, "Second half: what they do")):
        mine = [p for p in pairs if half(p, people) == side]
        report.section(title)
        kinds = {p.kind: [q for q in mine if q.kind == p.kind] for p in mine}
        report.table(
            ("pair", "least", "median", "most", *(v.value for v in Verdict)),
            [
                (
                    kind,
                    *(float(np.quantile([p.found.score for p in part], q)) for q in (0, 0.5, 1)),
                    *(counted(part, v) for v in Verdict),
                )
                for kind, part in kinds.items()
            ],
        )
        same = np.array([p.found.score for p in kinds["same"]])
        other = np.array(
            [
                max(p.found.score, p.found.mirrored_score)
                for kind, part in kinds.items()
                if kind.startswith("two people")
                for p in part
            ]
        )
        turned = np.array([p.found.mirrored_score for p in kinds["same"]])
        area, missed = roc(same, other)
        least, most = float(same.min()), float(max(other.max(), turned.max()))
        thirds = [most * (least / most) ** (k / 3) for k in (1, 2)]
        report.say(
            f"Same at least {least:.3f}; others, either way round, and the same mirrored at most "
            f"{most:.3f}; area under the curve {area:.4f}; at 1 % false alarms {100 * missed:.1f} "
            f"% of {len(other)} others are accepted. Thirds of the gap (by ratio): "
            f"{thirds[0]:.3f}, {thirds[1]:.3f}."
        )
    report.write(chosen.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
