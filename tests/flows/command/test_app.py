"""The command: where settings come from, what goes to which stream, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--train_shards", "5"],
        ["--train-shards", "5"],
        ["--train_shards=5"],
        ["--train-shards=5"],
        ["--layout_threads", "5", "--train_shards", "5"],
        ["--num_threads", "5", "--train_shards", "5"],  # build_image_data.py's name
        ["--num-threads=5", "--train_shards", "5"],
    ],
)
def test_options_may_be_spelt_either_way(shards_planned, arguments):
    assert shards_planned(*arguments) == 5


def test_num_threads_is_the_classic_scripts(imagerecords, many, tmp_path):
    ran = imagerecords(
        "plan", "--output_directory", tmp_path / "out", "--train_directory", many, "--num_threads", 2, "--train_shards", 3
    )
    assert ran.code == 2
    assert "multiple of layout_threads (2), got 3" in ran.err


BUILD = ("build", "--no-prefect", "--executor", "threads")


def the_object(text):
    """The one JSON object that a text is."""
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_build_prints_one_json_object_and_all_else_on_stderr(imagerecords, many, tmp_path):
    ran = imagerecords(*BUILD, "--output_directory", tmp_path / "out", "--train_directory", many, "--json")
    assert ran.code == 0
    summary = the_object(ran.out)
    assert summary["splits"][0]["written"] == 20
    assert summary["output_directory"] == str(tmp_path / "out")
    assert "running without Prefect" in ran.err
    assert "convert: " in ran.err


def test_a_build_over_budget_prints_its_counts_and_fails(imagerecords, fill, picture, tmp_path):
    source = fill(tmp_path / "in", {"cat": [picture(1), b"text"]})
    ran = imagerecords(*BUILD, "--output_directory", tmp_path / "out", "--train_directory", source, "--json")
    assert ran.code == 1
    assert the_object(ran.out)["splits"][0]["rejected"] == {"not_an_image": 1}
    assert "may be rejected, got 1 of 2" in ran.err
    assert "Traceback" not in ran.err


def test_a_build_without_json_prints_its_counts_as_a_table(imagerecords, many, tmp_path):
    ran = imagerecords(*BUILD, "--output_directory", tmp_path / "out", "--train_directory", many)
    assert ran.code == 0
    assert "train" in ran.out
    assert "20" in ran.out
    assert "digest" in ran.out


def test_plan_prints_one_json_object(imagerecords, many, tmp_path):
    ran = imagerecords("plan", "--output_directory", tmp_path / "out", "--train_directory", many, "--json")
    assert ran.err == ""
    (split,) = the_object(ran.out)["splits"]
    assert (split["split"], split["images"], split["labels"]) == ("train", 20, {"cat": 10, "dog": 10})


def test_plan_prints_its_errors_as_json_too(imagerecords, tmp_path):
    ran = imagerecords("plan", "--output_directory", tmp_path / "out", "--train_directory", tmp_path / "none", "--json")
    assert ran.code == 2
    assert len(the_object(ran.out)["errors"]) == 1
    assert ran.err.count("\n") == 1


def test_plan_prints_one_json_object_whatever_the_error(imagerecords, many, tmp_path):
    """partition reports too many shards, not discover; a program that reads the output can't know that."""
    ran = imagerecords(
        "plan", "--output_directory", tmp_path / "out", "--train_directory", many, "--train_shards", 21, "--json"
    )
    assert ran.code == 2
    assert "must be at most" in the_object(ran.out)["errors"][0]


