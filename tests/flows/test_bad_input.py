"""Settings and input that can't be built from: each is named, exit code 2, and nothing is written."""

from pathlib import Path

import pytest


def files(root, *paths):
    """Files below the input."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"image")


def two_labels(root):
    """A sound input."""
    files(root, "in/cat/1.jpg", "in/dog/1.jpg")


def labels(content):
    """A sound input with a labels file."""

    def make(root):
        two_labels(root)
        (root / "labels.txt").write_bytes(content)

    return make


TRAIN = ["--train_directory", "{root}/in"]
LABELS = [*TRAIN, "--labels_file", "{root}/labels.txt"]

IMAGE_LIST = ["--image_list", "{root}/images.csv"]
SYNSETS = [*TRAIN, "--synsets_file", "{root}/synsets.txt"]
BOXES = [*TRAIN, "--bounding_boxes", "{root}/boxes.csv"]


def beside(name):
    """A sound input, and a file of some text beside it."""
    return lambda text: lambda root: (two_labels(root), (root / name).write_text(text))


image_list, synsets, boxes = beside("images.csv"), beside("synsets.txt"), beside("boxes.csv")

ROWS = {
    # name: (what is there, arguments, what the error says)
    "missing directory": (lambda root: None, TRAIN, ["train_directory must be an existing directory", "{root}/in"]),
    "empty directory": (lambda root: (root / "in").mkdir(), TRAIN, ["must hold one folder per label, got none"]),
    "directory is a file": (lambda root: files(root, "in"), TRAIN, ["must be a directory, got a file"]),
    "only junk": (lambda root: files(root, "in/.DS_Store", "in/.git/x"), TRAIN, ["one folder per label, got none"]),
    "empty label": (lambda root: (two_labels(root), (root / "in/owl").mkdir()), TRAIN, ["a label must have images", "'owl'"]),
    "label of junk": (lambda root: files(root, "in/cat/1.jpg", "in/dog/.DS_Store"), TRAIN, ["must have images", "'dog'"]),
    "no input": (lambda root: None, [], ["train_directory", "data_directory", "neither"]),
    "both inputs": (two_labels, [*TRAIN, "--data_directory", "{root}/in"], ["got both"]),
    "labels file missing": (two_labels, LABELS, ["labels_file must be an existing file", "labels.txt"]),
    "labels file empty": (labels(b""), LABELS, ["must name at least one label"]),
    "labels file a folder": (lambda root: (two_labels(root), (root / "labels.txt").mkdir()), LABELS, ["labels_file must be"]),
    "blank line": (labels(b"cat\n\ndog\n"), LABELS, ["no blank line", "line 2"]),
    "duplicate": (labels(b"cat\ndog\ncat\n"), LABELS, ["'cat' again", "line 3", "line 1"]),
    "not UTF-8": (labels(b"caf\xe9\n"), LABELS, ["must be UTF-8", "0xe9"]),
    "numbered": (labels(b"0 cat\n1 dog\n"), LABELS, ["'0 cat'", "line 1", "Write 'cat'"]),  # models#603
    "listed without folder": (labels(b"cat\ndog\nowl\n"), LABELS, ["'owl'", "line 3", "got none"]),
    "folder not listed": (labels(b"cat\n"), LABELS, ["not listed", "dog", "--unlisted_labels ignore"]),
    "climbing label": (labels(b"cat\n../dog\n"), LABELS, ["'../dog'", "line 2"]),
    "absolute label": (labels(b"cat\n/etc\n"), LABELS, ["'/etc'", "line 2"]),
    "label in label": (
        lambda root: (files(root, "in/cat/1.jpg", "in/cat/tabby/2.jpg"), labels(b"cat\ncat/tabby\n")(root)),
        LABELS,
        ["'cat/tabby'", "inside", "'cat'"],
    ),
    "images beside": (lambda root: files(root, "in/1.jpg", "in/2.PNG", "in/cat/1.jpg"), TRAIN, ["got 2 beside them", "1.jpg"]),
    "images alone": (lambda root: files(root, "in/1.jpg"), TRAIN, ["images must lie in label folders"]),
    "split folders": (
        lambda root: files(root, "in/train/cat/1.jpg", "in/val/cat/2.jpg"),
        ["--data_directory", "{root}/in"],
        ["got one per split", "--train_directory {root}/in/train", "--validation_directory {root}/in/val"],
    ),
    "sub-folders": (lambda root: files(root, "in/cat/1.jpg", "in/cat/x/2.jpg"), TRAIN, ["sub-folders", "--recursive"]),
    "more shards than images": (two_labels, [*TRAIN, "--train_shards", "3"], ["(2), got 3", "--allow_empty_shards"]),
    "shards and threads": (two_labels, [*TRAIN, "--train_shards", "3", "--num_threads", "2"], ["multiple", "got 3"]),
    "empty split": (
        two_labels,
        ["--data_directory", "{root}/in", "--validation_fraction", "0.0001"],
        ["a split must have images, got none for validation"],
    ),
    "fractions": (
        two_labels,
        ["--data_directory", "{root}/in", "--validation_fraction", "0.6", "--test_fraction", "0.4"],
        ["must be below 1"],
    ),
    "unknown setting": (two_labels, [*TRAIN, "--train_shard", "3"], ["--train_shard"]),
    "unknown value": (
        two_labels,
        [*TRAIN, "--executor", "ray"],
        ["executor must be processes, threads or dask, got 'ray' (--executor)"],
    ),
    "no number": (two_labels, [*TRAIN, "--seed", "x"], ["seed must be a whole number, got 'x' (--seed)"]),
    "credential": (
        two_labels,
        [*TRAIN, "--storage_options.key", "AKIA"],
        ["storage_options must carry no credential", "'key'"],
    ),
    "credential in URL": (
        two_labels,
        ["--train_directory", "s3://me:hush@bucket"],
        ["train_directory must carry no credential"],
    ),
    "image list missing": (lambda root: None, IMAGE_LIST, ["image_list must be an existing file", "images.csv"]),
    "image list and directory": (two_labels, [*TRAIN, *IMAGE_LIST], ["got both split directories and image_list"]),
    "image list of no kind": (
        two_labels,
        ["--image_list", "{root}/in"],
        ["image_list must be a .csv, .tsv, .jsonl, .ndjson or"],
    ),
    "image list row": (
        image_list("path,label\nin/cat/1.jpg,cat\nin/cat/2.jpg,cat\n,dog\n"),
        IMAGE_LIST,
        ["an image must exist, got none", "images.csv, line 3", "must have a path, got none", "images.csv, line 4"],
    ),
    "list and recursive": (image_list("path,label\n"), [*IMAGE_LIST, "--recursive"], ["recursive must go with directories"]),
    "export of no kind": (two_labels, ["--label_studio", "{root}/export.xml"], ["label_studio must be a .json, .csv or .tsv"]),
    "export no JSON": (
        lambda root: (root / "export.json").write_text("{"),
        ["--label_studio", "{root}/export.json"],
        ["label_studio must be readable", "export.json"],
    ),
    "synset without text": (synsets("cat\tCat\n"), SYNSETS, ["each label must be a synset of synsets_file, got 'dog'"]),
    "synset without tab": (synsets("cat\tCat\ndog Dog\n"), SYNSETS, ["got 0 tabs", "synsets.txt, line 2"]),
    "synset twice": (synsets("cat\tCat\ndog\tDog\ncat\tC\n"), SYNSETS, ["'cat' again", "line 3, first on line 1"]),
    "synset empty text": (synsets("cat\tCat\ndog\t \n"), SYNSETS, ["must have a synset and a human text", "line 2"]),
    "boxes missing": (two_labels, [*TRAIN, "--bounding_boxes", "{root}/b.csv"], ["bounding_boxes must be an existing file"]),
    "boxes of no kind": (boxes("x"), [*TRAIN, "--bounding_boxes", "{root}/in/cat/1.jpg"], ["neither a .csv"]),
    "boxes unclear": (boxes("1.jpg,0,0,1,1\n"), BOXES, ["got those of '1.jpg' for 'cat/1.jpg' and 'dog/1.jpg'"]),
    "boxes invalid": (
        boxes("cat/1.jpg,0,0,2,1\nx\n"),
        [*BOXES, "--invalid_boxes", "fail"],
        ["lie in 0 to 1, got 0, 0, 2, 1", "boxes.csv, line 1", "must have 5 columns, got 1", "boxes.csv, line 2"],
    ),
    "config missing": (two_labels, [*TRAIN, "--config", "{root}/none.yaml"], ["config must be an existing file"]),
    "config of no kind": (two_labels, [*TRAIN, "--config", "{root}/x.ini"], ["config must be a .yaml or .toml file"]),
}


def snapshot(root):
    """All paths below a folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in Path(root).rglob("*")}


