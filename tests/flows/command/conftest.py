"""Shared by the tests of the command: an input, and where settings come from."""

import json

import pytest
import yaml


@pytest.fixture
def many(tmp_path, fill):
    """An input with enough images for nine shards."""
    return fill(tmp_path / "many", {"cat": 10, "dog": 10})


@pytest.fixture
def shards_planned(imagerecords, tmp_path, many):
    """`shards_planned(*arguments)` gives the number of training shards that plan prints."""

    def shards_planned(*arguments):
        ran = imagerecords("plan", "--output_directory", tmp_path / "out", "--train_directory", many, "--json", *arguments)
        assert ran.code == 0, ran.err
        return json.loads(ran.out)["splits"][0]["shards"]

    return shards_planned


@pytest.fixture
def config(tmp_path):
    """`config("yaml", {...})` writes a file of settings."""

    def config(kind, settings):
        path = tmp_path / f"build.{kind}"
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        path.write_text("".join(lines) if kind == "toml" else yaml.safe_dump(settings))
        return path

    return config
