"""The commands `build` and `plan`."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from imagerecords.flows.command.console import print_plan, print_summary
from imagerecords.flows.command.exit_codes import BAD_INPUT, OK, AsJson
from imagerecords.flows.executors.imports import quick_imports
from imagerecords.flows.prefect_ui.api_url import prefect_api_url
from imagerecords.flows.terminal import print_line, shown, terminal_progress
from imagerecords.schemas.errors import BadSettings, OverBudget
from imagerecords.schemas.published import FIRST_REJECTED
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary

Settings = Annotated[BuildSettings, Parameter(name="*")]
Debug = Annotated[bool, Parameter(parse=False)]  # --debug may come before or after the command; launch() hands it on


def build(
    *,
    settings: Settings,
    prefect: Annotated[bool | None, Parameter(help="Run through Prefect; default: when a Prefect API is configured.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Build a data set, verify it, and print its counts: images found, written and rejected."""
    url = None if prefect is False else prefect_api_url()
    with_prefect = prefect if prefect is not None else url is not None
    server = url or "a temporary server"
    print_line(f"running with Prefect, {server}" if with_prefect else "running without Prefect")
    if with_prefect:
        if url is None:
            _refuse_no_place_for_a_server()
        summary = _build_with_prefect(settings, debug)
        _print_summary(summary, as_json)
    else:
        with quick_imports():
            from imagerecords.flows.direct import build_directly

        try:
            build_directly(settings, terminal_progress(lambda summary: _print_summary(summary, as_json)))
        except OverBudget as error:  # the summary has named the first rejected images
            lines = [line for line in str(error).split("\n") if not line.startswith(FIRST_REJECTED)]
            raise OverBudget("\n".join(lines)) from error
    return OK


def plan(*, settings: Settings, as_json: AsJson = False) -> int:
    """Print what build would do with the same settings; write nothing."""
    from imagerecords.flows.plan import plan_dataset

    with shown("plan"):
        planned = plan_dataset(settings)
    if as_json:
        print(planned.model_dump_json(indent=2))
    else:
        print_plan(Console(), planned)
    for error in planned.errors:
        print_line(f"error: {error}")
    return BAD_INPUT if planned.errors else OK


def _build_with_prefect(settings: BuildSettings, debug: bool) -> BuildSummary:
    # Prefect reads these when it is imported, for its temporary server: 20 s are too few on a busy machine, and its telemetry
    # fails on a locked database at the first start.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    _refuse_no_home()
    with quick_imports():
        from imagerecords.flows.build import build_image_dataset, hide_console_tracebacks
        from imagerecords.flows.prefect_ui.parameters import parameters_from

    if not debug:
        hide_console_tracebacks()
    summary: BuildSummary = build_image_dataset(**parameters_from(settings))
    return summary


def _refuse_no_home() -> None:
    """Raise BadSettings where the user has no home directory, which Prefect needs even with PREFECT_HOME."""
    try:
        Path.home()
    except RuntimeError as error:
        raise BadSettings(
            "Prefect needs a home directory, but HOME is not set and the user is unknown. "
            "Set HOME to a directory that can be written, or pass --no-prefect"
        ) from error


def _refuse_no_place_for_a_server() -> None:
    """Raise BadSettings where Prefect's temporary server can't write its database, which it would try for 180 s."""
    _refuse_no_home()
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()
    try:
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        raise BadSettings(
            f"Prefect's temporary server needs a directory that can be written, got {error.strerror}: {home}. Set PREFECT_HOME "
            "to one or PREFECT_API_URL to a server, or pass --no-prefect"
        ) from error


def _print_summary(summary: BuildSummary, as_json: bool) -> None:
    if as_json:
        print(summary.model_dump_json(indent=2))
    else:
        print_summary(Console(), summary)
