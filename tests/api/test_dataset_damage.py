"""imagerecords.open_dataset on damaged, incomplete or missing data sets: each problem raises an error that names its place."""

import pytest

import imagerecords
from tests.api.reading import damage, framed, sha256


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        (lambda row: row["offset"] + 100, "the CRC of the data is wrong"),
        (lambda row: row["offset"] + row["size"] - 1, "the CRC of the data is wrong"),
        (lambda row: row["offset"], "the CRC of the length is wrong"),
        (lambda row: row["offset"] + 8, "the CRC of the length is wrong"),
    ],
    ids=["data", "CRC of the data", "length", "CRC of the length"],
)
def test_one_wrong_bit_is_found_and_other_records_are_read(copy, rows, where, problem):
    row = rows[4]
    damage(copy / row["shard"], where(row))
    train = imagerecords.open_dataset(copy)["train"]
    expected = f"record {row['record']} at byte {row['offset']} is damaged: {problem}: {copy / row['shard']}. Run"
    for read in (lambda: train[4], lambda: train.__getitems__([3, 4]), lambda: list(train)):
        with pytest.raises(imagerecords.CorruptRecord) as caught:
            read()
        assert expected in str(caught.value)
    assert (sha256(train[3]), sha256(train[5])) == (rows[3]["encoded_sha256"], rows[5]["encoded_sha256"])


def test_a_sound_record_that_is_not_the_manifests_is_found(copy, rows):
    row = rows[0]
    shard = copy / row["shard"]
    data = bytearray(shard.read_bytes())
    begin, end = row["offset"], row["offset"] + row["size"]
    data[begin:end] = framed(bytes(end - begin - 16))
    shard.write_bytes(data)
    with pytest.raises(imagerecords.CorruptRecord, match="another record than the manifest has there"):
        imagerecords.open_dataset(copy)["train"][0]


def test_a_shard_of_another_length_is_refused_when_opened(copy, rows):
    shard = copy / rows[0]["shard"]
    size = shard.stat().st_size
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(imagerecords.CorruptRecord, match=f"the {size:,} bytes .* got {size - 1:,}: {shard}"):
        imagerecords.open_dataset(copy)


def test_a_shard_cut_short_after_opening_is_found(copy, rows):
    train = imagerecords.open_dataset(copy)["train"]
    shard = copy / rows[0]["shard"]
    shard.write_bytes(shard.read_bytes()[: rows[0]["size"] - 5])
    with pytest.raises(imagerecords.CorruptRecord, match=r"record 0 at byte 0 is damaged: truncated: \d+ of \d+ bytes"):
        train[0]


def test_missing_shards_are_named_when_opened_and_when_read(copy):
    train = imagerecords.open_dataset(copy)["train"]
    (copy / "train-00001-of-00003").unlink()
    with pytest.raises(imagerecords.Incomplete, match=r"is missing: .*/copy/train-00001-of-00003\. Restore it"):
        list(train)
    with pytest.raises(imagerecords.Incomplete, match=r"1 of 5 files of the manifest are missing: .*: train-00001-of-00003"):
        imagerecords.open_dataset(copy)


def test_a_build_that_has_not_finished_is_refused(copy):
    (copy / "dataset_info.json").unlink()
    for name in ("manifest.parquet", "train-00000-of-00003", "train-00001-of-00003"):
        with pytest.raises(imagerecords.Incomplete, match=r"dataset_info\.json is missing: .*/copy\. Its build"):
            imagerecords.open_dataset(copy)
        (copy / name).unlink()


def test_a_folder_without_a_data_set_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(imagerecords.BadInput, match=f"got none: {place}"):
            imagerecords.open_dataset(place)


def test_credentials_do_not_belong_in_a_data_sets_address(tmp_path):
    with pytest.raises(imagerecords.BadSettings, match="credential"):
        imagerecords.open_dataset("s3://bucket/x", storage_options={"secret": "x"})


def test_a_broken_manifest_is_named(copy):
    (copy / "manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(imagerecords.CorruptRecord, match=r"manifest\.parquet must be readable, got .*/copy/manifest\.parquet"):
        imagerecords.open_dataset(copy)


def test_damage_and_missing_files_on_s3_are_named(on_moto, copy, rows):
    damage(copy / rows[4]["shard"], rows[4]["offset"] + 100)
    url = on_moto(copy)
    train = imagerecords.open_dataset(url, storage_options=on_moto.options)["train"]
    with pytest.raises(imagerecords.CorruptRecord, match=f"record {rows[4]['record']} at byte .*/copy/{rows[4]['shard']}"):
        train[4]
    on_moto.fs.rm_file(f"{url}/{rows[0]['shard']}")
    for read in (lambda: train[0], lambda: train.__getitems__([0])):
        with pytest.raises(imagerecords.Incomplete, match=f"is missing: api/.*/copy/{rows[0]['shard']}"):
            read()
    with pytest.raises(imagerecords.Incomplete, match="1 of 5 files of the manifest are missing"):
        imagerecords.open_dataset(url, storage_options=on_moto.options)
