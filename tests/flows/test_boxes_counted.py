"""Boxes are counted, and are a part of the plan."""

import shutil


def test_a_rerun_reuses_a_finished_shard_and_other_boxes_make_another_plan(inputs, build, tmp_path):
    shutil.copytree(inputs / "boxes-voc", tmp_path / "voc")
    settings = {"train_directory": inputs / "in", "output_directory": tmp_path / "out", "bounding_boxes": tmp_path / "voc"}
    first = build(**settings)
    assert build(**settings).shards_reused == 1
    (tmp_path / "voc/a0.xml").unlink()
    again = build(**settings, overwrite=True)
    assert (again.shards_reused, again.boxes.written) == (0, 3)
    assert again.digest != first.digest


def test_boxes_of_a_rejected_image_are_counted_as_its(inputs, build, tmp_path):
    shutil.copytree(inputs / "in", tmp_path / "in")
    (tmp_path / "in/n02/b0.JPEG").write_bytes(b"no picture")
    (tmp_path / "boxes.csv").write_text("b0.JPEG,0,0,1,1\nb1.JPEG,0,0,2,1\nb9.JPEG,0,0,1,1\nb1.JPEG,0,0,0,1\nb1.JPEG\n")
    summary = build(
        train_directory=tmp_path / "in",
        output_directory=tmp_path / "out",
        bounding_boxes=tmp_path / "boxes.csv",
        max_rejected_fraction=0.5,
    )
    assert [reason.line() for reason in summary.boxes.reasons] == [
        "1 box can't be read: a row must have 5 columns, got 1: boxes.csv, line 5",
        "1 box dropped, since they must have an area: 'b1.JPEG' (boxes.csv, line 4)",
        "1 box of no image: 'b9.JPEG' (boxes.csv, line 3)",
    ]
    assert summary.boxes.model_dump(exclude={"reasons"}) == {
        "found": 5,
        "written": 1,
        "clamped": 1,
        "dropped": 2,
        "of_no_image": 1,
        "of_rejected_images": 1,
        "excluded": 0,
        "images_with_boxes": 1,
    }


def test_a_build_and_a_plan_report_their_boxes(inputs, tmp_path, imagerecords):
    arguments = [
        "--train_directory",
        inputs / "in",
        "--output_directory",
        tmp_path / "out",
        "--bounding_boxes",
        inputs / "coco.json",
    ]
    planned = imagerecords("plan", *arguments)
    assert "4 boxes found, 4 planned" in planned.out
    built = imagerecords("build", *arguments, "--no-prefect", "--executor", "threads")
    assert built.code == 0, built.err
    assert "4 boxes found, 4 written, 3 images with boxes" in built.out
