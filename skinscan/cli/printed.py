"""The report on paper that ``skinscan track`` writes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from skinscan.batch.files import written_whole
from skinscan.cli.progress import Folder
from skinscan.plots import laid_over
from skinscan.progress import Progress
from skinscan.report import PhotoPair, progress_pdf
from skinscan.scan import Scan

PRINTED_FILE = "progress.pdf"
#: A photo is at most some 80 mm wide on paper.
_WIDTH_PX = 800


def write_printed(
    progress: Progress,
    found: Folder,
    folder: Path,
    *,
    practice: str,
    locale: str,
    pair: tuple[Scan, Scan] | None,
) -> None:
    """Write the report on paper, whole or not at all.

    Parameters
    ----------
    progress : Progress
    found : Folder
        What the course was made of.
    folder : Path
        Exists.
    practice : str
        Its name; may be empty.
    locale : str
        Of the report.
    pair : tuple of Scan, or None
        One photo of the baseline and one of the latest session, of one view, with their pixels.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    shown = None
    if pair is not None and all(scan.pixels is not None for scan in pair):
        pictures, _ = laid_over(*pair, width_px=_WIDTH_PX)
        shown = PhotoPair(*pictures, before_on=progress.baseline[0], after_on=progress.sessions[-1])
    content = progress_pdf(
        progress,
        scans=found.scans,
        dates=found.dates,
        practice=practice,
        made_on=datetime.now().astimezone().date(),
        pair=shown,
        locale=locale,
    )
    with written_whole(folder / PRINTED_FILE, "the report") as file:
        file.write(content)
