"""Listings from manifests and Label Studio exports: what is taken, and every bad row by its line, all at once."""

import json

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.discover import discover_images, survey


def told(listing, *args, **settings):
    return listing(*args, found=survey, **settings).errors


ROWS = [{"path": "b/2.jpg", "label": "dog"}, {"path": "a/1.jpg", "label": "cat"}, {"path": "b/10.jpg", "label": "cat"}]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_each_form_gives_the_same_listing_sorted_by_label_and_path(listing, images, tmp_path, form):
    images("a/1.jpg", "b/2.jpg", "b/10.jpg")
    found = listing(ROWS, form)
    assert found.labels == ("cat", "dog")
    assert found.roots == {"data": f"file://{tmp_path}"}
    assert found.images["path"].to_pylist() == ["a/1.jpg", "b/10.jpg", "b/2.jpg"]
    assert found.images["label"].to_pylist() == [1, 1, 2]
    assert found.images["size"].to_pylist() == [7, 8, 7]
    mtimes = [str((tmp_path / path).stat().st_mtime_ns) for path in ("a/1.jpg", "b/10.jpg", "b/2.jpg")]
    assert found.images["version"].to_pylist() == mtimes
    assert found.boxes is None


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_label_that_is_a_whole_number_is_its_text(listing, images, form):
    images("1.jpg", "2.jpg")
    assert listing([{"path": "1.jpg", "label": 10}, {"path": "2.jpg", "label": 9}], form).labels == ("10", "9")


