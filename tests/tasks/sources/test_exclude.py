"""--exclude leaves images out of a build and counts them; names of no image are reported."""

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.discover import survey


def test_excluded_images_are_counted_and_in_no_shard(tmp_path, fill, build):
    source = fill(tmp_path / "in", {"cat": 4, "dog": 4})
    (tmp_path / "out.txt").write_text("cat/001.jpg\r\n\ntrain/dog/002.jpg\ncat/999.jpg\n")
    summary = build(data_directory=source, output_directory=tmp_path / "out", exclude=tmp_path / "out.txt")
    paths = pq.read_table(tmp_path / "out/manifest.parquet")["path"].to_pylist()
    assert summary.skipped == {"excluded": 2}
    assert sorted(paths) == ["cat/000.jpg", "cat/002.jpg", "cat/003.jpg", "dog/000.jpg", "dog/001.jpg", "dog/003.jpg"]


def test_names_may_be_as_windows_and_macos_write_them(tmp_path, fill, make_settings):
    """A byte order mark, backslashes, decomposed letters: each would leave the image in."""
    source = fill(tmp_path / "in", {"K\u00e4fer": 3, "dog": 2})
    names = "\ufeffdog\\001.jpg\r\nKa\u0308fer/000.jpg\r\ntrain\\K\u00e4fer\\001.jpg"
    (tmp_path / "out.txt").write_text(names, encoding="utf-8", newline="")
    listing = survey(make_settings(data_directory=source, exclude=str(tmp_path / "out.txt")))
    assert listing.images["path"].to_pylist() == ["K\u00e4fer/002.jpg", "dog/000.jpg"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("dog/9.jpg\n", "exclude must name images of the input by their path, got none: .*: dog/9.jpg"),
        ("cat/000.jpg\n", "a label must keep an image, got all excluded: cat: "),
    ],
)
def test_a_file_that_excludes_nothing_or_a_whole_label_is_an_error(tmp_path, fill, build, names, message):
    source = fill(tmp_path / "in", {"cat": 1, "dog": 2})
    (tmp_path / "out.txt").write_text(names)
    with pytest.raises(BadLayout, match=message):
        build(data_directory=source, output_directory=tmp_path / "out", exclude=tmp_path / "out.txt")


def test_boxes_of_excluded_images_are_excluded_too(tmp_path, fill, build):
    fill(tmp_path / "in", {"cat": 2})
    lines = ['{"path": "in/cat/000.jpg", "label": "cat", "boxes": [[0, 0, 1, 1], [0, 0, 0.5, 0.5]]}']
    lines.append('{"path": "in/cat/001.jpg", "label": "cat", "boxes": [[0, 0, 1, 1]]}')
    (tmp_path / "list.jsonl").write_text("\n".join(lines))
    (tmp_path / "out.txt").write_text("in/cat/000.jpg")
    summary = build(image_list=tmp_path / "list.jsonl", output_directory=tmp_path / "out", exclude=tmp_path / "out.txt")
    assert (summary.boxes.written, summary.boxes.excluded, summary.boxes.found) == (1, 2, 3)
