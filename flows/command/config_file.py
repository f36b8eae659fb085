"""Settings from a file and from environment variables, and other names of options: former ones, the classic scripts'."""

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from cyclopts.config import Dict

from imagerecords.flows.terminal import print_line
from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.former_names import FORMER_NAMES, with_present_names
from imagerecords.schemas.plain_words import kind_of, plain_words
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import unknown_setting

ENVIRONMENT = "IMAGERECORDS_"


def settings_of_file(path: Path) -> Dict:
    """The settings in a file, as a source of the command's arguments. Raises BadSettings."""
    return Dict(_present(read_config_file(path), str(path)), source=str(path), use_commands_as_keys=False)


def environment_of_former_names() -> Dict:
    """The settings whose environment variables have a former name. Raises BadSettings."""
    variables = {name: ENVIRONMENT + name.upper() for names in FORMER_NAMES.items() for name in names}
    values = {name: os.environ[variable] for name, variable in variables.items() if variable in os.environ}
    return Dict(_present(values, "environment"), source="env", use_commands_as_keys=False, allow_unknown=True)


def _present(values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    try:
        return with_present_names(values, where)
    except ValueError as error:
        raise BadSettings(str(error)) from error


def read_config_file(path: Path) -> dict[str, Any]:
    """The settings in a .yaml or .toml file. Raises BadSettings, which names the file, when it can't be read."""
    readers: dict[str, Callable[[str], Any]] = {".yaml": yaml.safe_load, ".yml": yaml.safe_load, ".toml": tomllib.loads}
    if path.suffix not in readers:
        raise BadSettings(f"config must be a .yaml or .toml file, got {path}")
    try:
        settings = readers[path.suffix](path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadSettings(f"config must be an existing file: {path}. Check the path") from error
    except OSError as error:
        raise BadSettings(f"config must be a file that can be read, got {error.strerror}: {path}") from error
    except RecursionError as error:
        raise BadSettings(f"config must be {path.suffix[1:].upper()}, got lists or tables nested too deeply: {path}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise BadSettings(f"config must be {path.suffix[1:].upper()}, got {plain_words(error)}: {path}") from error
    if settings is None:  # an empty YAML file
        return {}
    if not isinstance(settings, dict):
        raise BadSettings(f"config must hold settings by name, got {kind_of(type(settings).__name__)}: {path}")
    if other := [name for name in settings if not isinstance(name, str)]:
        raise BadSettings(f"config must hold settings by name, got {other[0]!r} as a name: {path}")
    for name, value in settings.items():  # a table named after a command would have no effect
        if isinstance(value, dict) and name not in (*BuildSettings.model_fields, *FORMER_NAMES):
            raise BadSettings(f"config must have settings at its top level, got table {name!r}: {path}. Move its settings up")
    return settings


def source_of(tokens: Sequence[str], config: Path | None, name: str) -> str:
    """Where a setting of the command came from, in brackets: its flag, its variable, or its file and key; empty by default."""
    names = {name, *(former for former, present in FORMER_NAMES.items() if present == name)}
    for token in tokens:
        flag = token.partition("=")[0]
        if flag.startswith("--") and flag[2:].partition(".")[0].removeprefix("no-").replace("-", "_") in names:
            return f" ({flag})"
    for each in sorted(names):
        variables = (variable for variable in sorted(os.environ) if f"{variable}_".startswith(f"{ENVIRONMENT}{each.upper()}_"))
        if variable := next(variables, None):
            return f" ({variable})"
    if config is not None:
        key = next((key for key in read_config_file(config) if key.replace("-", "_") in names), None)
        return f" ({config}, {key})" if key is not None else ""
    return ""


def warn_of_unknown_variables() -> None:
    """Report variables that look like settings but are not; another program may own the prefix too, so it is no error."""
    names = (*BuildSettings.model_fields, *FORMER_NAMES, *OPTIONS)
    known = {ENVIRONMENT + name.upper() for name in names}
    options = (f"{ENVIRONMENT}STORAGE_OPTIONS_", f"{ENVIRONMENT}BOUNDING_BOXES_")
    for name in sorted(os.environ):
        if name.startswith(ENVIRONMENT) and name not in known and not name.startswith(options):
            print_line(f"{name} is not a setting; ignored")


OPTIONS = "config", "debug", "json", "prefect"  # of build that are no settings of the data set
OTHER_OPTIONS = {
    "--num_threads": "--layout_threads",
    "--bounding_box_file": "--bounding_boxes",
    "--imagenet_metadata_file": "--synsets_file",
    **{f"--{former}": f"--{present}" for former, present in FORMER_NAMES.items()},
}


def refuse_unknown_options(tokens: Sequence[str], config: Path | None) -> None:
    """Raise BadSettings for what no setting of `build` and `plan` is: an error that it causes elsewhere says less."""
    names = [*BuildSettings.model_fields, *FORMER_NAMES, *(option[2:] for option in OTHER_OPTIONS), *OPTIONS]
    for token in tokens:
        option = token.partition("=")[0].partition(".")[0]
        word = option[2:].replace("-", "_")
        if option.startswith("--") and not {word, word.removeprefix("no_"), word.removeprefix("empty_")} & set(names):
            raise BadSettings(unknown_setting(option, BuildSettings.model_fields))
    for key in read_config_file(config) if config else ():
        if key.replace("-", "_") not in names:
            raise BadSettings(unknown_setting(key, BuildSettings.model_fields, f" ({config})"))


def present_options(tokens: Sequence[str]) -> list[str]:
    """Arguments with the present names of options that were renamed, or that the classic scripts name otherwise."""
    split = [token.partition("=") for token in tokens]
    options = [name[:2] + name[2:].replace("-", "_") for name, _, _ in split]
    _present({name[2:]: None for name in options if name.startswith("--")})
    return [
        OTHER_OPTIONS.get(option, name) + equals + value for option, (name, equals, value) in zip(options, split, strict=True)
    ]
