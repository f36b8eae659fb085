"""Fills the generated blocks of the README: the settings table from the model, the commands from the help text.

`make docs` rewrites them; a test fails when they are out of date.
"""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from imagerecords.schemas.settings import BuildSettings

README = Path(__file__).parents[1] / "README.md"


def settings_table() -> str:
    """The settings as a Markdown table: name, values, default, meaning."""
    rows = ["| setting | values | default | meaning |", "|---|---|---|---|"]
    for name, field in BuildSettings.model_fields.items():
        cells = (f"`{name}`", _values(field.annotation), _default(field), field.description or "")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _values(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return " or ".join(_values(argument) for argument in arguments if argument is not type(None))
    if origin is dict:
        return "mapping"
    if hasattr(annotation, "__metadata__"):
        return _values(arguments[0])
    return {str: "text", int: "number", float: "number", bool: "true, false"}[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value is None or value == {} else str(value).lower() if isinstance(value, bool) else str(value)


BLOCKS: dict[str, Callable[[], str]] = {"settings": settings_table}


def filled(text: str) -> str:
    """`text` with each generated block made anew."""
    for name, generate in BLOCKS.items():
        begin, end = f"<!-- begin {name}, made by make docs -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{generate()}\n{end}{after}"
    return text


if __name__ == "__main__":
    fresh = filled(README.read_text())
    if "--check" in sys.argv and fresh != README.read_text():
        sys.exit("README.md is out of date. Run make docs")
    README.write_text(fresh)
