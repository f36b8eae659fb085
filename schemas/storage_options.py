"""Storage options with typed values: on a command line and in environment variables every value is text."""

from typing import Any

WORDS = {"true": True, "false": False, "null": None, "none": None}
TEXTS = frozenset(
    ["profile", "key", "user", "username", "project", "account_name", "region_name"]
)  # even if they look like numbers


def typed_options(value: Any, name: str = "") -> Any:
    """Options whose texts `true`, `false`, `null` and numbers are converted, at any depth; other values are unchanged."""
    if isinstance(value, dict):
        return {key: typed_options(inner, str(key)) for key, inner in value.items()}
    if not isinstance(value, str) or name in TEXTS:
        return value
    if value.lower() in WORDS:
        return WORDS[value.lower()]
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            pass
    return value
