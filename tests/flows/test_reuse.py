"""A build that knows its images from earlier ones writes the same bytes as one that decodes them all."""

import json
import os
import shutil

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadInput, ShardFailed
from imagerecords.schemas.known import ORIGIN_KEY
from imagerecords.tasks import convert
from imagerecords.tasks.commands.remove import remove_images
from imagerecords.tasks.dataset import known_images
from imagerecords.tasks.dataset.receipts import SEAL_KEY, receipt_fingerprint, write_receipt
from imagerecords.tasks.images import decoders
from imagerecords.tasks.storage.folders import open_folder
from tests.digests import digests
from tests.flows.every_kind import every_kind, write_every_kind

POLICIES = {
    "default": {},
    "metadata stripped": {"metadata": "strip"},
    "orientation kept": {"exif": "keep", "icc": "keep"},
    "oriented rejected": {"exif": "reject", "animated": "reject", "min_side": 4},
    "resized": {"resize_shorter_side": 20, "jpeg_quality": 80},
    "pixels not checked": {"check_pixels": "none", "alpha_background": "drop", "jpeg_subsampling": "4:4:4"},
    "boxes": {"boxes": True},
    "detection": {"boxes": True, "features": "detection", "metadata": "strip"},
    "trimmed": {"partial_blocks": "trim"},
    "trimmed with boxes": {"partial_blocks": "trim", "boxes": True},
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory, picture):
    root = tmp_path_factory.mktemp("kinds")
    write_every_kind(root, picture)
    return root


@pytest.fixture
def make(kinds, tmp_path, build):
    """`make("out", seed=2, …)` builds from all kinds of images into a folder."""

    def make(output, **changes):
        boxes = {"bounding_boxes": kinds / "boxes.csv", "boxes_orientation": "stored"} if changes.pop("boxes", False) else {}
        settings = {"data_directory": kinds / "in", "train_shards": 3, "max_rejected_fraction": 1, "report": False}
        return build(**settings | boxes | {"output_directory": tmp_path / output} | changes)

    return make


@pytest.fixture(scope="module")
def count(picture):
    """The number of images."""
    return len(every_kind(picture))


@pytest.fixture
def decoded(monkeypatch):
    """The bytes of the images that were processed in full."""
    seen = []

    def process(data, settings):
        seen.append(data)
        return process_image(data, settings)

    process_image = convert.process_image
    monkeypatch.setattr(convert, "process_image", process)
    return seen


@pytest.mark.parametrize("policy", POLICIES)
def test_reshuffled_it_is_the_same_as_without_reuse(policy, make, tmp_path, decoded, count):
    settings = POLICIES[policy]
    make("out", **settings)
    make("expected", seed=2, reuse=False, **settings)
    del decoded[:]
    summary = make("out", seed=2, overwrite=True, **settings)
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")
    assert summary.images_known == count - len(decoded)
    if "partial_blocks" in settings:  # what is trimmed depends on boxes, so re-encoded images are converted in full
        assert 0 < len(decoded) < count
    else:
        assert decoded == []


def test_other_data_sets_are_reused_whatever_their_paths_and_labels(make, tmp_path, decoded, picture):
    make("before", boxes=True)
    moved = tmp_path / "moved"
    for number, (name, data) in enumerate(every_kind(picture).items()):
        folder = moved / f"label {number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"new-{name}").write_bytes(data)
    (moved / "label 1/new.jpg").write_bytes(new := picture(99, size=(64, 48)))
    make("expected", data_directory=moved, seed=3)
    del decoded[:]
    summary = make("out", data_directory=moved, seed=3, reuse_from=[str(tmp_path / "before")])
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")
    assert decoded == [new]
    assert summary.images_known == len(every_kind(picture))


def test_only_the_bytes_decide(make, kinds, tmp_path, decoded):
    """A file of other content, of the size and time of before, is decoded."""
    shutil.copytree(kinds / "in", tmp_path / "in", copy_function=shutil.copy2)
    make("out", data_directory=tmp_path / "in")
    path = tmp_path / "in/cat/plain.jpg"
    data, was = path.read_bytes(), path.stat()
    path.write_bytes(data.replace(data[-40:-30], bytes(10)))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    del decoded[:]
    make("out", data_directory=tmp_path / "in", seed=2, overwrite=True)
    assert decoded == [path.read_bytes()]


