"""One photo to its rows, or to the reason why there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from skinscan.batch.files import output_error, written_whole
from skinscan.batch.sources import OVERLAY_SUFFIX
from skinscan.batch.storage import fetch, is_url
from skinscan.errors import (
    MissingExtraError,
    ModelError,
    OutputError,
    SkinscanError,
    StorageError,
    WorkerError,
)

if TYPE_CHECKING:
    from skinscan.scan import Scan

Levels: TypeAlias = Literal["highest", "all"]
#: What became of a photo: measured; not measurable, or not to be had; or a danger to workers.
State: TypeAlias = Literal["scored", "failed", "quarantined"]

#: metric, region, level_px_mm, value, unit, sem, flags
Row: TypeAlias = tuple[str, str, float, float, str, float, str]

_OVERLAY_QUALITY = 88


@dataclass(frozen=True, slots=True)
class Task:
    """A photo to measure: its name in the table, and its path or address in a store."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photo.

    Attributes
    ----------
    photo : str
        Name in the table.
    view : str
        ``front``, ``left`` or ``right``; empty for a photo that failed.
    rows : tuple of Row
        Empty for a photo that failed.
    error : str
        ``cause: sentence``; empty for a photo that was measured.
    """

    photo: str
    view: str = ""
    rows: tuple[Row, ...] = ()
    error: str = ""

    @property
    def cause(self) -> str:
        """Identifier of the cause of failure; empty for a photo that was measured."""
        return self.error.partition(":")[0]

    @property
    def state(self) -> State:
        """Scored, failed or quarantined."""
        return state_of(self.cause)

    @property
    def settled(self) -> bool:
        """False for a photo that could not be had: nothing is known about it."""
        return self.cause != StorageError.cause


def state_of(cause: str) -> State:
    """Tell what became of a photo from the cause of its failure, empty if there was none."""
    if not cause:
        return "scored"
    return "quarantined" if cause == WorkerError.cause else "failed"


#: What an engine runs. It must be picklable, and raise only what concerns every photo.
Job: TypeAlias = Callable[[Task], Outcome]


def failed(task: Task, error: SkinscanError) -> Outcome:
    """Make the outcome of a photo that could not be measured."""
    return Outcome(task.name, error=f"{error.cause}: {error}")


@dataclass(frozen=True, slots=True)
class MeasurePhoto:
    """Measure photos, all with the same options.

    Attributes
    ----------
    levels : {"highest", "all"}
        Resolution levels to keep.
    largest_face : bool
        Take the largest of several faces instead of failing.
    overlays : str or None
        Folder for one overlay picture per photo.
    """

    levels: Levels = "highest"
    largest_face: bool = False
    overlays: str | None = None

    def __call__(self, task: Task) -> Outcome:
        """Measure one photo; whatever is wrong with it becomes part of the outcome.

        Raises
        ------
        ModelError
            If the landmark model cannot be used: no photo can then be measured.
        MissingExtraError
            If the store's driver is not installed.
        OutputError
            If the overlay cannot be written.
        """
        from skinscan.scan import analyze  # noqa: PLC0415 - loads mediapipe

        try:
            scan = analyze(_source(task.path), name=task.name, largest_face=self.largest_face)
            rows = tuple((*row[2:4], float(row[4]), float(row[5]), row[6], float(row[7]), row[8])
                         for row in scan.rows(levels=self.levels))  # fmt: skip
            if not rows:
                return Outcome(
                    task.name,
                    error="no_region: Expected a region that can be measured; found none. "
                    "Take the photo from the front, in even light.",
                )
            if self.overlays is not None:
                _write_overlay(scan, overlay_path(Path(self.overlays), task.name))
            return Outcome(task.name, view=str(scan.view.value), rows=rows)
        except (ModelError, MissingExtraError, OutputError):
            raise
        except SkinscanError as error:
            return failed(task, error)
        except MemoryError:
            return Outcome(
                task.name,
                error="memory: Expected enough memory for the photo; found too little. "
                "Use fewer workers or a smaller photo.",
            )
        except Exception as error:  # noqa: BLE001 - one photo must not stop a run of thousands
            # The type only: a message could carry what is in the file.
            return Outcome(
                task.name,
                error=f"internal: Expected a measurement; found {type(error).__name__}. "
                "Report it with `skinscan --version`.",
            )


def _source(path: str) -> str | bytes:
    """Return what `analyze` can read: the path itself, or the bytes of a store's object."""
    from skinscan.photo import PhotoLimits  # noqa: PLC0415 - loads OpenCV

    return fetch(path, limit_bytes=PhotoLimits().max_bytes) if is_url(path) else path


def overlay_path(folder: Path, name: str) -> Path:
    """Where the overlay of a photo goes: the photo's own path below `folder`.

    The photo's whole name stays in it, so that ``a.jpg`` and ``a.png`` do not collide.

    Parameters
    ----------
    folder : Path
    name : str
        The photo's name in the table.

    Returns
    -------
    Path
        Always below `folder`.
    """
    parts = [part for part in name.replace(":", "/").split("/") if part not in {"", ".", ".."}]
    *parents, last = parts
    if len(last.encode()) > 200:  # names end at 255 bytes on most systems
        last = f"{last.encode()[:150].decode(errors='ignore')}-{_digest(last)}"
    return folder.joinpath(*parents, last + OVERLAY_SUFFIX)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write_overlay(scan: Scan, path: Path) -> None:
    from PIL import Image  # noqa: PLC0415 - already loaded by analyze

    picture = Image.fromarray(scan.draw())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, "an overlay") from error
    with written_whole(path, "an overlay") as file:
        picture.save(file, "JPEG", quality=_OVERLAY_QUALITY)
