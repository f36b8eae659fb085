"""The deployments of deployments/prefect.yaml through a real server and worker: made, run on demand, by schedule and served."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from imagerecords.flows.prefect_ui.parameters import MODELS
from imagerecords.schemas.settings import MAIN_SETTINGS, BuildSettings
from tests.acceptance.production import DEPLOY, PREFECT, ROOT, Installation, parameters, until
from tests.acceptance.running import Images, Shell
from tests.digests import digests

pytest_plugins = ["tests.acceptance.production_fixtures"]
pytestmark = pytest.mark.usefixtures("dead_runs")  # begun before all else: the server takes its time to miss them
ON_DEMAND = "build-image-dataset/on-demand"


def test_deploy_makes_the_three_deployments_with_every_setting_described(installation: Installation):
    installation.prefect(*DEPLOY)  # a second time, as after a new release: nothing is there twice
    deployments = installation.post("deployments/filter", {"deployments": {"tags": {"all_": ["imagerecords"]}}})
    assert sorted(deployment["name"] for deployment in deployments) == ["nightly", "on-demand", "on-labels"]
    for deployment in deployments:
        assert deployment["work_pool_name"] == "imagerecords"
        schema = deployment["parameter_openapi_schema"]
        form = sorted(schema["properties"], key=lambda name: schema["properties"][name]["position"])
        assert form == [*MAIN_SETTINGS, *MODELS, "settings"]
        described = {name: schema["properties"][name]["description"] for name in MAIN_SETTINGS}
        for group in MODELS.values():
            fields = schema["definitions"][group.__name__]
            assert fields["additionalProperties"] is False
            described |= {name: field["description"] for name, field in fields["properties"].items()}
        assert described == {name: field.description for name, field in BuildSettings.model_fields.items()}


def test_deploying_again_leaves_the_nightly_schedule_as_it_is(installation: Installation, tmp_path: Path):
    """And the file works from anywhere, with the user's values in it."""
    name = "build-image-dataset/nightly"
    mine = (ROOT / "deployments/prefect.yaml").read_text().replace("/data/records/nightly", "/data/mine")
    (tmp_path / "prefect.yaml").write_text(mine)
    assert installation.deployment("nightly")["schedules"] == []
    try:
        installation.prefect("deployment", "schedule", "create", name, "--cron", "0 3 * * *", "--timezone", "UTC")
        runs = until(lambda: installation.runs("nightly"), "the server has scheduled a night")
        assert all(run["auto_scheduled"] and "T03:00:00" in run["expected_start_time"] for run in runs)
        assert all(run["parameters"]["output_settings"]["overwrite"] is True for run in runs)
        installation.prefect("--no-prompt", "deploy", "--all", folder=tmp_path)
        deployment = installation.deployment("nightly")
        assert [(one["schedule"]["cron"], one["active"]) for one in deployment["schedules"]] == [("0 3 * * *", True)]
        assert deployment["parameters"]["output_directory"] == "/data/mine"
    finally:
        installation.prefect("deployment", "schedule", "clear", name, "--accept-yes")
        installation.prefect(*DEPLOY)


WATCH = ["--watch", "--watch-interval", "1"]


def test_a_run_on_demand_gives_the_bytes_of_a_direct_build(installation: Installation, quick: Images, tmp_path: Path):
    given = parameters(quick.settings(tmp_path / "data"))
    words = [word for name, value in given.items() for word in ("-p", f"{name}={json.dumps(value)}")]
    installation.prefect("deployment", "run", ON_DEMAND, *words, *WATCH)
    assert digests(tmp_path / "data") == quick.undisturbed.digests


def test_a_run_with_all_settings_in_one_parameter_still_works(installation: Installation, quick: Images, tmp_path: Path):
    given = {"settings": quick.settings(tmp_path / "data", tensorflow_check="none")}
    installation.prefect("deployment", "run", ON_DEMAND, "--params", json.dumps(given), *WATCH)
    assert digests(tmp_path / "data") == quick.undisturbed.digests


