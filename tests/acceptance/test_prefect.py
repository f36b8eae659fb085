"""The flow through Prefect: a real server, the temporary one, and none give the same bytes."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency as slots
from prefect.settings import PREFECT_API_URL, temporary_settings

from imagerecords.flows.prefect_ui import concurrency as slot_of_output
from tests.acceptance.running import Images, Shell, wait_until
from tests.digests import digests


def _ask(api: str, what: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """What the server answers to one of its filter queries."""
    request = urllib.request.Request(
        f"{api}/{what}/filter", json.dumps(query).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)
        return found


def _flow_run(api: str, name: str) -> dict[str, Any]:
    runs = _ask(api, "flow_runs", {"flow_runs": {"name": {"any_": [name]}}})
    assert len(runs) == 1, f"one run named {name!r}, got {len(runs)}"
    return runs[0]


def _task_runs(api: str, flow_run: dict[str, Any], count: int) -> dict[str, str]:
    """The names and states of a run's task runs; the server records them some time after they ended."""
    query = {"flow_runs": {"id": {"any_": [flow_run["id"]]}}, "limit": 200}

    def booked() -> list[dict[str, Any]]:
        runs = _ask(api, "task_runs", query)
        done = [run for run in runs if run["state_type"] not in ("PENDING", "RUNNING", "SCHEDULED")]
        return runs if len(done) == len(runs) >= count else []

    runs = wait_until(booked, f"the server has booked {count} task runs")
    return {run["name"]: run["state_name"] for run in runs}


def test_a_server_shows_the_build_and_each_shard_by_name(shell: Shell, quick: Images, tmp_path: Path, prefect_server: str):
    output = tmp_path / "data"
    build = shell.run(quick.arguments(output), {"PREFECT_API_URL": prefect_server})
    assert build.summary["runner"] == "prefect", "the command must choose Prefect where an API is configured"
    assert f"running with Prefect, {prefect_server}" in build.stderr
    assert digests(output) == quick.undisturbed.digests
    assert build.summary["digest"] == quick.undisturbed.digest
    flow_run = _flow_run(prefect_server, f"build {output}")
    assert flow_run["state_name"] == "Completed"
    assert flow_run["tags"] == ["imagerecords"]
    assert flow_run["parameters"]["output_directory"] == str(output)
    shards = [f"train-{number:05d}-of-00008" for number in range(8)] + [
        f"validation-{number:05d}-of-00002" for number in (0, 1)
    ]
    steps = ["discover", "partition", f"prepare {output}", f"publish {output}", "announce"]
    expected = [*shards, *(f"validate {shard}" for shard in shards), *steps]
    task_runs = _task_runs(prefect_server, flow_run, len(expected))
    assert task_runs == dict.fromkeys(expected, "Completed")
    before = _graph(prefect_server, flow_run)
    for shard in shards:
        assert f"prepare {output}" in before[shard]
        assert shard in before[f"validate {shard}"]


def _graph(api: str, flow_run: dict[str, Any]) -> dict[str, set[str]]:
    """The names of the task runs that each task run comes after, as the UI draws them."""
    with urllib.request.urlopen(f"{api}/flow_runs/{flow_run['id']}/graph-v2", timeout=30) as answer:
        nodes = dict(json.load(answer)["nodes"])
    return {node["label"]: {nodes[parent["id"]]["label"] for parent in node["parents"]} for node in nodes.values()}


def test_looking_for_duplicates_is_a_task_of_its_own(
    shell: Shell, fill: Any, picture: Any, tmp_path: Path, prefect_server: str
):
    output = tmp_path / "data"
    source = fill(tmp_path / "in", {"cat": [picture(1), picture(1), picture(2)]})
    build = shell.run(
        ["build", "--json", "--train_directory", source, "--output_directory", str(output), "--duplicates", "drop"],
        {"PREFECT_API_URL": prefect_server},
    )
    assert build.summary["splits"][0]["rejected"] == {"duplicate": 1}
    names = _task_runs(prefect_server, _flow_run(prefect_server, f"build {output}"), 8)
    assert names["duplicates"] == "Completed"


def test_without_an_api_the_command_builds_directly(shell: Shell, quick: Images, tmp_path: Path):
    build = shell.run(quick.arguments(tmp_path / "data"))
    assert build.summary["runner"] == "direct"
    assert "running without Prefect" in build.stderr
    assert digests(tmp_path / "data") == quick.undisturbed.digests


