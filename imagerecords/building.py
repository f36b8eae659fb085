"""Build, plan and audit from Python, with the settings and errors of the commands of these names."""

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imagerecords.schemas.audit import Audit, AuditOptions
from imagerecords.schemas.errors import Incomplete
from imagerecords.schemas.progress import ProgressUpdate
from imagerecords.schemas.secrets import refuse_secrets
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import make_settings
from imagerecords.schemas.summary import BuildSummary, PlanSummary

if TYPE_CHECKING:
    from imagerecords.flows.progress import Progress

ShowProgress = bool | Callable[[ProgressUpdate], object]


def build(*, progress: ShowProgress = True, **settings: Any) -> BuildSummary:
    """Build a data set here, without Prefect, and return its summary: counts per split, findings, digest.

    The settings are those of docs/settings.md, by name; paths may be `pathlib.Path`. Only the call's
    settings count, not environment variables. `progress=True` shows a bar on a terminal or in a notebook, and lines on standard
    error elsewhere. False shows nothing and logs notes to the logger `imagerecords`. A callable is called with each
    ProgressUpdate.

    Raises BadInput (BadSettings, BadLayout, …) before anything is written; Incomplete (OverBudget, UnwantedDuplicates) when the
    images were written but the data set is not complete, with the counts in the error's `summary`; ShardFailed, OutputLocked
    and the other errors of `imagerecords.schemas.errors` when something failed on the way.
    """
    from imagerecords.flows.direct import build_directly

    chosen = _settings(settings)
    summaries: list[BuildSummary] = []
    try:
        return build_directly(chosen, _progress(progress, summaries.append))
    except Incomplete as error:
        error.summary = summaries[-1] if summaries else None
        raise


def plan(**settings: Any) -> PlanSummary:
    """Return what `build` would do with the same settings: splits, labels, shards, and in `errors` all that would stop it.

    Writes nothing and opens no image. Raises BadSettings when a setting is wrong.
    """
    from imagerecords.flows.plan import plan_dataset

    return plan_dataset(_settings(settings))


def audit(url: str | os.PathLike[str], *, storage_options: dict[str, Any] | None = None, **options: Any) -> Audit:
    """Read a folder of TFRecord files, or one file, again; `problems` has every problem found.

    The options are the command's: `digests=True`, `pixels=False`, `tensorflow=False`, `workers=None`. Raises BadSettings for
    a wrong option and BadLayout where there is nothing to audit.
    """
    from imagerecords.tasks.audit.folder import audit_folder

    place = os.fspath(url)
    refuse_secrets(storage_options, url=place)
    return audit_folder(place, storage_options or {}, make_settings(AuditOptions, options))


def _settings(values: dict[str, Any]) -> BuildSettings:
    return make_settings(
        BuildSettings, {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in values.items()}
    )


def _log_note(update: ProgressUpdate) -> None:
    if update.note:
        logging.getLogger("imagerecords").info(update.note)


def _progress(show: ShowProgress, report: Callable[[BuildSummary], None]) -> "Progress":
    """The Progress that shows or passes on what a build reports."""
    from imagerecords.flows.notebook import NotebookProgress, in_notebook
    from imagerecords.flows.progress import CallbackProgress
    from imagerecords.flows.terminal import terminal_progress

    if callable(show):
        return CallbackProgress(show, report)
    if not show:
        return CallbackProgress(_log_note, report)
    if in_notebook():
        return NotebookProgress(report)
    return terminal_progress(report)