TEXTS_AS_WRITTEN = ["-", "007", "0x1F", "1.0", "1e3", "NA", "None", "nan", "null", "true"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("labels", ["one", "many"])
def test_a_label_that_looks_like_another_value_is_the_text_it_is(listing, images, form, labels):
    images(*(f"{number}.jpg" for number in range(len(TEXTS_AS_WRITTEN))))
    rows = [{"path": f"{number}.jpg", "label": text} for number, text in enumerate(TEXTS_AS_WRITTEN)]
    assert list(listing(rows, form, labels=labels).labels) == TEXTS_AS_WRITTEN


def test_a_labels_file_sets_ids(listing, images, tmp_path):
    images("1.jpg", "2.jpg")
    (tmp_path / "labels.txt").write_text("dog\ncat\n")
    rows = [{"path": "1.jpg", "label": "cat"}, {"path": "2.jpg", "label": "dog"}]
    assert listing(rows, labels_file=tmp_path / "labels.txt").labels == ("dog", "cat")


def test_rows_of_an_unlisted_label_are_told_or_passed_over_and_counted(listing, images, tmp_path):
    images("1.jpg", "2.jpg")
    (tmp_path / "labels.txt").write_text("dog\n")
    rows = [{"path": "1.jpg", "label": "cat"}, {"path": "2.jpg", "label": "dog"}]
    (error,) = told(listing, rows, labels_file=tmp_path / "labels.txt")
    assert "got 'cat'" in error
    assert error.endswith("manifest.csv, line 2")
    found = listing(rows, labels_file=tmp_path / "labels.txt", unlisted_labels="ignore")
    assert found.images["path"].to_pylist() == ["2.jpg"]
    assert found.skipped == {"unlisted label": 1}


def test_a_listed_label_without_a_row_is_told(listing, images, tmp_path):
    images("1.jpg")
    (tmp_path / "labels.txt").write_text("cat\nowl\n")
    (error,) = told(listing, [{"path": "1.jpg", "label": "cat"}], labels_file=tmp_path / "labels.txt")
    assert "a label must have images, got none for 'owl'" in error


def test_a_column_split_decides_the_split(listing, images):
    images("1.jpg", "2.jpg", "3.jpg")
    rows = [{"path": f"{n}.jpg", "label": "cat", "split": split} for n, split in enumerate(["test", "train", "train"], 1)]
    found = listing(rows)
    assert found.images["source"].to_pylist() == ["train", "train", "test"]
    assert set(found.roots) == {"train", "test"}


def test_a_column_group_is_the_unit_of_the_split_and_a_group_in_two_splits_is_noted(listing, images):
    images("1.jpg", "2.jpg")
    rows = [{"path": "1.jpg", "label": "cat", "group": "g"}, {"path": "2.jpg", "label": "cat", "group": ""}]
    assert listing(rows).images["group"].to_pylist() == ["g", None]
    rows = [row | {"group": "g", "split": split} for row, split in zip(rows, ["train", "test"], strict=True)]
    assert any("groups in more than one split: g" in note for note in listing(rows).notes)


def test_columns_that_nobody_reads_are_noted(listing, images):
    images("1.jpg")
    assert any("columns not read: colour" in note for note in listing([{"path": "1.jpg", "label": "a", "colour": "x"}]).notes)


def test_paths_may_be_absolute_and_file_urls_and_climb(listing, images, tmp_path):
    images("1.jpg", "x/2.jpg", "3.jpg")
    paths = [f"{tmp_path}/1.jpg", f"file://{tmp_path}/x/2.jpg", f"../{tmp_path.name}/3.jpg"]
    found = listing([{"path": path, "label": "a"} for path in paths])
    assert found.images["path"].to_pylist() == sorted(paths)  # as they were written
    assert sorted(found.images["size"].to_pylist()) == [5, 5, 7]


BAD_ROWS = {
    # name: (rows of the manifest, what each error says, in the order of the lines)
    "no path": ([{"path": "", "label": "a"}], ["a row must have a path, got none: {file}, line 2"]),
    "no label": ([{"path": "1.jpg", "label": ""}], ["a row must have a label, got none: {file}, line 2"]),
    "split": (
        [{"path": "1.jpg", "label": "a", "split": "val"}, {"path": "2.jpg", "label": "a", "split": ""}],
        [
            "one of train, validation, test, fold_0 to fold_9, got 'val': {file}, line 2",
            "must have a split, got none: {file}, line 3",
        ],
    ),
    "missing": ([{"path": "none.jpg", "label": "a"}], ["an image must exist, got none: {root}/none.jpg: {file}, line 2"]),
    "directory": ([{"path": "x", "label": "a"}], ["must be a file, got a directory"]),
    "twice": (
        [{"path": "1.jpg", "label": "a"}, {"path": "./1.jpg", "label": "b"}, {"path": "{root}/x/../1.jpg", "label": "a"}],
        ["got './1.jpg' as in line 2. Remove line 3, or give", "'{root}/x/../1.jpg' as in line 2. Remove line 4: {file}"],
    ),
    "label": ([{"path": "1.jpg", "label": "../up"}], ["got '../up': {file}, line 2"]),
    "boxes": ([{"path": "1.jpg", "label": "a", "boxes": "x"}], ["boxes must be a list of [xmin, ymin, xmax, ymax]"]),
    "width": ("path,label\n1.jpg,a,b\n", ["must have 2 columns, got 3: {file}, line 2"]),
    "file systems": (
        [{"path": "1.jpg", "label": "a"}, {"path": "memory://b/1.jpg", "label": "a"}],
        ["images must lie on one file system that can be read, got 'memory://b/1.jpg' and '1.jpg': {file}"],
    ),
    "unknown protocol": ([{"path": "foo://b/1.jpg", "label": "a"}], ["Protocol not known: foo"]),
    "secret": ([{"path": "s3://key:hush@b/1.jpg", "label": "a"}], ["a path must carry no credential"]),
    "columns": ("file,class\n1.jpg,a\n", ["no column path and no column label, but class, file"]),
    "column twice": ("path,path,label\n1.jpg,1.jpg,a\n", ["columns named twice: path"]),
    "list": (
        "path,label\n1.jpg,\"['a', 'b']\"\n",
        ["a label must be a name, got ['a', 'b']. Write [\"cat\", \"dog\"] and pass"],
    ),
    # a value that goes on for rows: they would be lost
    "open quote": ('path,label,x\n1.jpg,a,"big\n2.jpg,b,y\n', ["line 2 has a quote that is never closed"]),
    "stray quotes": ('path,label,x\n1.jpg,a,"big\n2.jpg,b,"tall\n', ["line 2 has text behind a closing quote"]),
    "lines of rows": ('path,label,x\n1.jpg,a,"y\nz" \n\nnone.jpg,a,x\n', ["none.jpg: {file}, line 5"]),
    "Excel's line": ("sep=;\npath;label\n1.jpg;a\n", ["line 1 must name the columns, got the line for Excel"]),
    "empty line": ("\npath,label\n1.jpg,a\n", ["line 1 must name the columns, got an empty line"]),
    "no rows": ("path,label\n", ["image_list must list labelled images, got none"]),
    "empty": ("", ["image_list must be readable, got: Empty CSV file"]),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_are_told_by_line(listing, images, tmp_path, name):
    images("1.jpg", "2.jpg", "x/y.jpg")
    rows, words = BAD_ROWS[name]
    about = {"root": tmp_path, "file": tmp_path / "manifest.csv"}
    if not isinstance(rows, str):
        rows = [row | {"path": row["path"].format(**about)} for row in rows]
    errors = told(listing, rows)
    assert len(errors) == len(words), errors
    for error, word in zip(errors, words, strict=True):
        assert word.format(**about) in error
        assert "hush" not in error


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "a row must be a JSON object"),
        ("[1]", "a row must be a JSON object"),
        ('{"path": 1.5, "label": "a"}', "got 1.5 for path"),
        ('{"path": "1.jpg", "label": true}', "got True for label"),
        ('{"path": "1.jpg", "label": "\\ud83d"}', "got half of a character"),
        ('{"path": "1.jpg", "label": "a", "boxes": [[0, 0, 1]]}', "got [0, 0, 1]"),
        ('{"path": "1.jpg", "label": "a", "boxes": [{"xmin": 0}]}', "'ymin'"),
        ('{"path": "1.jpg", "label": "a", "boxes": 5}', "got 5"),
    ],
)
def test_bad_lines_of_json_are_told_by_line(listing, images, line, words):
    images("1.jpg", "2.jpg")
    (error,) = told(listing, '{"path": "2.jpg", "label": "a"}\n\n' + line + "\n", "jsonl")
    assert words in error
    assert error.endswith("manifest.jsonl, line 3")


