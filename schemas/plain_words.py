"""What an exception of Python says of a file's values, in words for people who do not know Python.

Readers of other programs' files take values as those programs write them; where a value is of another kind, Python's exception
says what was found and what was done with it. Texts are those of CPython 3.11 to 3.13; of any other only the kind is named.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError

# Python's names of the kinds of values in JSON, YAML and XML.
KINDS = {
    "NoneType": "null",
    "str": "a text",
    "string": "a text",
    "bytes": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "date": "a date",
    "datetime": "a date",
}
OF_PYTHON = (TypeError, AttributeError, LookupError, ArithmeticError)  # their texts are for programmers
OF_LISTS = ("append", "extend", "index", "sort")
OF_OBJECTS = ("get", "items", "keys", "values", "pop")
Kind = TypeVar("Kind")
Words = Callable[[re.Match[str]], str]


def kind_of(name: str) -> str:
    """A kind of value by Python's name of it."""
    return KINDS.get(name, name)


def of_kind(value: Any, kind: type[Kind], place: str) -> Kind:
    """A value of a file that is of this kind; raises ValueError, with the place in the file, where it is of another."""
    if not isinstance(value, kind):
        raise ValueError(f"{kind_of(type(value).__name__)} in place of {kind_of(kind.__name__)} at {place}")
    return value


def _attribute(match: re.Match[str]) -> str:
    wanted = "an object" if match[2] in OF_OBJECTS else "a list" if match[2] in OF_LISTS else "a text"
    return f"{kind_of(match[1])} in place of {wanted}"


def _too_few(match: re.Match[str]) -> str:
    return f"{match[2]} in place of {match[1]} values"


def in_place_of(wanted: str) -> Words:
    """Words for a message whose first group names the kind of value that was found."""
    return lambda match: f"{kind_of(match[1])} in place of {wanted}"


def text_in_place_of(wanted: str) -> Words:
    """Words for a message whose first group is the text that was found."""
    return lambda match: f"{match[1]} in place of {wanted}"


def constant(words: str) -> Words:
    """Words for a message that needs nothing of it."""
    return lambda _: words


MESSAGES: tuple[tuple[re.Pattern[str], Words], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"'(\w+)' object has no attribute '(\w+)'", _attribute),
        (r"(\w+) indices must be integers", in_place_of("an object")),
        (r"string index out of range", constant("an empty text")),
        (r"JSON object must be str, bytes or bytearray, not (\w+)", in_place_of("a text")),
        (r"'(\w+)' object is not subscriptable", in_place_of("an object or a list")),
        (r"'(\w+)' object is not iterable", in_place_of("a list")),
        (r"'(\w+)' object is not a mapping", in_place_of("an object")),
        (r"argument of type '(\w+)' is not iterable", in_place_of("a list or an object")),
        (r"argument of type '(\w+)' is not a container", in_place_of("a list or an object")),
        (r"cannot unpack non-iterable (\w+) object", in_place_of("a list")),
        (r"argument after \*\* must be a mapping, not (\w+)", in_place_of("an object")),
        (r"argument after \* must be an iterable, not (\w+)", in_place_of("a list")),
        (
            r"cannot convert dictionary update sequence element|dictionary update sequence",
            constant("a list in place of an object"),
        ),
        (r"object of type '(\w+)' has no len\(\)", in_place_of("a list")),
        (r"unhashable type: '(\w+)'", in_place_of("a text or a number")),
        (r"unsupported operand type\(s\) for \S+: '(?:int|float)' and '(\w+)'", in_place_of("a number")),
        (r"unsupported operand type\(s\) for \S+: '(\w+)' and '\w+'", in_place_of("a number")),
        (r"not supported between instances of '(?:int|float)' and '(\w+)'", in_place_of("a number")),
        (r"not supported between instances of '(\w+)' and '\w+'", in_place_of("a number")),
        (r"can't multiply sequence by non-int of type", constant("a text or a list in place of a number")),
        (r"can only concatenate (\w+)", in_place_of("a number")),
        (r"bad operand type for [^:]+: '(\w+)'", in_place_of("a number")),
        (r"must be a string, a bytes-like object or a real number, not '(\w+)'", in_place_of("a whole number")),
        (r"must be (?:a string or )?a? ?real number, not '?(\w+)'?", in_place_of("a number")),
        (r"'(\w+)' object cannot be interpreted as an integer", in_place_of("a whole number")),
        (r"invalid literal for int\(\) with base \d+: (.+)", text_in_place_of("a whole number")),
        (r"could not convert string to float: ?(.*)", text_in_place_of("a number")),
        (r"cannot convert float (\w+) to integer", text_in_place_of("a whole number")),
        (r"int too large to convert|too large to convert|Exceeds the limit|math range", constant("a number that is too large")),
        (r"not enough values to unpack \(expected (?:at least )?(\d+), got (\d+)\)", _too_few),
        (r"too many values to unpack \(expected (\d+)", lambda match: f"more than {match[1]} values"),
        (r"missing \d+ required", constant("too few values")),
        (r"takes \d+ positional arguments? but|takes from \d+ to \d+ positional", constant("too many values")),
        (r"index out of range", constant("a list that is too short")),
        (r"division (?:by zero|or modulo)|division undefined", constant("0 in place of a larger number")),
        (
            r"expected string or bytes-like object,? ?(?:got '(\w+)')?",
            lambda match: f"{kind_of(match[1] or 'a value')} in place of a text",
        ),
        (
            r"expected str,? .*instance, (\w+) found|expected str, bytes or os.PathLike object, not (\w+)",
            lambda match: f"{kind_of(match[1] or match[2])} in place of a text",
        ),
        (r"min\(\) (?:arg|iterable)|max\(\) (?:arg|iterable)", constant("an empty list")),
    )
)


def plain_words(error: BaseException) -> str:
    """What was found in a file, in one line, by the exception that reading it raised; own messages are as they are."""
    for kind, words_of in BY_TYPE:
        if isinstance(error, kind):
            return words_of(error)
    text = " ".join(str(error).split())
    for pattern, words in MESSAGES:
        if match := pattern.search(text):
            return words(match)
    return "values of other kinds" if isinstance(error, OF_PYTHON) or not text else text


def _missing(error: KeyError) -> str:
    key = error.args[0] if error.args else None
    return f"no {key!r}" if isinstance(key, str) else f"an unknown {key!r}"


def _no_utf8(error: UnicodeDecodeError) -> str:
    return f"byte {error.object[error.start]:#x} at position {error.start}, which is no UTF-8"


def _half(error: UnicodeEncodeError) -> str:
    return f"half of a character ({error.object[error.start : error.end]!r})"


def _invalid(error: ValidationError) -> str:
    """The first thing that pydantic finds wrong, with its place in the file."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'its content'}: {first['msg']}"


BY_TYPE: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (KeyError, _missing),
    (RecursionError, lambda _: "values nested too deeply"),
    (UnicodeDecodeError, _no_utf8),
    (UnicodeEncodeError, _half),
    (ValidationError, _invalid),
)
