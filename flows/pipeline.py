"""The pipeline: the order of the steps, written once; a runner (with or without Prefect) decides how each is run."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from imagerecords.flows.arrivals import nothing
from imagerecords.flows.progress import Progress
from imagerecords.flows.retry import is_final, is_storage_gone
from imagerecords.schemas.errors import Interrupted, OutputLocked, ShardFailed
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import REPORT
from imagerecords.schemas.plan import DROP, Plan, Shard
from imagerecords.schemas.published import Published
from imagerecords.schemas.receipt import ShardOutcome, VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary, Timeline
from imagerecords.tasks.append import append_images, base_plan
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.duplicates import drop_duplicates
from imagerecords.tasks.group_near_duplicates import group_near_duplicates
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.prepare import prepare_output, refuse_conflict
from imagerecords.tasks.publish import publish_dataset
from imagerecords.tasks.records.tensorflow import check_with_tensorflow
from imagerecords.tasks.storage.folders import Folder, open_output, refuse_no_scratch_directory, sweep_unfinished
from imagerecords.tasks.storage.lock import Lock, output_lock
from imagerecords.tasks.storage.s3_access import refuse_no_access
from imagerecords.tasks.storage.s3_retries import shorten_retries
from imagerecords.tasks.validate import validate_shard

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
ShardStep = Callable[[Shard, BuildSettings], T]


class Pending(Protocol[T_co]):
    """A step that is running."""

    def result(self) -> T_co:
        """Wait until the step has ended, and return what it returned or raise what it raised."""


class Runner(Protocol):
    """Runs the steps: directly, or as Prefect tasks."""

    name: str

    def run(self, step: Callable[..., T], *args: Any) -> T:
        """Run one step in this process, and return what it returns."""

    def map(
        self, step: ShardStep[T], shards: list[Shard], settings: BuildSettings, waiting: Callable[[], None] = nothing
    ) -> Iterator[T]:
        """Run a step for each shard on the workers, and yield each result when it is ready; `waiting` is called until then."""

    def images_done(self) -> int:
        """The images that are done of the shards that the workers have in hand."""

    def start(self, step: ShardStep[T], shard: Shard, settings: BuildSettings) -> Pending[T]:
        """Begin a step in the one worker reserved for TensorFlow."""


@dataclass(frozen=True)
class _Build:
    """A running build: its settings, runner, lock and progress."""

    settings: BuildSettings
    runner: Runner
    lock: Lock
    progress: Progress

    def show_images(self) -> None:
        """Show the images that are done of unfinished shards."""
        self.progress.within(self.runner.images_done())


def build_dataset(settings: BuildSettings, runner: Runner, progress: Progress) -> BuildSummary:
    """Build, verify and publish the data set that the settings ask for.

    The output is locked before the input is read, so that an output that can't be written, or that another build is writing, is
    refused before a long listing. Raises BadInput before anything but that lock is written, OverBudget and UnwantedDuplicates
    after the manifest is.
    """
    began = time.time()
    output = open_output(settings)
    refuse_no_access(settings)
    refuse_no_scratch_directory(output)
    with output_lock(output, settings.lock_stale_seconds) as lock, _cleanup_on_exit(output, progress):
        if lock.note:
            progress.note(lock.note)
        build = _Build(settings, runner, lock, progress)
        shards, images = _prepare(build)
        outcomes, checks = _convert(build, shards, images)
        verified = _validate(build, shards, outcomes)
        validated = time.time()
        if checks:
            progress.doing("tensorflow")
        for check in checks:
            check.result()
        lock.check()
        published = runner.run(publish_dataset, verified, settings, lock.holder.id, progress.doing)
    first = min((outcome.began for outcome in outcomes), default=validated)
    timeline = Timeline(began=began, first_shard_began=first, last_shard_validated=validated, ended=time.time())
    summary = _summary(build, published, outcomes, timeline)
    progress.report(summary)
    published.refuse_incomplete()
    return summary


@contextmanager
def _cleanup_on_exit(output: Folder, progress: Progress) -> Iterator[None]:
    """Remove unfinished files from the output after the block; after an error S3 is not retried for long."""
    try:
        yield
    except BaseException:
        if output.is_s3:
            shorten_retries(output.fs)
        raise
    finally:
        progress.end()
        with suppress(Exception):  # the error that ended the block is reported; the next build sweeps again
            sweep_unfinished(output)


def _prepare(build: _Build) -> tuple[list[Shard], int]:
    """Plan, make the output ready, and return the shards and the number of images; the plan's memory is free then."""
    build.progress.doing("plan")
    plan = _plan(build.settings, build.runner, build.progress)
    refuse_conflict(plan, build.settings)
    build.lock.check()
    for note in build.runner.run(prepare_output, plan, build.settings):
        build.progress.note(note)
    return plan.references(build.lock.holder.id), plan.images.num_rows


