"""Parts that messages share: a number with its noun, the first few of many names, the first few dozen of many lines."""

import re
from collections.abc import Mapping, Sequence

NAMED = 3  # how many of many offenders a message names
MOST_LINES = 36  # lines of one kind; a file may have a million bad rows

# Control characters, line separators, overrides of the writing direction, and bytes that are no UTF-8.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """A text as a terminal may show it: what would move its cursor, colour it or end the line is escaped."""
    return UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def plural(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: `1 image`, `1,200 images`; `nouns` is the plural where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


# What skipped files are counted as, where that needs a noun to be read.
SKIPPED_NOUNS = {
    "hidden": ("hidden file", "hidden files"),
    "junk": ("junk file", "junk files"),
    "link loop": ("link loop", "link loops"),
    "not a regular file": ("device, pipe or socket", "devices, pipes or sockets"),
    "object behind an empty folder name (//)": (
        "object behind an empty folder name (//)",
        "objects behind empty folder names (//)",
    ),
    "object whose key ends in a slash": ("object whose key ends in a slash", "objects whose keys end in a slash"),
    "beside the label folders": ("file beside the label folders", "files beside the label folders"),
    "excluded label": ("image of an excluded label", "images of excluded labels"),
}


def skipped_phrase(counts: Mapping[str, int]) -> str:
    """What was skipped, in words: `1 hidden file, 3 .txt files`; empty where nothing was."""

    def phrase(kind: str, count: int) -> str:
        if kind.endswith(" files"):
            return plural(count, kind.removesuffix("s"))
        return plural(count, *SKIPPED_NOUNS[kind]) if kind in SKIPPED_NOUNS else f"{count:,} {kind}"

    return ", ".join(phrase(kind, count) for kind, count in counts.items())


def some(names: Sequence[str], most: int = NAMED, between: str = ", ") -> str:
    """The first few of many names, and the number of the rest: `a, b, c and 4 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def first_lines(errors: Sequence[str]) -> tuple[str, ...]:
    """The first few dozen errors, and the number of the rest in one line."""
    more = len(errors) - MOST_LINES
    rest = (f"… and {more:,} more",) if more > 0 else ()
    return (*errors[:MOST_LINES], *rest)
