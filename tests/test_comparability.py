"""Whether a photo is comparable to the baseline, and in what."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_conditions import conditions, lamp

from skinscan.declaration import SETTLED_HOURS, Declaration, MakeUp
from skinscan.errors import AnotherPersonError, MirroredPhotoError, NotComparableError
from skinscan.flags import Flag
from skinscan.identity import LEAST_PATCHES, Similarity
from skinscan.landmarks import View
from skinscan.metrics import metrics
from skinscan.precision import PrecisionModel
from skinscan.quality import Grade, Quality, comparability, compare

LINES, BROWS = "wrinkles.severity", "lift.brow_height"


def quality(*, view=View.FRONT, **changes):
    return Quality(checks=(), view=view, conditions=conditions(**changes), flags=Flag.NONE)


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    """A model with limits of its own: these tests are about what follows from limits."""
    model = PrecisionModel(
        command="made for a test",
        sources="none",
        levels={},
        usual={},
        limits={LINES: {"light_direction": 5.0}, BROWS: {"pitch": 3.0, "light_direction": 40.0}},
    )
    monkeypatch.setattr(comparability, "precision_model", lambda: model)
    return model


def test_a_photo_is_comparable_to_itself_in_everything():
    found = compare(quality(), quality())
    assert found.barred == frozenset()
    assert found.verdict is Grade.GOOD
    assert all(d.grade is Grade.GOOD and d.size == 0 for d in found.differences)


def test_another_lamp_bars_lines_and_not_the_brows():
    found = compare(quality(light=lamp(8.0)), quality())
    assert found.barred == {LINES}
    (reason,) = found.reasons(LINES)
    assert reason.name == "light_direction"
    assert reason.size == pytest.approx(8.0)
    assert reason.limit == 5.0
    assert "8 °" in reason.sentence
    assert "5 °" in reason.sentence
    assert found.reasons(BROWS) == ()
    assert found.verdict is Grade.ACCEPTABLE
    # What is worst comes first.
    assert found.differences[0] is reason


def test_a_difference_within_its_limit_is_told_and_bars_nothing():
    found = compare(quality(light=lamp(4.0)), quality())
    told = next(d for d in found.differences if d.name == "light_direction")
    assert told.size == pytest.approx(4.0)
    assert told.bars == ()
    assert found.sizes["light_direction"] == pytest.approx(4.0)


def test_a_large_ratio_is_said_as_a_factor():
    for size, said in ((12.0, "by 12 %"), (100.0 * math.log(20.0), "by a factor of 20")):
        found = compare(quality(brightness=150.0 + size), quality(brightness=150.0))
        told = next(d for d in found.differences if d.name == "exposure")
        assert f"Brightness differs {said}." in told.sentence


def test_a_smoothed_skin_bars_all_that_is_read_from_skin():
    found = compare(quality(skin_detail=-60.0), quality())
    families = {metrics()[m].family for m in found.barred}
    assert families == {"wrinkles", "texture", "tone", "under_eye", "radiance"}
    assert found.verdict is Grade.POOR


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("said", "spared"),
    [
        (Declaration(make_up=MakeUp.WORN), {"lift", "puffiness"}),
        (Declaration(hours_since_treatment=SETTLED_HOURS / 2), set()),
        (Declaration(before_treatment=False), set()),
        (Declaration(hours_since_treatment=SETTLED_HOURS), None),
        (Declaration(make_up=MakeUp.NONE, before_treatment=True), None),
        (Declaration(), None),
    ],
)
def test_a_declaration_about_either_photo_bars_what_it_covers(said, spared, swapped):
    both = {"baseline_declared" if swapped else "declared": said}
    found = compare(quality(), quality(), **both)
    every = {m.family for m in metrics().values()}
    barred = {metrics()[m].family for m in found.barred}
    assert barred == (set() if spared is None else every - spared)
    for difference in found.differences:
        if difference.bars:
            assert difference.sentence.endswith(".")


def test_different_views_cannot_be_compared():
    with pytest.raises(NotComparableError, match="left"):
        compare(quality(view=View.LEFT), quality())


def similar(score, mirrored, patches=10 * LEAST_PATCHES):
    return Similarity(
        score=score, mirrored_score=mirrored, patches=patches, level_px_mm=3.0, detail_pct=3.0
    )


def test_another_person_and_a_mirrored_photo_stop_before_anything_is_saved():
    with pytest.raises(AnotherPersonError, match="confirm"):
        compare(quality(), quality(), similarity=similar(0.03, 0.02)).confirm_person()
    with pytest.raises(MirroredPhotoError, match="Flip"):
        compare(quality(), quality(), similarity=similar(0.05, 0.8)).confirm_person()
    compare(quality(), quality(), similarity=similar(0.8, 0.05)).confirm_person()


def test_who_cannot_be_told_is_accused_of_nothing():
    compare(quality(), quality(), similarity=similar(0.0, 0.0, patches=5)).confirm_person()
    compare(quality(), quality()).confirm_person()


@given(
    azimuth=st.floats(-60, 60),
    pitch=st.floats(-20, 20),
    detail=st.floats(-200, 200) | st.just(math.nan),
    camera=st.sampled_from(["", "Maker One", "Maker Two"]),
)
def test_every_sentence_names_its_size_and_every_bar_its_reason(azimuth, pitch, detail, camera):
    other = quality(light=lamp(azimuth), pitch_deg=pitch, skin_detail=detail, camera=camera)
    found = compare(other, quality())
    for difference in found.differences:
        assert "nan" not in difference.sentence
        assert (difference.size > difference.limit) == bool(difference.bars)
    for metric in found.barred:
        assert found.reasons(metric)