def test_a_run_keeps_the_deployments_values_of_the_parameters_that_it_does_not_give(
    installation: Installation, quick: Images, tmp_path: Path
):
    description = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())
    mine = description["deployments"][1] | {"name": "mine", "parameters": parameters(quick.settings(tmp_path / "data"))}
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({"name": "mine", "pull": [], "deployments": [mine]}))
    installation.prefect("--no-prompt", "deploy", "--all", folder=tmp_path)
    try:
        other = tmp_path / "other"
        installation.prefect("deployment", "run", "build-image-dataset/mine", "-p", f"output_directory={other}", *WATCH)
    finally:
        installation.prefect("deployment", "delete", "build-image-dataset/mine")
    assert digests(other) == quick.undisturbed.digests


RESULT = """
import sys
from prefect.deployments import run_deployment
import json
run = run_deployment("build-image-dataset/on-demand", parameters=json.loads(sys.argv[1]), job_variables=json.loads(sys.argv[2]))
print(run.state.result().digest)
"""


def test_a_runs_summary_is_its_result_where_prefect_is_set_to_keep_results(
    installation: Installation, quick: Images, tmp_path: Path
):
    keep = {"env": {"PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true"}}
    given = parameters(quick.settings(tmp_path / "data"))
    asked = installation.start(sys.executable, "-c", RESULT, json.dumps(given), json.dumps(keep))
    assert asked.wait() == 0, asked.stderr
    assert asked.stdout.split()[-1] == quick.undisturbed.digest


def test_a_run_that_fails_fails_the_command_that_watches_it(installation: Installation, quick: Images, tmp_path: Path):
    given = parameters(quick.settings(tmp_path / "data", train_directory=str(tmp_path / "nowhere")))
    installation.prefect("deployment", "run", ON_DEMAND, "--params", json.dumps(given), *WATCH, code=1)
    run = installation.run_of(tmp_path / "data")
    assert run is not None
    assert run["state_name"] == "Failed"
    assert str(tmp_path / "nowhere") in run["state"]["message"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"train_shard": 8}, "train_shard"),  # unknown
        ({"image_settings": {"jpeg_qualty": 90}}, "jpeg_qualty"),  # unknown in its group
        ({"split_settings": {"seed": "lots"}}, "lots"),  # wrong type
        ({"max_rejected_fraction": 2}, "max_rejected_fraction"),  # out of range
    ],
)
def test_a_bad_setting_is_refused_before_there_is_a_run(
    installation: Installation, quick: Images, wrong, message, tmp_path: Path
):
    before = len(installation.runs("on-demand"))
    asked = json.dumps(parameters(quick.settings(tmp_path / "data")) | wrong)
    assert message in installation.prefect("deployment", "run", ON_DEMAND, "--params", asked, code=1)
    assert len(installation.runs("on-demand")) == before


def test_a_scheduled_run_happens(installation: Installation, quick: Images, tmp_path: Path):
    description = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())
    (nightly,) = [deployment for deployment in description["deployments"] if deployment["name"] == "nightly"]
    given = nightly["parameters"] | parameters(quick.settings(tmp_path / "data"))
    mine = nightly | {"name": "scheduled", "parameters": given}
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({"name": "mine", "pull": [], "deployments": [mine]}))
    installation.prefect("--no-prompt", "deploy", "--all", folder=tmp_path)
    name = "build-image-dataset/scheduled"
    try:
        soon = (datetime.now(UTC) + timedelta(seconds=15)).isoformat()  # the command itself takes a while
        installation.prefect("deployment", "schedule", "create", name, "--interval", "90", "--anchor-date", soon)
        first = until(
            lambda: [run for run in installation.runs("scheduled") if run["state_name"] == "Completed"], "a scheduled run ends"
        )[0]
        installation.prefect("deployment", "schedule", "clear", name, "--accept-yes")
        assert first["auto_scheduled"]
        assert first["created_by"]["type"] == "SCHEDULE"
    finally:
        installation.prefect("deployment", "delete", name)
    assert digests(tmp_path / "data") == quick.undisturbed.digests


