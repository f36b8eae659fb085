"""The command `imagerecords`: settings from flags, environment and file, in this order, resolved here and nowhere else."""

import os
import signal
import tomllib
import traceback
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, NoReturn

import yaml
from cyclopts import App, CycloptsError, Parameter
from cyclopts import ValidationError as InvalidArguments
from cyclopts.config import Dict, Env
from pydantic import ValidationError
from rich.console import Console

from imagerecords.flows.command.console import print_plan, print_summary
from imagerecords.flows.command.dataset_commands import add_dataset_commands
from imagerecords.flows.command.exit_codes import BAD_INPUT, FAILED, INTERRUPTED, OK, AsJson
from imagerecords.flows.command.help import GroupedHelp
from imagerecords.flows.prefect_ui.api_url import prefect_api_url
from imagerecords.flows.terminal import print_line, terminal_progress
from imagerecords.schemas.errors import BadSettings, ImageRecordsError
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import settings_problems
from imagerecords.schemas.summary import BuildSummary
from imagerecords.schemas.version import VERSION

ENVIRONMENT = "IMAGERECORDS_"

Settings = Annotated[BuildSettings, Parameter(name="*")]

_debug: ContextVar[bool] = ContextVar("debug", default=False)

app = App(
    name="imagerecords",
    help="Labelled image folders into sharded TFRecord files that are proven correct.",
    version=VERSION,
    result_action="return_value",
    help_formatter=GroupedHelp(),
)
app.meta.suppress_keyboard_interrupt = app.suppress_keyboard_interrupt = False  # run() has words for it
add_dataset_commands(app)


@app.command
def build(
    *,
    settings: Settings,
    prefect: Annotated[bool | None, Parameter(help="Run through Prefect; default: when a Prefect API is configured.")] = None,
    as_json: AsJson = False,
) -> int:
    """Build a data set, verify it, and print what became of every image."""
    url = None if prefect is False else prefect_api_url()
    with_prefect = prefect if prefect is not None else url is not None
    server = url or "a temporary server"
    print_line(f"running with Prefect, {server}" if with_prefect else "running without Prefect")
    if with_prefect:
        summary = _build_with_prefect(settings)
        _print_summary(summary, as_json)
    else:
        from imagerecords.flows.direct import build_directly

        build_directly(settings, terminal_progress(lambda summary: _print_summary(summary, as_json)))
    return OK


@app.command
def plan(*, settings: Settings, as_json: AsJson = False) -> int:
    """Print what build would do with the same settings; write nothing."""
    from imagerecords.flows.plan import plan_dataset

    planned = plan_dataset(settings)
    if as_json:
        print(planned.model_dump_json(indent=2))
    else:
        print_plan(Console(), planned)
    for error in planned.errors:
        print_line(f"error: {error}")
    return BAD_INPUT if planned.errors else OK


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    config: Annotated[Path | None, Parameter(help="Read settings from this file, .yaml or .toml.")] = None,
    debug: Annotated[bool, Parameter(negative="", help="Print the whole traceback of an error.")] = False,
) -> int:
    """Run one of the commands; see `imagerecords COMMAND --help`."""
    _debug.set(debug)
    _tell_unknown_variables()
    environment = Env(ENVIRONMENT, command=False)
    app.config = (
        (environment, Dict(_config_file(config), source=str(config), use_commands_as_keys=False)) if config else environment
    )
    code: int = app(_classic_names(tokens), exit_on_error=False, print_error=False)
    return code


def _config_file(path: Path) -> dict[str, Any]:
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
    return settings


def _tell_unknown_variables() -> None:
    """Report variables that look like settings but are not; another program may own the prefix too, so it is no error."""
    known = {ENVIRONMENT + name.upper() for name in (*BuildSettings.model_fields, "config", "debug", "json", "prefect")}
    options = (f"{ENVIRONMENT}STORAGE_OPTIONS_", f"{ENVIRONMENT}BOUNDING_BOXES_")
    for name in sorted(os.environ):
        if name.startswith(ENVIRONMENT) and name not in known and not name.startswith(options):
            print_line(f"{name} is not a setting; ignored")


CLASSIC_NAMES = {
    "--num_threads": "--layout_threads",
    "--bounding_box_file": "--bounding_boxes",
    "--imagenet_metadata_file": "--synsets_file",
}


def _classic_names(tokens: Sequence[str]) -> list[str]:
    """Arguments with those options of build_image_data.py and build_imagenet_data.py that have other names here."""
    split = (token.partition("=") for token in tokens)
    return [CLASSIC_NAMES.get(name[:2] + name[2:].replace("-", "_"), name) + equals + value for name, equals, value in split]


def _build_with_prefect(settings: BuildSettings) -> BuildSummary:
    # For the temporary server, read when prefect is imported: its 20 s are too few on a busy machine, and its telemetry
    # meets a locked database at the first start.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from imagerecords.flows.build import build_image_dataset, hide_console_tracebacks

    if not _debug.get():
        hide_console_tracebacks()
    return build_image_dataset(settings)


def _print_summary(summary: BuildSummary, as_json: bool) -> None:
    if as_json:
        print(summary.model_dump_json(indent=2))
    else:
        print_summary(Console(), summary)


def _on_sigterm(*_: object) -> NoReturn:
    """End as on Ctrl-C, with everything put away."""
    raise KeyboardInterrupt


def run(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code: 0 done, 1 failed or over budget, 2 bad settings or input, 130 interrupted."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        code: int = app.meta(arguments, exit_on_error=False, print_error=False) or OK  # None from --help
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in arguments:
            traceback.print_exc()
        code, text = _explain(error)
        for line in text.splitlines():
            print_line(line)
    return code


def _explain(error: BaseException) -> tuple[int, str]:
    """The exit code of an error, and its text for people."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted. Run it again to go on: finished shards are kept"
    if isinstance(error, ImageRecordsError):
        return error.exit_code, "\n".join(f"error: {line}" for line in str(error).splitlines())
    if isinstance(error, InvalidArguments) and isinstance(error.__cause__, ValidationError):
        return BAD_INPUT, f"error: {settings_problems(error.__cause__)}"
    if isinstance(error, ValidationError):
        return BAD_INPUT, f"error: {settings_problems(error)}"
    if isinstance(error, CycloptsError):
        return BAD_INPUT, f"error: {' '.join(str(error).split())} See imagerecords --help"
    return FAILED, f"error: {type(error).__name__}: {' '.join(str(error).split())}. Add --debug for the whole traceback"