def test_the_rows_of_a_parquet_file_are_counted_from_1(listing, images):
    images("1.jpg")
    rows = [{"path": "1.jpg", "label": "a"}, {"path": "none.jpg", "label": "a"}]
    (error,) = told(listing, rows, "parquet")
    assert error.endswith("manifest.parquet, row 2")


def test_of_each_kind_of_problem_the_first_ten_rows_are_named_so_that_none_hides_another(listing, images):
    rows = [{"path": f"{number}.jpg" if number % 2 else "", "label": "a"} for number in range(100)]
    errors = told(listing, rows)
    assert [error.rpartition(" ")[2] for error in errors] == [str(line) for line in range(2, 22)]
    assert errors[-2].startswith("a row must have a path, got none, as in 40 later rows: ")
    assert ", as in 40 later rows: " in errors[-1]


@pytest.mark.parametrize("listed", [True, False])
def test_a_hundred_thousand_labels_take_few_lines(listing, images, tmp_path, listed):
    """And seconds: a quadratic reader takes minutes."""
    images("1.jpg")
    (tmp_path / "labels.txt").write_text("known\n")
    rows = "path,label\n" + "".join(f"1.jpg,l{number}\n" for number in range(100_000))
    errors = told(listing, rows, **({"labels_file": str(tmp_path / "labels.txt")} if listed else {}))
    assert len(errors) < 30
    assert any(", as in 99,990 later rows: " in error for error in errors) == listed


def test_a_list_of_30_000_columns_is_read(listing, images):
    """In seconds: a quadratic reader takes minutes."""
    images("1.jpg")
    names, values = (
        ",".join([*first, *(f"c{number}" for number in range(30_000))]) for first in (("path", "label"), ("1.jpg", "a"))
    )
    found = listing(f"{names}\n{values}\n")
    assert any("columns not read" in note and len(note) < 500 for note in found.notes)


def test_a_row_that_is_not_utf_8_is_named_by_its_line(tmp_path, make_settings):
    (tmp_path / "list.csv").write_bytes(b"path,label\n1.jpg,a\n2.jpg,\xff,b\n")
    with pytest.raises(BadLayout, match=r"line 3 must be UTF-8, got byte 0xff. Save it as UTF-8: .*list\.csv"):
        discover_images(make_settings(image_list=str(tmp_path / "list.csv")))


