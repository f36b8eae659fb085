"""mlcroissant validates croissant.json without a network, and loads what it can of it: manifest, splits, labels."""

import hashlib
import json
import shutil

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.splits import SPLITS

mlcroissant = pytest.importorskip("mlcroissant")

ONLY_THE_OWNER_KNOWS = ("citeAs", "datePublished", "license")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("the network was asked for")

    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.fixture(scope="module")
def dataset(workplace):
    return mlcroissant.Dataset(str(workplace / "out/croissant.json"))


def test_it_is_valid_and_lacks_only_what_the_owner_knows(workplace, caplog):
    issues = mlcroissant.Dataset(str(workplace / "out/croissant.json")).metadata.ctx.issues
    assert not issues.errors
    lacking = sorted(warning.split('"')[1].rpartition("/")[2] for warning in issues.warnings)
    assert tuple(lacking) == ONLY_THE_OWNER_KNOWS
    assert "not standard" not in caplog.text  # the @context is the specification's


def test_every_file_has_its_true_sha256(dataset, workplace):
    listed = {file.content_url: file.sha256 for file in dataset.metadata.file_objects}
    files = [workplace / "out/manifest.parquet", *workplace.glob("out/*-*-of-*")]
    assert len(files) == 9
    assert listed == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    sizes = {file.content_url: file.content_size for file in dataset.metadata.file_objects if file.content_size}
    assert sizes == {file.name: f"{file.stat().st_size} B" for file in files if file.suffix != ".parquet"}


def test_the_file_sets_are_the_splits_shards(dataset, workplace):
    assert [each.id for each in dataset.metadata.file_sets] == [f"{split}-shards" for split in SPLITS]
    for each, split in zip(dataset.metadata.file_sets, SPLITS, strict=True):
        shards = sorted(path.name for path in workplace.glob(f"out/{split}-*"))
        (pattern,) = each.includes
        assert sorted(path.name for path in workplace.glob(f"out/{pattern}")) == shards
        assert sorted(each.contained_in) == shards


def test_the_pages_code_loads_every_image_of_the_manifest(ran, workplace):
    names = ran("Croissant")
    loaded = [{key.removeprefix("images/"): value for key, value in each.items()} for each in names["images"]]
    rows = pq.read_table(workplace / "out/manifest.parquet").to_pylist()
    assert len(loaded) == len(rows) == 78
    for record, row in zip(loaded, rows, strict=True):
        for name in ("split", "path", "text", "status"):
            assert record[name].decode() == row[name]
        assert record["label"] == row["label"]
        if row["status"] == "written":
            assert [record[name] for name in ("record", "offset", "size", "height", "width")] == [
                row[name] for name in ("record", "offset", "size", "height", "width")
            ]
            assert record["encoded_sha256"].decode() == row["encoded_sha256"]
    listed = [(each["labels/id"], each["labels/name"]) for each in names["labels"]]
    assert listed == [(1, "größe"), (2, "two words"), (3, "кошка")]


def test_the_splits_are_named(dataset):
    assert [each["splits/name"] for each in dataset.records("splits")] == list(SPLITS)


def test_a_manifest_of_another_build_is_refused(workplace, tmp_path):
    for name in ("croissant.json", "manifest.parquet"):
        shutil.copy(workplace / "out" / name, tmp_path)
    croissant = json.loads((tmp_path / "croissant.json").read_text())
    croissant["distribution"][0]["sha256"] = "0" * 64
    (tmp_path / "croissant.json").write_text(json.dumps(croissant))
    with pytest.raises(mlcroissant.GenerationError) as refused:
        list(mlcroissant.Dataset(str(tmp_path / "croissant.json")).records("images"))
    assert "Hash of downloaded file" in str(refused.value.__cause__)
