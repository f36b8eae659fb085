"""Fills the generated blocks of README.md (the main settings) and docs/settings.md (all of them) from the settings' model.

`make docs` rewrites them; a test fails when they are out of date.
"""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from imagerecords.schemas.setting_groups import GROUPS
from imagerecords.schemas.settings import MAIN_SETTINGS, BuildSettings

ROOT = Path(__file__).parents[1]
HEAD = ["| setting | values | default | meaning |", "|---|---|---|---|"]


def main_settings() -> str:
    """The settings that matter to everyone, as a Markdown table: name, values, default, meaning."""
    return "\n".join([*HEAD, *map(_row, MAIN_SETTINGS)])


def grouped_settings() -> str:
    """All settings, a section with a table per group."""
    sections = []
    for title, names in BuildSettings.groups().items():
        about = GROUPS[title].__doc__ or ""
        sections.append("\n".join([f"## {title}", "", about, "", *HEAD, *map(_row, names)]))
    return "\n\n".join(sections)


def _row(name: str) -> str:
    field = BuildSettings.model_fields[name]
    cells = (f"`{name}`", _values(field.annotation), _default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return " or ".join(_values(argument) for argument in arguments if argument is not type(None))
    if origin is dict:
        return "mapping"
    if origin is tuple:
        return "list"
    if hasattr(annotation, "__metadata__"):
        return _values(arguments[0])
    return {str: "text", int: "number", float: "number", bool: "true, false"}[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        return " ".join(f"`{item}`" for item in value)
    return "" if value is None or value == {} else str(value).lower() if isinstance(value, bool) else str(value)


BLOCKS: dict[str, Callable[[], str]] = {"settings": main_settings, "all settings": grouped_settings}
PAGES = (ROOT / "README.md", ROOT / "docs/settings.md")


def filled(text: str) -> str:
    """`text` with each generated block in it made again."""
    for name, generate in BLOCKS.items():
        begin, end = f"<!-- begin {name}, made by make docs -->", f"<!-- end {name} -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            _, _, after = rest.partition(end)
            text = f"{before}{begin}\n{generate()}\n{end}{after}"
    return text


if __name__ == "__main__":
    for page in PAGES:
        fresh = filled(page.read_text())
        if "--check" in sys.argv and fresh != page.read_text():
            sys.exit(f"{page.relative_to(ROOT)} is out of date. Run make docs")
        page.write_text(fresh)
