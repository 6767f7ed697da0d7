"""analyze(): photo -> Scan. The one orchestration of everything above it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinscan.conditions import conditions_from_dict, conditions_to_dict
from skinscan.durable import write_private
from skinscan.errors import OutputError, ScanFileError, SkinscanError, UnknownNameError
from skinscan.facemap import FaceMap, rectify
from skinscan.flags import Flag, flag_names, parse_flags
from skinscan.frame import LEVELS_PX_MM
from skinscan.landmarks import Face, FaceFinder, FaceOptions, Pose, View, find_face
from skinscan.metrics import METRICS_VERSION, Measurement, Wrinkle, measure, metric
from skinscan.overlay import draw_overlay
from skinscan.photo import Photo, PhotoFile, PhotoLimits, Reduction, Source, open_photo
from skinscan.precision import standard_error
from skinscan.quality import Check, Grade, Quality, assess
from skinscan.shape import ScaleSource, measure_shape

if TYPE_CHECKING:
    import pandas as pd

#: Version of the saved form; another one is refused.
SCAN_FORMAT = 3

#: Columns of every long table, in order.
TABLE_COLUMNS = (
    "photo",
    "view",
    "metric",
    "region",
    "level_px_mm",
    "value",
    "unit",
    "sem",
    "flags",
)

#: Reduction at which landmarks are searched; their model sees 256 px a side anyway.
_SEARCH_REDUCTION: Reduction = 4
#: A photo is not reduced for the search below this longest side.
_SEARCH_SIDE_PX = 700

Row = tuple[str, str, str, str, float, float, str, float, str]


@dataclass(frozen=True, eq=False)
class Pixels:
    """What a Scan keeps in memory to draw its overlay; never saved."""

    photo: Photo
    facemap: FaceMap


@dataclass(frozen=True, eq=False)
class Scan:
    """All that was measured in one photo.

    Attributes
    ----------
    name : str
        Label in the table's column ``photo``.
    sha256 : str
        Of the source bytes: tells photos apart without keeping them.
    view : View
    captured_at : datetime or None
    camera, lens : str or None
    photo_size_px : tuple of int
        Width and height of the full-size oriented photo.
    resolution_px_mm : float
        Pixels per canonical mm.
    levels : tuple of float
        Levels measured, ascending.
    face : Face
    scale_source : ScaleSource
        What the mm of lift were taken from.
    quality : Quality
    wrinkles : tuple of Wrinkle
        Lines found at the highest level, strongest first.
    measurements : tuple of Measurement
    skinscan_version : str
    metrics_version : int
        `skinscan.metrics.METRICS_VERSION` of the skinscan that measured.
    pixels : Pixels or None
        Present after `analyze`, absent after `load_scan`.
    """

    name: str
    sha256: str
    view: View
    captured_at: datetime | None
    camera: str | None
    lens: str | None
    photo_size_px: tuple[int, int]
    resolution_px_mm: float
    levels: tuple[float, ...]
    face: Face
    scale_source: ScaleSource
    quality: Quality
    wrinkles: tuple[Wrinkle, ...]
    measurements: tuple[Measurement, ...]
    skinscan_version: str
    metrics_version: int
    pixels: Pixels | None = field(default=None, repr=False)

    def rows(self, *, levels: str = "highest") -> Iterator[Row]:
        """Yield table rows in the order of `TABLE_COLUMNS`.

        Parameters
        ----------
        levels : {"highest", "all"}
            Only the highest level measured, or every level.
        """
        if levels not in {"highest", "all"}:
            raise UnknownNameError(
                expected='levels="highest" or levels="all"',
                found=repr(levels),
                remedy="Use one of the two",
            )
        top = max(self.levels)
        for m in self.measurements:
            if levels == "all" or m.level_px_mm == top:
                yield (
                    self.name,
                    self.view.value,
                    m.metric,
                    m.region,
                    m.level_px_mm,
                    m.value,
                    metric(m.metric).unit,
                    m.sem,
                    flag_names(m.flags),
                )

    def table(self, *, levels: str = "highest") -> pd.DataFrame:
        """Return the measurements as a long table.

        Parameters
        ----------
        levels : {"highest", "all"}
            Only the highest level measured, or every level.

        Returns
        -------
        pandas.DataFrame
            Columns ``photo, view, metric, region, level_px_mm, value, unit, sem, flags``;
            flags are lower-case names joined by ``|``.
        """
        import pandas as pd  # noqa: PLC0415 - scoring one photo needs no pandas

        return pd.DataFrame(list(self.rows(levels=levels)), columns=list(TABLE_COLUMNS))

    def draw(
        self,
        source: Source | Photo | None = None,
        *,
        mesh: bool = False,
        regions: bool = True,
        lines: bool = True,
    ) -> NDArray[np.uint8]:
        """Draw what was measured on the photo.

        Parameters
        ----------
        source : Source or Photo, optional
            The photo; needed only for a Scan that was loaded from a file.
        mesh, regions, lines : bool
            What to draw.

        Returns
        -------
        ndarray of uint8, shape (H, W, 3)
            sRGB, longest side at most 1600 px.

        Raises
        ------
        ScanFileError
            A loaded Scan without ``source``, or with another photo.
        """
        if source is not None:
            photo = source if isinstance(source, Photo) else open_photo(source).decode()
            if photo.sha256 != self.sha256:
                raise ScanFileError(
                    expected="the photo that this scan was made from",
                    found="another photo",
                    remedy="Give the original file, not an edited or re-saved one",
                )
            kept = Pixels(photo, rectify(photo, self.face, levels=LEVELS_PX_MM[:1]))
        elif self.pixels is not None:
            kept = self.pixels
        else:
            raise ScanFileError(
                expected="the photo, because a saved scan holds no pixels",
                found="none",
                remedy="Call draw(photo)",
            )
        return draw_overlay(
            kept.photo,
            self.face,
            kept.facemap,
            self.wrinkles,
            mesh=mesh,
            outlines=regions,
            lines=lines,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save as JSON, without pixels; an existing file is replaced whole or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        text = scan_to_json(self)
        try:
            write_private(Path(path), text.encode())
        except OSError as error:
            raise OutputError(
                expected="a folder that can be written to",
                found=(error.strerror or type(error).__name__).lower(),
                remedy="Choose another folder, or free some space",
            ) from error


@cache
def _version() -> str:
    return metadata.version("skinscan")


def _decode(file: PhotoFile, face: Face) -> Photo:
    """Decode at the smallest size that still resolves the highest level the photo has."""
    spare = face.scale_mesh_px_mm / max(LEVELS_PX_MM)
    reduction: Reduction = 4 if spare >= 4 else 2 if spare >= 2 else 1
    return file.decode(reduction=reduction)


def analyze(
    source: Source | Photo | PhotoFile,
    *,
    name: str | None = None,
    largest_face: bool = False,
    view: View | None = None,
    scale_source: ScaleSource = ScaleSource.MESH,
    limits: PhotoLimits | None = None,
    finder: FaceFinder | None = None,
) -> Scan:
    """Measure the face in one photo.

    Parameters
    ----------
    source : path, bytes, file object, PIL image, RGB array, Photo or PhotoFile
        The photo.
    name : str, optional
        Label in tables; by default the file's name where ``source`` is a path, else empty.
        Written nowhere but in tables and saved scans.
    largest_face : bool
        Take the largest of several faces instead of raising.
    view : View, optional
        Which view was meant; recognised from the yaw by default.
    scale_source : ScaleSource
        What the mm of lift are taken from: choose once per client, keep for the whole course.
    limits : PhotoLimits, optional
        Limits of size and shape.
    finder : FaceFinder, optional
        Landmark model; the process's own by default.

    Returns
    -------
    Scan

    Raises
    ------
    PhotoError
        The source is not a usable picture; the subclass tells the cause.
    FaceError
        No face, several faces, or a face too small.

    Examples
    --------
    >>> import skinscan
    >>> scan = skinscan.analyze("2026-03-03_front.jpg")  # doctest: +SKIP
    >>> scan.table().query("metric == 'wrinkles.severity'")  # doctest: +SKIP
    """
    if name is None:
        name = Path(source).name if isinstance(source, str | os.PathLike) else ""
    options = FaceOptions(largest=largest_face)
    if isinstance(source, Photo):
        photo = source
        face = find_face(photo, options=options, finder=finder)
    else:
        file = source if isinstance(source, PhotoFile) else open_photo(source, limits=limits)
        large = max(file.full_size_px) >= _SEARCH_REDUCTION * _SEARCH_SIDE_PX
        first = file.decode(reduction=_SEARCH_REDUCTION) if large else file.decode()
        face = find_face(first, options=options, finder=finder)
        photo = _decode(file, face) if large else first
    view = view or face.view
    facemap = rectify(photo, face)
    quality = assess(photo, face, facemap, view=view)
    shape = measure_shape(photo, face, scale_source=scale_source)
    numbers, wrinkles = measure(
        facemap, shape, view=view, photo_flags=quality.flags, error_of=standard_error
    )
    return Scan(
        name=name,
        sha256=photo.sha256,
        view=view,
        captured_at=photo.captured_at,
        camera=photo.camera,
        lens=photo.lens,
        photo_size_px=photo.full_size_px,
        resolution_px_mm=facemap.resolution_px_mm,
        levels=tuple(sorted(facemap.layers)),
        face=face,
        scale_source=scale_source,
        quality=quality,
        wrinkles=wrinkles,
        measurements=numbers,
        skinscan_version=_version(),
        metrics_version=METRICS_VERSION,
        pixels=Pixels(photo, facemap),
    )


def _number(value: float) -> float | str:
    """Keep what JSON has no number for."""
    return value if math.isfinite(value) else repr(value)


def _to_json(scan: Scan) -> dict[str, Any]:
    face = scan.face
    return {
        "format": SCAN_FORMAT,
        "skinscan_version": scan.skinscan_version,
        "metrics_version": scan.metrics_version,
        "name": scan.name,
        "sha256": scan.sha256,
        "view": scan.view.value,
        "captured_at": scan.captured_at.isoformat() if scan.captured_at else None,
        "camera": scan.camera,
        "lens": scan.lens,
        "photo_size_px": list(scan.photo_size_px),
        "resolution_px_mm": scan.resolution_px_mm,
        "levels": list(scan.levels),
        "scale_source": scan.scale_source.value,
        "face": {
            "landmarks_px": face.landmarks_px.tolist(),
            "depth_px": face.depth_px.tolist(),
            "pose": asdict(face.pose),
            "rotation": face.rotation.tolist(),
            "expression": dict(face.expression),
            "scale_iris_px_mm": face.scale_iris_px_mm,
            "scale_mesh_px_mm": face.scale_mesh_px_mm,
            "faces_in_photo": face.faces_in_photo,
        },
        "quality": {
            "checks": [
                {**asdict(c), "value": _number(c.value), "verdict": c.verdict.value}
                for c in scan.quality.checks
            ],
            "view": scan.quality.view.value,
            "conditions": conditions_to_dict(scan.quality.conditions),
            "flags": flag_names(scan.quality.flags),
        },
        "wrinkles": [
            {
                "points_px": w.points_px.tolist(),
                "points_mm": w.points_mm.tolist(),
                "region": w.region,
                "length_mm": w.length_mm,
                "contrast_pct": w.contrast_pct,
                "width_mm": w.width_mm,
                "certainty": w.certainty,
            }
            for w in scan.wrinkles
        ],
        "measurements": [
            [
                m.metric,
                m.region,
                m.level_px_mm,
                _number(m.value),
                _number(m.sem),
                int(m.flags),
                _number(m.sem_day),
            ]
            for m in scan.measurements
        ],
    }


def _from_json(data: Mapping[str, Any]) -> Scan:
    face = data["face"]
    rotation = np.array(face["rotation"], dtype=np.float64)
    quality = data["quality"]
    return Scan(
        name=data["name"],
        sha256=data["sha256"],
        view=View(data["view"]),
        captured_at=datetime.fromisoformat(data["captured_at"]) if data["captured_at"] else None,
        camera=data["camera"],
        lens=data["lens"],
        photo_size_px=(int(data["photo_size_px"][0]), int(data["photo_size_px"][1])),
        resolution_px_mm=float(data["resolution_px_mm"]),
        levels=tuple(float(v) for v in data["levels"]),
        face=Face(
            landmarks_px=np.array(face["landmarks_px"], dtype=np.float64),
            depth_px=np.array(face["depth_px"], dtype=np.float64),
            pose=Pose(**face["pose"]),
            rotation=rotation,
            expression=MappingProxyType(dict(face["expression"])),
            scale_iris_px_mm=float(face["scale_iris_px_mm"]),
            scale_mesh_px_mm=float(face["scale_mesh_px_mm"]),
            faces_in_photo=int(face["faces_in_photo"]),
        ),
        scale_source=ScaleSource(data["scale_source"]),
        quality=Quality(
            checks=tuple(
                Check(**{**c, "value": float(c["value"]), "verdict": Grade(c["verdict"])})
                for c in quality["checks"]
            ),
            view=View(quality["view"]),
            conditions=conditions_from_dict(quality["conditions"]),
            flags=parse_flags(quality["flags"]),
        ),
        wrinkles=tuple(
            Wrinkle(
                points_px=np.array(w["points_px"], dtype=np.float64),
                points_mm=np.array(w["points_mm"], dtype=np.float64),
                region=w["region"],
                length_mm=float(w["length_mm"]),
                contrast_pct=float(w["contrast_pct"]),
                width_mm=float(w["width_mm"]),
                certainty=float(w["certainty"]),
            )
            for w in data["wrinkles"]
        ),
        measurements=tuple(
            Measurement(
                metric=m[0],
                region=m[1],
                level_px_mm=float(m[2]),
                value=float(m[3]),
                sem=float(m[4]),
                sem_day=float(m[6]),
                flags=Flag(int(m[5])),
            )
            for m in data["measurements"]
        ),
        skinscan_version=data["skinscan_version"],
        metrics_version=int(data["metrics_version"]),
    )


def scan_to_json(scan: Scan) -> str:
    """Write a Scan as JSON, without pixels."""
    return json.dumps(_to_json(scan), allow_nan=False, separators=(",", ":"))


def scan_from_json(text: str) -> Scan:
    """Read what `scan_to_json` wrote.

    Raises
    ------
    ScanFileError
        It is no scan, or was written in another format.
    """
    try:
        data = json.loads(text)
        written = data["format"]
        if written == SCAN_FORMAT:
            return _from_json(data)
    except SkinscanError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise _no_scan(error) from None
    raise ScanFileError(
        expected=f"a scan of format {SCAN_FORMAT}",
        found=f"format {written!r}",
        remedy="Score the photo again with this version of skinscan",
    )


def load_scan(path: str | os.PathLike[str]) -> Scan:
    """Load a Scan saved by `Scan.save`.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Scan
        Equal to the saved one in every measurement; without pixels.

    Raises
    ------
    ScanFileError
        If the file cannot be read, is no scan, or was written in another format.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _no_scan(error) from None
    return scan_from_json(text)


def _no_scan(error: Exception) -> ScanFileError:
    return ScanFileError(
        expected="a file written by Scan.save",
        found=type(error).__name__,
        remedy="Score the photo again",
    )
