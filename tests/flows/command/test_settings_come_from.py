"""Settings come from flags, the environment, a file and the defaults, in this order."""

import json
import tomllib
from pathlib import Path

import pytest


def test_the_default_is_taken_where_nothing_else_is_given(shards_planned):
    assert shards_planned() == 1


@pytest.mark.parametrize("kind", ["yaml", "yml", "toml"])
def test_a_file_comes_before_the_default(shards_planned, config, kind):
    assert shards_planned("--config", config(kind, {"train_shards": 2})) == 2


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_the_environment_comes_before_a_file(shards_planned, config, kind, monkeypatch):
    monkeypatch.setenv("IMAGERECORDS_TRAIN_SHARDS", "3")
    assert shards_planned("--config", config(kind, {"train_shards": 2})) == 3


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_a_flag_comes_before_all(shards_planned, config, kind, monkeypatch):
    monkeypatch.setenv("IMAGERECORDS_TRAIN_SHARDS", "3")
    assert shards_planned("--config", config(kind, {"train_shards": 2}), "--train_shards", 4) == 4
    assert shards_planned("--train_shards", 4) == 4


def test_the_sources_are_mixed_setting_by_setting(imagerecords, config, many, tmp_path, monkeypatch):
    """The directories from the file, one number from the environment, another from a flag."""
    file = config("yaml", {"output_directory": str(tmp_path / "out"), "data_directory": many, "train_shards": 2})
    monkeypatch.setenv("IMAGERECORDS_VALIDATION_FRACTION", "0.3")
    ran = imagerecords("plan", "--config", file, "--test_fraction", 0.3, "--json")
    assert ran.code == 0, ran.err
    assert [split["split"] for split in json.loads(ran.out)["splits"]] == ["train", "validation", "test"]


def test_a_file_can_have_all_settings(imagerecords, config, many, tmp_path):
    settings = {
        "output_directory": str(tmp_path / "out"),
        "train_directory": many,
        "train_shards": "auto",
        "executor": "threads",
        "allow_empty_shards": False,
        "storage_options": {"endpoint_url": "http://127.0.0.1:9", "client_kwargs": {"region_name": "eu-1"}},
    }
    for kind in ("yaml", "toml"):
        nested = dict(settings)
        if kind == "toml":
            nested["storage_options"] = {"endpoint_url": "x"}
            path = tmp_path / "build.toml"
            path.write_text(
                "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items() if key != "storage_options")
                + '[storage_options]\nendpoint_url = "x"\n'
            )
            assert tomllib.loads(path.read_text()) == nested
        else:
            path = config(kind, settings)
        assert imagerecords("build", "--no-prefect", "--config", path).code == 0


@pytest.mark.parametrize("name", ["train_shards", "train-shards"])
def test_names_in_a_file_may_be_spelt_either_way(shards_planned, config, name):
    assert shards_planned("--config", config("yaml", {name: 2})) == 2


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_an_unknown_setting_in_a_file_is_named(imagerecords, config, many, tmp_path, kind):
    file = config(kind, {"train_shard": 2})
    ran = imagerecords("plan", "--config", file, "--output_directory", tmp_path / "out", "--train_directory", many)
    assert ran.code == 2
    assert ran.err == f"imagerecords: error: train_shard is not a setting ({file}); did you mean train_shards?\n"


@pytest.mark.parametrize(("kind", "text"), [("yaml", "a: [1"), ("toml", "a = "), ("yaml", "- a\n- b\n")])
def test_a_file_that_cannot_be_read_is_named(imagerecords, tmp_path, kind, text):
    (tmp_path / f"build.{kind}").write_text(text)
    ran = imagerecords("plan", "--config", tmp_path / f"build.{kind}", "--output_directory", tmp_path / "out")
    assert ran.code == 2
    assert f"build.{kind}" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_an_empty_file_is_no_settings(shards_planned, tmp_path):
    (tmp_path / "build.yaml").write_text("")
    assert shards_planned("--config", tmp_path / "build.yaml") == 1


def test_a_flag_can_undo_what_a_file_says(imagerecords, config, tmp_path, many):
    file = config("yaml", {"recursive": True, "train_directory": many, "output_directory": str(tmp_path / "out")})
    Path(many, "cat/x").mkdir()
    Path(many, "cat/x/1.jpg").write_bytes(b"x")
    assert imagerecords("plan", "--config", file).code == 0
    assert imagerecords("plan", "--config", file, "--no-recursive").code == 2


