"""Settings from outside the command line: a file, environment variables, and the names that the classic scripts have."""

import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from imagerecords.flows.terminal import print_line
from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.settings import FORMER_NAMES, BuildSettings

ENVIRONMENT = "IMAGERECORDS_"


def read_config_file(path: Path) -> dict[str, Any]:
    """The settings in a file; raises BadSettings that names it when it can't be read as what its name says."""
    readers: dict[str, Callable[[str], Any]] = {".yaml": yaml.safe_load, ".yml": yaml.safe_load, ".toml": tomllib.loads}
    if path.suffix not in readers:
        raise BadSettings(f"config must be a .yaml or .toml file, got {path}")
    try:
        settings = readers[path.suffix](path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadSettings(f"config must be an existing file: {path}. Check the path") from error
    except OSError as error:
        raise BadSettings(f"config must be a file that can be read, got {error.strerror}: {path}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise BadSettings(f"config must be {path.suffix[1:].upper()}, got {' '.join(str(error).split())}: {path}") from error
    if settings is None:  # an empty YAML file
        return {}
    if not isinstance(settings, dict):
        raise BadSettings(f"config must hold settings by name, got {type(settings).__name__}: {path}")
    settings = {FORMER_NAMES.get(name, name): value for name, value in settings.items()}
    for name, value in settings.items():  # a table named after a command would have no effect
        if isinstance(value, dict) and name not in BuildSettings.model_fields:
            raise BadSettings(f"config must have settings at its top level, got table {name!r}: {path}. Move its settings up")
    return settings


def read_variables() -> None:
    """Take variables by their former names, and report those that look like settings but are none, which is no error."""
    for former, name in FORMER_NAMES.items():
        if (value := os.environ.get(ENVIRONMENT + former.upper())) is not None:
            os.environ.setdefault(ENVIRONMENT + name.upper(), value)
    known = {
        ENVIRONMENT + name.upper()
        for name in (*FORMER_NAMES, *BuildSettings.model_fields, "config", "debug", "json", "prefect")
    }
    options = (f"{ENVIRONMENT}STORAGE_OPTIONS_", f"{ENVIRONMENT}BOUNDING_BOXES_")
    for name in sorted(os.environ):
        if name.startswith(ENVIRONMENT) and name not in known and not name.startswith(options):
            print_line(f"{name} is not a setting; ignored")


CLASSIC_NAMES = {
    **{f"--{former}": f"--{name}" for former, name in FORMER_NAMES.items()},
    "--num_threads": "--layout_threads",
    "--bounding_box_file": "--bounding_boxes",
    "--imagenet_metadata_file": "--synsets_file",
}


def classic_names(tokens: Sequence[str]) -> list[str]:
    """Arguments with those options of build_image_data.py and build_imagenet_data.py that have other names here."""
    split = (token.partition("=") for token in tokens)
    return [CLASSIC_NAMES.get(name[:2] + name[2:].replace("-", "_"), name) + equals + value for name, equals, value in split]
