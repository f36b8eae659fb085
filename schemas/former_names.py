"""Former names of settings: still read everywhere, shown nowhere."""

from collections.abc import Mapping
from typing import TypeVar

V = TypeVar("V")

FORMER_NAMES = {"manifest": "image_list"}


def with_present_names(values: Mapping[str, V], where: str = "") -> dict[str, V]:
    """Settings by their present names. Raises ValueError where one is given under both of its names, naming `where`."""
    for former, present in FORMER_NAMES.items():
        if former in values and present in values:
            at = f": {where}" if where else ""
            raise ValueError(f"{present} must be given once, got {former}, its former name, too{at}. Drop {former}")
    return {FORMER_NAMES.get(name, name): value for name, value in values.items()}
