"""Problems of settings, in one line for people."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.former_names import with_present_names

M = TypeVar("M", bound=BaseModel)


def make_settings(model: type[M], values: Mapping[str, Any]) -> M:
    """The model with these values. Raises BadSettings, which names each wrong value and suggests names for unknown ones."""
    try:
        values = with_present_names(values)
    except ValueError as error:
        raise BadSettings(str(error)) from error
    if unknown := [name for name in values if name not in model.model_fields]:
        raise BadSettings("; ".join(_unknown(name, model.model_fields) for name in unknown))
    try:
        return model(**values)
    except ValidationError as error:
        raise BadSettings(settings_problems(error)) from error


def settings_problems(error: ValidationError) -> str:
    """Each problem that pydantic found, as `name: problem`, joined by semicolons; of a setting with two types both in one."""
    problems: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in problem["loc"] if not _is_type(part))
        problems.setdefault(name, []).append(problem["msg"].removeprefix("Value error, "))
    joined = {
        name: " or ".join([first, *(one.removeprefix(SHOULD_BE) for one in more)]) for name, (first, *more) in problems.items()
    }
    return "; ".join(f"{name}: {message}" if name else message for name, message in joined.items())


SHOULD_BE = "Input should be "


def _is_type(part: int | str) -> bool:
    """Whether a part of a problem's place is the type of a union that a value was tried as."""
    return isinstance(part, str) and part.startswith(("constrained-", "literal["))


def _unknown(name: str, known: Iterable[str]) -> str:
    likely = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting" + (f"; did you mean {likely[0]}?" if likely else "")
