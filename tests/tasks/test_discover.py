"""Labels and listing from folders: what is listed, skipped, refused; sorted in any order of the file system."""

import json
import os

import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks import discover
from imagerecords.tasks.discover import discover_images, survey
from imagerecords.tasks.sources.walk import read_level, walk_files
from imagerecords.tasks.storage.folders import open_folder


def write(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())
    return root


def paths_of(listing):
    return listing.images["path"].to_pylist()


def test_labels_are_sorted_by_code_point_and_images_by_label_and_path(tmp_path, make_settings):
    write(tmp_path, "b/2.jpg", "b/10.jpg", "b/1.jpg", "Z/1.jpg", "ä/1.jpg", "a/1.jpg", "a/B.jpg", "a/b.jpg")
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert listing.labels == ("Z", "a", "b", "ä")  # no locale, no case folding, no natural order
    assert paths_of(listing) == ["Z/1.jpg", "a/1.jpg", "a/B.jpg", "a/b.jpg", "b/1.jpg", "b/10.jpg", "b/2.jpg", "ä/1.jpg"]
    assert listing.images["label"].to_pylist() == [1, 2, 2, 2, 3, 3, 3, 4]


@pytest.mark.parametrize("is_there", [False, True])
def test_heic_without_a_decoder_is_noted_before_anything_is_converted(tmp_path, make_settings, monkeypatch, is_there):
    monkeypatch.setattr(discover, "register_heic", lambda: is_there)
    write(tmp_path, "a/1.HEIC", "a/2.heif", "a/heic.jpg")
    note = "2 images in HEIC will be rejected without a decoder: pip install 'imagerecords[heic]'"
    assert (note in discover_images(make_settings(train_directory=tmp_path)).notes) is not is_there


def test_a_labels_file_sets_ids_and_so_the_order(tmp_path, make_settings):
    write(tmp_path / "in", "a/1.jpg", "b/1.jpg", "c/1.jpg")
    (tmp_path / "labels.txt").write_text("c\na\nb\n")
    listing = discover_images(make_settings(train_directory=tmp_path / "in", labels_file=tmp_path / "labels.txt"))
    assert listing.labels == ("c", "a", "b")
    assert paths_of(listing) == ["c/1.jpg", "a/1.jpg", "b/1.jpg"]


def test_labels_are_the_union_over_the_splits(tmp_path, make_settings):
    write(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "validation/b/1.jpg", "validation/c/1.jpg")
    settings = make_settings(train_directory=tmp_path / "train", validation_directory=tmp_path / "validation")
    listing = discover_images(settings)
    assert listing.labels == ("a", "b", "c")
    assert [note for note in listing.notes if "no image of label 'a'" in note]
    assert listing.images["source"].to_pylist() == ["train", "train", "validation", "validation"]


def test_a_labels_file_may_name_nested_folders(tmp_path, make_settings):
    write(tmp_path / "in", "animal/dog/1.jpg", "animal/cat/1.jpg", "plant/1.jpg")
    (tmp_path / "labels.txt").write_text("animal/dog\nplant\nanimal/cat\n")
    listing = discover_images(make_settings(train_directory=tmp_path / "in", labels_file=tmp_path / "labels.txt"))
    assert listing.labels == ("animal/dog", "plant", "animal/cat")
    assert paths_of(listing) == ["animal/dog/1.jpg", "plant/1.jpg", "animal/cat/1.jpg"]


def test_a_folder_beside_nested_labels_is_unlisted(tmp_path, make_settings):
    write(tmp_path / "in", "animal/dog/1.jpg", "animal/cat/1.jpg")
    (tmp_path / "labels.txt").write_text("animal/dog\n")
    settings = {"train_directory": tmp_path / "in", "labels_file": tmp_path / "labels.txt"}
    with pytest.raises(BadLayout, match=r"not listed.*animal/cat"):
        discover_images(make_settings(**settings))
    assert paths_of(discover_images(make_settings(**settings, unlisted_labels="ignore"))) == ["animal/dog/1.jpg"]