@pytest.mark.parametrize("command", ["build", "plan"])
@pytest.mark.parametrize("row", ROWS)
def test_bad_input_is_named_and_nothing_is_written(tmp_path, imagerecords, command, row):
    make, arguments, words = ROWS[row]
    root = tmp_path / "r"
    root.mkdir()
    make(root)
    before = snapshot(root)
    how = ["--no-prefect"] if command == "build" else []
    arguments = [argument.format(root=root) for argument in arguments]
    ran = imagerecords(command, "--output_directory", root / "out", *arguments, *how)
    assert ran.code == 2, ran.err
    for word in words:
        assert word.format(root=root) in ran.err
    assert "Traceback" not in ran.err
    assert "hush" not in ran.err
    assert snapshot(root) == before
    if command == "build":
        assert ran.out == ""


@pytest.mark.parametrize("row", ROWS)
def test_each_error_is_one_line(tmp_path, imagerecords, row):
    """However many lines there are, each says error; an input with one error has one."""
    make, arguments, _ = ROWS[row]
    make(tmp_path)
    ran = imagerecords(
        "plan", "--output_directory", tmp_path / "out", *(argument.format(root=tmp_path) for argument in arguments)
    )
    lines = ran.err.splitlines()
    assert lines
    assert all(line.startswith("imagerecords: error: ") for line in lines)
    expected = {"numbered": 3, "climbing label": 3, "absolute label": 3, "not UTF-8": 1, "listed without folder": 1}
    assert len(lines) <= expected.get(row, 2)


