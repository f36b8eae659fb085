"""Listings of S3: every page, no markers of directories, little memory."""

import random
import tracemalloc

import pytest

from imagerecords.tasks.sources.annotations.source import LOOKED_AT
from imagerecords.tasks.sources.walk import (
    BEHIND_EMPTY_NAME,
    ENDS_IN_SLASH,
    HIDDEN,
    FoundFile,
    ListingProgress,
    find_label_folders,
    walk_files,
)
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.s3_list import list_level, list_objects

KEYS_A_PAGE = 1000


class Pages:
    """What s3fs is asked for: the pages of a bucket of so many keys, made as they are asked for."""

    protocol = ("s3", "s3a")
    version_aware = False

    def __init__(self, keys, key_of="label/n{:08d}.jpg".format):
        self.keys = keys
        self.key_of = key_of
        self.asked = []

    def split_path(self, path):
        bucket, _, key = path.partition("/")
        return bucket, key, None

    def call_s3(self, method, Bucket, Prefix, ContinuationToken="0"):  # noqa: N803  # botocore's names
        self.asked.append(method)
        start = int(ContinuationToken)
        end = min(start + KEYS_A_PAGE, self.keys)
        contents = [self._entry(Prefix, number) for number in range(start, end)]
        return {"Contents": contents, "IsTruncated": end < self.keys, "NextContinuationToken": str(end)}

    def _entry(self, prefix, number):
        etag = random.Random(number).randbytes(16).hex()
        return {"Key": prefix + self.key_of(number), "Size": 100_000 + number, "ETag": f'"{etag}"', "StorageClass": "STANDARD"}


def folder(fs):
    return Folder("s3://bucket/in", fs, "bucket/in")


@pytest.mark.parametrize("keys", [0, 1, 999, 1000, 1001, 2500])
def test_every_page_is_asked_for(keys):
    fs = Pages(keys)
    assert sum(map(len, list_objects(fs, "bucket/in"))) == keys
    assert len(fs.asked) == max(1, -(-keys // KEYS_A_PAGE))


def test_a_hint_in_an_error_lists_no_large_prefix_again():
    fs = Pages(10_000_000)
    assert len(walk_files(folder(fs), "", most=LOOKED_AT).files) == LOOKED_AT
    assert len(fs.asked) == LOOKED_AT // KEYS_A_PAGE


def test_files_come_sorted_whatever_the_servers_order():
    found = walk_files(folder(Pages(3, lambda number: f"{9 - number}.jpg")), "cat")
    assert [file.path for file in found.files] == ["cat/7.jpg", "cat/8.jpg", "cat/9.jpg"]


def test_markers_of_directories_are_no_files():
    found = walk_files(folder(Pages(4, lambda number: f"{number}/" if number % 2 else f"{number}.jpg")), "cat")
    assert [file.path for file in found.files] == ["cat/0.jpg", "cat/2.jpg"]


def test_a_version_is_the_etag_and_the_version_id_where_there_is_one():
    class Versions(Pages):
        version_aware = True

        def call_s3(self, method, **asked):
            assert method == "list_object_versions"
            page = super().call_s3(method, **asked)
            old, new, unversioned = page.pop("Contents")
            versions = [old | {"IsLatest": False, "VersionId": "1"}, new | {"IsLatest": True, "VersionId": "2"}]
            return page | {"Versions": [*versions, unversioned | {"IsLatest": True, "VersionId": "null"}]}

    new, unversioned = walk_files(folder(Versions(3)), "cat").files
    assert isinstance(new, FoundFile)
    assert (len(new.version.split(" ")[0]), new.version.split(" ")[1:]) == (32, ["2"])
    assert len(unversioned.version) == 32


def test_a_key_costs_less_than_400_bytes_of_memory():
    """A million keys are then below 400 MB, before they are laid into a table of some 110 MB."""
    tracemalloc.start()
    try:
        found = walk_files(folder(Pages(20_000)), "cat")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.files) == 20_000
    assert peak / 20_000 < 400 + 200  # beside one page of a thousand


def test_a_long_listing_reports_its_progress(monkeypatch):
    monkeypatch.setattr("imagerecords.tasks.sources.walk.SECONDS_BETWEEN_LINES", 0.0)
    lines = []
    walk_files(folder(Pages(2500)), "cat", ListingProgress(lines.append).advance)
    assert [line.split(" files")[0] for line in lines] == ["listing: 1,000", "listing: 2,000", "listing: 2,500"]


class Store:
    """A bucket of these keys, with their contents' sizes, listed as S3 lists: two entries per page, prefixes by a delimiter."""

    protocol = ("s3", "s3a")
    version_aware = False

    def __init__(self, sizes):
        self.sizes = sizes

    split_path = Pages.split_path

    def call_s3(self, method, Bucket, Prefix, Delimiter=None, ContinuationToken="0"):  # noqa: N803  # botocore's names
        entries = {}
        for key in sorted(key for key in self.sizes if key.startswith(Prefix)):
            inner, found, _ = key[len(Prefix) :].partition(Delimiter or "\0")
            entries[Prefix + inner + found if found else key] = bool(found)
        start, page = int(ContinuationToken), {"Contents": [], "CommonPrefixes": []}
        for name, is_prefix in list(entries.items())[start : start + 2]:
            if is_prefix:
                page["CommonPrefixes"].append({"Prefix": name})
            else:
                page["Contents"].append({"Key": name, "Size": self.sizes[name], "ETag": '"e"'})
        return page | {"IsTruncated": start + 2 < len(entries), "NextContinuationToken": str(start + 2)}


ODD_KEYS = {
    **{f"in/cat/{number}.jpg": 9 for number in range(3)},
    "in//dog/x.jpg": 9,
    "in//y.jpg": 9,
    "in/cat//z.jpg": 9,
    "in/cat/p://q.jpg": 9,
    "in/cat/s3://q.jpg": 9,
    "in/cat/../a.jpg": 9,
    "in/cat/folder/": 9,
    "in/cat/": 9,
    "in/": 9,
    "in/emu/": 0,
    "in/emu/marker/": 0,
    "in/emu/1.jpg": 9,
    "in/beside.jpg": 9,
    "in2/other.jpg": 9,
}


def test_every_key_is_found_or_counted_as_skipped():
    source = folder(Store(ODD_KEYS))
    level = find_label_folders(source, frozenset())
    walked = [walk_files(source, name) for name in level.folders]
    found = [file.path for each in walked for file in each.files]
    skipped = sum((each.skipped for each in walked), level.skipped)
    assert level.folders == ["cat", "emu"]
    assert found == [
        *("cat//z.jpg", "cat/0.jpg", "cat/1.jpg", "cat/2.jpg", "cat/p://q.jpg", "cat/s3://q.jpg"),
        "emu/1.jpg",
    ]
    assert dict(skipped) == {BEHIND_EMPTY_NAME: 2, ENDS_IN_SLASH: 3, HIDDEN: 1}
    keys = [key for key, size in ODD_KEYS.items() if key.startswith("in/") and size]
    assert len(found) + skipped.total() + len(level.files) == len(keys)
    assert {source.join(path) for path in found} <= {f"bucket/{key}" for key in keys}


@pytest.mark.parametrize("path", ["bucket", "bucket/in"])
def test_a_label_folder_behind_an_empty_name_is_counted(path):
    fs = Store({"/dog/x.jpg": 9, "cat/1.jpg": 9} if path == "bucket" else {"in//dog/x.jpg": 9, "in/cat/1.jpg": 9})
    level = list_level(fs, path)
    assert (level.folders, level.behind_empty_name) == (["cat"], 1)
