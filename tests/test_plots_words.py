"""Charts, pictures and the report take their sentences from the catalogue."""

import ast
import re
from pathlib import Path

import pytest

import skinscan.plots

MODULES = sorted(Path(skinscan.plots.__file__).parent.glob("*.py"))

#: Four words in a row, as people write them; what CSS and Vega write is none.
SENTENCE = re.compile(r"(?<![\w.-])(?:[A-Za-z’']+[,;:]? +){3,}[A-Za-z’']+(?![\w-])")


def _text(node):
    """The text of a literal; what is put into an f-string counts as a word."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "word" for part in node.values
        )
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _docstrings(tree):
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].value


def sentences(source):
    """English sentences in the literals of a module, without docstrings and errors."""
    tree = ast.parse(source)
    passed = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):  # for those who call, not for those who read a report
            passed |= {id(part) for part in ast.walk(node)}
    return [
        text
        for node in ast.walk(tree)
        if id(node) not in passed and SENTENCE.search(text := _text(node))
    ]


def test_the_package_is_seen_whole():
    assert len(MODULES) > 10


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_holds_a_sentence_of_its_own(path):
    assert sentences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ('title = "Where on the face it changed"', True),
        ('title = f"{n} of {m} photos"', True),
        ('page = f"<p>This is a note, of course.</p>"', True),
        (
            'def f():\n    """Say what is not here."""\n    return "Lines became softer over time"',
            True,
        ),
        ('"""A docstring of this module."""\nunit = "per square cm"', False),
        ('raise ValueError("there is no region here")', False),
        ('css = "body { margin: 0 auto; font-size: 1rem; padding: 0 1rem }"', False),
        ('filter = "isValid(datum.low) && datum.low > 0"', False),
    ],
)
def test_a_sentence_is_told_from_other_text(source, is_one):
    assert bool(sentences(source)) is is_one
