"""validate: a shard read back against its receipt, the plan and the contract."""

import shutil

import pyarrow as pa
import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import LabelledImage, encode_example
from imagerecords.schemas.frame import frame
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.dataset.plan_file import read_plan_header, read_whole_plan
from imagerecords.tasks.dataset.receipts import read_receipt, write_receipt
from imagerecords.tasks.dataset.shard_check import verify_shard
from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.validate import validate_shard


@pytest.fixture
def tiny(tmp_path, fill, picture, make_settings, prepared):
    """Settings, output, shard and plan header of one shard with two tiny pictures."""
    pictures = [picture(number, size=(4, 4), quality=20, optimize=True) for number in range(2)]
    settings = make_settings(train_directory=fill(tmp_path / "in", {"cat": pictures}), output_directory=tmp_path / "out")
    output, (shard,) = prepared(settings)
    convert_shard(shard, settings)
    return settings, output, shard, read_plan_header(output)


def test_a_verified_shard_has_records_size_and_sha256(tiny, digests):
    settings, output, shard, _ = tiny
    verified = validate_shard(shard, settings)
    assert (verified.shard, verified.records) == ("train-00000-of-00001", 2)
    assert verified.sha256 == digests(output.path)[shard.name]
    assert verified.bytes == len(output.read(shard.name))


def test_every_truncation_and_every_flipped_byte_is_found(tiny, tmp_path):
    _, output, shard, header = tiny
    receipt = read_receipt(output, shard.name)
    path = tmp_path / "out" / shard.name
    data = path.read_bytes()
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        for content in (damaged, data[:position]):
            path.write_bytes(content)
            with pytest.raises(CorruptRecord):
                verify_shard(output, shard, receipt, header)
    path.write_bytes(data)
    assert verify_shard(output, shard, receipt, header).records == 2


def test_anything_behind_the_last_record_is_found(tiny, tmp_path):
    settings, output, shard, _ = tiny
    path = tmp_path / "out" / shard.name
    data = path.read_bytes()
    first_size = int(output.read(f"index/{shard.name}.idx").split()[1])
    for more in (b"\0", data[:first_size]):  # garbage, or a sound record that nobody knows
        path.write_bytes(data + more)
        with pytest.raises(CorruptRecord):
            validate_shard(shard, settings)


def test_the_error_names_file_record_and_offset(tiny, tmp_path):
    settings, output, shard, _ = tiny
    path = tmp_path / "out" / shard.name
    data = bytearray(path.read_bytes())
    offset = int(output.read(f"index/{shard.name}.idx").split()[2])
    data[offset + 30] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptRecord, match=f"record 1 at byte {offset} .*CRC of the data.*{shard.name}"):
        validate_shard(shard, settings)


def test_a_shard_without_its_receipt_is_not_valid(tiny, tmp_path):
    settings, _, shard, _ = tiny
    (tmp_path / f"out/_build/receipts/{shard.name}.parquet").unlink()
    with pytest.raises(CorruptRecord, match="receipt"):
        validate_shard(shard, settings)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("label", 2),
        ("height", 5),
        ("width", 9),
        ("path", "cat/other.jpg"),
        ("offset", 3),
        ("size", 9),
        ("crc32c", 1),
        ("text", "dog"),
        ("boxes", 1),  # the data set has none
    ],
)
def test_a_receipt_that_differs_is_found(tiny, column, value):
    settings, output, shard, _ = tiny
    receipt = read_receipt(output, shard.name)
    rows = receipt.to_pylist()
    rows[1][column] = value
    write_receipt(output, shard.name, shard.fingerprint, pa.Table.from_pylist(rows, receipt.schema))
    with pytest.raises(CorruptRecord, match="record 1"):
        validate_shard(shard, settings)


def test_a_well_framed_record_of_other_content_is_found(tiny, tmp_path):
    """Both CRCs are right; the content is not what was written."""
    settings, _, shard, _ = tiny
    path = tmp_path / "out" / shard.name
    data = encode_example(LabelledImage(b"\xff\xd8", 4, 4, "000.jpg", 1, "cat").features())
    before, after, _ = frame(data)
    path.write_bytes(before + data + after)
    with pytest.raises(CorruptRecord):
        validate_shard(shard, settings)


def test_the_copy_of_a_whole_data_set_is_still_valid(small, tmp_path, make_settings):
    """Nothing in it depends on where it lies."""
    shutil.copytree(small, tmp_path / "copy")
    settings = make_settings(output_directory=tmp_path / "copy")
    shards = read_whole_plan(open_folder(str(tmp_path / "copy"), {}))
    assert sum(validate_shard(shard, settings).records for shard, _ in shards) == 17
