"""Write docs/capture.md from the rules in skinscan.quality, so that no check goes undocumented.

Run ``python tools/capture_docs.py`` after a check was added or changed;
``--check`` only compares, and exits with 1 when the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from skinscan.flags import flag_names
from skinscan.quality import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "capture.md"

_HEAD = """\
# The capture check

<!-- Written by tools/capture_docs.py from skinscan/quality.py; edit the rules, not this page. -->

Light, distance and expression change more between two photos than skin does. Each photo is
therefore checked before it is believed. A verdict is `good`, `acceptable` or `poor`; a poor one
puts a flag on every measurement of the photo. The limits are first settings by reasoning; measured
nuisance curves will replace them.

| check | what | unit | good | acceptable | flag when poor | what to do |
| --- | --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page's text."""
    rows = []
    for name, rule in RULES.items():
        relation = "≥" if rule.higher_is_better else "≤"
        rows.append(
            f"| `{name}` | {rule.title} | {rule.unit or '–'} | {relation} {rule.good:g} "
            f"| {relation} {rule.acceptable:g} | {flag_names(rule.flag) or '–'} | {rule.do} |"
        )
    return _HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