def test_utf_16_without_a_mark_is_named(tmp_path, make_settings):
    (tmp_path / "list.csv").write_bytes("path,label\n".encode("utf-16-le"))
    (error,) = survey(make_settings(image_list=str(tmp_path / "list.csv"))).errors
    assert "It looks like UTF-16: save it as UTF-8" in error


def test_what_pandas_marks_as_absent_is_absent(listing, images):
    """A column of whole numbers with gaps is one of floats, with NaN: no label, and not one group of all the others."""
    images("1.jpg", "2.jpg", "3.jpg")
    rows = [
        {"path": "1.jpg", "label": 1.0, "group": 7.0},
        {"path": "2.jpg", "label": 2.0, "group": float("nan")},
        {"path": "3.jpg", "label": float("nan"), "group": 7.0},
    ]
    for form in ("parquet", "jsonl"):
        (error,) = told(listing, rows, form)
        assert "a row must have a label, got none" in error
        found = listing(rows[:2], form)
        assert (found.labels, found.images["group"].to_pylist()) == (("1", "2"), ["7", None])


def test_a_column_of_lists_or_two_of_one_name_are_refused(tmp_path, make_settings):
    for names, columns in ((["path", "label"], [["1.jpg"], [["a"]]]), (["path", "label", "label"], [["1.jpg"], ["a"], ["b"]])):
        pq.write_table(pa.Table.from_arrays(list(map(pa.array, columns)), names), tmp_path / "list.parquet")
        (error,) = survey(make_settings(image_list=str(tmp_path / "list.parquet"))).errors
        assert "Pass --labels many" in error or "columns named twice: label" in error


def test_labels_that_may_be_one_or_none_are_noted(listing, images):
    labels = ["red cat", "red\u00a0cat", "1", "1.0", "nan"]
    images(*(f"{number}.jpg" for number in range(5)))
    notes = listing([{"path": f"{number}.jpg", "label": label} for number, label in enumerate(labels)]).notes
    assert any("differ in spaces or invisible characters only: red cat, 'red\\xa0cat'" in note for note in notes)
    assert any("differ as a number is written only: 1, 1.0" in note for note in notes)
    assert any("--exclude_labels nan" in note for note in notes)


def test_labels_joined_by_a_character_are_noted_where_several_are_asked_for(listing, images):
    images("1.jpg", "2.jpg")
    notes = listing([{"path": "1.jpg", "label": "cat|dog"}, {"path": "2.jpg", "label": "cat"}], labels="many").notes
    assert any('unless written as ["cat", "dog"]: \'cat|dog\'' in note for note in notes)


def test_excluded_labels_are_not_noted(listing, images):
    images("1.jpg", "2.jpg")
    rows = [{"path": "1.jpg", "label": "nan"}, {"path": "2.jpg", "label": "cat"}]
    assert listing(rows, exclude_labels=("nan",)).notes == ()


@pytest.mark.parametrize("row", ['{"path": "1.jpg", "label": 1.5}', "[" * 100_000, "no JSON"])
def test_where_every_row_is_bad_the_reason_is_named(listing, row):
    (error,) = told(listing, f"{row}\n", "jsonl")
    assert error.startswith("a row must be a JSON object with texts for path, label, split, group, got ")
    assert error.endswith("manifest.jsonl, line 1")