def test_without_reuse_all_images_are_decoded_again(make, decoded, count):
    make("out")
    del decoded[:]
    assert make("out", seed=2, overwrite=True, reuse=False).images_known == 0
    assert len(decoded) == count


@pytest.mark.parametrize("change", ["jpeg_quality", "pillow", "encoder"])
def test_other_settings_or_versions_make_nothing_known(change, make, monkeypatch, decoded, count):
    make("out")
    changes = {"jpeg_quality": 70} if change == "jpeg_quality" else {}
    if change == "pillow":
        versions = decoders.decoder_versions() | {"pillow": "99"}
        monkeypatch.setattr(decoders, "decoder_versions", lambda: versions)
    elif change == "encoder":
        monkeypatch.setattr(decoders, "ENCODER_VERSION", "0")
    notes = []
    del decoded[:]
    keep_known = known_images.keep_known
    monkeypatch.setattr("imagerecords.tasks.prepare.keep_known", lambda *given: notes.append(keep_known(*given)) or notes[-1])
    assert make("out", seed=2, overwrite=True, **changes).images_known == 0
    assert len(decoded) == count
    ((note,),) = notes
    assert note.startswith("reuse: images of ")
    assert {"jpeg_quality": "jpeg_quality was 'source', is 70", "pillow": "is '99'", "encoder": "is '0'"}[change] in note


def test_a_killed_rebuild_still_knows_its_images(make, tmp_path, monkeypatch, decoded):
    """The old shards are gone, and one of the new ones is there, when the build ends in the midst."""
    make("expected", seed=2, train_shards=4)
    make("out")
    example, done = convert.encode_example, []

    def fail_at_the_tenth(features):
        done.append(1)
        if len(done) == 10:
            raise MemoryError
        return example(features)

    monkeypatch.setattr(convert, "encode_example", fail_at_the_tenth)
    with pytest.raises((MemoryError, ShardFailed)):
        make("out", seed=2, train_shards=4, overwrite=True, workers=1, retries=0)
    monkeypatch.setattr(convert, "encode_example", example)
    assert (tmp_path / "out/_build/known").exists()
    assert not list((tmp_path / "out").glob("*-of-00003"))
    del decoded[:]
    summary = make("out", seed=2, train_shards=4)
    assert decoded == []
    assert summary.images_known
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")


