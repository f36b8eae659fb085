"""Shared by the tests of the steps: settings, and one small build."""

import pytest

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.prepare import prepare_output
from imagerecords.tasks.storage.folders import open_folder

SOURCES = ("train_directory", "data_directory", "image_list", "manifest", "label_studio", "annotations")


@pytest.fixture(scope="session")
def make_settings():
    """`make_settings(**changes)` gives settings of an input "in" and an output "out", unless changed."""

    def make_settings(**changes):
        changes = {name: str(value) if name.endswith(("directory", "file")) else value for name, value in changes.items()}
        source = {} if any(name in changes for name in SOURCES) else {"train_directory": "in"}
        return BuildSettings(**({"output_directory": "out", "executor": "threads"} | source | changes))

    return make_settings


@pytest.fixture(scope="session")
def prepared():
    """`prepared(settings)` discovers, partitions and lays the plan into the output; gives output folder and shards."""

    def prepared(settings):
        plan = partition_images(discover_images(settings), settings)
        prepare_output(plan, settings)
        return open_folder(settings.output_directory, {}), plan.references()

    return prepared


@pytest.fixture(scope="session")
def small(tmp_path_factory, fill, build, picture):
    """The output of a small build, not to be changed: 3 train and 2 validation shards, one image rejected."""
    root = tmp_path_factory.mktemp("small")
    train = {"dog": 7, "cat": [*(picture(number, size=(9, 8)) for number in range(5)), b"no picture"]}
    build(
        train_directory=fill(root / "train", train),
        validation_directory=fill(root / "validation", {"cat": 3, "dog": 2}),
        output_directory=root / "out",
        train_shards=3,
        validation_shards=2,
        max_rejected_fraction=0.5,
    )
    return root / "out"


@pytest.fixture
def planned(tmp_path, fill, make_settings, prepared):
    """Settings, input, output and shard of a planned build of four images in one shard."""
    source = tmp_path / "in"
    settings = make_settings(train_directory=fill(source, {"cat": 2, "dog": 2}), output_directory=tmp_path / "out")
    output, (shard,) = prepared(settings)
    return settings, source, output, shard