def _plan(settings: BuildSettings, runner: Runner, progress: Progress) -> Plan:
    """The plan of all images found, or with `append` of the output's images and the new ones."""
    base = base_plan(settings)
    labels, objects = (base.header.labels, base.header.object_labels or ()) if base else ((), ())
    listing = runner.run(discover_images, settings, labels, progress.note, objects)
    for note in listing.notes:
        progress.note(note)
    if settings.group_near_duplicates:
        progress.note(f"near duplicates: reading {plural(len(listing.images), 'image')} to keep those that look alike together")
        listing = runner.run(group_near_duplicates, listing, settings, base)
    if settings.duplicates == "drop":
        listing = runner.run(drop_duplicates, listing, settings, base)
        dropped = len(listing.images) - listing.images[DROP.name].null_count
        progress.note(f"duplicates: {dropped:,} of {plural(len(listing.images), 'image')} excluded")
    if base is None:
        return runner.run(partition_images, listing, settings)
    appended = runner.run(append_images, base, listing, settings)
    for note in appended.notes:
        progress.note(note)
    return appended.plan


def _convert(build: _Build, shards: list[Shard], images: int) -> tuple[list[ShardOutcome], list[Pending[int]]]:
    """The outcomes of all shards, and TensorFlow's checks of those that it reads while others still convert."""
    outcomes: list[ShardOutcome] = []
    checks: list[Pending[int]] = []
    by_name = {shard.name: shard for shard in shards}
    sampled: set[str] = set()
    which = build.settings.tensorflow_check
    build.progress.begin("convert", len(shards), images)
    for outcome in build.runner.map(convert_shard, shards, build.settings, build.show_images):
        build.lock.check()
        build.progress.advance(outcome.images)
        outcomes.append(outcome)
        shard = by_name[outcome.shard]
        if which == "all" or (which == "sample" and shard.split not in sampled and outcome.written):
            sampled.add(shard.split)
            checks.append(build.runner.start(check_with_tensorflow, shard, build.settings))
    return outcomes, checks


def _validate(build: _Build, shards: list[Shard], outcomes: list[ShardOutcome]) -> list[VerifiedShard]:
    """Verify the shards that convert has not verified already, and return all."""
    verified = [outcome.verified for outcome in outcomes if outcome.verified]
    names = {shard.shard for shard in verified}
    left = [shard for shard in shards if shard.name not in names]
    if left:
        build.progress.begin("validate", len(left), sum(outcome.written for outcome in outcomes if not outcome.verified))
    for shard in build.runner.map(validate_shard, left, build.settings):
        build.lock.check()
        build.progress.advance(shard.records)
        verified.append(shard)
    return verified


def gather(results: Iterable[tuple[Shard, Pending[T]]]) -> Iterator[T]:
    """Yield results as they come; raise failures after all other shards are done: a rerun then repeats the failed ones only."""
    failed: dict[str, Exception] = {}
    total = 0
    for shard, pending in results:
        total += 1
        try:
            result = pending.result()
        except (Interrupted, OutputLocked):
            raise
        except Exception as error:
            if is_final(error):
                raise
            if is_storage_gone(error):
                raise ShardFailed(
                    f"{shard.name} failed, and the build stopped, since the storage does not answer: {error}. "
                    "Build again when it does: finished shards are reused"
                ) from error
            failed[shard.name] = error
        else:
            yield result
    if failed:
        name, cause = min(failed.items())
        raise ShardFailed(
            f"{len(failed):,} of {plural(total, 'shard')} failed. First: {name}: {type(cause).__name__}: {cause}. Run the "
            "build again: finished shards are reused"
        ) from cause


def _summary(build: _Build, published: Published, outcomes: list[ShardOutcome], timeline: Timeline) -> BuildSummary:
    seconds = timeline.ended - timeline.began
    reused = sum(outcome.verified is not None for outcome in outcomes)
    return BuildSummary(
        output_directory=build.settings.output_directory,
        runner=build.runner.name,
        labels=published.labels,
        splits=published.splits,
        skipped=published.skipped,
        shards_converted=len(outcomes) - reused,
        shards_reused=reused,
        images_known=sum(outcome.known for outcome in outcomes),
        seconds=round(seconds, 3),
        images_per_second=round(sum(split.found for split in published.splits) / max(seconds, 1e-9), 1),
        timeline=timeline,
        findings=published.findings.counts,
        digest=published.digest,
        complete=not published.problems and not published.unwanted,
        boxes=published.boxes,
        shares=published.shares,
        finding_lines=published.findings.lines(),
        first_rejected=published.first_rejected,
        data_card=f"{build.settings.output_directory.rstrip('/')}/{REPORT}" if build.settings.report else None,
    )
