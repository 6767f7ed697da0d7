"""What building and loading the compiled loops must agree on; needs the standard library only."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Final

#: What a library is built for: any processor of its kind, or one with AVX2 and FMA.
BASELINE: Final = "baseline"
AVX2: Final = "avx2"


def library_name(build: str) -> str:
    """Name of the file that holds the loops built for ``build``."""
    return f"loops_{build}{'.dylib' if sys.platform == 'darwin' else '.so'}"


def sources(folder: Path) -> list[Path]:
    """C files and headers, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix in {".c", ".h"})


def digest(folder: Path) -> str:
    """Tell sources apart: a library is used only with the sources that it was made from."""
    whole = hashlib.sha256()
    for path in sources(folder):
        # Line ends may differ between a checkout and an archive.
        whole.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return whole.hexdigest()[:16]
