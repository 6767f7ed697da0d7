"""The project around the code: dependencies, licences, documents, what is committed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import skinscan
from skinscan import resources
from skinscan.errors import ModelError

ROOT = Path(__file__).resolve().parent.parent
SHARED_PHOTOS = ROOT.parent / "shared" / "photos"
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"}
MAX_FILE_BYTES = 10_000_000
MAX_COURSE_BYTES = 8_000_000

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def direct_dependencies():
    """Every direct dependency as written, without the package's own extras."""
    written = list(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        written += extra
    return [text for text in written if Requirement(text).name != PROJECT["name"]]


def files_of_the_project():
    """What is or would be committed: tracked files and new ones that git does not ignore."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file()]


def run_python(code, *options):
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# Dependencies


@pytest.mark.parametrize("text", direct_dependencies())
def test_a_direct_dependency_is_documented_bounded_licensed_and_locked(text):
    requirement = Requirement(text)
    name = requirement.name
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    bounds = text.removeprefix(name + extras)

    operators = {specifier.operator for specifier in requirement.specifier}
    assert operators == {">=", "<"}, f"{name} needs a lower and an upper bound"

    row = rf"^\| {re.escape(name)} \| `{re.escape(bounds)}` \| \S.* \| \S.* \|$"
    assert re.search(row, read("docs/dependencies.md"), re.MULTILINE), (
        f"docs/dependencies.md has no row for {text} with these bounds and the reasons"
    )
    assert re.search(
        rf"^\| {re.escape(name)} \| \S", read("THIRD_PARTY_LICENSES.md"), re.MULTILINE
    ), f"THIRD_PARTY_LICENSES.md does not name {name}"

    locked = [
        Requirement(line)
        for line in read("requirements-dev.lock").splitlines()
        if re.match(r"\w", line)
    ]
    versions = [
        next(iter(pin.specifier)).version
        for pin in locked
        if canonicalize_name(pin.name) == canonicalize_name(name)
    ]
    assert versions, f"requirements-dev.lock does not hold {name}: refresh it (CONTRIBUTING.md)"
    assert all(requirement.specifier.contains(version) for version in versions)


def test_documents_name_no_dependency_that_is_gone():
    rows = re.findall(r"^\| ([\w-]+) \| `[^`]+` \|", read("docs/dependencies.md"), re.MULTILINE)
    assert set(rows) == {Requirement(text).name for text in direct_dependencies()}


def test_the_lock_names_no_host():
    assert "://" not in read("requirements-dev.lock")


def test_exactly_one_package_provides_cv2_and_it_is_headless():
    providers = {
        distribution.name
        for distribution in importlib.metadata.distributions()
        if (distribution.name or "").lower().replace("_", "-").startswith("opencv-")
    }
    assert providers == {"opencv-python-headless"}
    owners = importlib.metadata.packages_distributions()["cv2"]
    assert set(owners) == {"opencv-python-headless"}


def test_mediapipe_is_a_release_without_usage_logging():
    version = Version(importlib.metadata.version("mediapipe"))
    assert Version("0.10.30") <= version < Version("0.10.32")


# Importing


def test_import_is_clean_with_warnings_as_errors():
    result = run_python("import skinscan", "-W", "error")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_import_is_lazy():
    heavy = [
        "altair",
        "cv2",
        "mediapipe",
        "numpy",
        "pandas",
        "PIL",
        "pyarrow",
        "rich",
        "scipy",
        "skimage",
        "streamlit",
        "typer",
    ]
    result = run_python(
        f"import skinscan, sys; print(*[m for m in {heavy} if m in sys.modules])",
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


# The model


def test_the_model_is_the_one_in_the_manifest():
    folder = resources.models_dir()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]
    for name, entry in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert len(data) == entry["size_bytes"]
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert name in read("THIRD_PARTY_LICENSES.md")
        assert name in read("NOTICE")


def copy_models(to):
    for source in resources.models_dir().iterdir():
        (to / source.name).write_bytes(source.read_bytes())


def flip_one_bit(folder):
    model = folder / "face_landmarker.task"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(flip_one_bit, id="one bit flipped"),
        pytest.param(lambda d: (d / "face_landmarker.task").write_bytes(b""), id="empty model"),
        pytest.param(lambda d: (d / "face_landmarker.task").unlink(), id="no model"),
        pytest.param(lambda d: (d / "manifest.json").unlink(), id="no manifest"),
        pytest.param(lambda d: (d / "manifest.json").write_text("{"), id="broken manifest"),
        pytest.param(lambda d: (d / "manifest.json").write_text("{}"), id="empty manifest"),
    ],
)
def test_a_tampered_model_is_refused(damage, tmp_path, monkeypatch):
    copy_models(tmp_path)
    damage(tmp_path)
    monkeypatch.setattr(resources, "models_dir", lambda: tmp_path)
    load = resources.landmark_model_bytes.__wrapped__  # past the cache of the intact model
    with pytest.raises(ModelError) as caught:
        load()
    assert str(tmp_path) not in str(caught.value)


# Documents


def test_the_version_is_the_same_everywhere():
    version = PROJECT["version"]
    assert skinscan.__version__ == version
    assert importlib.metadata.version("skinscan") == version
    assert f"\nversion: {version}\n" in read("CITATION.cff")


def readme_command(name):
    marked = re.findall(
        rf"^<!-- command: {name} -->\n```sh\n(.+)\n```$", read("README.md"), re.MULTILINE
    )
    assert len(marked) == 1, (
        f"README.md needs one single-line block after '<!-- command: {name} -->'"
    )
    return marked[0]


@pytest.mark.parametrize(
    ("name", "last"), [("demo", "/skinscan demo"), ("test", "/python -m pytest")]
)
def test_the_readme_has_both_commands_and_each_makes_its_environment(name, last):
    make, install, run = readme_command(name).split(" && ")
    assert make.startswith("python3 -m venv ")
    environment = make.split()[-1]
    assert install.startswith(f"{environment}/bin/pip install ")
    assert run == f"{environment}/bin{last}"


def test_the_test_command_needs_only_the_extra_test():
    assert "'.[test]'" in readme_command("test")


def test_the_changelog_has_an_unreleased_section():
    section = read("CHANGELOG.md").split("\n## [Unreleased]\n")[1].split("\n## [")[0]
    assert re.search(r"^- \S", section, re.MULTILINE)


def test_the_licence_is_apache():
    text = read("LICENSE")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["license"] == "Apache-2.0"


def test_links_between_documents_lead_somewhere():
    pages = [path for path in files_of_the_project() if path.suffix == ".md"]
    link = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in link.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert pages
    assert broken == []


def test_commands_that_documents_name_exist():
    pages = [path for path in files_of_the_project() if path.suffix == ".md"]
    named = {
        (str(page.relative_to(ROOT)), script)
        for page in pages
        for script in re.findall(
            r"\b(?:benchmarks|tools)/\w+\.py\b", page.read_text(encoding="utf-8")
        )
    }
    assert named
    assert sorted(each for each in named if not (ROOT / each[1]).is_file()) == []


# What is committed


def test_no_file_is_large():
    large = [
        str(p.relative_to(ROOT))
        for p in files_of_the_project()
        if p.stat().st_size > MAX_FILE_BYTES
    ]
    assert large == []


def sample_pictures():
    folder = ROOT / "sample_images"
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURE_SUFFIXES]


def test_the_sample_course_is_phantoms_with_known_truth():
    pictures = sample_pictures()
    assert len(pictures) >= 8
    truth = read("sample_images/truth.json")
    unknown = [path.name for path in pictures if f'"{path.name}"' not in truth]
    assert unknown == []
    assert sum(path.stat().st_size for path in pictures) < MAX_COURSE_BYTES


def test_pictures_lie_only_in_the_sample_course_and_the_docs():
    stray = [
        str(path.relative_to(ROOT))
        for path in files_of_the_project()
        if path.suffix.lower() in PICTURE_SUFFIXES
        and path.relative_to(ROOT).parts[0] not in {"sample_images", "docs"}
    ]
    assert stray == []


@pytest.mark.photos
def test_no_development_photograph_is_committed():
    if not SHARED_PHOTOS.is_dir():
        pytest.skip("../shared/photos is absent")
    photos = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in SHARED_PHOTOS.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES
    }
    copied = [
        str(path.relative_to(ROOT))
        for path in files_of_the_project()
        if hashlib.sha256(path.read_bytes()).hexdigest() in photos
    ]
    assert photos
    assert copied == []


HISTORY = """
import json, sys
from pathlib import Path

home = Path(sys.argv[1])
settings = json.loads((home / "asv.conf.json").read_text())
sys.path.insert(0, str(home / settings["benchmark_dir"]))
import photo

photo.REPEATS = 1
measured = photo.Photo()
measured.setup()
measured.peakmem_analysis()
print(measured.track_analysis() > 1.0, measured.track_first_result() > 1.0)
"""


def test_the_history_of_speed_can_be_measured():
    done = subprocess.run(
        [sys.executable, "-c", HISTORY, str(ROOT / "benchmarks" / "history")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True True\n"