def test_an_api_in_prefects_profile_is_an_api_too(shell: Shell, quick: Images, tmp_path: Path, prefect_server: str):
    (tmp_path / "home").mkdir()
    profile = f'active = "ours"\n[profiles.ours]\nPREFECT_API_URL = "{prefect_server}"\n'
    (tmp_path / "home/profiles.toml").write_text(profile)
    build = shell.run(quick.arguments(tmp_path / "data"), {"PREFECT_HOME": str(tmp_path / "home")})
    assert build.summary["runner"] == "prefect"
    assert _flow_run(prefect_server, f"build {tmp_path / 'data'}")["state_name"] == "Completed"


def test_no_prefect_wins_over_a_configured_api(shell: Shell, quick: Images, tmp_path: Path, prefect_server: str):
    build = shell.run(quick.arguments(tmp_path / "data", "--no-prefect"), {"PREFECT_API_URL": prefect_server})
    assert build.summary["runner"] == "direct"
    assert not _ask(prefect_server, "flow_runs", {"flow_runs": {"name": {"any_": [f"build {tmp_path / 'data'}"]}}})


def test_prefects_temporary_server_gives_the_same_bytes(shell: Shell, quick: Images, tmp_path: Path):
    build = shell.run(quick.arguments(tmp_path / "data", "--prefect"))
    assert build.summary["runner"] == "prefect"
    assert "running with Prefect, a temporary server" in build.stderr
    assert digests(tmp_path / "data") == quick.undisturbed.digests


def test_a_rerun_with_the_other_runner_reuses_every_shard(shell: Shell, quick: Images, tmp_path: Path, prefect_server: str):
    shell.run(quick.arguments(tmp_path / "data", "--no-prefect"))
    rerun = shell.run(quick.arguments(tmp_path / "data", executor="threads"), {"PREFECT_API_URL": prefect_server})
    assert (rerun.summary["shards_reused"], rerun.summary["shards_converted"]) == (quick.shards, 0)
    assert digests(tmp_path / "data") == quick.undisturbed.digests


def test_an_api_that_does_not_answer_fails_the_build_in_one_line(shell: Shell, quick: Images, tmp_path: Path):
    build = shell.start(quick.arguments(tmp_path / "data"), {"PREFECT_API_URL": "http://127.0.0.1:9/api"})
    assert build.wait() == 1
    assert build.last_word.startswith("imagerecords: error: ")
    assert "http://127.0.0.1:9/api" in build.last_word
    assert not (tmp_path / "data").exists()


def test_bad_input_has_the_same_exit_code_under_prefect(shell: Shell, quick: Images, tmp_path: Path, prefect_server: str):
    (tmp_path / "empty").mkdir()
    words = quick.arguments(tmp_path / "data", train_directory=tmp_path / "empty")
    build = shell.start(words, {"PREFECT_API_URL": prefect_server, "PREFECT_TASKS_DEFAULT_RETRIES": "3"})
    assert build.wait() == 2, build.stderr
    assert build.last_word.startswith("imagerecords: error: ")
    assert "AwaitingRetry" not in build.stderr, "bad input stays bad"
    assert _flow_run(prefect_server, f"build {tmp_path / 'data'}")["state_name"] == "Failed"


def test_idle_limits_of_other_outputs_are_removed_and_no_others(prefect_server: str, monkeypatch: pytest.MonkeyPatch):
    """A killed build leaves its limit, which its output's next build would remove, if there ever was one."""
    left, held, mine = (f"imagerecords-data-{number:08x}" for number in range(3))
    users = "imagerecords-nightly"
    with temporary_settings({PREFECT_API_URL: prefect_server}), get_client(sync_client=True) as client:

        def there() -> set[str]:
            return {limit.name for limit in client.read_global_concurrency_limits(limit=200)} & {left, held, mine, users}

        for name in (left, held, mine, users):
            client.upsert_global_concurrency_limit_by_name(name, limit=1)
        with slots(held, lease_duration=slot_of_output.LEASE_SECONDS):
            slot_of_output._remove_idle(mine)
            assert there() == {left, held, users}, "a build of the other output may begin just now"
            monkeypatch.setattr(slot_of_output, "IDLE_SECONDS", 0.0)
            slot_of_output._remove_idle(mine)
            assert there() == {held, users}
        for name in (held, users):
            client.delete_global_concurrency_limit_by_name(name)
