"""Progress -> the report on paper: a PDF of one to three pages for the client's hands.

Rooms, each importing only from those before it: `inputs` (what is given beside the course), `logo`
(a picture of any origin, made safe to print), `capture` (what the photos were like), `charts`
(vector drawings), `blocks` (pieces of known height, and how they fall on pages), `tables`,
`sections` (what the report says), `page` (the document).
"""

from __future__ import annotations

from skinscan.report.inputs import PhotoPair, Rating
from skinscan.report.logo import kept_logo, screen_logo
from skinscan.report.page import confirm_names, progress_pdf

__all__ = ["PhotoPair", "Rating", "confirm_names", "kept_logo", "progress_pdf", "screen_logo"]