def test_plan_writes_nothing_at_all(imagerecords, many, tmp_path, digests, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    before = digests(tmp_path)
    assert imagerecords("plan", "--output_directory", "some/out", "--train_directory", many).code == 0
    assert digests(tmp_path) == before
    assert list(work.iterdir()) == []


def test_plan_prints_labels_as_they_are(imagerecords, fill, tmp_path):
    """The terminal's markup, [i] and [/i], is no part of a label."""
    labels = ["we[i]rd", "[bold]", ":smile:"]
    source = fill(tmp_path / "in", dict.fromkeys(labels, 1))
    ran = imagerecords("plan", "--output_directory", tmp_path / "out", "--train_directory", source)
    assert ran.code == 0
    assert [label for label in labels if label not in ran.out] == []


@pytest.mark.parametrize("command", ["plan", "build"])
def test_a_machine_without_a_locale_is_no_error(fill, tmp_path, command):
    """As in cron jobs and containers."""
    source = fill(tmp_path / "größe", {"gänseblümchen": 1, "日本語": 1})
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    arguments = [command, "--train_directory", source, "--output_directory", "out", "--executor", "threads"]
    arguments += ["--no-prefect"] if command == "build" else []
    ran = subprocess.run([sys.executable, "-m", "imagerecords", *arguments], cwd=tmp_path, env=environment, capture_output=True)
    assert ran.returncode == 0, ran.stderr


def test_plan_prints_what_build_then_does(imagerecords, many, tmp_path):
    arguments = ["--output_directory", tmp_path / "out", "--data_directory", many, "--validation_fraction", 0.4, "--json"]
    planned = the_object(imagerecords("plan", *arguments).out)["splits"]
    built = the_object(imagerecords(*BUILD, *arguments).out)["splits"]
    assert [(split["split"], split["images"], split["shards"]) for split in planned] == [
        (split["split"], split["found"], split["shards"]) for split in built
    ]


def test_an_error_is_one_line_without_debug_and_a_traceback_with_it(imagerecords, tmp_path):
    arguments = ["build", "--no-prefect", "--output_directory", tmp_path / "out", "--train_directory", tmp_path / "none"]
    plain, debug = imagerecords(*arguments), imagerecords(*arguments, "--debug")
    errors = [line for line in plain.err.splitlines() if "error: " in line]
    assert len(errors) == 1
    assert plain.err.splitlines()[-1] == errors[0]
    assert "Traceback" not in plain.err
    assert "Traceback (most recent call last)" in debug.err
    assert debug.err.splitlines()[-1] == errors[0]
    assert plain.code == debug.code == 2


def test_an_unforeseen_error_is_one_line_too(imagerecords, many, tmp_path, monkeypatch):
    """An output that is a file: the user's error, which needs no traceback."""
    (tmp_path / "file").write_text("x")
    arguments = [*BUILD, "--output_directory", tmp_path / "file/out", "--train_directory", many]
    plain, debug = imagerecords(*arguments), imagerecords(*arguments, "--debug")
    assert plain.code in (1, 2)
    assert "Traceback" not in plain.err
    assert len([line for line in plain.err.splitlines() if "error: " in line]) == 1
    assert "Traceback" in debug.err


SECRET = "hunter2-not-to-be-shown"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--storage_options.secret", SECRET],
        ["--storage_options.client_kwargs.aws_secret_access_key", SECRET],
        ["--train_directory", f"s3://me:{SECRET}@bucket"],
    ],
)
def test_a_credential_is_not_shown_even_in_a_traceback(imagerecords, tmp_path, arguments):
    base = [] if "--train_directory" in arguments else ["--train_directory", tmp_path]
    ran = imagerecords("build", "--no-prefect", "--output_directory", tmp_path / "out", *base, *arguments, "--debug")
    assert ran.code == 2
    assert "no credential" in ran.err
    assert SECRET not in ran.err.partition("Traceback")[0]
    assert SECRET not in ran.err
    assert SECRET not in ran.out


def test_the_version_is_the_projects(imagerecords):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if "version" in project:
        version = project["version"]
    else:
        from importlib.metadata import version as installed

        version = installed("imagerecords")
    ran = imagerecords("--version")
    assert (ran.code, ran.out.strip()) == (0, version)


@pytest.mark.parametrize("command", ["build", "plan"])
def test_help_shows_every_setting_in_its_group(imagerecords, command):
    from imagerecords.schemas.settings import BuildSettings

    ran = imagerecords(command, "--help")
    assert ran.code == 0
    panels = re.split(r"^╭─ (.*?) ─+╮$", ran.out, flags=re.M)
    found = dict(zip(panels[1::2], panels[2::2], strict=True))
    assert list(found) == [*BuildSettings.groups(), "Options"]
    for title, names in BuildSettings.groups().items():
        assert [name for name in names if f"--{name}" not in found[title]] == []
    assert "--debug" in found["Options"]


def test_options_are_taken_with_hyphens_too(imagerecords, data, tmp_path):
    with_hyphens = ["--train-directory", data, "--output-directory", tmp_path / "out", "--allow-empty-shards"]
    assert imagerecords("plan", *with_hyphens).code == 0
    assert imagerecords("plan", *with_hyphens[:-1], "--no-allow_empty_shards", "--no-append").code == 0


@pytest.mark.parametrize(
    ("option", "meant"),
    [("--output", "--output_directory"), ("--data_dir=x", "--data_directory"), ("--trian-shards", "--train_shards")],
)
def test_an_option_that_is_no_setting_is_named_before_what_it_causes(imagerecords, option, meant):
    ran = imagerecords("build", option, "3")
    name = option.partition("=")[0]
    assert (ran.code, ran.err) == (2, f"imagerecords: error: {name} is not a setting; did you mean {meant}?\n")


@pytest.mark.parametrize(("variable", "error"), [("FORCE_COLOR", "\033[1;31merror:\033[0m"), ("NO_COLOR", "error:")])
def test_an_error_is_red_where_there_are_colours(imagerecords, monkeypatch, variable, error):
    for name, value in {"TERM": "xterm-256color", "FORCE_COLOR": "1", variable: "1"}.items():
        monkeypatch.setenv(name, value)
    assert imagerecords("plan", "--xx", "3").err == f"imagerecords: {error} --xx is not a setting\n"


def test_no_command_prints_the_commands(imagerecords):
    ran = imagerecords()
    assert ran.code == 0
    for command in ("build", "plan", "audit", "show", "locate", "extract", "remove", "diff"):
        assert command in ran.out


