"""Problems of settings, in one line for people."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.former_names import with_present_names
from imagerecords.schemas.setting_values import rule_of, shown_value

M = TypeVar("M", bound=BaseModel)


def make_settings(model: type[M], values: Mapping[str, Any]) -> M:
    """The model with these values. Raises BadSettings, which names each wrong value and suggests names for unknown ones."""
    try:
        values = with_present_names(values)
    except ValueError as error:
        raise BadSettings(str(error)) from error
    if unknown := [name for name in values if name not in model.model_fields]:
        raise BadSettings("; ".join(unknown_setting(name, model.model_fields) for name in unknown))
    try:
        return model(**values)
    except ValidationError as error:
        raise BadSettings(settings_problems(error, model)) from error


def settings_problems(error: ValidationError, model: type[BaseModel], source_of: Callable[[str], str] = lambda _: "") -> str:
    """Each problem that pydantic found, joined by semicolons, with the setting's name, rule, value and source.

    `source_of` gives the place from which a setting came, by its name: a flag, a variable, a file and its key.
    """
    texts: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False):
        place = [str(part) for part in problem["loc"]]
        name = place[0] if place else ""
        message = problem["msg"].removeprefix("Value error, ")
        if not name:
            texts.setdefault(message, message)
        elif problem["type"] in ("value_error", "missing") or name not in model.model_fields:
            texts.setdefault(name, f"{name}: {message}{source_of(name)}")
        else:
            texts.setdefault(name, setting_problem(name, problem["input"], model, source_of(name)))
    return "; ".join(texts.values())


def setting_problem(name: str, value: Any, model: type[BaseModel], source: str) -> str:
    """What is wrong with one value: `train_shards must be a whole number from 1 to 99,999 or auto, got 'x' (FLAG)`."""
    rule = rule_of(model.model_json_schema()["properties"][name])
    return f"{name} must be {rule}, got {shown_value(name, value)}{source}"


def unknown_setting(name: str, known: Iterable[str], source: str = "") -> str:
    """The text of the error for a name that no setting has, with its source and the one that is likely meant."""
    word = name.lstrip("-").replace("-", "_")
    dashes = name[: len(name) - len(name.lstrip("-"))]
    names = list(known)
    likely = difflib.get_close_matches(word, names, n=1) or [each for each in names if each.startswith(f"{word}_")]
    return f"{name} is not a setting{source}" + (f"; did you mean {dashes}{likely[0]}?" if likely else "")
