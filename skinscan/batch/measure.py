"""One photo to its rows, or to the reason why there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from skinscan.batch.files import output_error, written_whole
from skinscan.batch.sources import OVERLAY_SUFFIX
from skinscan.errors import ModelError, OutputError, SkinscanError

if TYPE_CHECKING:
    from skinscan.scan import Scan

Levels: TypeAlias = Literal["highest", "all"]

#: metric, region, level_px_mm, value, unit, sem, flags
Row: TypeAlias = tuple[str, str, float, float, str, float, str]

_OVERLAY_QUALITY = 88


@dataclass(frozen=True, slots=True)
class Task:
    """A photo to measure: its name in the table, and its path."""

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
        OutputError
            If the overlay cannot be written.
        """
        from skinscan.scan import analyze  # noqa: PLC0415 - loads mediapipe

        try:
            scan = analyze(task.path, name=task.name, largest_face=self.largest_face)
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
        except (ModelError, OutputError):
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