@pytest.mark.parametrize("arguments", [["bulid"], ["build", "--nonsense"], ["audit"], ["show"]])
def test_a_wrong_command_line_exits_with_2_in_one_line(imagerecords, arguments):
    ran = imagerecords(*arguments)
    assert ran.code == 2
    assert len([line for line in ran.err.splitlines() if "error: " in line]) == 1


def test_an_interrupt_exits_with_130(imagerecords, many, tmp_path, monkeypatch):
    from imagerecords.flows import pipeline as order

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(order, "prepare_output", interrupted)
    ran = imagerecords(*BUILD, "--output_directory", tmp_path / "out", "--train_directory", many)
    assert ran.code == 130
    assert "Run it again" in ran.err
    assert not (tmp_path / "out/_build/lock").exists()


INTERRUPTED_AT = """
import os, signal, sys
from imagerecords.__main__ import main
class Interrupt:
    def find_spec(name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Interrupt)
sys.argv = ["imagerecords", "--version"]
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["imagerecords.flows.executors.early", "cyclopts"])
def test_an_interrupt_of_the_first_imports_is_quiet(module, number):
    script = INTERRUPTED_AT.format(module=module, number=int(number))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def test_next_to_nothing_is_imported_before_the_command_handles_an_interrupt():
    """Until then Ctrl-C prints Python's traceback."""
    script = (
        "import sys; before = set(sys.modules); import imagerecords.__main__; print(*sorted({*sys.modules} - before - {'gc'}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "imagerecords imagerecords.__main__ imagerecords.schemas imagerecords.schemas.version\n"


@pytest.mark.parametrize("how", ["module", "script"])
def test_a_process_of_its_own_exits_with_the_code_and_keeps_the_streams_apart(many, tmp_path, how):
    """From another working directory, as it is installed."""
    script = Path(sys.executable).parent / "imagerecords"
    command = [sys.executable, "-m", "imagerecords"] if how == "module" else [str(script)]
    arguments = ["build", "--no-prefect", "--executor", "threads", "--train_directory", many, "--json"]
    good = subprocess.run([*command, *arguments, "--output_directory", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert good.returncode == 0, good.stderr
    assert the_object(good.stdout)["splits"][0]["written"] == 20
    assert (tmp_path / "out/dataset_info.json").exists()
    bad = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "error: " in bad.stderr


def test_the_options_of_build_imagenet_data_are_taken_by_their_names(imagerecords, many, tmp_path):
    """Spelled with dashes too, as absl takes them; errors use the names they have here."""
    arguments = ["plan", "--output_directory", tmp_path / "out", "--train_directory", many]
    ran = imagerecords(*arguments, "--bounding_box_file", "none.csv", f"--imagenet-metadata-file={tmp_path}/none.txt")
    assert "synsets_file must be an existing file" in ran.err
    ran = imagerecords(*arguments, "--bounding_box_file", "none.csv")
    assert "bounding_boxes must be an existing file: none.csv" in ran.err


def test_a_user_without_a_home_reads_what_prefect_needs(imagerecords, many, tmp_path, monkeypatch):
    """As a container's arbitrary user id without HOME."""

    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    ran = imagerecords("build", "--prefect", "--output_directory", tmp_path / "out", "--train_directory", many)
    assert (ran.code, "Set HOME to a directory" in ran.err) == (2, True)


def test_a_home_that_can_t_be_written_is_one_line(imagerecords, many, tmp_path, monkeypatch):
    """Prefect's temporary server would try for three minutes to write its database there."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file/prefect"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ran = imagerecords("build", "--prefect", "--output_directory", tmp_path / "out", "--train_directory", many)
    assert (ran.code, f"got Not a directory: {tmp_path}/file/prefect. Set PREFECT_HOME" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["audit"], ["audit", "--json"], ["plan", "--json", "--output_directory", "o"]]
)
def test_a_reader_that_has_ended_is_no_error(tmp_path, fill, build, arguments):
    """As in `imagerecords audit out | head -1`: nothing on standard error, whatever was not printed."""
    images = fill(tmp_path / "in", {"cat": 1})
    build(train_directory=images, output_directory=tmp_path / "out")
    of = {"audit": [str(tmp_path / "out")], "plan": ["--train_directory", images]}.get(arguments[0], [])
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "imagerecords", *arguments, *of], stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_a_prefect_server_that_asks_for_a_password_is_one_line_with_the_remedy(capsys):
    from httpx import HTTPStatusError, Request, Response
    from prefect.exceptions import PrefectHTTPStatusError

    from imagerecords.flows.command import app

    request = Request("GET", "http://127.0.0.1:4200/api/csrf-token?client=x")
    refused = HTTPStatusError("Client error '401 Unauthorized'", request=request, response=Response(401, request=request))
    assert app._report(PrefectHTTPStatusError.from_httpx_error(refused), debug=False) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "got Unauthorized. Set PREFECT_API_AUTH_STRING or PREFECT_API_KEY, or pass --no-prefect" in line
