"""A finished build in Prefect: the data set as an asset, and an event that can start other flows."""

from typing import Any

from prefect.assets import Asset, AssetProperties, add_asset_metadata
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event
from prefect.tasks import MaterializingTask

from imagerecords.flows.prefect_ui.card import place_of
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary
from imagerecords.tasks.dataset.about_file import read_about
from imagerecords.tasks.storage.folders import open_output

PUBLISHED = "imagerecords.dataset.published"
REFUSED_IN_ASSET_KEYS = "\n\r\t\0 #?&%\"'<>[]{}|\\^`"


def announce_dataset(summary: BuildSummary, settings: BuildSettings) -> None:
    """Materialize the data set's asset with its counts and digest, and emit `imagerecords.dataset.published`."""
    folder = open_output(settings)
    output = folder.canonical_url
    asset = Asset(
        key=output.translate(dict.fromkeys(map(ord, REFUSED_IN_ASSET_KEYS), "_")),
        properties=AssetProperties(name=settings.output_directory, description="Verified TFRecord shards of labelled images"),
    )
    options: dict[str, Any] = {
        "name": "announce",
        "task_run_name": "announce",
        "cache_policy": NO_CACHE,
        "persist_result": False,
        "retries": 0,
    }
    MaterializingTask(_announce, assets=[asset], materialized_by="imagerecords", **options)(
        summary, {"output_directory": place_of(folder), "output_url": output, "version": read_about(folder).version}, asset.key
    )


def _announce(summary: BuildSummary, described: dict[str, str], asset_key: str) -> None:
    counts = {split.split: split.written for split in summary.splits}
    facts = {**described, "digest": summary.digest, "labels": summary.labels, "images": counts}
    add_asset_metadata(asset_key, facts)
    resource = {
        "prefect.resource.id": f"imagerecords.dataset.{described['output_url']}",
        "prefect.resource.name": summary.output_directory,
    }
    emit_event(event=PUBLISHED, resource=resource, payload=facts)
