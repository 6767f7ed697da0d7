"""What one photo costs, commit by commit; ``asv`` runs this, see benchmarks/README.md.

The photo is the sample course's first one in the checkout that ``asv`` is started from, so that
every commit measures the same picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

# Before numpy and OpenCV load.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.update(ONE_THREAD)

PHOTO = min((Path(__file__).resolve().parents[3] / "sample_images").rglob("*.jpg"))
REPEATS = 9
FIRST = "import sys, skinscan; skinscan.analyze(sys.argv[1])"


class Photo:
    """Processor time as a multiple of decoding the same bytes, by turns, and peak memory."""

    timeout = 900.0

    def setup(self) -> None:
        """Build the tables, which the first analysis of a process does."""
        import cv2  # noqa: PLC0415 - after the number of threads is set

        import skinscan  # noqa: PLC0415 - same

        cv2.setNumThreads(1)
        self.analyze = skinscan.analyze
        self.decode = cv2.imdecode  # noqa: TID251 - the yardstick itself
        self.flags = cv2.IMREAD_COLOR
        self.analyze(PHOTO)

    def track_analysis(self) -> float:
        """Median over pairs that take turns."""
        return median(self._once() for _ in range(REPEATS))

    def track_first_result(self) -> float:
        """Import, model and first analysis in a fresh process."""
        began = os.times()
        subprocess.run([sys.executable, "-c", FIRST, str(PHOTO)], check=True, capture_output=True)
        ended = os.times()
        spent = ended.children_user - began.children_user
        spent += ended.children_system - began.children_system
        return spent / median(self._decoding() for _ in range(REPEATS))

    def peakmem_analysis(self) -> None:
        """Of the process."""
        self.analyze(PHOTO)

    track_analysis.unit = track_first_result.unit = "decodes"  # type: ignore[attr-defined]

    def _once(self) -> float:
        decoding = self._decoding()
        began = time.process_time()
        self.analyze(PHOTO)
        return (time.process_time() - began) / decoding

    def _decoding(self) -> float:
        import numpy as np  # noqa: PLC0415 - same as above

        data = np.frombuffer(PHOTO.read_bytes(), np.uint8)
        began = time.process_time()
        self.decode(data, self.flags)
        return time.process_time() - began
