"""doctor: what a machine has, on one screen, and an exit code of 1 where something can't be reached."""

import json

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings


@pytest.fixture(autouse=True)
def no_prefect(monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def test_it_fits_on_a_screen_and_names_versions_decoders_and_machine(imagerecords, tmp_path):
    ran = imagerecords("doctor", tmp_path)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert len(lines) < 24
    assert [
        name for name in ("packages", "processors", "memory", "HEIC", "JPEG 2000", "camera raw") if name not in ran.out
    ] == []
    assert f"reached, exists: {tmp_path}" in ran.out


def test_what_cannot_be_reached_makes_it_fail(imagerecords, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):  # a process reads the variable once
        ran = imagerecords("doctor", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["Prefect"].startswith("not reached: http://127.0.0.1:9/api")


def test_help_has_groups_examples_exit_codes_and_every_argument(imagerecords):
    whole = imagerecords("--help").out
    assert [
        part for part in ("Build a data set", "Change a finished one", "Examples:", "Exit codes:") if part not in whole
    ] == []
    for command in ("audit", "show", "report", "locate", "extract", "remove", "diff", "doctor"):
        text = imagerecords(command, "--help").out
        assert f"Example: imagerecords {command} " in text
        arguments = text.partition("Arguments")[2].partition("╰")[0]
        assert all(len(line.strip("│ *").split()) > 2 for line in arguments.splitlines()[1:] if "[required]" not in line)


def test_help_is_in_words_of_the_shell_and_begins_with_what_one_came_for(imagerecords):
    whole = imagerecords("--help").out
    assert whole.index("Build a data set") < whole.index("doctor") < whole.index("--debug") < whole.index("--version")
    text = imagerecords("build", "--help").out
    assert "--storage_options.KEY TEXT" in text
    of_python = ("STR", "INT", "FLOAT", "default: ()", "default: {}", "default: (", "True", "False", "--empty_exclude_labels")
    assert [word for word in of_python if word in text] == []
    assert "--empty_ignore" in text
