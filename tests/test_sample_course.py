"""The sample course, from its photos to its verdicts: what `truth.json` says, and no more."""

import json

import pytest

from skinscan import analyze, track
from skinscan.metrics import Concern
from skinscan.progress import Verdict
from skinscan.resources import sample_course_dir


@pytest.mark.slow
def test_the_sample_course_tells_its_truth():
    folder = sample_course_dir()
    made = json.loads((folder / "truth.json").read_text())
    intended = made["intended"]
    scans = [analyze(path) for path in sorted(folder.glob("*.jpg"))]
    progress = track(scans, dates=[scan.captured_at.date() for scan in scans])

    verdicts = {concern: progress.concern(concern).verdict for concern in Concern}
    improved = {concern for concern, verdict in verdicts.items() if verdict is Verdict.IMPROVED}
    assert improved == {Concern.WRINKLES, Concern.UNDER_EYE}
    assert {verdicts[c] for c in Concern if c not in improved} == {Verdict.NO_CHANGE}

    lines = progress.concern(Concern.WRINKLES).leading
    assert lines.metric == "wrinkles.contrast"
    for name in (lines.metric, "wrinkles.severity"):
        found = progress.change(name)
        truth = intended["wrinkle_depth_change_pct"] / 100 * found.before
        assert abs(found.difference - truth) < 1.96 * found.sem
    # The shadow is given as its own colour at its darkest; a region's mean contains less of it.
    shadow = progress.change("under_eye.dark_circle_dl")
    darkest = [session["under_eye_shadow_dl"] for session in made["sessions"]]
    assert darkest[-1] - darkest[0] < shadow.difference < 0
    assert progress.change("tone.redness").verdict is Verdict.NO_CHANGE
