"""An upstream labelling flow: lays an export out as label folders and starts the build.

It starts the build in one of two ways: the event `imagerecords.labels.exported`, whose payload the deployment `on-labels` takes
as settings, or a run of a deployment that this flow waits for. The payload names places and never lists images: an event is
limited to 1.5 MB and a run's parameters to 512 KiB.
"""

from collections.abc import Callable
from typing import Any

from prefect import flow
from prefect.cache_policies import NO_CACHE
from prefect.deployments import run_deployment
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.tasks import Task

from imagerecords.schemas.errors import ShardFailed
from imagerecords.schemas.label_export import LabelExport
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import LABELS
from imagerecords.tasks.lay_out_labels import lay_out_labels

EXPORTED = "imagerecords.labels.exported"
lay_out: Task[[LabelExport, Callable[[str], None]], dict[str, int]] = Task(
    lay_out_labels, name="lay-out", task_run_name="lay out {export.labelled_directory}", cache_policy=NO_CACHE, retries=0
)


@flow(name="export-labels", flow_run_name="export {export.export_file}")
def export_labels(export: LabelExport) -> dict[str, int]:
    """Lay a labelling tool's export out as label folders, start a build from them, and return the images per folder."""
    counts = lay_out(export, get_run_logger().info)
    images, folders = plural(sum(counts.values()), "image"), plural(len(counts), "label folder")
    get_run_logger().info("%s in %s: %s", images, folders, export.labelled_directory)
    if export.hand_over == "event":
        resource = {"prefect.resource.id": f"imagerecords.labels.{export.labelled_directory}"}
        emit_event(event=EXPORTED, resource=resource, payload=build_parameters(export))
    else:
        _run_and_wait(export)
    return counts


def build_parameters(export: LabelExport) -> dict[str, Any]:
    """The settings of the build that an export asks for."""
    root = export.labelled_directory.rstrip("/")
    return {
        "train_directory": f"{root}/train",
        "validation_directory": f"{root}/validation",
        "labels_file": f"{root}/{LABELS}",
        "output_directory": export.output_directory,
        "train_shards": export.train_shards,
        "validation_shards": export.validation_shards,
    }


def _run_and_wait(export: LabelExport) -> None:
    """Run the deployment as a subflow; raises ShardFailed when it does not complete."""
    parameters = {"settings": {"overwrite": True, **build_parameters(export)}}
    run: Any = run_deployment(export.deployment, parameters=parameters)
    if run.state is None or not run.state.is_completed():
        name = run.state.name if run.state else "no state"
        raise ShardFailed(f"the build ended as {name}: {export.deployment}, flow run {run.name}. See its logs")
