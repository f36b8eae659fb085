"""TensorFlow itself reads the shards back, and finds one that says of its images what is not so."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import encode_example
from imagerecords.schemas.frame import frame
from imagerecords.schemas.output_files import index_path, receipt_path
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.receipts import receipt_fingerprint, write_receipt
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames
from imagerecords.tasks.records.tensorflow import check_with_tensorflow
from imagerecords.tasks.storage.folders import open_folder
from tests.acceptance.running import Images, Shell
from tests.digests import digests


def _say_another_height(output: Path, name: str, record: int) -> None:
    """Change the height in a record, as a build would have written it: sound frame, matching receipt and index."""
    written = b""
    places: list[tuple[int, int, int]] = []
    with (output / name).open("rb") as file:
        for found in read_frames(file, resume=False):
            features = {key: values[0] for key, values in parse_example(found.data).items()}
            features["image/height"] += found.number == record
            data = encode_example(features)
            before, after, crc = frame(data)
            places.append((len(written), len(before + data + after), crc))
            written += before + data + after
    (output / name).write_bytes(written)
    (output / index_path(name)).write_text("".join(f"{offset} {size}\n" for offset, size, _ in places))
    receipt = pq.read_table(output / receipt_path(name))
    rows = receipt.to_pylist()
    for row in rows:
        row["offset"], row["size"], row["crc32c"] = places[row["record"]]
        row["height"] += row["record"] == record
    altered = pa.Table.from_pylist(rows, receipt.schema)
    write_receipt(open_folder(str(output), {}), name, receipt_fingerprint(receipt), altered)


def test_tensorflow_reads_every_record_of_a_shard(quick: Images):
    settings = BuildSettings(**quick.settings(quick.undisturbed.folder))
    records = [check_with_tensorflow(Shard("train", index, 8, range(1), ""), settings) for index in range(8)]
    assert sum(records) == 180


def test_tensorflow_finds_a_record_whose_image_has_another_size(shell: Shell, quick: Images, tmp_path: Path):
    shell.run(quick.arguments(tmp_path / "data", "--no-prefect"))
    _say_another_height(tmp_path / "data", "train-00003-of-00008", record=2)
    settings = BuildSettings(**quick.settings(tmp_path / "data"))
    with pytest.raises(CorruptRecord, match=r"record 2 must decode to \[97, 96, 3\] in TensorFlow, got \[96, 96, 3\]"):
        check_with_tensorflow(Shard("train", 3, 8, 3, ""), settings)


def test_the_command_checks_all_shards_with_tensorflow_and_fails_on_the_one_that_is_wrong(
    shell: Shell, quick: Images, tmp_path: Path, prefect_server: str
):
    server = {"PREFECT_API_URL": prefect_server}
    shell.run(quick.arguments(tmp_path / "data", tensorflow_check="all"), server)
    assert digests(tmp_path / "data") == quick.undisturbed.digests
    _say_another_height(tmp_path / "data", "validation-00001-of-00002", record=1)
    again = shell.start(quick.arguments(tmp_path / "data", tensorflow_check="all"), server)
    assert again.wait() == 1
    last = again.stderr.splitlines()[-1]
    assert "record 1 must decode to [97, 96, 3] in TensorFlow" in last
    assert f"{tmp_path / 'data'}/validation-00001-of-00002" in last
    assert not (tmp_path / "data/dataset_info.json").exists()


def test_a_sample_is_one_shard_of_each_split(shell: Shell, quick: Images, tmp_path: Path):
    shell.run(quick.arguments(tmp_path / "data", "--no-prefect", tensorflow_check="sample", executor="threads"))
    assert digests(tmp_path / "data") == quick.undisturbed.digests
    for index in range(2):
        _say_another_height(tmp_path / "data", f"validation-{index:05d}-of-00002", record=0)
    again = shell.start(quick.arguments(tmp_path / "data", "--no-prefect", tensorflow_check="sample"))
    assert again.wait() == 1
    assert "record 0 must decode to [97, 96, 3] in TensorFlow" in again.last_word