def test_a_variable_that_is_not_a_setting_is_reported_and_ignored(imagerecords, many, tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGERECORDS_TRAIN_SHARD", "3")
    ran = imagerecords("plan", "--train_directory", many, "--output_directory", tmp_path / "out")
    assert ran.code == 0
    assert "IMAGERECORDS_TRAIN_SHARD is not a setting; ignored" in ran.err


def test_a_table_in_a_file_is_no_settings_and_is_refused(imagerecords, tmp_path, many):
    (tmp_path / "c.toml").write_text(f'train_directory = "{many}"\noutput_directory = "out"\n[build]\ntrain_shards = 3\n')
    ran = imagerecords("plan", "--config", tmp_path / "c.toml")
    assert (ran.code, "got table 'build'" in ran.err) == (2, True)


@pytest.fixture
def image_list(tmp_path, picture):
    """A list of one image."""
    (tmp_path / "a.jpg").write_bytes(picture(1))
    (tmp_path / "list.csv").write_text("path,label\na.jpg,cat\n")
    return str(tmp_path / "list.csv")


@pytest.fixture
def given(image_list, config, monkeypatch):
    """`given("flag", "manifest")` names the image list so, and gives the arguments that it takes."""

    def given(how, *names, value=image_list):
        if how == "environment":
            for name in names:
                monkeypatch.setenv(f"IMAGERECORDS_{name.upper()}", value)
            return []
        if how == "file":
            return ["--config", config("yaml", dict.fromkeys(names, value))]
        return [f"--{name}={value}" for name in names]

    return given


@pytest.mark.parametrize("name", ["image_list", "manifest"])
@pytest.mark.parametrize("how", ["flag", "environment", "file"])
def test_the_image_list_is_taken_by_its_former_name_too(imagerecords, tmp_path, given, how, name):
    ran = imagerecords("plan", "--json", "--output_directory", tmp_path / "out", *given(how, name))
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["splits"][0]["images"] == 1


@pytest.mark.parametrize("how", ["flag", "environment", "file"])
def test_both_names_of_the_image_list_are_an_error(imagerecords, tmp_path, given, how):
    ran = imagerecords("plan", "--output_directory", tmp_path / "out", *given(how, "image_list", "manifest"))
    assert (ran.code, "got manifest, its former name, too" in ran.err) == (2, True)


def test_a_flag_comes_before_a_variable_of_the_former_name_and_that_before_a_file(imagerecords, tmp_path, given, image_list):
    given("environment", "manifest", value="of-the-environment.csv")
    arguments = ["plan", "--output_directory", tmp_path / "out"]
    assert imagerecords(*arguments, "--image_list", image_list).code == 0
    assert "of-the-environment.csv" in imagerecords(*arguments, *given("file", "image_list")).err


def test_a_variable_of_the_former_name_does_not_disturb_other_commands(imagerecords, tmp_path, given):
    given("environment", "manifest")
    assert "must hold TFRecord files" in imagerecords("audit", tmp_path).err


RULE = "train_shards must be a whole number from 1 to 99,999 or auto, got 'x'"


@pytest.mark.parametrize("flag", [["--train_shards", "x"], ["--train_shards=x"], ["--train-shards", "x"]])
def test_an_error_names_the_flag_of_a_wrong_value(imagerecords, flag):
    ran = imagerecords("plan", *flag, "--data_directory", "in", "--output_directory", "out")
    assert (ran.code, ran.err) == (2, f"imagerecords: error: {RULE} ({flag[0].partition('=')[0]})\n")


def test_an_error_names_the_variable_of_a_wrong_value(imagerecords, monkeypatch):
    monkeypatch.setenv("IMAGERECORDS_TRAIN_SHARDS", "x")
    ran = imagerecords("plan", "--data_directory", "in", "--output_directory", "out")
    assert (ran.code, ran.err) == (2, f"imagerecords: error: {RULE} (IMAGERECORDS_TRAIN_SHARDS)\n")


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_an_error_names_the_file_and_the_key_of_each_wrong_value(imagerecords, config, kind):
    path = config(kind, {"data_directory": "in", "output_directory": "out", "train-shards": "x", "workers": 5000})
    ran = imagerecords("plan", "--config", path)
    workers = f"workers must be a whole number from 1 to 1,024, got 5000 ({path}, workers)"
    assert (ran.code, ran.err) == (2, f"imagerecords: error: {RULE} ({path}, train-shards); {workers}\n")


def test_what_the_command_line_itself_converts_has_the_same_errors(imagerecords, monkeypatch):
    monkeypatch.setenv("IMAGERECORDS_RECURSIVE", "maybe")
    ran = imagerecords("plan", "--data_directory", "in", "--output_directory", "out")
    error = "recursive must be true or false, got 'maybe' (IMAGERECORDS_RECURSIVE)"
    assert (ran.code, ran.err) == (2, f"imagerecords: error: {error}\n")


def test_no_error_shows_a_credential(imagerecords):
    for options in ('{"key": "SECRET"}', "SECRET", '["SECRET"]'):
        ran = imagerecords("plan", "--data_directory", "in", "--output_directory", "out", "--storage_options", options)
        assert (ran.code, "SECRET" in ran.err) == (2, False)
