"""Parts of messages: a number agrees with its noun, and of many names the first few are given."""

import pytest

from imagerecords.schemas.messages import MOST_LINES, first_lines, plural, printable, some


@pytest.mark.parametrize(("number", "text"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1200, "1,200 images")])
def test_a_number_agrees_with_its_noun(number, text):
    assert plural(number, "image") == text


def test_a_noun_may_have_a_plural_of_its_own():
    assert [plural(number, "box", "boxes") for number in (1, 2)] == ["1 box", "2 boxes"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "0"), (3, "0, 1, 2"), (4, "0, 1, 2 and 1 more"), (2000, "0, 1, 2 and 1,997 more")]
)
def test_of_many_names_the_first_few_are_given(count, text):
    assert some([str(number) for number in range(count)]) == text


def test_of_a_million_lines_a_few_dozen_are_given_and_the_rest_counted():
    assert first_lines(["a"] * MOST_LINES) == ("a",) * MOST_LINES
    assert first_lines(["a"] * (MOST_LINES + 2))[-1] == "… and 2 more"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("größe 猫 🐱.jpg", "größe 猫 🐱.jpg"),
        ("\x1b[31mred\x07.jpg", r"\x1b[31mred\x07.jpg"),
        ("two\nlines", r"two\nlines"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\udcff.jpg", r"\udcff.jpg"),
    ],
)
def test_what_would_control_a_terminal_is_escaped(name, shown):
    assert printable(name) == shown
