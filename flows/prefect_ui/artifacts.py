"""The artifacts of a build in Prefect: progress, summary, a link to the data card, a table of rejected images."""

import time
from collections.abc import Callable
from logging import Logger, LoggerAdapter
from typing import Any
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from imagerecords.flows.prefect_ui.card import card_markdown
from imagerecords.flows.prefect_ui.names import output_name
from imagerecords.flows.progress import LineProgress
from imagerecords.schemas.messages import plural, skipped_phrase
from imagerecords.schemas.output_files import REPORT
from imagerecords.schemas.summary import MIB, BoxSummary, BuildSummary
from imagerecords.tasks.dataset.manifest import rejected_images
from imagerecords.tasks.storage.folders import Folder

SECONDS_BETWEEN_UPDATES = 2.0
REJECTED_SHOWN = 1000


class ArtifactProgress(LineProgress):
    """Lines in the run's log, and an artifact with the percentage of images converted."""

    def __init__(self, logger: "Logger | LoggerAdapter[Any]", report: Callable[[BuildSummary], None], output: Folder) -> None:
        super().__init__(logger.info, report)
        self._logger = logger
        self._key = artifact_key("images-converted", output)
        self._artifact: UUID | None = None
        self._updated = 0.0
        self._converting = False

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Make the artifact when conversion begins."""
        super().begin(phase, shards, images)
        self._converting = phase == "convert"
        if self._converting:
            made = attempt(self._logger, create_progress_artifact, 0.0, key=self._key, description="Images converted")
            self._artifact = made if isinstance(made, UUID) else None

    def within(self, images: int) -> None:
        """Update the artifact every few seconds."""
        super().within(images)
        self._update()

    def advance(self, images: int) -> None:
        """Update the artifact every few seconds."""
        super().advance(images)
        self._update()

    def _update(self) -> None:
        now = time.monotonic()
        if self._converting and self._artifact and (self.is_done or now - self._updated > SECONDS_BETWEEN_UPDATES):
            self._updated = now
            attempt(self._logger, update_progress_artifact, self._artifact, self.percent)


def artifact_key(what: str, output: Folder) -> str:
    """The key of an output's artifact, so that each data set has a history of its own."""
    return f"{what}-{output_name(output)}"


def show_summary(logger: "Logger | LoggerAdapter[Any]", summary: BuildSummary, output: Folder) -> None:
    """Make the artifacts that close a build: its summary, its data card, and its rejected images where it has some."""

    def show(create: Callable[..., Any], content: Any, what: str, description: str) -> None:
        attempt(logger, create, content, key=artifact_key(what, output), description=description)

    show(create_markdown_artifact, summary_markdown(summary), "build-summary", summary.output_directory)
    if output.exists(REPORT):
        show(
            create_markdown_artifact, card_markdown(summary, output), "data-card", "Main figures and pictures of the data card"
        )
    rejects = rejected_images(output, REJECTED_SHOWN)
    if rejects:
        count = sum(sum(split.rejected.values()) for split in summary.splits)
        description = plural(count, "rejected image") + (f", the first {REJECTED_SHOWN:,}" if count > REJECTED_SHOWN else "")
        show(create_table_artifact, rejects, "rejected-images", description)


def summary_markdown(summary: BuildSummary) -> str:
    """The closing summary as Markdown."""
    rows = [
        f"| {split.split} | {split.found:,} | {split.written:,} | {_reasons(split.rejected)} | {split.shards:,} | "
        f"{split.bytes / MIB:,.1f} |"
        for split in summary.splits
    ]
    skipped = skipped_phrase(summary.skipped) or "nothing"
    return "\n".join(
        [
            f"# {summary.output_directory}",
            "",
            "| split | found | written | rejected | shards | MiB |",
            "|---|---:|---:|---|---:|---:|",
            *rows,
            "",
            f"{plural(summary.labels, 'label')}; {plural(summary.shards_converted, 'shard')} converted, "
            f"{summary.shards_reused:,} reused; "
            f"{summary.seconds:,.1f} s, {summary.images_per_second:,.0f} images/s; skipped: {skipped}.",
            "",
            *([summary.known_phrase() + ".", ""] if summary.images_known else []),
            *([summary.boxes.line() + ".", "", *_box_reasons(summary.boxes)] if summary.boxes else []),
            *_findings(summary),
            f"Digest `{summary.digest}`",
        ]
    )


def _box_reasons(boxes: BoxSummary) -> list[str]:
    """A list of the reasons why boxes were not written, and a blank line; nothing where all were written."""
    return [*(f"- {reason.line()}" for reason in boxes.reasons), *([""] if boxes.reasons else [])]


def _findings(summary: BuildSummary) -> list[str]:
    """A list of the findings, and a blank line; nothing where there are none."""
    found = [f"- {phrase}" for phrase in (*summary.findings.phrases(), summary.findings.limit_of_near()) if phrase]
    return ["Found:", "", *found, ""] if found else []


def attempt(logger: "Logger | LoggerAdapter[Any]", call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call Prefect's API and return its answer, or log a warning and return None: an unreachable server stops no build."""
    try:
        return call(*args, **kwargs)
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        logger.warning("Prefect's API refused %s: %s: %s", call.__name__, type(error).__name__, error)
        return None


def _reasons(rejected: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in rejected.items()) or "0"
