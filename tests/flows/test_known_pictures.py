"""A build over a finished data set takes pictures from the data card that it replaces, and writes the same page as without."""

import pytest

from imagerecords.schemas.output_files import BUILD, REPORT
from imagerecords.tasks.commands.remove import remove_images
from imagerecords.tasks.data_card import drawn, pictures


@pytest.fixture
def made(monkeypatch):
    """The pictures that were drawn."""
    seen = []
    draw = pictures.draw

    def draw_and_count(picture, data, side):
        seen.append(picture.path)
        return draw(picture, data, side)

    monkeypatch.setattr(pictures, "draw", draw_and_count)
    return seen


@pytest.fixture
def make(tmp_path, build, photo_folder):
    def make(output, **changes):
        build(data_directory=photo_folder, output_directory=tmp_path / output, report=True, validation_fraction=0.25, **changes)
        return (tmp_path / output / REPORT).read_bytes()

    return make


@pytest.fixture(scope="module")
def photo_folder(tmp_path_factory, picture):
    root = tmp_path_factory.mktemp("photos")
    for number in range(12):
        path = root / ("cat" if number % 2 else "dog") / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(number, size=(90 + number, 60)))
    return root


def test_a_rebuild_draws_nothing_and_writes_the_same_page(make, made, tmp_path):
    expected = make("expected", seed=2)
    make("out", seed=1)
    del made[:]
    assert make("out", seed=2, overwrite=True) == expected
    assert made == []
    assert not (tmp_path / "out" / BUILD / "known").exists()


def test_without_reuse_all_are_drawn(make, made):
    expected = make("out")
    del made[:]
    assert make("out", seed=1, overwrite=True, reuse=False)
    assert len(made) == 12
    assert make("out", overwrite=True, reuse=False) == expected


@pytest.mark.parametrize("change", ["another picture", "cut off", "another version", "no data card"])
def test_a_card_that_is_not_as_it_was_written_is_not_used(change, make, made, tmp_path, monkeypatch):
    expected = make("expected", seed=2)
    page = make("out").decode()
    first, second = (at.partition('"')[0] for at in page.split('src="')[1:3])
    path = tmp_path / "out" / REPORT
    if change == "another picture":
        path.write_text(page.replace(first, second))
    elif change == "cut off":
        path.write_text(page[: page.rindex(second)])
    elif change == "no data card":
        path.unlink()
    else:
        monkeypatch.setattr(drawn, "_versions", lambda: "another Pillow")
    del made[:]
    page = make("out", seed=2, overwrite=True)
    assert len(made) == 12
    assert page == expected or change == "another version"


def test_removing_images_draws_no_picture_again(make, made, tmp_path):
    page = make("out")
    del made[:]
    remove_images(str(tmp_path / "out"), ["cat/1.jpg"], {})
    assert made == []
    assert (tmp_path / "out" / REPORT).read_bytes().count(b"<img") == page.count(b"<img") - 1