def test_a_files_version_is_its_modification_time(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg")
    os.utime(tmp_path / "a/1.jpg", ns=(1, 1_700_000_000_123_456_789))
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert listing.images["size"].to_pylist() == [len("a/1.jpg")]
    assert listing.images["version"].to_pylist() == ["1700000000123456789"]


def test_hidden_files_and_junk_are_skipped_and_counted(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg", "a/.hidden.jpg", "a/.DS_Store", "a/Thumbs.db", "a/.ipynb_checkpoints/1.jpg", "a/desktop.ini")
    write(tmp_path, ".ipynb_checkpoints/2.jpg", ".git/config", "__MACOSX/a/1.jpg", ".DS_Store", "README.txt")
    write(tmp_path, "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "a/#recycle/2.jpg", "lost+found/3.jpg", "$RECYCLE.BIN/4.jpg")
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert listing.labels == ("a",)
    assert paths_of(listing) == ["a/1.jpg"]
    assert listing.skipped == {"hidden": 6, "junk": 7, "beside the label folders": 1}


def test_files_that_are_no_images_are_listed_all_the_same(tmp_path, make_settings):
    """Recognised by content, in convert; then they are in the manifest, rejected. Companions of pictures are not."""
    write(tmp_path, "a/1.jpg", "a/notes.doc", "a/noextension", "a/classes.txt")
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert paths_of(listing) == ["a/1.jpg", "a/noextension", "a/notes.doc"]
    assert listing.skipped == {".txt files": 1}


def test_subfolders_are_refused_unless_recursive(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg", "a/x/2.jpg", "a/x/y/3.jpg")
    with pytest.raises(BadLayout, match=r"got 2 in sub-folders.*a/x/2.jpg.*--recursive"):
        discover_images(make_settings(train_directory=tmp_path))
    listing = discover_images(make_settings(train_directory=tmp_path, recursive=True))
    assert paths_of(listing) == ["a/1.jpg", "a/x/2.jpg", "a/x/y/3.jpg"]


def test_an_empty_subfolder_is_no_error(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg")
    (tmp_path / "a/empty").mkdir()
    assert paths_of(discover_images(make_settings(train_directory=tmp_path))) == ["a/1.jpg"]


def test_links_to_files_and_folders_are_followed(tmp_path, make_settings):
    write(tmp_path / "elsewhere", "real.jpg", "b/2.jpg")
    write(tmp_path / "in", "a/1.jpg")
    (tmp_path / "in/a/link.jpg").symlink_to(tmp_path / "elsewhere/real.jpg")
    (tmp_path / "in/b").symlink_to(tmp_path / "elsewhere/b")
    listing = discover_images(make_settings(train_directory=tmp_path / "in"))
    assert paths_of(listing) == ["a/1.jpg", "a/link.jpg", "b/2.jpg"]
    assert listing.images["size"].to_pylist()[1] == len("real.jpg")  # the file's, not the link's


@pytest.fixture
def deep(tmp_path):
    """`deep(levels)` makes an image at the end of so many folders in each other, which pathlib could not name whole."""
    home = os.open(".", os.O_RDONLY)

    def deep(levels):
        os.makedirs(tmp_path / "in/cat")
        os.chdir(tmp_path / "in/cat")
        for _ in range(levels):
            os.mkdir("d")
            os.chdir("d")
        with open("x.jpg", "wb") as file:
            file.write(b"x")
        os.fchdir(home)
        return tmp_path / "in"

    yield deep
    os.chdir(tmp_path / "in/cat")
    while os.path.isdir("d"):  # neither pytest nor shutil removes as deep a tree
        os.rename("d/d", "e") if os.path.isdir("d/d") else os.rename("d", "f")
        if os.path.isdir("d"):
            os.rmdir("d")
            os.rename("e", "d")
    os.fchdir(home)
    os.close(home)


def test_a_tree_deeper_than_pythons_stack_is_walked(deep, make_settings):
    listing = discover_images(make_settings(train_directory=deep(1500), recursive=True))
    assert paths_of(listing) == ["cat/" + "d/" * 1500 + "x.jpg"]


def test_a_tree_whose_paths_the_system_does_not_take_is_refused_in_one_line(deep, make_settings):
    with pytest.raises(
        BadLayout, match=r"^a folder's path must be short enough for the system, got [0-9,]+ characters: [^\n]+$"
    ):
        discover_images(make_settings(train_directory=deep(2100), recursive=True))


def test_link_loops_are_not_followed_and_counted(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg", "a/x/2.jpg")
    (tmp_path / "a/x/up").symlink_to(tmp_path / "a")
    (tmp_path / "a/self").symlink_to(".")
    listing = discover_images(make_settings(train_directory=tmp_path, recursive=True))
    assert paths_of(listing) == ["a/1.jpg", "a/x/2.jpg"]
    assert listing.skipped["link loop"] == 2


def test_a_link_to_the_input_itself_does_not_list_it_again(tmp_path, make_settings):
    """A loop that leaves the label's folder: label -> input -> the same label."""
    write(tmp_path, "a/1.jpg")
    (tmp_path / "a/root").symlink_to(tmp_path)
    listing = discover_images(make_settings(train_directory=tmp_path, recursive=True))
    assert paths_of(listing) == ["a/1.jpg"]


def test_a_dangling_link_is_an_input_that_cannot_be_read(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg")
    (tmp_path / "a/2.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "a/3.jpg").symlink_to("3.jpg")  # a link to itself
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert listing.images["version"].to_pylist()[1:] == ["unreadable", "unreadable"]


def test_a_pipe_is_skipped(tmp_path, make_settings):
    """Reading one would wait for ever."""
    write(tmp_path, "a/1.jpg")
    os.mkfifo(tmp_path / "a/2.jpg")
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert paths_of(listing) == ["a/1.jpg"]
    assert listing.skipped == {"not a regular file": 1}


NAMES = [
    "we[i]rd",
    "größe",
    "日本語",
    "two words",
    "*",
    "a?b",
    "{x}",
    "%20",
    "#1",
    "-x",
    "'q'",
    "~",
    "$HOME",
    "a:b",
    "a,b",
    "101",
]


@pytest.mark.parametrize("listed", [False, True])
def test_names_of_any_characters_just_work(tmp_path, make_settings, listed):
    """The classic script takes labels for glob patterns."""
    write(tmp_path / "in", *(f"{name}/{name}.jpg" for name in NAMES))
    (tmp_path / "labels.txt").write_text("\n".join(NAMES))
    more = {"labels_file": tmp_path / "labels.txt"} if listed else {}
    listing = discover_images(make_settings(train_directory=tmp_path / "in", **more))
    assert list(listing.labels) == (NAMES if listed else sorted(NAMES))
    assert paths_of(listing) == [f"{name}/{name}.jpg" for name in listing.labels]


def test_an_input_of_any_name_just_works(tmp_path, make_settings):
    root = tmp_path / "we[i]rd größe #1 *?"
    write(root, "a/1.jpg")
    assert paths_of(discover_images(make_settings(train_directory=root))) == ["a/1.jpg"]


def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg")
    with open(os.fsencode(tmp_path) + b"/a/\xff.jpg", "wb"):
        pass
    with pytest.raises(BadLayout, match="file names must be UTF-8"):
        discover_images(make_settings(train_directory=tmp_path))


def test_a_label_folder_that_is_not_utf_8_is_refused(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg")
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")
    with open(os.fsencode(tmp_path) + b"/\xff/1.jpg", "wb"):
        pass
    with pytest.raises(BadLayout, match="UTF-8"):
        discover_images(make_settings(train_directory=tmp_path))


def test_a_label_folder_with_a_control_character_is_refused(tmp_path, make_settings):
    write(tmp_path, "a\nb/1.jpg")
    with pytest.raises(BadLayout, match="control characters"):
        discover_images(make_settings(train_directory=tmp_path))


def test_all_errors_of_the_folders_are_reported_at_once(tmp_path, make_settings):
    write(tmp_path / "train", "loose.jpg", "a/1.jpg")
    settings = make_settings(
        train_directory=tmp_path / "train", validation_directory=tmp_path / "none", labels_file=tmp_path / "nolabels.txt"
    )
    assert len(survey(settings).errors) == 3


def test_survey_raises_nothing(tmp_path, make_settings):
    listing = survey(make_settings(train_directory=tmp_path / "none"))
    assert "must be an existing directory" in listing.errors[0]
    assert listing.images.num_rows == 0


def test_a_split_layout_is_refused_with_the_arguments_to_pass(tmp_path, make_settings):
    write(tmp_path, "train/a/1.jpg", "val/a/1.jpg", "Testing/a/1.jpg")
    with pytest.raises(BadLayout) as caught:
        discover_images(make_settings(data_directory=tmp_path))
    for argument in (f"--train_directory {tmp_path}/train", f"--validation_directory {tmp_path}/val", "--test_directory"):
        assert argument in str(caught.value)


def test_splits_beside_another_folder_are_seen_and_arguments_can_be_pasted(tmp_path, make_settings):
    write(tmp_path, "my data/train/a/1.jpg", "my data/val/a/1.jpg", "my data/docs/x/read.me")
    (error,) = survey(make_settings(data_directory=tmp_path / "my data", recursive=True)).errors
    assert f"Pass --train_directory '{tmp_path}/my data/train' --validation_directory" in error


def test_a_folder_above_the_labels_is_no_label_in_silence(tmp_path, make_settings):
    write(tmp_path, "pets/cat/1.jpg", "pets/dog/1.jpg")
    remedy = f"pass --data_directory {tmp_path}/pets"
    (error,) = survey(make_settings(data_directory=tmp_path)).errors
    assert remedy in error
    (note,) = survey(make_settings(data_directory=tmp_path, recursive=True)).notes
    assert remedy in note


def test_numbers_sorted_as_texts_are_noted(tmp_path, make_settings):
    write(tmp_path, "1/1.jpg", "2/1.jpg", "10/1.jpg")
    (note,) = survey(make_settings(data_directory=tmp_path)).notes
    assert "10 has id 2, 2 has id 3" in note
    (tmp_path / "labels").write_text("1\n2\n10\n")
    assert survey(make_settings(data_directory=tmp_path, labels_file=tmp_path / "labels")).notes == ()


def test_labels_that_are_called_like_splits_are_labels_where_they_hold_images(tmp_path, make_settings):
    write(tmp_path, "train/1.jpg", "test/1.jpg")  # pictures of trains and of tests
    listing = discover_images(make_settings(data_directory=tmp_path))
    assert listing.labels == ("test", "train")
    assert any("test, train are taken for labels" in note for note in listing.notes)


@pytest.mark.parametrize(
    ("images", "beside"),
    [
        (("jpg/1.jpg",), "imagelabels.mat"),  # Flowers-102
        (("train-jpg/1.jpg",), "train_classes.csv"),
        (("train/cat.0.jpg", "test1/1.jpg"), "sampleSubmission.csv"),  # Dogs vs. Cats
    ],
)
def test_folders_of_all_images_beside_a_table_are_no_labels(tmp_path, make_settings, images, beside):
    write(tmp_path, *images, beside)
    settings = make_settings(data_directory=tmp_path)
    assert f"beside {beside}" in survey(settings).errors[0]
    (tmp_path / "labels.txt").write_text("".join(f"{image.partition('/')[0]}\n" for image in images))
    named = settings.model_copy(update={"labels_file": str(tmp_path / "labels.txt")})
    assert survey(named).errors == ()


def test_files_beside_the_only_label_folder_are_named(tmp_path, make_settings):
    write(tmp_path, "img_align_celeba/1.jpg", "list_attr_celeba.txt", "README.txt")
    listing = survey(make_settings(data_directory=tmp_path))
    assert any(note.endswith("not read beside it: list_attr_celeba.txt") for note in listing.notes)


def test_remote_folders_are_listed_as_local_ones(tmp_path, make_settings):
    files = ["b/2.jpg", "a/1.jpg", "a/x/3.jpg", "a/.hidden", "we[i]rd/4.jpg", ".git/config", "b/Thumbs.db"]
    write(tmp_path, *files)
    memory = open_folder("memory://listing", {})
    for file in files:
        memory.fs.pipe_file(memory.join(file), file.encode())
    local, remote = (
        discover_images(make_settings(train_directory=root, recursive=True)) for root in (tmp_path, "memory://listing")
    )
    for column in ("source", "label", "path", "size"):
        assert remote.images[column].to_pylist() == local.images[column].to_pylist()
    assert remote.skipped == local.skipped


def test_a_remote_file_that_changes_has_another_version(make_settings):
    memory = open_folder("memory://versions", {})
    memory.fs.pipe_file(memory.join("a/1.jpg"), b"one")
    first = walk_files(memory, "a").files[0]
    memory.fs.pipe_file(memory.join("a/1.jpg"), b"two")
    second = walk_files(memory, "a").files[0]
    assert first.size == second.size
    assert first.version != second.version


def test_a_level_is_sorted(tmp_path):
    write(tmp_path, *(f"{name}/x" for name in "cab"), "z", "y")
    level = read_level(open_folder(str(tmp_path), {}), "")
    assert level.folders == ["a", "b", "c"]
    assert [file.path for file in level.files] == ["y", "z"]


def test_tensorflows_check_is_refused_where_it_is_not_installed(tmp_path, fill, make_settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    settings = make_settings(train_directory=fill(tmp_path / "in", {"cat": 1}), tensorflow_check="sample")
    with pytest.raises(BadLayout, match="tensorflow_check must be none where TensorFlow is not installed, got sample"):
        discover_images(settings)


@pytest.mark.parametrize("name", ["data", "train"])
def test_the_export_of_a_labelling_tool_is_no_label_folders(tmp_path, picture, name):
    (tmp_path / "my export/annotations").mkdir(parents=True)
    (tmp_path / "my export/images").mkdir()
    (tmp_path / "my export/images/1.jpg").write_bytes(picture(1))
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}
    image = {"id": 1, "file_name": "1.jpg", "width": 20, "height": 10}
    content = {"images": [image], "annotations": [annotation], "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "my export/annotations/instances.json").write_text(json.dumps(content))
    settings = BuildSettings(output_directory=str(tmp_path / "out"), **{f"{name}_directory": str(tmp_path / "my export")})
    with pytest.raises(BadLayout) as refused:
        discover_images(settings)
    found, hint = str(refused.value).splitlines()
    assert "got none for 'annotations'" in found
    assert "1 .json file skipped" in found
    assert hint == (
        f"{name}_directory must have a folder per label, got COCO: {tmp_path}/my export. "
        f"Pass --annotations '{tmp_path}/my export' instead"
    )
