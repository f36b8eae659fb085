"""From labelling to training by events: an export starts a build, a build starts what comes after it."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.acceptance.production import Installation, until
from tests.acceptance.running import Images, Shell, shard_files
from tests.digests import digests

pytest_plugins = ["tests.acceptance.production_fixtures"]
pytestmark = pytest.mark.usefixtures("dead_runs")

EXPORT = """
import json, sys
from imagerecords.flows.export_labels import export_labels
from imagerecords.schemas.label_export import LabelExport
print(export_labels(LabelExport(**json.loads(sys.argv[1]))))
"""
EMIT = """
import json, sys
from prefect.events import emit_event
payload = json.load(open(sys.argv[2]))
emit_event(event="imagerecords.labels.exported", resource={"prefect.resource.id": sys.argv[1]}, payload=payload)
"""
TRAIN = """
import json
from pathlib import Path
from prefect import flow

@flow
def train(data: str, digest: str, labels: int):
    Path(__file__).with_name("trained.json").write_text(json.dumps([data, digest, labels]))
"""
STUDIO = "label-studio.json"


def _labelled(quick: Images, folder: Path) -> Path:
    """A Label Studio export of the quick images, of which one is not labelled yet, beside them."""
    tasks = [
        {
            "data": {"image": f"/data/local-files/?d={image.parent.name}/{image.name}"},
            "annotations": [{"result": [{"type": "choices", "value": {"choices": [image.parent.name]}}]}],
        }
        for image in sorted(quick.train.rglob("*.jpg"))
    ]
    folder.mkdir()
    (folder / STUDIO).write_text(json.dumps([*tasks, {"data": {"image": "later.jpg"}, "annotations": []}]))
    return folder / STUDIO


def _export(quick: Images, folder: Path, file: Path, **more: object) -> dict[str, object]:
    return {
        "export_file": str(file),
        "images_directory": str(quick.train),
        "labelled_directory": str(folder / "labelled"),
        "output_directory": str(folder / "data"),
        "train_shards": 4,
        "validation_shards": 1,
        **more,
    }


def _direct_build(shell: Shell, settings: dict[str, object], output: Path) -> dict[str, str]:
    """The shards that a build without Prefect makes of the same settings."""
    named = settings | {"output_directory": str(output), "tensorflow_check": "none"}
    words = [word for name, value in named.items() if name != "overwrite" for word in (f"--{name}", str(value))]
    shell.run(["build", "--json", "--no-prefect", *words])
    return {path.name: digests(output)[path.name] for path in shard_files(output)}


def test_labels_exported_become_a_data_set_and_the_data_set_starts_a_training(
    installation: Installation, shell: Shell, quick: Images, tmp_path: Path
):
    (tmp_path / "train.py").write_text(TRAIN)
    trigger = {
        "type": "event",
        "match": {"prefect.resource.id": f"imagerecords.dataset.file://{tmp_path}*"},
        "expect": ["imagerecords.dataset.published"],
        "parameters": {
            "data": "{{ event.payload.output_directory }}",
            "digest": "{{ event.payload.digest }}",
            "labels": "{{ event.payload.labels }}",
        },
    }
    training = {"name": "after", "entrypoint": "train.py:train", "work_pool": {"name": "imagerecords"}, "triggers": [trigger]}
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}]
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({"name": "mine", "pull": pull, "deployments": [training]}))
    installation.prefect("--no-prompt", "deploy", "--all", folder=tmp_path)

    export = _export(quick, tmp_path, _labelled(quick, tmp_path / "studio"))
    upstream = shell.start_program([sys.executable, "-c", EXPORT, json.dumps(export)], {"PREFECT_API_URL": installation.url})
    assert upstream.wait() == 0, upstream.stderr
    build = until(lambda: installation.run_of(tmp_path / "data"), "the event has started a build")
    assert build["created_by"]["display_value"] == "build-on-labels-exported"
    settings = build["parameters"]["settings"]
    assert (settings["train_shards"], settings["validation_shards"]) == (4, 1), "numbers must stay numbers"
    assert settings["labels_file"] == str(tmp_path / "labelled/labels.txt")
    assert installation.completed(build["id"])["deployment_id"] == installation.deployment("on-labels")["id"]
    shards = {path.name: digests(tmp_path / "data")[path.name] for path in shard_files(tmp_path / "data")}
    assert shards == _direct_build(shell, settings, tmp_path / "direct")

    (published,) = until(
        lambda: installation.events("imagerecords.dataset.published", id=[f"imagerecords.dataset.file://{tmp_path / 'data'}"]),
        "the data set is published",
    )
    (trained,) = until(lambda: installation.runs("after", "train"), "the data set has started a training")
    installation.completed(trained["id"])
    data, digest, labels = json.loads((tmp_path / "trained.json").read_text())
    assert (data, digest, labels) == (str(tmp_path / "data"), published["payload"]["digest"], 3)


def test_an_export_that_hands_over_to_a_deployment_waits_for_its_run(
    installation: Installation, shell: Shell, quick: Images, tmp_path: Path
):
    export = _export(quick, tmp_path, _labelled(quick, tmp_path / "studio"), hand_over="deployment")
    upstream = shell.start_program([sys.executable, "-c", EXPORT, json.dumps(export)], {"PREFECT_API_URL": installation.url})
    assert upstream.wait() == 0, upstream.stderr
    assert (tmp_path / "data/dataset_info.json").exists()
    build = installation.run_of(tmp_path / "data")
    assert build is not None
    assert build["state_name"] == "Completed"
    assert build["parent_task_run_id"], "the build must be a subflow of the export"


def test_an_export_fails_with_the_build_that_it_waits_for(
    installation: Installation, shell: Shell, quick: Images, tmp_path: Path
):
    (tmp_path / "data/train-00000-of-00099").mkdir(parents=True)  # no shard, and in the way
    (tmp_path / "data/_build").write_text("neither")
    export = _export(quick, tmp_path, _labelled(quick, tmp_path / "studio"), hand_over="deployment")
    upstream = shell.start_program([sys.executable, "-c", EXPORT, json.dumps(export)], {"PREFECT_API_URL": installation.url})
    assert upstream.wait() == 1
    assert "the build ended as Failed: build-image-dataset/on-demand" in upstream.stderr


def _payload(quick: Images, folder: Path, **change: object) -> dict[str, object]:
    (folder / "labels.txt").write_text("cat\ndog\nemu\n")
    return {
        "train_directory": str(quick.train),
        "labels_file": str(folder / "labels.txt"),
        "output_directory": str(folder / "data"),
        **change,
    }


def _emit(installation: Installation, shell: Shell, payload: dict[str, object], folder: Path) -> None:
    (folder / "payload.json").write_text(json.dumps(payload))
    words = [sys.executable, "-c", EMIT, f"imagerecords.labels.{folder}", str(folder / "payload.json")]
    emitted = shell.start_program(words, {"PREFECT_API_URL": installation.url})
    assert emitted.wait() == 0, emitted.stderr


def test_an_event_with_a_wrong_field_starts_a_run_that_names_it(
    installation: Installation, shell: Shell, quick: Images, tmp_path: Path
):
    _emit(installation, shell, _payload(quick, tmp_path, train_shard=4), tmp_path)
    run = until(lambda: installation.run_of(tmp_path / "data"), "the event has started a run")
    ended = installation.ended(run["id"])
    assert ended["state_name"] == "Failed"
    assert "train_shard is not a setting; did you mean train_shards?" in ended["state"]["message"]
    assert not (tmp_path / "data").exists()


def test_an_event_that_can_start_no_run_is_reported_by_the_server_with_the_reason(
    installation: Installation, shell: Shell, quick: Images, tmp_path: Path
):
    """More than a run's 512 KiB of parameters."""
    runs = len(installation.runs("on-labels"))
    query = json.dumps({"filter": {"event": {"name": ["prefect.automation.action.failed"]}}})

    def failures() -> list[dict[str, object]]:
        events = json.loads(installation.prefect("api", "POST", "/events/filter", "--data", query))["events"]
        return [event for event in events if event["resource"]["prefect.resource.name"] == "build-on-labels-exported"]

    before = len(failures())
    _emit(installation, shell, _payload(quick, tmp_path, group_pattern="x" * 600_000), tmp_path)
    failed = until(lambda: len(seen := failures()) > before and seen, "the server reports the event that started nothing")
    assert all(event["payload"]["reason"] for event in failed)
    assert len(installation.runs("on-labels")) == runs
    assert not (tmp_path / "data").exists()
