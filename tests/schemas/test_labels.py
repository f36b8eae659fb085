"""The text of a labels file: labels by line, and every error with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.labels import (
    grow_labels,
    likeness_notes,
    name_problems,
    nested_problems,
    number_notes,
    numbered_name,
    read_labels,
    read_synsets,
)

NAME = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)


@given(st.lists(NAME, min_size=1, unique=True), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_line_n_is_id_n(names, line_break, last_break):
    """Whatever the line breaks; a break after the last line is no blank line."""
    text = line_break.join(names) + (line_break if last_break else "")
    assert read_labels(text, "labels.txt") == ({name: number for number, name in enumerate(names, start=1)}, [])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", "", "at least one label"),
        ("\n \n", "", "at least one label"),
        ("cat\n\ndog\n", "line 2", "blank"),
        ("\ncat\n", "line 1", "blank"),  # people leave line 1 free for background
        ("cat\ndog\ncat\n", "line 3, first on line 1", "'cat' again"),
        ("cat\n cat \n", "line 2, first on line 1", "'cat' again"),  # the classic script strips lines too
        ("cat\n../dog\n", "line 2", "'..'"),
        ("/dog\n", "line 1", "'/dog'"),
        ("a/../b\n", "line 1", "'..'"),
        ("a//b\n", "line 1", "'a//b'"),
        ("./a\n", "line 1", "'./a'"),
        ("a\tb\n", "line 1", "control"),
    ],
)
def test_each_error_names_file_and_line(text, line, words):
    _, errors = read_labels(text, "some/labels.txt")
    assert len(errors) == 1
    assert "some/labels.txt" in errors[0]
    assert line in errors[0]
    assert words in errors[0]


def test_all_errors_are_reported_together():
    _, errors = read_labels("\ufeffcat\n\ncat\n", "labels.txt")
    assert len(errors) == 2


@pytest.mark.parametrize(
    "character",
    [
        "\x85",  # next line; the classic script splits at \n alone
        "\u2028",  # line separator
        "\x1c",
    ],
)
def test_only_line_breaks_divide_lines(character):
    """A folder's name may hold what str.splitlines takes for the end of a line; it must not become two labels."""
    labels, errors = read_labels(f"a{character}b\nc\n", "labels.txt")
    assert errors or list(labels) == [f"a{character}b", "c"]


@pytest.mark.parametrize(
    "name", ["we[i]rd", "größe", "日本語", "two words", "*", "-x", "n01440764", "animal/dog", "...", "a..b"]
)
def test_any_folders_name_is_a_label(name):
    assert list(name_problems(name)) == []


@pytest.mark.parametrize(
    ("labels", "problems"),
    [
        (["animal/dog", "animal/cat"], 0),
        (["animal", "animal/dog"], 1),
        (["a", "a/b", "a/b/c"], 3),  # c is in a and in b
        (["animal", "animals/dog"], 0),  # a prefix of the text, not of the path
    ],
)
def test_a_label_inside_another_label_is_an_error(labels, problems):
    assert len(list(nested_problems(labels))) == problems


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("0 daisy", "daisy"),
        ("3: cat", "cat"),
        ("12,dog", "dog"),
        ("1;  two words", "two words"),
        ("daisy", None),
        ("2 ", None),
        ("101", None),  # a folder may well be called 101
        ("n02 dog", None),
    ],
)
def test_a_numbered_line_is_known(line, name):
    assert numbered_name(line) == name


GROWTH = [
    # (labels there are, labels of the input, whether a file orders them, whether missing ones are kept, labels then)
    ("bd", "abcd", False, False, "bdac"),
    ("bd", "bdca", True, False, "bdca"),
    ("bd", "bd", True, False, "bd"),
    ("", "ba", True, False, "ba"),  # a first build
    ("bd", "ad", False, True, "bda"),
    ("bde", "bea", True, True, "bdea"),  # without the missing one, the file begins with the old ones
]


@pytest.mark.parametrize(("locked", "named", "ordered", "keep", "expected"), GROWTH)
def test_new_labels_come_after_the_old_ones(locked, named, ordered, keep, expected):
    assert grow_labels(locked, named, "labels.txt" if ordered else None, keep) == (tuple(expected), [])


SHRUNK = [
    # (labels there are, labels of the input, whether a file orders them, whether missing ones are kept, words)
    ("bd", "ab", False, False, ["no images of label 'd'"]),
    ("bd", "ac", False, False, ["no images of label 'b'", "no images of label 'd'"]),
    ("bd", "db", True, False, ["got 'd' instead of 'b': labels.txt, label 1"]),
    ("bd", "bad", True, False, ["got 'a' instead of 'd': labels.txt, label 2"]),
    ("bde", "eba", True, True, ["got 'e' instead of 'b'"]),  # a missing one is no leave to sort the others
]


@pytest.mark.parametrize(("locked", "named", "ordered", "keep", "words"), SHRUNK)
def test_a_label_that_is_missing_or_out_of_its_place_is_named(locked, named, ordered, keep, words):
    _, errors = grow_labels(locked, named, "labels.txt" if ordered else None, keep)
    assert len(errors) == len(words)
    assert all(word in error for word, error in zip(words, errors, strict=True))


def test_a_synsets_file_gives_each_synset_its_text():
    """Whatever the line breaks; texts need not differ (ImageNet has two cranes), and may hold anything but tabs."""
    text = "\ufeffn02012849\tcrane\r\nn03126707\tcrane\nn01440764\ttench, Tinca tinca"
    texts = {"n02012849": "crane", "n03126707": "crane", "n01440764": "tench, Tinca tinca"}
    assert read_synsets(text, "synsets.txt") == (texts, [])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("n1\ta\nn2 b\n", 2, "got 0 tabs"),
        ("n1\ta\tb\n", 1, "got 2 tabs"),
        ("n1\ta\n\nn2\tb\n", 2, "got 0 tabs"),  # a blank line
        ("n1\t\n", 1, "a synset and a human text"),
        ("\ta\n", 1, "a synset and a human text"),
        ("n1\ta\nn1\tb\n", 2, "'n1' again"),
        ("", 1, "got 0 tabs"),
    ],
)
def test_an_error_in_a_synsets_file_names_its_line(text, line, words):
    _, errors = read_synsets(text, "synsets.txt")
    assert len(errors) == 1
    assert words in errors[0]
    assert f"synsets.txt, line {line}" in errors[0]


def test_a_byte_order_mark_and_blank_lines_at_the_end_are_no_labels():
    assert read_labels("\ufeffcat\ndog\n\n \n", "f") == ({"cat": 1, "dog": 2}, [])


def test_labels_that_differ_in_case_only_are_noted():
    (note,) = likeness_notes(("Cat", "cat", "dog"))
    assert "upper and lower case only: Cat, cat" in note


def test_whole_numbers_with_a_decimal_point_are_noted():
    assert [len(list(number_notes(labels))) for labels in (("1.0", "2.0"), ("1", "2"), ("1.0", "1.5"), ())] == [1, 0, 0, 0]
