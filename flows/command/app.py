"""The command `imagerecords`: settings from flags, environment and file, in this order."""

import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import App, CoercionError, CycloptsError, Group, MissingArgumentError, Parameter
from cyclopts import ValidationError as InvalidArguments
from cyclopts.config import Env
from pydantic import ValidationError

from imagerecords.flows.command.build_commands import build, plan
from imagerecords.flows.command.config_file import (
    ENVIRONMENT,
    environment_of_former_names,
    present_options,
    refuse_unknown_options,
    settings_of_file,
    source_of,
    warn_of_unknown_variables,
)
from imagerecords.flows.command.dataset_commands import audit, diff, extract, locate, remove, report, show
from imagerecords.flows.command.doctor import doctor
from imagerecords.flows.command.exit_codes import BAD_INPUT, FAILED, INTERRUPTED, OK
from imagerecords.flows.command.help import OTHERS as OPTIONS
from imagerecords.flows.command.help import GroupedHelp
from imagerecords.flows.retry import is_final
from imagerecords.flows.terminal import drop_closed_output, escape_unknown_characters, print_line
from imagerecords.schemas.errors import BadSettings, ImageRecordsError
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import setting_problem, settings_problems
from imagerecords.schemas.version import VERSION

UNAUTHORISED = re.compile(r"\b40[13]\b")  # statuses of HTTP
# The commands by group, each with an example.
COMMANDS: dict[str, dict[Callable[..., int], str]] = {
    "Build a data set": {
        plan: "plan --data_directory photos --validation_fraction 0.1 --output_directory out",
        build: "build --data_directory photos --validation_fraction 0.1 --output_directory out",
    },
    "Look at a finished one": {
        audit: "audit out --pixels",
        show: "show out/train-00000-of-00008 --record 3 --save third.jpg",
        report: "report out",
        locate: "locate out cat/0001.jpg",
        diff: "diff out other",
    },
    "Change a finished one": {extract: "extract out --to folder", remove: "remove out --list names.txt"},
    "For bug reports": {doctor: "doctor s3://bucket/prefix"},
}
EXIT_CODES = """Exit codes: 0 done; 1 failed, over budget, or audit, diff and locate found a problem, a difference, no image;
2 bad settings or input; 130 interrupted."""
MOST_USED = "\n".join(f"    imagerecords {example}" for commands in COMMANDS.values() for example in [*commands.values()][:2])


def make_app() -> App:
    """The command with its subcommands; a new one for each run, since it keeps its configuration."""
    app = App(
        name="imagerecords",
        help="Build sharded TFRecord files from labelled images, and verify them.",
        version=VERSION,
        result_action="return_value",
        version_flags=["--version", "-V"],
        group_parameters=Group(OPTIONS, sort_key=len(COMMANDS)),
        group_commands=Group("Help", sort_key=len(COMMANDS) + 1),
        help_formatter=GroupedHelp(),
        help_epilogue=f"Examples:\n\n{MOST_USED}\n\n{EXIT_CODES}",
    )
    app.meta.suppress_keyboard_interrupt = app.suppress_keyboard_interrupt = False  # run() reports it
    for place, (title, commands) in enumerate(COMMANDS.items()):
        group = Group(title, sort_key=place)
        for order, (command, example) in enumerate(commands.items()):
            epilogue = f"Example: imagerecords {example}\n\n{EXIT_CODES}"
            app.command(command, group=group, sort_key=order, help_epilogue=epilogue)
    app["--version"].help = "Print the version and exit."
    app.register_install_completion_command(help="Have the shell complete commands and options.")

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        config: Annotated[Path | None, Parameter(help="Read settings from this file, .yaml or .toml.")] = None,
        debug: Annotated[bool, Parameter(negative="", help="Print the whole traceback of an error.")] = False,
    ) -> int:
        """Run one of the commands; see `imagerecords COMMAND --help`."""
        try:
            warn_of_unknown_variables()
            files = [settings_of_file(config)] if config else []
            app.config = [Env(ENVIRONMENT, command=False), environment_of_former_names(), *files]
            if tokens and tokens[0] in ("build", "plan"):
                _refuse_bare_arguments(tokens)
                refuse_unknown_options(tokens[1:], config)
            command, bound, unparsed = app.parse_args(present_options(tokens), exit_on_error=False, print_error=False)
            code: int = command(*bound.args, **bound.kwargs, **({"debug": debug} if "debug" in unparsed else {})) or OK
        except (Exception, KeyboardInterrupt) as error:
            return _report(error, debug, partial(source_of, tokens, config))
        return code

    return app


