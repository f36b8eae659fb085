"""What a setting may be, in words, from the model's JSON schema; and the value that it got, without secrets."""

import re
from collections.abc import Mapping
from typing import Any

from imagerecords.schemas.secrets import URL_WITH_SECRET

NUMBER = re.compile(r"-?\d+(\.\d+)?")
LONGEST_VALUE = 60  # characters of a value in a message
KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list of texts",
    "object": "values by name",
}
UNSHOWN = ("storage_options",)  # its values may be credentials


def rule_of(schema: Mapping[str, Any]) -> str:
    """What a value must be: `a whole number from 1 to 99,999 or auto`."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return " or ".join(map(_rule, kinds))


def _rule(kind: Mapping[str, Any]) -> str:
    if "const" in kind:
        return str(kind["const"])
    if "enum" in kind:
        *names, last = map(str, kind["enum"])
        return f"{', '.join(names)} or {last}" if names else last
    least, most, below = (kind.get(name) for name in ("minimum", "maximum", "exclusiveMaximum"))
    what = KINDS[kind["type"]]
    if least is not None and most is not None:
        return f"{what} from {least:,} to {most:,}"
    if least is not None and below is not None:
        return f"{what} from {least:,} to below {below:,}"
    return f"{what} of at least {least:,}" if least is not None else what


def shown_value(setting: str, value: Any) -> str:
    """A value for a message; of those that may hold credentials, and of lists and the like, only the type."""
    is_plain = isinstance(value, str | int | float) or value is None
    if not is_plain or setting in UNSHOWN or (isinstance(value, str) and URL_WITH_SECRET.search(value)):
        return {"str": "a text", "list": "a list", "tuple": "a list", "dict": "values by name"}.get(
            type(value).__name__, f"a value of type {type(value).__name__}"
        )
    text = value if isinstance(value, str) and NUMBER.fullmatch(value) else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
