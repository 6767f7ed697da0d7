"""Write docs/metrics.md from the registry, so that no metric goes undocumented.

Run ``python tools/metric_docs.py`` after a metric was added or changed;
``--check`` only compares, and exits with 1 when the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from skinscan.flags import SENTENCES, flag_names
from skinscan.frame import LEVELS_PX_MM
from skinscan.metrics import Metric, by_family
from skinscan.regions import groups

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"

_BETTER = {"down": "lower", "up": "higher", "neutral": "neither"}

_HEAD = """\
# Metrics

<!-- Written by tools/metric_docs.py from the registry; edit the registry, not this page. -->

Every metric is measured per region and at the resolution levels {levels} px/mm, up to the
photo's own. Below its lowest level it is NaN with the flag `low_resolution`; above its finest
level it repeats the value found there, because more pixels add nothing to it. `sem` is NaN with
the flag `no_sem` until the precision model exists. "Better" is the direction of improvement;
"neither" describes the skin or the light without judging it.
"""


def _levels(item: Metric) -> str:
    if item.finest_level_px_mm == item.lowest_level_px_mm:
        return f"{item.lowest_level_px_mm:g} px/mm"
    return f"{item.lowest_level_px_mm:g} to {item.finest_level_px_mm:g} px/mm"


def _section(item: Metric) -> str:
    titles = ", ".join(f"`{group}`" for group in item.groups)
    rows = [
        f"- **unit**: {item.unit or 'none (pure number)'}",
        f"- **better**: {_BETTER[item.better.value]}",
        f"- **concern**: {item.concern.value.replace('_', ' ')}",
        f"- **levels**: {_levels(item)}",
        f"- **regions**: {titles}",
        f"- **source**: {item.source}",
    ]
    if item.flags:
        rows.append(f"- **always flagged**: `{flag_names(item.flags)}`")
    return f"### {item.title} (`{item.name}`)\n\n{item.description}\n\n" + "\n".join(rows) + "\n"


def page() -> str:
    """Return the text of docs/metrics.md."""
    parts = [_HEAD.format(levels=", ".join(f"{level:g}" for level in LEVELS_PX_MM))]
    # Sorted, because the order of registration depends on what was imported first.
    for family, members in sorted(by_family()):
        parts.append(f"## {family.capitalize()}\n")
        parts += [_section(item) for item in members]
    parts.append("## Regions\n\n| group | what |\n| --- | --- |")
    for group, members in groups().items():
        sides = "left and right" if len(members) > 1 else "midline"
        title = members[0].title.removesuffix(" (right)")
        within = f", part of `{members[0].part_of}`" if members[0].part_of else ""
        parts[-1] += f"\n| `{group}` | {title}, {sides}{within} |"
    parts[-1] += "\n"
    parts.append("## Flags\n\n| flag | meaning |\n| --- | --- |")
    for flag, sentence in SENTENCES.items():
        parts[-1] += f"\n| `{flag_names(flag)}` | {sentence} |"
    parts[-1] += "\n"
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` compare it; return the exit code."""
    text = page()
    if arguments == ["--check"]:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        return int(current != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
