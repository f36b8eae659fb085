"""Files that no build made are never replaced, and no build begins among them."""

from pathlib import Path

import pytest

from imagerecords import plan
from imagerecords.schemas.errors import BadSettings, OutputConflict
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import make_settings


@pytest.fixture
def source(tmp_path, fill):
    """An input of two labels."""
    return Path(fill(tmp_path / "in", {"cat": 4, "dog": 4}))


@pytest.fixture
def image_list(tmp_path, source):
    """A project folder with a list of the same images, named as a file of ours, and a report of its owner's."""
    rows = [f"{path},{path.parent.name}\n" for path in sorted(source.rglob("*.jpg"))]
    (tmp_path / "manifest.csv").write_text("path,label\n" + "".join(rows))
    return tmp_path / "manifest.csv"


@pytest.mark.parametrize(
    "name", ["report.html", "labels.txt", "manifest.parquet", "dataset_info.json", "notes.txt", "photos/1.jpg"]
)
def test_an_output_with_files_of_somebody_elses_is_refused_and_left_alone(tmp_path, source, build, name):
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for _ in range(2):  # the first refusal leaves nothing that would let a second build in
        with pytest.raises(OutputConflict, match=rf"got other files: .*{name.partition('/')[0]}.*move them away"):
            build(train_directory=source, output_directory=tmp_path / "out", overwrite=True)
    assert mine.read_text() == "mine"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [mine]


@pytest.mark.parametrize("name", [".gitignore", ".DS_Store", "lost+found/x"])
def test_files_of_the_system_are_no_obstacle(tmp_path, source, build, name):
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).write_text("")
    build(train_directory=source, output_directory=tmp_path / "out")
    assert (tmp_path / "out" / name).exists()


def test_an_input_is_never_replaced(tmp_path, source, build, image_list):
    """Not even in an output that holds a data set of ours."""
    out = tmp_path / "out"
    build(train_directory=source, output_directory=out, train_shards=1)
    (out / "manifest.parquet").unlink()
    image_list.rename(out / "labels.txt")
    (out / "labels.txt").rename(out / "index" / "list.csv")
    with pytest.raises(OutputConflict, match=r"image_list must lie where the build writes nothing.*list\.csv"):
        build(image_list=str(out / "index" / "list.csv"), output_directory=out, overwrite=True)


def test_an_output_in_a_label_folder_of_a_list_is_refused(tmp_path, source, build, image_list):
    with pytest.raises(OutputConflict, match=r"in the folder of label 'cat'"):
        build(image_list=str(image_list), output_directory=source / "cat" / "out")
    assert not (source / "cat" / "out").exists()


def test_plan_says_so_too(tmp_path, source):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/report.html").write_text("mine")
    (error,) = plan(train_directory=source, output_directory=tmp_path / "out").errors
    assert "report.html" in error


@pytest.mark.parametrize("output", ["", " "])
def test_an_output_without_a_name_is_refused(tmp_path, output):
    with pytest.raises(BadSettings, match="output_directory must name a directory or URL"):
        make_settings(BuildSettings, {"train_directory": str(tmp_path), "output_directory": output})
