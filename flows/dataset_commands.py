"""The commands on finished data sets; flows/cli.py puts them into the app."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from flows.console import print_audit
from flows.options import FAILED, OK, AsJson, StorageOptions, refuse_secrets, tell
from schemas.layout import REPORT


def add_dataset_commands(app: App) -> None:
    """Make this module's commands those of an app."""
    for command in (audit, show, report):
        app.command(command)


def audit(path: str, /, *, storage_options: StorageOptions = None, as_json: AsJson = False) -> int:
    """Re-read any folder of TFRecord files, or one file, and name each fault; exit 1 when there is one."""
    from tasks.audit import audit_folder

    refuse_secrets(storage_options, path=path)
    result = audit_folder(path, storage_options or {})
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        print_audit(Console(), result)
    return FAILED if result.faults else OK


def show(
    path: str,
    /,
    *,
    record: Annotated[int, Parameter(help="Number of the record, from 0.")] = 0,
    save: Annotated[Path | None, Parameter(help="Write the record's image to this file.")] = None,
    storage_options: StorageOptions = None,
) -> int:
    """Print a record's fields."""
    from tasks.show import read_record

    refuse_secrets(storage_options, path=path)
    shown = read_record(path, record, storage_options or {})
    print("\n".join(shown.lines()))
    if save:
        save.write_bytes(shown.image)
    return OK


def report(
    path: str,
    /,
    *,
    save: Annotated[
        Path | None, Parameter(help="Write the page to this file instead, e.g. where the folder is read-only.")
    ] = None,
    storage_options: StorageOptions = None,
) -> int:
    """Write report.html, the data card of any folder of TFRecord files, into the folder."""
    from tasks.report import make_report, put_report

    refuse_secrets(storage_options, path=path)
    page = make_report(path, storage_options or {})
    if save:
        save.write_bytes(page)
    else:
        put_report(path, storage_options or {}, page)
    tell(f"wrote {save or path.rstrip('/') + '/' + REPORT}")
    return OK
