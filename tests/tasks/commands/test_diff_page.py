"""diff --html: what changed between two data sets, with pictures."""

import gzip
import re
import shutil

import pytest

from imagerecords.tasks.commands.diff import diff_datasets
from imagerecords.tasks.commands.diff_page import diff_page


@pytest.fixture(scope="module")
def changed(tmp_path_factory, fill, build, picture):
    """Two data sets: one image is replaced, one relabelled, one gone and one new, whose name is markup."""
    root = tmp_path_factory.mktemp("changed")
    source = root / "in"
    fill(source, {"cat": 6, "dog": 6})
    build(train_directory=source, output_directory=root / "a")
    (source / "cat/000.jpg").write_bytes(picture(90))
    shutil.move(source / "cat/001.jpg", source / "dog/moved.jpg")
    (source / "cat/002.jpg").unlink()
    (source / "dog/<b>.jpg").write_bytes(picture(91))
    build(train_directory=source, output_directory=root / "b")
    return root


def page_of(first, second):
    differences, page = diff_page(str(first), str(second), {})
    return differences, page.decode()


def test_every_kind_of_change_is_shown_before_and_after(changed):
    differences, page = page_of(changed / "a", changed / "b")
    assert differences == diff_datasets(str(changed / "a"), str(changed / "b"), {})
    assert re.findall(r'<section id="([a-z-]+)"', page) == ["added", "removed", "relabelled", "replaced", "moved"]
    assert [text.split(":")[0] for text in re.findall(r'alt="([^"]*)"', page)] == [
        *("after", "before"),  # added, removed
        *("before", "after") * 3,
    ]
    assert "<p>cat → dog</p>" in page
    assert "&lt;b&gt;.jpg" in page
    assert "<script" not in page


def test_labels_whose_number_of_images_changed_are_in_a_table(changed):
    _, page = page_of(changed / "a", changed / "b")
    rows = re.findall(r'<th class="left" scope="row">(\w+)</th><td>(\d+)</td><td>(\d+)</td><td>(\S+)</td>', page)
    assert rows == [("cat", "6", "4", "−2"), ("dog", "6", "8", "+2")]


def test_the_same_images_are_said_to_be_the_same(changed):
    differences, page = page_of(changed / "a", changed / "a")
    assert differences == []
    assert "None: both have the same 12 images." in page


def test_records_of_compressed_files_have_no_picture(changed, tmp_path):
    for shard in (changed / "a").glob("*-of-*"):
        (tmp_path / shard.name).write_bytes(gzip.compress(shard.read_bytes()))
    differences, page = page_of(tmp_path, changed / "b")
    assert differences
    assert "no picture" in page
