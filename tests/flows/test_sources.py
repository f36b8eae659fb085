"""Builds from every source of labels and boxes give the same records."""

import shutil

import pytest

from imagerecords.tasks.audit.folder import audit_folder
from tests.flows.examples import boxes_of, examples
from tests.flows.labelled_inputs import paths_of, sources


@pytest.fixture(scope="module")
def built(inputs, build):
    """The output and the summary of a build from each source."""
    return {
        name: (inputs / name, build(output_directory=inputs / name, tensorflow_check="all", **settings))
        for name, settings in sources(inputs).items()
    }


@pytest.mark.parametrize("name", ["voc", "coco", "image_list", "label_studio"])
def test_the_same_boxes_in_another_format_give_the_same_records(built, name):
    """Byte for byte; those of objects that name their label among themselves, since a CSV names none."""
    shards = [(built[source][0] / "train-00000-of-00001").read_bytes() for source in ("voc", name)]
    assert shards[0] == shards[1]


def test_a_csv_gives_the_same_records_but_for_the_objects_own_names(built):
    for by_name, plain in zip(examples(built["voc"][0]), examples(built["csv"][0]), strict=True):
        label = plain["image/class/label"][0]
        assert plain.pop("image/object/bbox/label") == [label] * len(by_name.pop("image/object/bbox/label"))
        assert by_name == plain


def test_every_record_has_the_boxes_of_its_image(built):
    found = {features["image/filename"][0].decode(): boxes_of(features) for features in examples(built["voc"][0])}
    assert found == {
        "a0.JPEG": [(1, 0.125, 0.25, 0.5, 0.75)],
        "a1.JPEG": [],
        "b0.JPEG": [(2, 0, 0, 1, 1), (1, 0.25, 0.5, 0.375, 0.625)],
        "b1.JPEG": [],
        "b2.JPEG": [(2, 0.5, 0.5, 1, 1)],
    }


@pytest.mark.parametrize("name", ["csv", "voc", "coco", "image_list", "label_studio"])
def test_every_box_is_counted_and_the_audit_finds_nothing(built, name):
    output, summary = built[name]
    boxes = summary.boxes
    assert (boxes.found, boxes.written, boxes.images_with_boxes) == (4, 4, 3)
    assert (boxes.dropped, boxes.clamped, boxes.of_no_image, boxes.of_rejected_images) == (0, 0, 0, 0)
    assert audit_folder(str(output), {}).problems == ()


@pytest.mark.parametrize("name", ["image_list", "label_studio"])
def test_fractions_divide_an_image_list_by_its_paths(inputs, build, tmp_path, name):
    build(output_directory=tmp_path / "out", validation_fraction=0.5, allow_empty_shards=True, **sources(inputs)[name])
    names = [
        {features["image/filename"][0] for features in examples(tmp_path / "out", split)} for split in ("train", "validation")
    ]
    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == 5


def test_an_image_list_of_urls_elsewhere_is_read_by_the_workers(inputs, build, tmp_path):
    import fsspec

    fs = fsspec.filesystem("memory")
    rows = ["path,label"]
    for path in paths_of(inputs / "in"):
        fs.pipe_file(f"/urls/{path}", (inputs / "in" / path).read_bytes())
        rows.append(f"memory://urls/{path},{path[:3]}")
    (tmp_path / "images.csv").write_text("\n".join(rows) + "\n")
    build(image_list=tmp_path / "images.csv", output_directory=tmp_path / "out")
    build(train_directory=inputs / "in", output_directory=tmp_path / "folders")
    shards = [(tmp_path / name / "train-00000-of-00001").read_bytes() for name in ("out", "folders")]
    assert shards[0] == shards[1]  # the same labels in the same order


def test_a_zip_file_gives_the_shards_of_the_folder_in_it(tmp_path, data, build):
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", data)
    one = build(train_directory=data, output_directory=tmp_path / "one", train_shards=2)
    other = build(train_directory=archive, output_directory=tmp_path / "other", train_shards=2)
    assert one.digest == other.digest