def test_a_killed_rebuild_is_known_to_one_with_another_plan(make, tmp_path, monkeypatch, decoded):
    make("expected", seed=3)
    make("out")
    with monkeypatch.context() as patch:
        patch.setattr("imagerecords.flows.pipeline._convert", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make("out", seed=2, train_shards=4, overwrite=True)
    del decoded[:]
    make("out", seed=3, overwrite=True)
    assert decoded == []
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")


def _damaged_receipt(output):
    path = sorted((output / "_build/receipts").iterdir())[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _lost_shard(output):
    (output / "train-00000-of-00003").unlink()


def _damaged_shard(output):
    path = output / "train-00001-of-00003"
    data = bytearray(path.read_bytes())
    data[::50] = bytes(len(data[::50]))
    path.write_bytes(data)


def _lost_receipts(output):
    shutil.rmtree(output / "_build/receipts")


@pytest.mark.parametrize("damage", [_damaged_receipt, _lost_shard, _damaged_shard, _lost_receipts])
def test_what_is_damaged_is_converted_in_full(damage, make, tmp_path, decoded):
    make("expected", seed=2)
    make("out")
    damage(tmp_path / "out")
    del decoded[:]
    make("out", seed=2, overwrite=True)
    assert decoded
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")


def test_a_damaged_table_is_not_used(make, tmp_path, monkeypatch, decoded, count):
    make("expected", seed=2)
    make("out")
    write_known = known_images.write_known

    def write_damaged(output, known):
        write_known(output, known)
        path = tmp_path / "out/_build/known/images.arrow"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    monkeypatch.setattr(known_images, "write_known", write_damaged)
    del decoded[:]
    make("out", seed=2, overwrite=True)
    assert len(decoded) == count
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")


def test_a_disk_without_space_for_records_costs_their_encoding_only(make, tmp_path, monkeypatch, decoded):
    make("expected", seed=2)
    make("out")

    class Full(known_images.RecordWriter):
        def append(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(known_images, "RecordWriter", Full)
    del decoded[:]
    make("out", seed=2, overwrite=True)
    assert 0 < len(decoded) < 20
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")


def test_removed_images_stay_removed_and_give_no_outcome(make, tmp_path, decoded, picture):
    make("out")
    remove_images(str(tmp_path / "out"), ["rgb.png"], {})
    (tmp_path / "out/_build/receipts/train-00000-of-00003.parquet").unlink()
    del decoded[:]
    make("out")  # the same plan: the shard is converted again, without the removed image
    rows = pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()
    assert [row["reason"] for row in rows if row["path"].endswith("rgb.png")] == ["removed"]
    del decoded[:]
    make("out", seed=2, overwrite=True)  # another plan: it is decoded, and in the data set again
    assert decoded == [every_kind(picture)["rgb.png"]]


def test_receipts_without_an_origin_are_reported_and_not_used(make, tmp_path, imagerecords, kinds):
    make("out")
    for path in (tmp_path / "out/_build/receipts").iterdir():
        file = pq.read_table(path)
        metadata = {key: value for key, value in file.schema.metadata.items() if key not in (ORIGIN_KEY, SEAL_KEY)}
        table = file.replace_schema_metadata(metadata)
        write_receipt(open_folder(str(tmp_path / "out"), {}), path.stem, receipt_fingerprint(table), table)
    arguments = ["--data_directory", kinds / "in", "--output_directory", tmp_path / "out", "--train_shards", 3, "--seed", 2]
    ran = imagerecords(
        "build", *arguments, "--overwrite", "--no_prefect", "--max_rejected_fraction", 1, "--executor", "threads"
    )
    assert ran.code == 0
    assert f"reuse: 3 shards of {tmp_path / 'out'} of an earlier version" in ran.err


def test_plan_counts_what_would_be_known(make, tmp_path, imagerecords, kinds, count):
    make("out")
    arguments = ["--data_directory", kinds / "in", "--output_directory", tmp_path / "out", "--max_rejected_fraction", 1]
    ran = imagerecords("plan", *arguments, "--seed", 2, "--overwrite")
    assert f"{count} of {count} images to convert have the size and version (time or ETag) of known ones" in ran.out
    ran = imagerecords("plan", *arguments, "--seed", 2, "--overwrite", "--json")
    assert json.loads(ran.out)["images_known"] == count
    ran = imagerecords("plan", *arguments, "--seed", 2, "--overwrite", "--no-reuse", "--json")
    assert json.loads(ran.out)["images_known"] == 0
    other = ["--data_directory", kinds / "in", "--output_directory", tmp_path / "new", "--reuse_from", tmp_path / "out"]
    assert json.loads(imagerecords("plan", *other, "--json").out)["images_known"] == count


def test_the_summary_says_how_many_were_known(make, tmp_path, imagerecords, kinds, count):
    make("out")
    ran = imagerecords(
        *("build", "--data_directory", kinds / "in", "--output_directory", tmp_path / "new", "--no_prefect"),
        *("--reuse_from", tmp_path / "out", "--max_rejected_fraction", 1, "--executor", "threads"),
    )
    assert f"{count} images known from earlier builds and not decoded again" in ran.out


def test_a_place_without_a_data_set_is_refused_before_work_starts(make, tmp_path):
    with pytest.raises(BadInput, match="reuse_from must name data sets of imagerecords, got a place without"):
        make("out", reuse_from=[str(tmp_path / "nowhere")])
    assert not (tmp_path / "out").exists()


def test_reuse_from_without_reuse_is_a_contradiction(make, tmp_path):
    with pytest.raises(ValueError, match="reuse_from must go with reuse"):
        make("out", reuse=False, reuse_from=["x"])
