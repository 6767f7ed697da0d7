"""Phantoms shared by the tests: each scene is rendered once, each photo of it measured once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import skinscan
from skinscan.landmarks import Face, find_face
from skinscan.phantom import Capture, FaceTruth, Person, default_wrinkles
from skinscan.phantom.camera import expose
from skinscan.phantom.render import scene_light
from skinscan.photo import load_photo
from skinscan.scan import Scan

# No test depends on how busy the machine is.
settings.register_profile("skinscan", deadline=None)
settings.load_profile("skinscan")

SHARED_PHOTOS = Path(__file__).resolve().parent.parent.parent / "shared" / "photos"

#: What the camera does after the light has reached the sensor: no new rendering is needed.
CAMERA = {
    name: getattr(Capture(), name)
    for name in (
        "light_temperature_k",
        "white_balance_k",
        "tint",
        "exposure_ev",
        "blur_px",
        "iso_noise",
        "denoise",
        "sharpen",
        "contrast",
        "jpeg_quality",
        "seed",
    )
}


@dataclass(eq=False)
class Studio:
    """Renders, photographs and measures phantoms, and remembers what it has done."""

    scenes: dict = field(default_factory=dict)
    scans: dict = field(default_factory=dict)
    faces: dict = field(default_factory=dict)

    def shoot(self, truth: FaceTruth, capture: Capture) -> np.ndarray:
        """Photograph a phantom, sRGB (H, W, 3)."""
        key = truth, replace(capture, **CAMERA)
        if key not in self.scenes:
            self.scenes[key] = scene_light(*key)
        return expose(self.scenes[key], capture)

    def scan(self, truth: FaceTruth, capture: Capture) -> Scan:
        """Analyse a phantom's photo."""
        key = truth, capture
        if key not in self.scans:
            self.scans[key] = skinscan.analyze(self.shoot(truth, capture))
        return self.scans[key]

    def face(self, truth: FaceTruth, capture: Capture) -> Face:
        """Landmarks of a phantom's photo."""
        key = truth, capture
        if key in self.scans:
            return self.scans[key].face
        if key not in self.faces:
            self.faces[key] = find_face(load_photo(self.shoot(truth, capture)))
        return self.faces[key]


@pytest.fixture(scope="session")
def studio():
    """The one studio of this test run."""
    return Studio()


@pytest.fixture(scope="session")
def lined():
    """A phantom of about 50 years, with lines everywhere."""
    return FaceTruth(person=Person(seed=5), wrinkles=default_wrinkles(5))


@pytest.fixture(scope="session")
def plain(lined):
    """The same person without a line; pores, relief and mottling as usual."""
    return replace(lined, wrinkles=())


@pytest.fixture(scope="session")
def near():
    """A capture with levels up to 6 px/mm."""
    return Capture.at_scale(5.3)


@pytest.fixture(scope="session")
def middle():
    """A capture with levels up to 4.5 px/mm, the one on which lines are traced."""
    return Capture.at_scale(4.2)


@pytest.fixture(scope="session")
def far():
    """A capture with levels up to 3 px/mm: quick to render."""
    return Capture.at_scale(3.0)


@pytest.fixture(scope="session")
def quick():
    """A capture with level 2 px/mm only, which colour and quality need."""
    return Capture.at_scale(2.2)


@pytest.fixture(scope="session")
def tiny():
    """A capture for landmarks only: quickest of all."""
    return Capture.at_scale(1.6)


@pytest.fixture(scope="session")
def portrait(studio, lined, near):
    """The Scan of the lined phantom from near."""
    return studio.scan(lined, near)


@pytest.fixture(scope="session")
def shared_photos():
    """Folder of the development photographs, which are no part of the project."""
    if not SHARED_PHOTOS.is_dir():
        pytest.skip("the development photographs are not beside this checkout (../shared/photos)")
    return SHARED_PHOTOS


@pytest.fixture(scope="session")
def app_test():
    """Streamlit's AppTest, which would look through all installed packages for each page."""
    from functools import cache

    from streamlit.components.v2 import manifest_scanner
    from streamlit.testing.v1 import AppTest

    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield AppTest


@pytest.fixture(scope="session")
def postgresql_server():
    """Address of a PostgreSQL server that runs as long as the tests; skips where there is none."""
    from made_postgres import server

    with server() as address:
        yield address


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'data' / 'records.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, sqlite_url):
    """Address of a database of either kind: no file yet, or a database without tables."""
    from made_store import new_postgresql

    if request.param == "sqlite":
        return sqlite_url
    return new_postgresql(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def empty_database(database_url):
    """A database of either kind without tables."""
    from skinscan.store.database import open_database

    create = database_url.startswith("sqlite")
    database = open_database(database_url, create=create, busy_timeout_s=2)
    yield database
    database.close()


@pytest.fixture
def database(database_url):
    """A database of either kind with the tables of the records, without rows."""
    from made_store import with_tables

    database = with_tables(database_url, busy_timeout_s=2)
    yield database
    database.close()


@pytest.fixture
def office(sqlite_url):
    """A practice without users, on SQLite."""
    from made_accounts import an_office

    made = an_office(sqlite_url)
    yield made
    made.database.close()
