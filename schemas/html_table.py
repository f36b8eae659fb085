"""A result as a small HTML table, for notebooks."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], below: Iterable[str] = ()) -> str:
    """The table, its first column left-aligned, and lines of text below it; all text is escaped."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(map(_cell, range(len(row)), row)) + "</tr>" for row in rows)
    lines = "".join(f"<div>{escape(line)}</div>" for line in below)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>{lines}"


def _cell(column: int, text: str) -> str:
    side = "right" if column else "left"
    return f'<td style="text-align:{side}">{escape(text)}</td>'
