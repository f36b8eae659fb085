"""A data set's name and version: in every file for readers, kept by reruns, raised by appends and removals."""

import json
import logging
import warnings

import pytest

from imagerecords.schemas.about import About
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.commands.remove import remove_images
from imagerecords.tasks.dataset.about_file import read_about
from imagerecords.tasks.dataset.readme import MARK, readme_text
from imagerecords.tasks.storage.folders import open_folder

NAMES = {
    "name": "pets",
    "description": 'Cats, and dogs: "ours"',
    "license": "cc-by-4.0",
    "citation": "@misc{pets}",
    "date_published": "2026-11-28",
}


def version_of(output):
    return json.loads((output / "dataset_info.json").read_text())["version"]


@pytest.fixture(scope="module")
def named(tmp_path_factory, fill, build):
    """A data set with a name, grown and reduced; the input, and the versions that it had."""
    root = tmp_path_factory.mktemp("named")
    source, output = fill(root / "in", {"cat": 4, "dog": 4}), root / "out"
    settings = {"data_directory": source, "output_directory": output, "validation_fraction": 0.25, "append": True}
    versions = []
    build(**settings, **NAMES)
    versions.append(version_of(output))
    build(**settings)  # the same again, without the names
    versions.append(version_of(output))
    (root / "in/cat/new.jpg").write_bytes((root / "in/cat/000.jpg").read_bytes())
    build(**settings)
    versions.append(version_of(output))
    remove_images(str(output), ["cat/new.jpg"], {})
    versions.append(version_of(output))
    build(**settings)
    versions.append(version_of(output))
    return output, versions, settings


def test_the_version_rises_with_each_append_and_removal_and_stays_otherwise(named):
    assert named[1] == ["1.0.0", "1.0.0", "1.1.0", "1.1.1", "1.1.1"]


def test_every_file_for_readers_has_the_name(named):
    output = named[0]
    info, croissant = (json.loads((output / name).read_text()) for name in ("dataset_info.json", "croissant.json"))
    assert (info["name"], info["description"], info["citation"]) == ("pets", NAMES["description"], NAMES["citation"])
    assert info["redistributionInfo"] == {"license": "cc-by-4.0"}
    assert (croissant["name"], croissant["version"]) == ("pets", info["version"])
    assert croissant["datePublished"] == "2026-11-28"
    readme = (output / "README.md").read_text()
    assert readme.startswith('---\npretty_name: "pets"\nlicense: "cc-by-4.0"\n')
    assert "data_files: manifest.parquet\n---" in readme
    assert "# pets 1.1.1" in readme


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("CC-BY-4.0", 'license: "cc-by-4.0"'),
        ("https://example.org/License", 'license: other\nlicense_link: "https://example.org/License"'),
    ],
)
def test_the_hub_gets_a_license_that_it_accepts(text, lines):
    readme = readme_text(About(name="pets", license=text), ("cat",), {}, boxes=False).decode()
    assert f"\n{lines}\ntask_categories:" in readme
    assert f"## License\n\n{text}\n" in readme


def test_tfds_has_the_name_too(named):
    tfds = pytest.importorskip("tensorflow_datasets")
    info = tfds.builder_from_directory(str(named[0])).info
    assert (info.name, str(info.version), info.citation) == ("pets", "1.1.1", "@misc{pets}")


def test_mlcroissant_warns_of_nothing_and_reads_the_images_as_often_as_asked(named, caplog):
    mlcroissant = pytest.importorskip("mlcroissant")
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("ignore")
        dataset = mlcroissant.Dataset(str(named[0] / "croissant.json"))
        assert [sum(1 for _ in dataset.records("images")) for _ in range(2)] == [9, 9]
    assert not dataset.metadata.issues.warnings
    assert not dataset.metadata.issues.errors


def test_a_readme_of_the_users_own_stays(named, build):
    output, _, settings = named
    (output / "README.md").write_text("mine")
    build(**settings)
    assert (output / "README.md").read_text() == "mine"
    (output / "README.md").write_text(MARK)
    build(**settings)
    assert "# pets" in (output / "README.md").read_text()


def test_a_given_version_holds(named, build):
    build(**named[2], version="3.1.4")
    assert version_of(named[0]) == "3.1.4"


WRONG = [("version", "1.0"), ("version", "01.0.0"), ("name", "a b"), ("date_published", "x")]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_names_that_readers_refuse_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        BuildSettings(train_directory="in", output_directory="out", **{name: value})


def test_a_data_set_without_the_file_has_the_first_version_and_a_broken_one_is_reported(tmp_path):
    assert read_about(open_folder(str(tmp_path), {})) == About()
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build/about.json").write_text("{")
    with pytest.raises(CorruptRecord, match="name and version must be readable"):
        read_about(open_folder(str(tmp_path), {}))
