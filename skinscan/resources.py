"""Where the files that travel with the package are, installed or in a checkout."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from skinscan.errors import ModelError

_PACKAGE = Path(__file__).resolve().parent


def _locate(name: str) -> Path:
    """Find a bundled file or folder: in the wheel, else at the checkout's top."""
    packaged = _PACKAGE / "_bundled" / name
    return packaged if packaged.exists() else _PACKAGE.parent / name


def models_dir() -> Path:
    """Folder of the landmark model and its manifest."""
    return _locate("models")


def precision_path() -> Path:
    """File of the precision model (``benchmarks/precision.py`` makes it)."""
    return models_dir() / "precision.json"


def sample_course_dir() -> Path:
    """Folder of the sample course (phantom photos and ``truth.json``)."""
    return _locate("sample_images")


def app_path() -> Path:
    """Script that Streamlit runs."""
    return _locate("app.py")


def font_path(style: str) -> Path:
    """TrueType font of printed pages: ``Regular`` or ``Bold``."""
    return _PACKAGE / "assets" / "fonts" / f"Lato-{style}.ttf"


@cache
def landmark_model_bytes() -> bytes:
    """Read the face landmark model and verify it against the manifest.

    Returns
    -------
    bytes
        Content of ``face_landmarker.task``.

    Raises
    ------
    ModelError
        If the file is absent or its SHA-256 differs from ``models/manifest.json``.
    """
    folder = models_dir()
    name = "face_landmarker.task"
    remedy = "Install skinscan again; do not replace the model file by hand"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        wanted = str(manifest["files"][name]["sha256"])
        data = (folder / name).read_bytes()
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            expected=f"{name} and manifest.json in the models folder",
            found=type(error).__name__,
            remedy=remedy,
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != wanted:
        raise ModelError(
            expected=f"{name} with SHA-256 {wanted[:12]}…",
            found=f"{digest[:12]}…",
            remedy=remedy,
        )
    return data
