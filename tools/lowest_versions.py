"""Try the lowest versions of the dependencies that pyproject.toml allows.

Usage: python tools/lowest_versions.py [--keep DIR] [TESTS ...]

Makes an environment of its own, installs the lowest allowed version of every direct dependency
(their own dependencies as new as may be), runs tests there (by default those that touch most of
the libraries and need no browser), and scores the sample course. Needs uv on the PATH
(``pip install uv`` in any environment). A bound is right when this ends with "the lowest versions
work", and wrong when it does not: raise it in pyproject.toml and docs/dependencies.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = [
    f"tests/test_{name}.py"
    for name in (
        "photo",
        "colour",
        "landmarks",
        "facemap",
        "golden_tables",
        "store_database",
        "store_migrations",
        "accounts_passwords",
        "accounts_oidc",
        "guide",
        "plots",
        "report_pdf",
        "stores",
        "archive",
        "cluster",
        "app",
        "forgetting",
    )
]


def main() -> None:
    """Install, test, score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the environment here")
    parser.add_argument("tests", nargs="*", default=TESTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skinscan-lowest-") as scratch:
        home = options.keep or Path(scratch, "environment")
        failed = tried(home, Path(scratch), options.tests)
    print(f"failed: {', '.join(failed)}" if failed else "the lowest versions work")
    sys.exit(bool(failed))


def tried(home: Path, scratch: Path, tests: list[str]) -> list[str]:
    """Run the steps; the names of those that failed."""
    python = str(home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    if not home.exists():
        subprocess.run(["uv", "venv", "-q", "--python", "3.11", home], check=True)  # noqa: S607
    install = ["uv", "pip", "install", "-q", "--python", python, "--resolution", "lowest-direct"]
    subprocess.run([*install, "-e", f"{ROOT}[test]"], check=True)
    steps = {
        "tests": ["-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *tests],
        "score": ["-m", "skinscan", "score", "sample_images", "-o", str(scratch / "scores.csv")],
    }
    return [
        name
        for name, arguments in steps.items()
        if subprocess.run([python, *arguments], cwd=ROOT, check=False).returncode
    ]


if __name__ == "__main__":
    main()