def _refuse_bare_arguments(tokens: Sequence[str]) -> None:
    """Raise BadSettings for `build photos`: the commands that take settings alone take no argument without a name."""
    if len(tokens) > 1 and not tokens[1].startswith("-"):
        raise BadSettings(
            f"{tokens[0]} takes settings by their names, got {tokens[1]!r} without one. For a folder of label folders: "
            f"imagerecords {tokens[0]} --data_directory {tokens[1]} --output_directory OUT"
        )


def _on_sigterm(*_: object) -> NoReturn:
    """End as on Ctrl-C, with everything cleaned up."""
    raise KeyboardInterrupt


def run(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code: 0 done, 1 failed or over budget, 2 bad settings or input, 130 interrupted."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    escape_unknown_characters()
    try:
        code: int = make_app().meta(arguments, exit_on_error=False, print_error=False) or OK  # None from --help
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # in the options before the command's name
        return _report(error, debug=False)
    return code


def _report(error: BaseException, debug: bool, source: Callable[[str], str] = lambda _: "") -> int:
    """Print an error, and return its exit code; `source` gives the place from which a setting came."""
    if isinstance(error, BrokenPipeError) and drop_closed_output():
        return FAILED
    if debug:
        traceback.print_exception(error)
    code, text = _explain(error, source)
    for line in text.split("\n"):
        print_line(line)
    return code


def _explain(error: BaseException, source: Callable[[str], str]) -> tuple[int, str]:
    """The exit code of an error, and its text for people."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted. Run it again to go on: finished shards are reused"
    if isinstance(error, ImageRecordsError):
        return error.exit_code, "\n".join(f"error: {line}" for line in str(error).split("\n"))
    if problems := _setting_problems(error, source):
        return BAD_INPUT, f"error: {problems}"
    if isinstance(error, CycloptsError):
        command = " ".join(error.command_chain or ())
        return BAD_INPUT, f"error: {' '.join(str(error).split())} See imagerecords {f'{command} ' if command else ''}--help"
    return FAILED, f"error: {_failure(error)}"


def _failure(error: BaseException) -> str:
    """What failed, of errors that are not this project's own."""
    if isinstance(error, OSError) and is_final(error) and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    if type(error).__name__ == "PrefectHTTPStatusError" and UNAUTHORISED.search(str(error)):  # Prefect need not be imported
        return (
            "Prefect's server must be asked with credentials that it accepts, got Unauthorized. Set PREFECT_API_AUTH_STRING or "
            "PREFECT_API_KEY, or pass --no-prefect"
        )
    return f"{type(error).__name__}: {' '.join(str(error).split())}. Add --debug for the whole traceback"


def _setting_problems(error: BaseException, source: Callable[[str], str]) -> str:
    """What is wrong with settings, where this is what an error says; else empty."""
    cause = error.__cause__ if isinstance(error, InvalidArguments) else error
    if isinstance(cause, ValidationError):
        return settings_problems(cause, BuildSettings, source)
    if isinstance(error, MissingArgumentError) and error.argument:
        name = error.argument.name.lstrip("-").replace("-", "_")
        if name in BuildSettings.model_fields:
            command = " ".join(error.command_chain or ())
            return f"{name} must be given, got none. Pass --{name}; imagerecords {command} --help has all settings"
    if isinstance(error, CoercionError) and error.argument and error.token:
        name = error.argument.name.lstrip("-").replace("-", "_")
        if name in BuildSettings.model_fields:
            return setting_problem(name, error.token.value, BuildSettings, source(name))
    return ""
