"""What lies beside pictures is skipped and counted by its ending; labels of the unlabelled; names in two Unicode forms."""

import unicodedata

import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.unicode_names import one_form
from imagerecords.tasks.discover import discover_images, survey

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Kühe") for form in ("NFC", "NFD"))


def write(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def paths_of(listing):
    return listing.images["path"].to_pylist()


def test_companions_are_counted_by_ending_before_work_starts(tmp_path, make_settings):
    companions = ["a/1.xml", "a/2.XML", "a/1.jpg.json", "a/1.jpg:Zone.Identifier", "a/1.AAE", "a/1.MOV", "a/classes.txt"]
    write(tmp_path, "a/1.jpg", "a/1.png", *companions)
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert paths_of(listing) == ["a/1.jpg", "a/1.png"]
    assert listing.skipped == {
        ".xml files": 2,
        ".json files": 1,
        "Zone.Identifier files": 1,
        ".aae files": 1,
        ".mov files": 1,
        ".txt files": 1,
    }


def test_the_list_is_a_setting(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg", "a/1.xml", "a/1_mask.png")
    listing = discover_images(make_settings(train_directory=tmp_path, ignore=["*_MASK.png"]))
    assert paths_of(listing) == ["a/1.jpg", "a/1.xml"]
    assert listing.skipped == {".png files": 1}


@pytest.mark.parametrize("where", ["in", "in/a/boxes.csv"])
def test_files_with_the_boxes_are_never_images(tmp_path, make_settings, where):
    """Even where nothing else is ignored."""
    write(tmp_path / "in", "a/1.jpg")
    corners = "".join(f"<{name}>{n}</{name}>" for n, name in enumerate(("xmin", "ymin", "xmax", "ymax")))
    size = "<size><width>9</width><height>9</height></size>"
    voc = f"<annotation>{size}<object><bndbox>{corners}</bndbox></object></annotation>"
    (tmp_path / "in/a/1.xml").write_text(voc)
    (tmp_path / "in/a/boxes.csv").write_text("1.jpg,0,0,1,1\n")
    settings = make_settings(train_directory=tmp_path / "in", bounding_boxes=str(tmp_path / where), ignore=[])
    rest = {"in": [], "in/a/boxes.csv": ["a/1.xml"]}[where]
    listing = discover_images(settings)
    assert paths_of(listing) == ["a/1.jpg", *rest]
    assert listing.boxes.planned == 1


def test_a_label_whose_files_are_all_skipped_is_told_so(tmp_path, make_settings):
    write(tmp_path, "a/1.jpg", "notes/1.txt", "notes/2.txt")
    with pytest.raises(BadLayout, match=r"got none for 'notes'.*, 2 \.txt files skipped"):
        discover_images(make_settings(train_directory=tmp_path))


@pytest.mark.parametrize("name", ["no_label", "_unlabeled", "Unlabelled"])
def test_a_folder_of_the_unlabelled_is_reported_and_can_be_left_out(tmp_path, make_settings, name):
    write(tmp_path, "cat/1.jpg", f"{name}/2.jpg")
    listing = discover_images(make_settings(train_directory=tmp_path))
    assert f"--exclude_labels {name}" in " ".join(listing.notes)
    listing = discover_images(make_settings(train_directory=tmp_path, exclude_labels=[name]))
    assert (listing.labels, paths_of(listing)) == (("cat",), ["cat/1.jpg"])
    assert "exclude_labels" in " ".join(listing.notes)


def test_rows_of_the_unlabelled_too(images, listing):
    images("1.jpg", "2.jpg")
    rows = [{"path": "1.jpg", "label": "cat"}, {"path": "2.jpg", "label": "_unlabeled"}]
    assert "--exclude_labels _unlabeled" in " ".join(listing(rows).notes)
    found = listing(rows, exclude_labels=["_unlabeled"])
    assert (found.labels, paths_of(found), found.skipped) == (("cat",), ["1.jpg"], {"excluded label": 1})


def test_a_folders_name_is_the_line_of_the_labels_file_in_whatever_unicode_form(tmp_path, make_settings):
    write(tmp_path / "in", f"{DECOMPOSED}/1.jpg", "Hunde/1.jpg")
    (tmp_path / "labels.txt").write_text(f"{COMPOSED}\nHunde\n")
    listing = discover_images(make_settings(train_directory=tmp_path / "in", labels_file=tmp_path / "labels.txt"))
    assert listing.labels == (COMPOSED, "Hunde")
    assert paths_of(listing) == [f"{DECOMPOSED}/1.jpg", "Hunde/1.jpg"]
    assert "two Unicode forms" in " ".join(listing.notes)


def test_two_splits_with_two_forms_of_a_name_have_one_label(tmp_path, make_settings):
    write(tmp_path, f"train/{DECOMPOSED}/1.jpg", f"validation/{COMPOSED}/2.jpg")
    directories = {f"{split}_directory": tmp_path / split for split in ("train", "validation")}
    assert discover_images(make_settings(**directories)).labels == (COMPOSED,)


def test_two_folders_whose_names_differ_in_form_only_are_an_error(tmp_path, make_settings):
    write(tmp_path, f"{DECOMPOSED}/1.jpg", f"{COMPOSED}/2.jpg")
    assert "differ in Unicode form only" in survey(make_settings(train_directory=tmp_path)).errors[0]


def test_a_growing_data_set_keeps_the_form_that_its_label_has(tmp_path, make_settings):
    write(tmp_path, f"{COMPOSED}/1.jpg")
    assert discover_images(make_settings(train_directory=tmp_path, append=True), (DECOMPOSED,)).labels == (DECOMPOSED,)


def test_a_name_in_one_form_stays_as_it_is():
    assert one_form([DECOMPOSED]) == {DECOMPOSED: DECOMPOSED}


def test_an_image_list_finds_files_in_the_other_form(images, listing):
    images(f"{DECOMPOSED}/{DECOMPOSED}.jpg", "b.jpg")
    rows = [{"path": f"{COMPOSED}/{COMPOSED}.jpg", "label": COMPOSED}, {"path": "b.jpg", "label": DECOMPOSED}]
    found = listing(rows)
    assert paths_of(found) == [f"{DECOMPOSED}/{DECOMPOSED}.jpg", "b.jpg"]
    assert found.labels == (COMPOSED,)
    assert "another Unicode form" in " ".join(found.notes)


def test_an_image_list_made_on_windows_finds_its_files(images, listing):
    images("cat/1.jpg")
    found = listing([{"path": r".\cat\1.jpg", "label": "cat"}])
    assert paths_of(found) == ["./cat/1.jpg"]
    assert "backslashes" in " ".join(found.notes)


@pytest.mark.parametrize(
    "text",
    [
        "path, label\n1.jpg, cat\n2.jpg, dog\n",
        "path,label\n1.jpg, cat \n2.jpg,dog\n",
        'path, label\n1.jpg, "cat"\n2.jpg, dog\n',
        "path\tlabel\n1.jpg\tcat\n2.jpg\tdog\n",
        "path;label\r\n1.jpg;cat\r\n2.jpg;dog\r\n",
        ",path,label\n0,1.jpg,cat\n1,2.jpg,dog\n",
        '"","path","label"\n"1","1.jpg","cat"\n"2","2.jpg","dog"\n',
    ],
)
def test_an_image_list_may_have_spaces_tabs_semicolons_and_an_index(images, listing, text):
    images("1.jpg", "2.jpg")
    found = listing(text)
    assert (found.labels, paths_of(found)) == (("cat", "dog"), ["1.jpg", "2.jpg"])


def test_how_an_image_list_was_read_is_reported(images, listing, tmp_path):
    images("1.jpg")
    assert listing("path\tlabel\n1.jpg\tcat\n").notes == (f"{tmp_path}/manifest.csv: read with tabs between values",)
    assert "columns not read: column 1" in listing(",path,label\n0,1.jpg,cat\n").notes[0]


def test_errors_of_a_list_with_spaces_name_its_lines(images, listing):
    images("1.jpg")
    errors = listing('path, label\n1.jpg, cat\n\n2.jpg, "c,d"\n3.jpg\n', found=survey).errors
    assert [error.rpartition("line ")[2] for error in errors] == ["4", "5"]
