"""Code blocks of the pages in docs/, which tests run."""

import re


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and the text of each code block of a page, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)


def python_blocks(page: str) -> list[str]:
    """The text of each Python block of a page, in order."""
    return [text for language, text in blocks(page) if language == "python"]
