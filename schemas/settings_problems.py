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
    """Each problem that pydantic found, as `name: problem`, joined by semicolons."""
    problems = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{name}: {message}" if name else message)
    return "; ".join(problems)


def _unknown(name: str, known: Iterable[str]) -> str:
    likely = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting" + (f"; did you mean {likely[0]}?" if likely else "")