def test_boxes_are_those_of_their_row(listing, images, tmp_path):
    images("1.jpg", "2.jpg")
    rows = [
        {"path": "2.jpg", "label": "dog", "boxes": [[0, 0, 0.5, 1], [0.5, 0, 1, 1, "cat"]]},
        {"path": "1.jpg", "label": "cat", "boxes": [{"xmin": -1, "ymin": 0, "xmax": 0.5, "ymax": 1, "label": "dog"}]},
    ]
    expected = [
        [{"xmin": 0, "ymin": 0, "xmax": 0.5, "ymax": 1, "label": 2}],
        [
            {"xmin": 0, "ymin": 0, "xmax": 0.5, "ymax": 1, "label": 2},
            {"xmin": 0.5, "ymin": 0, "xmax": 1, "ymax": 1, "label": 1},
        ],
    ]
    as_text = [row | {"boxes": '"' + json.dumps(row["boxes"]).replace('"', '""') + '"'} for row in rows]
    boxes = [[dict(zip(("xmin", "ymin", "xmax", "ymax", "label"), [*box, None], strict=False)) for box in rows[0]["boxes"]]]
    structs = [rows[0] | {"boxes": boxes[0]}, rows[1]]
    for content, form in ((as_text, "csv"), (rows, "jsonl"), (structs, "parquet")):
        found = listing(content, form)
        assert found.images["boxes"].to_pylist() == expected
        assert (found.boxes.found, found.boxes.planned, found.boxes.clamped) == (3, 3, 1)
        assert not found.boxes_in_display_orientation


def test_an_image_without_boxes_beside_others_with_some_has_none(listing, images):
    images("1.jpg", "2.jpg")
    rows = [{"path": "1.jpg", "label": "a", "boxes": [[0, 0, 1, 1]]}, {"path": "2.jpg", "label": "a"}]
    assert [len(boxes) for boxes in listing(rows, "jsonl").images["boxes"].to_pylist()] == [1, 0]


def test_invalid_boxes_of_a_manifest_fail_by_line_when_asked(listing, images):
    images("1.jpg")
    rows = [{"path": "1.jpg", "label": "a", "boxes": [[0, 0, 2, 1]]}]
    (error,) = told(listing, rows, "jsonl", invalid_boxes="fail")
    assert "lie in 0 to 1, got 0, 0, 2, 1" in error
    assert "manifest.jsonl, line 1" in error


@pytest.mark.parametrize(
    ("column", "settings", "words"),
    [
        ("split", {"validation_fraction": 0.1}, "without a column split"),
        ("split", {"group_pattern": "(a)"}, "without a column split"),
        ("group", {"group_pattern": "(a)"}, "without a column group"),
        ("boxes", {"bounding_boxes": "boxes.csv"}, "without boxes of its own"),
    ],
)
def test_a_column_that_contradicts_a_setting_is_told(listing, images, column, settings, words):
    images("1.jpg")
    (error,) = told(listing, [{"path": "1.jpg", "label": "a", column: ""}], **settings)
    assert words in error


def test_a_missing_manifest_is_told(make_settings, tmp_path):
    with pytest.raises(BadLayout, match="image_list must be an existing file"):
        discover_images(make_settings(image_list=str(tmp_path / "none.csv")))


def test_images_in_several_buckets_are_found_from_a_manifest_elsewhere(listing):
    fs = fsspec.filesystem("memory")
    for path in ("/one/1.jpg", "/two/x/2.jpg"):
        fs.pipe_file(path, path.encode())
    found = listing([{"path": f"memory://{path}", "label": "a"} for path in ("two/x/2.jpg", "one/1.jpg")])
    assert found.roots == {"data": "memory://"}
    assert found.images["path"].to_pylist() == ["memory://one/1.jpg", "memory://two/x/2.jpg"]
    assert found.images["size"].to_pylist() == [10, 12]
    errors = told(listing, [{"path": "memory://one/none.jpg", "label": "a"}, {"path": "memory://one", "label": "a"}])
    assert "an image must exist, got none: /one/none.jpg" in errors[0]
    assert "got a directory" in errors[1]


def test_relative_paths_of_a_remote_manifest_are_beside_it(make_settings):
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/beside/images/1.jpg", b"1")
    fs.pipe_file("/beside/manifest.csv", b"path,label\nimages/1.jpg,a\n")
    found = discover_images(make_settings(image_list="memory://beside/manifest.csv"))
    assert found.images["path"].to_pylist() == ["images/1.jpg"]
    assert found.roots == {"data": "memory:///beside"}


def test_where_no_image_of_a_list_exists_the_settings_for_other_places_are_named(listing):
    errors = told(listing, [{"path": f"C:\\photos\\{number}.jpg", "label": "a"} for number in range(3)])
    assert len(errors) == 3
    assert "--images_directory" in errors[0]
    assert "--annotations" in errors[0]
