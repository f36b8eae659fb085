"""JSON that others wrote, read so that whatever is in it raises ValueError alone."""

import json
from collections.abc import Callable
from typing import Any


def parse_json(text: str | bytes, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """The content of a JSON text. Raises ValueError when it is none, or nested more deeply than Python reads."""
    try:
        return json.loads(text, object_hook=object_hook)
    except RecursionError as error:
        raise ValueError("lists or objects nested too deeply") from error
