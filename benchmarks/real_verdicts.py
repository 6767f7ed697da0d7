"""What `skinscan.compare` says about pairs of real photos whose skin did not change.

Usage: python benchmarks/real_verdicts.py [--photos ../shared/photos] [--write FILE.md]

Needs the folders london and retake of the development photographs. Every pair shows one person on
one day, so that a claimed change is a false one and "not compared" is no failure: these pairs
differ in distance, light, pose or expression. Scans are kept as `real_photos.py` keeps them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _common import PHOTOS, Report, parser, pictures, progress, scan_kept, wilson

from skinscan.errors import NotComparableError
from skinscan.metrics import Concern, metrics
from skinscan.progress import Change, Progress, Scope, Verdict, compare, words
from skinscan.scan import Scan

_SHORT = {
    Verdict.IMPROVED: "**improved**",
    Verdict.WORSE: "**worse**",
    Verdict.CHANGED: "**changed**",
    Verdict.NO_CHANGE: "no change",
    Verdict.NOT_COMPARABLE: "–",
}


@dataclass(frozen=True)
class Judged:
    """One pair.

    Attributes
    ----------
    title : str
    progress : Progress or None
        None where the pair is refused as a whole.
    refused : str
        Why, where it is.
    """

    title: str
    progress: Progress | None
    refused: str = ""


def judged(title: str, before: Scan, after: Scan) -> Judged:
    """Compare two photos."""
    try:
        return Judged(title, compare(before, after))
    except NotComparableError:
        return Judged(title, None, f"views {before.view.value} and {after.view.value}")


def _faces(found: Progress) -> list[Change]:
    """Every metric over the whole face."""
    return [c for c in found.changes if c.scope is Scope.FACE]


def _reasons(changes: Sequence[Change]) -> list[str]:
    """Why metrics are not compared, the most frequent cause first, each once."""
    named = Counter(
        reason.name for c in changes if c.verdict is Verdict.NOT_COMPARABLE for reason in c.reasons
    )
    return [name.replace("_", " ") for name, _ in named.most_common()]


def _row(pair: Judged) -> tuple[str, ...]:
    if pair.progress is None:
        return pair.title, *("–" for _ in Concern), f"0 of {len(metrics())}", pair.refused
    changes = _faces(pair.progress)
    compared = sum(c.verdict is not Verdict.NOT_COMPARABLE for c in changes)
    return (
        pair.title,
        *(_SHORT[pair.progress.concern(c).verdict] for c in Concern),
        f"{compared} of {len(changes)}",
        ", ".join(_reasons(changes)) or "–",
    )


def report_pairs(report: Report, pairs: Sequence[Judged]) -> None:
    """One row for each pair."""
    heads = [words.CONCERNS[c].lower() for c in Concern]
    report.table(("pair", *heads, "measures compared", "why not the others"), map(_row, pairs))


def report_counts(report: Report, pairs: Sequence[Judged]) -> None:
    """How many pairs end in which verdict, by concern."""
    held = [pair.progress for pair in pairs if pair.progress is not None]

    def row(concern: Concern) -> tuple[str, ...]:
        items = [found.concern(concern) for found in held]
        told = Counter(item.verdict for item in items)
        why = Counter(
            reason.name.replace("_", " ")
            for item in items
            if item.verdict is Verdict.NOT_COMPARABLE
            for reason in item.leading.reasons
        )
        return (
            words.CONCERNS[concern].lower(),
            *(str(told[verdict]) for verdict in _SHORT),
            ", ".join(f"{name} {count}" for name, count in why.most_common()) or "–",
        )

    heads = [words.VERDICTS[verdict] for verdict in _SHORT]
    report.table(("concern", *heads, "why not comparable, pairs"), map(row, Concern))
    compared = [found for found in held if _compared(found)]
    false = sum(any(item.verdict.claimed for item in found.concerns) for found in compared)
    report.say(
        f"Of {len(held)} pairs {len(compared)} were compared in any concern, and "
        f"{false} of these have a claim: {_share(false, len(compared))} of those compared, "
        f"{_share(false, len(held))} of all."
    )


def _compared(found: Progress) -> bool:
    return any(item.verdict is not Verdict.NOT_COMPARABLE for item in found.concerns)


def _share(hits: int, count: int) -> str:
    """Write a share with its 95 % interval."""
    low, high = (100 * max(end, 0.0) for end in wilson(hits, count))
    return f"{100 * hits / count:.0f} % ({low:.0f} to {high:.0f})" if count else "–"


def _retakes(folder: Path) -> tuple[list[Judged], list[str]]:
    scans: dict[str, Scan] = {}
    failures: list[str] = []
    for path in pictures(folder):
        title = path.stem.removeprefix("distance_").replace("_", " ").replace("cm", " cm")
        found = scan_kept(path)
        if isinstance(found, Scan):
            scans[title] = found
        else:
            failures.append(f"{title}: {found.cause}")
    pairs = itertools.combinations(scans, 2)
    return [judged(f"{a}, {b}", scans[a], scans[b]) for a, b in pairs], failures


def _smiles(folder: Path) -> list[Judged]:
    result = []
    photos = {path.stem: path for path in pictures(folder)}
    people = sorted(name.removesuffix("_neutral") for name in photos if name.endswith("_neutral"))
    for n, person in enumerate(people):
        if n % 10 == 0:
            progress(f"{n} of {len(people)}")
        before, after = (scan_kept(photos[f"{person}_{how}"]) for how in ("neutral", "smiling"))
        if isinstance(before, Scan) and isinstance(after, Scan):
            result.append(judged("", before, after))
    return result


def main() -> None:
    """Compare, count."""
    options = parser(__doc__)
    options.add_argument("--photos", type=Path, default=PHOTOS, help="default: %(default)s")
    args = options.parse_args()
    missing = [n for n in ("london", "retake") if not (args.photos / n).is_dir()]
    if missing:
        options.error(f"{args.photos} has no folder {', '.join(missing)}")
    report = Report("Verdicts on real photos of unchanged skin", "real_verdicts.py")
    report.say(
        "Every pair shows one person on one day: a claimed change (bold) is false, and a pair that "
        "is not compared (–) is one that skinscan finds unlike. Differences by name are explained "
        "in [precision](../precision.md)."
    )
    retakes, failures = _retakes(args.photos / "retake")
    report.section("One person, every pair of eight photos")
    report.say(
        "Four at camera distances of about 15, 30, 45 and 60 cm, and four careless ones in poor "
        "light, with hair in the face, head moved, tilted or far. Eight photos are an "
        "illustration, not a statistic."
    )
    if failures:
        report.say(f"Not measured: {'; '.join(failures)}.")
    report_pairs(report, retakes)
    report_counts(report, retakes)
    report.section("Neutral, then smiling: people of one studio")
    smiles = _smiles(args.photos / "london")
    report.say(
        f"{len(smiles)} people, the same light and camera. Lines under a smile are real but no "
        "ageing: neither a claim of more lines nor one of fewer would be right."
    )
    report_counts(report, smiles)
    report.write(args.write)


if __name__ == "__main__":
    main()
