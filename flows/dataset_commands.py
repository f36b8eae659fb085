"""The commands on finished data sets; flows/cli.py puts them into the app."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from flows.console import print_audit
from flows.options import FAILED, OK, AsJson, StorageOptions, refuse_secrets
from schemas.audit import AuditOptions


def add_dataset_commands(app: App) -> None:
    """Make this module's commands those of an app."""
    for command in (audit, show):
        app.command(command)


def audit(
    path: str,
    /,
    *,
    options: Annotated[AuditOptions, Parameter(name="*")] = AuditOptions(),  # noqa: B008  # frozen
    storage_options: StorageOptions = None,
    as_json: AsJson = False,
) -> int:
    """Re-read any folder of TFRecord files, or one file, and name each fault; exit 1 when there is one."""
    from tasks.audit import audit_folder

    refuse_secrets(storage_options, path=path)
    result = audit_folder(path, storage_options or {}, options)
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
