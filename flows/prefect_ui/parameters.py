"""The parameters of the flow, made from the settings' model: the ten that matter by themselves, the rest in groups.

Prefect takes a flow's form, its checks and its merging with a deployment's defaults from the flow's signature, parameter by
parameter. So a run may change one of the ten, or one group, and keep the deployment's other values.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from prefect.runtime import flow_run
from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model

from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.setting_groups import GROUPS
from imagerecords.schemas.settings import MAIN_SETTINGS, BuildSettings
from imagerecords.schemas.settings_problems import make_settings

T = TypeVar("T")

ALL = "settings"
ALL_DESCRIPTION = (
    "Any settings by name, which win over the other parameters: the payload of an event, or a call written for version 0.1."
)


def _group_name(title: str) -> str:
    """The parameter of a group: `image_settings` for ImageSettings."""
    words = GROUPS[title].__name__.removesuffix("Settings")
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in words).lstrip("_")
    return f"{snake}_settings"


def _group(title: str) -> type[BaseModel]:
    """The model of a group without the settings that are parameters by themselves."""
    model = GROUPS[title]
    fields: dict[str, Any] = {
        name: (field.rebuild_annotation(), field) for name, field in model.model_fields.items() if name not in MAIN_SETTINGS
    }
    config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    return create_model(model.__name__, __config__=config, __doc__=model.__doc__, **fields)


def _as_dict(value: Any) -> Any:
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value


def _refuse_settings(value: Any) -> Any:
    """The first parameter's value, which in version 0.1 was BuildSettings."""
    if isinstance(value, BuildSettings):
        raise ValueError("got BuildSettings. Write build_image_dataset(settings=…)")
    return value


TITLES = {_group_name(title): title for title in GROUPS}
MODELS: dict[str, type[BaseModel]] = {name: _group(title) for name, title in TITLES.items()}
GROUP_OF = {setting: name for name, model in MODELS.items() for setting in model.model_fields}


def flow_signature() -> inspect.Signature:
    """The flow's signature."""
    parameters: list[inspect.Parameter] = []
    for name in MAIN_SETTINGS:
        field = BuildSettings.model_fields[name]
        annotation = field.rebuild_annotation()
        if field.is_required():  # by itself or in `settings`, so Prefect can't ask for it
            parameters.append(_parameter(name, annotation | None, None))
        else:
            checked = annotation if parameters else Annotated[annotation, BeforeValidator(_refuse_settings)]
            parameters.append(_parameter(name, checked, field.default))
    parameters += [_parameter(name, model | None, None) for name, model in MODELS.items()]
    parameters.append(_parameter(ALL, Annotated[dict[str, Any] | None, BeforeValidator(_as_dict)], None))
    return inspect.Signature(parameters)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)


def with_build_parameters(function: Callable[..., T]) -> Callable[..., T]:
    """The function with the signature and the descriptions from which Prefect makes a flow's form."""
    described = {name: BuildSettings.model_fields[name].description for name in MAIN_SETTINGS}
    described |= {name: f"{title}. {GROUPS[title].__doc__}" for name, title in TITLES.items()}
    described[ALL] = ALL_DESCRIPTION
    arguments = [f"    {name}: {text}" for name, text in described.items()]
    function.__doc__ = "\n".join([function.__doc__ or "", "", "Args:", *arguments])
    function.__signature__ = flow_signature()  # type: ignore[attr-defined]  # typeshed has no such attribute
    return function


def settings_from(parameters: Mapping[str, Any]) -> BuildSettings:
    """The settings that a run's parameters give. Raises BadSettings that names what is unknown, wrong or missing."""
    values: dict[str, Any] = {}
    for name, value in parameters.items():
        if name == ALL or value is None:
            continue
        values |= _as_dict(value) if name in MODELS else {name: value}
    values |= _as_dict(parameters.get(ALL)) or {}
    if "output_directory" not in values:
        raise BadSettings("output_directory must be given, got none. Pass it as a parameter of the run")
    return make_settings(BuildSettings, values)


def parameters_from(settings: BuildSettings) -> dict[str, Any]:
    """The parameters that give these settings, without those at their defaults."""
    given = settings.model_dump(exclude_defaults=True)
    parameters: dict[str, Any] = {name: value for name, value in given.items() if name in MAIN_SETTINGS}
    for name, value in given.items():
        if name in GROUP_OF:
            parameters.setdefault(GROUP_OF[name], {})[name] = value
    return parameters


def run_name() -> str:
    """The name of the flow run that begins: that of its output, where it has one."""
    parameters = flow_run.parameters
    output = (_as_dict(parameters.get(ALL)) or {}).get("output_directory") or parameters.get("output_directory")
    return f"build {output}" if output else "build without an output_directory"