def test_the_flow_as_a_program_is_the_build_through_prefect(
    installation: Installation, shell: Shell, quick: Images, tmp_path: Path
):
    words = [sys.executable, "-m", "imagerecords.flows.build", *quick.arguments(tmp_path / "data")[1:]]
    build = shell.start_program(words, {"PREFECT_API_URL": installation.url})
    assert build.wait() == 0, build.stderr
    assert build.summary["runner"] == "prefect"
    assert f"running with Prefect, {installation.url}" in build.stderr
    assert digests(tmp_path / "data") == quick.undisturbed.digests
    assert installation.run_of(tmp_path / "data")["state_name"] == "Completed"


def test_a_served_flow_runs_without_a_pool(installation: Installation, quick: Images, tmp_path: Path):
    serve = installation.start(PREFECT, "flow", "serve", f"{ROOT}/flows/build.py:build_image_dataset", "--name", "served")
    try:
        until(lambda: "on-demand" in serve.stdout or "being served" in serve.stdout, "the flow is served")
        installation.completed(installation.run("served", quick.settings(tmp_path / "data")))
    finally:
        serve.end()
    assert digests(tmp_path / "data") == quick.undisturbed.digests
    assert installation.deployment("served")["work_pool_name"] is None


def test_a_build_leaves_its_artifacts_and_its_announcement(installation: Installation, quick: Images, tmp_path: Path):
    for label in quick.train.iterdir():
        (tmp_path / "train" / label.name).mkdir(parents=True)
        for image in label.iterdir():
            (tmp_path / "train" / label.name / image.name).symlink_to(image)
    (tmp_path / "train/cat/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more of it")
    settings = quick.settings(tmp_path / "data", train_directory=str(tmp_path / "train"), report=True)
    run = installation.run("on-demand", settings)
    installation.completed(run)
    artifacts = installation.artifacts(run)
    assert {key: artifact["type"] for key, artifact in artifacts.items()} == {
        "images-converted": "progress",
        "build-summary": "markdown",
        "data-card": "markdown",
        "rejected-images": "table",
    }
    assert artifacts["images-converted"]["data"] == 100
    assert "| train | 181 | 180 | 1 " in artifacts["build-summary"]["data"]
    assert "| validation | 36 | 36 | 0 | 2 |" in artifacts["build-summary"]["data"]
    card = artifacts["data-card"]["data"]
    assert f"`{tmp_path / 'data/report.html'}`" in card
    assert "| cat | 60 | 12 | 1 |" in card
    assert 3 <= card.count("](data:image/jpeg;base64,") <= 24
    endings = {key.split("-", 2)[2] for key in (artifact["key"] for artifact in artifacts.values())}
    assert len(endings) == 1, "each data set has a history of its own"
    (reject,) = json.loads(artifacts["rejected-images"]["data"])
    assert any("broken.jpg" in str(value) for value in reject.values())

    output = f"file://{tmp_path / 'data'}"
    (published,) = until(
        lambda: installation.events("imagerecords.dataset.published", id=[f"imagerecords.dataset.{output}"]), "it is published"
    )
    places = {"output_directory": str(tmp_path / "data"), "output_url": output}
    facts = {**places, "labels": 3, "images": {"train": 180, "validation": 36}, "version": "1.0.0"}
    assert published["payload"] == {**facts, "digest": published["payload"]["digest"]}
    assert published["payload"]["digest"] in artifacts["build-summary"]["data"]
    (asset,) = until(lambda: installation.events("prefect.asset.materialization.succeeded", id=[output]), "the asset is there")
    assert asset["payload"] == published["payload"]