@pytest.mark.parametrize(
    "output",
    [
        "{root}/in",
        "{root}/in/out",
        "{root}/in/cat",
        "{root}/x/../in/out",
        "{root}/in/./out",
        "file://{root}/in/out",
        "{root}/link/out",
    ],
)
def test_an_output_inside_an_input_is_refused_however_it_is_written(tmp_path, imagerecords, output):
    """The next build would take its shards for images; and with `overwrite` an input would be an output."""
    two_labels(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    before = snapshot(tmp_path)
    ran = imagerecords(
        "build", "--output_directory", output.format(root=tmp_path), "--train_directory", tmp_path / "in", "--no-prefect"
    )
    assert ran.code == 2
    assert "output_directory must lie outside the input" in ran.err
    assert snapshot(tmp_path) == before


def test_a_relative_output_inside_an_input_is_refused(tmp_path, imagerecords, monkeypatch):
    two_labels(tmp_path)
    monkeypatch.chdir(tmp_path / "in")
    ran = imagerecords("build", "--output_directory", "out", "--train_directory", tmp_path / "in", "--no-prefect")
    assert ran.code == 2
    assert "output_directory must lie outside the input" in ran.err


def test_an_output_beside_an_input_of_a_similar_name_is_taken(tmp_path, fill, imagerecords):
    source = fill(tmp_path / "data", {"cat": 1})
    ran = imagerecords("plan", "--output_directory", tmp_path / "data-out", "--train_directory", source)
    assert ran.code == 0


def test_another_plans_shards_are_refused_before_anything_is_written(tmp_path, data, imagerecords):
    arguments = [
        "build",
        "--output_directory",
        tmp_path / "out",
        "--train_directory",
        data,
        "--no-prefect",
        "--executor",
        "threads",
    ]
    assert imagerecords(*arguments, "--train_shards", 2).code == 0
    before = snapshot(tmp_path / "out")
    ran = imagerecords(*arguments, "--train_shards", 3)
    assert ran.code == 2
    assert "another plan" in ran.err
    assert "--overwrite" in ran.err
    assert snapshot(tmp_path / "out") == before
    assert imagerecords(*arguments, "--train_shards", 3, "--overwrite").code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("train-*")) == [f"train-0000{n}-of-00003" for n in range(3)]


def test_shards_without_a_plan_are_refused_with_nothing_written(tmp_path, data, imagerecords):
    """A folder of classic shards: not even a _build appears there."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/train-00000-of-00002").write_bytes(b"")
    before = snapshot(tmp_path / "out")
    ran = imagerecords("build", "--output_directory", tmp_path / "out", "--train_directory", data, "--no-prefect")
    assert ran.code == 2
    assert snapshot(tmp_path / "out") == before


def test_unlisted_labels_may_be_ignored_and_are_reported(tmp_path, fill, imagerecords):
    source = fill(tmp_path / "in", {"cat": 2, "dog": 2, "owl": 2})
    (tmp_path / "labels.txt").write_text("owl\ncat\n")
    ran = imagerecords(
        "build", "--no-prefect", "--executor", "threads", "--unlisted_labels", "ignore",
        "--labels_file", tmp_path / "labels.txt", "--output_directory", tmp_path / "out", "--train_directory", source,
    )  # fmt: skip
    assert ran.code == 0
    assert "1 unlisted label folders ignored: dog" in ran.err
    assert (tmp_path / "out/labels.txt").read_text() == "owl\ncat\n"


def test_unusual_but_sound_input_is_built(tmp_path, picture, imagerecords):
    names = ["we[i]rd", "größe", "two words", "*"]
    for number, name in enumerate(names):
        folder = tmp_path / "in put [1]" / name
        folder.mkdir(parents=True)
        (folder / f"{name} 1.jpg").write_bytes(picture(number))
        (folder / ".DS_Store").write_bytes(b"junk")
    (tmp_path / "in put [1]/Thumbs.db").write_bytes(b"junk")
    ran = imagerecords(
        "build", "--no-prefect", "--executor", "threads",
        "--output_directory", tmp_path / "o[u]t", "--train_directory", tmp_path / "in put [1]",
    )  # fmt: skip
    assert ran.code == 0
    assert (tmp_path / "o[u]t/labels.txt").read_text().splitlines() == sorted(names)
    assert "4 hidden files" in ran.out
    assert "1 junk file" in ran.out
