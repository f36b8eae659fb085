"""What Python's exceptions say of a file's values, without Python's words."""

import json
import math
import operator

import pytest

from imagerecords.schemas.plain_words import of_kind, plain_words


def unpacked(values):
    first, second = values
    return first, second


NAMES = {"json": json, "math": math, "operator": operator, "of_kind": of_kind, "unpacked": unpacked}
CASES = [
    ('None["a"]', "null in place of an object or a list"),
    ('[1]["a"]', "a list in place of an object"),
    ('"x"["a"]', "a text in place of an object"),
    ('None.get("a")', "null in place of an object"),
    ('[].get("a")', "a list in place of an object"),
    ("(5).strip()", "a number in place of a text"),
    ("list(1.5)", "a number in place of a list"),
    ('"a" in 3', "a number in place of a list or an object"),
    ('{"a": 1}["b"]', "no 'b'"),
    ('{"a": 1}[7]', "an unknown 7"),
    ("{}[None]", "an unknown None"),
    ("[][0]", "a list that is too short"),
    ("{}[[]]", "a list in place of a text or a number"),
    ("dict([1])", "a list in place of an object"),
    ('dict(["abc"])', "a list in place of an object"),
    ("dict(**[1])", "a list in place of an object"),
    ("unpacked(None)", "null in place of a list"),
    ("unpacked([1])", "1 in place of 2 values"),
    ("unpacked([1, 2, 3])", "more than 2 values"),
    ("unpacked()", "too few values"),
    ("unpacked(1, 2)", "too many values"),
    ("1 + None", "null in place of a number"),
    ('operator.sub("a", 1)', "a text in place of a number"),
    ("1.5 < None", "null in place of a number"),
    ("[] < 1", "a list in place of a number"),
    ('-"a"', "a text in place of a number"),
    ('"a" * 1.5', "a text or a list in place of a number"),
    ('"a" + 1', "a text in place of a number"),
    ("float(None)", "null in place of a number"),
    ("math.isfinite([])", "a list in place of a number"),
    ('float("ten")', "'ten' in place of a number"),
    ('int("1.5")', "'1.5' in place of a whole number"),
    ("int([])", "a list in place of a whole number"),
    ("int(math.nan)", "NaN in place of a whole number"),
    ("range(1.0)", "a number in place of a whole number"),
    ("float(10**400)", "a number that is too large"),
    ("len(3)", "a number in place of a list"),
    ("1 / 0", "0 in place of a larger number"),
    ("max([])", "an empty list"),
    ('",".join([None])', "null in place of a text"),
    ("json.loads(5)", "a number in place of a text"),
    (r'b"\xff".decode()', "byte 0xff at position 0, which is no UTF-8"),
    (r'"\ud800".encode()', r"half of a character ('\ud800')"),
    ('json.loads("x")', "Expecting value: line 1 column 1 (char 0)"),
    ("isinstance(1, 2)", "values of other kinds"),  # no text that is known
    ('of_kind([], dict, "rows[3]")', "a list in place of an object at rows[3]"),
]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(("expression", "words"), CASES)
def test_python_s_words_are_not_shown(expression, words):
    with pytest.raises(Exception) as raised:  # noqa: PT011  # of any kind
        eval(expression, NAMES)
    assert plain_words(raised.value) == words
