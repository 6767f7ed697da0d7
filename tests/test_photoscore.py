"""The photograph score: each point is met or missed by its own cause, and never guessed."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_conditions import conditions

from skinscan import photoscore
from skinscan.declaration import SETTLED_HOURS, Declaration, MakeUp, Noted
from skinscan.errors import BadOptionError
from skinscan.flags import Flag
from skinscan.landmarks import View
from skinscan.photoscore import photo_score
from skinscan.quality import RULES, Grade, Quality

#: The standard's criteria (doi:10.1097/GOX.0000000000004464), in its order.
NINE = (
    "position",
    "expression",
    "lighting",
    "background",
    "zoom",
    "styling",
    "views",
    "timing",
    "description",
)
POINT_OF_CHECK = {
    "yaw": "position",
    "pitch": "position",
    "roll": "position",
    "expression": "expression",
    "eyes_open": "expression",
    "exposure": "lighting",
    "clipping": "lighting",
    "light_direction": "lighting",
    "light_evenness": "lighting",
    "background": "background",
    "resolution": "zoom",
}
POINT_OF_FIELD = {
    "make_up": "styling",
    "hair_back": "styling",
    "jewellery_off": "styling",
    "views": "views",
    "before_treatment": "timing",
    "hours_since_treatment": "timing",
    "noted": "description",
}
BEST = Declaration(
    make_up=MakeUp.NONE,
    hair_back=True,
    jewellery_off=True,
    views=frozenset(View),
    before_treatment=True,
    hours_since_treatment=SETTLED_HOURS,
    noted=frozenset(Noted),
)

answers = st.none() | st.booleans()
declarations = st.builds(
    Declaration,
    make_up=st.sampled_from(MakeUp),
    hair_back=answers,
    jewellery_off=answers,
    views=st.none() | st.frozensets(st.sampled_from(View)),
    before_treatment=answers,
    hours_since_treatment=st.none() | st.floats(0, 1000),
    noted=st.none() | st.frozensets(st.sampled_from(Noted)),
)
grades = st.fixed_dictionaries({name: st.sampled_from(Grade) for name in RULES})


def value_of(rule, grade):
    sign = 1.0 if rule.higher_is_better else -1.0
    return {
        Grade.GOOD: rule.good,
        Grade.ACCEPTABLE: rule.acceptable,
        Grade.POOR: rule.acceptable - sign,
    }[grade]


def graded(changes=None):
    """Make the quality of a photo in which all is good but ``changes``."""
    values = {name: rule.good for name, rule in RULES.items()}
    for name, grade in (changes or {}).items():
        values[name] = math.nan if grade is None else value_of(RULES[name], grade)
    return Quality(
        checks=tuple(rule.apply(name, values[name]) for name, rule in RULES.items()),
        view=View.FRONT,
        conditions=conditions(),
        flags=Flag.NONE,
    )


def states(score):
    return {point.name: point.met for point in score.points}


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_the_points_are_those_of_the_standard():
    score = photo_score(graded(), BEST)
    assert tuple(point.name for point in score.points) == NINE
    assert (score.total, score.of, score.open) == (9, 9, 0)


def test_what_nobody_declared_counts_as_nothing_and_says_so():
    score = photo_score(graded(), Declaration())
    assert (score.total, score.of, score.open) == (5, 9, 4)
    for name in NINE[5:]:
        assert score.point(name).met is None
        assert "not declared" in score.point(name).reason


@pytest.mark.parametrize("grade", [Grade.ACCEPTABLE, Grade.POOR, None])
@pytest.mark.parametrize("name", RULES)
def test_a_check_moves_its_own_point_and_no_other(name, grade):
    before = states(photo_score(graded(), BEST))
    score = photo_score(graded({name: grade}), BEST)
    own = {POINT_OF_CHECK[name]} if name in POINT_OF_CHECK else set()
    assert changed(before, states(score)) == own
    for point in own:
        if grade is None:
            assert score.point(point).met is None
            assert "could not be measured" in score.point(point).reason
        else:
            assert score.point(point).met is False
            assert score.point(point).reason == RULES[name].do


def test_a_fault_that_is_seen_outweighs_one_that_cannot_be_measured():
    score = photo_score(graded({"exposure": None, "clipping": Grade.POOR}), BEST)
    assert score.point("lighting").met is False
    assert score.point("lighting").reason == RULES["clipping"].do


@given(grades, declarations, declarations)
def test_a_declaration_moves_its_own_point_and_no_other(verdicts, first, second):
    quality = graded(verdicts)
    before = states(photo_score(quality, first))
    assert {f.name for f in fields(Declaration)} == set(POINT_OF_FIELD)
    for name, point in POINT_OF_FIELD.items():
        after = states(photo_score(quality, replace(first, **{name: getattr(second, name)})))
        assert changed(before, after) <= {point}


@given(grades, declarations)
def test_each_point_counts_once_or_not_at_all(verdicts, declared):
    score = photo_score(graded(verdicts), declared)
    missed = sum(point.met is False for point in score.points)
    assert score.of == 9
    assert score.total + missed + score.open == 9
    for point in score.points:
        assert point.title[0].isupper()
        assert point.reason.endswith(".")


@given(grades, declarations, st.sampled_from(sorted(POINT_OF_FIELD)))
def test_declaring_the_best_never_costs_a_point(verdicts, declared, name):
    quality = graded(verdicts)
    better = replace(declared, **{name: getattr(BEST, name)})
    assert photo_score(quality, better).total >= photo_score(quality, declared).total


@pytest.mark.parametrize(
    ("worse", "point", "word"),
    [
        ({"make_up": MakeUp.WORN}, "styling", "make-up"),
        ({"hair_back": False}, "styling", "hair"),
        ({"jewellery_off": False}, "styling", "jewellery"),
        ({"views": frozenset({View.FRONT, View.LEFT})}, "views", "right"),
        ({"views": frozenset()}, "views", "front, left and right"),
        ({"hours_since_treatment": SETTLED_HOURS - 0.1}, "timing", "72 hours"),
        ({"hours_since_treatment": 0.0}, "timing", "72 hours"),
        (
            {"before_treatment": False, "hours_since_treatment": None},
            "timing",
            "before the treatment",
        ),
        ({"noted": frozenset({Noted.DATE, Noted.TREATMENT})}, "description", "camera"),
    ],
)
def test_a_declared_fault_is_named(worse, point, word):
    found = photo_score(graded(), replace(BEST, **worse)).point(point)
    assert found.met is False
    assert word in found.reason


@pytest.mark.parametrize(
    ("before", "hours", "met"),
    [
        (None, None, None),
        (True, None, True),
        (False, None, False),
        (None, 24.0, False),
        (None, 96.0, True),
        (True, 24.0, False),  # before today's session, but the last one was yesterday
        (False, 96.0, True),
    ],
)
def test_the_time_since_the_treatment(before, hours, met):
    declared = Declaration(before_treatment=before, hours_since_treatment=hours)
    assert photo_score(graded(), declared).point("timing").met is met


def test_one_known_fault_of_styling_is_enough():
    declared = Declaration(hair_back=False)
    assert photo_score(graded(), declared).point("styling").met is False


@pytest.mark.parametrize("hours", [-1.0, math.nan, math.inf])
def test_impossible_hours_are_refused(hours):
    with pytest.raises(BadOptionError):
        Declaration(hours_since_treatment=hours)


def test_a_point_is_one_entry(monkeypatch):
    entry = photoscore._checked("Sharpness", "sharpness")
    monkeypatch.setitem(photoscore.CRITERIA, "sharpness", entry)
    score = photo_score(graded({"sharpness": Grade.POOR}), BEST)
    assert (score.total, score.of) == (9, 10)
    assert score.point("sharpness").reason == RULES["sharpness"].do
