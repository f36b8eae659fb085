"""Small pictures for the data card: what they show, what is not read, and that nothing stops the page."""

import base64
import io
import random
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from imagerecords.schemas.data_card import Box, Picture
from imagerecords.tasks.data_card import pictures as report_pictures
from imagerecords.tasks.data_card.pictures import PictureSource, draw, draw_example, of_row, with_pictures
from imagerecords.tasks.storage.folders import open_folder

CAT = Picture("a", "train", 1, "cat")


def pixels(source):
    assert source.startswith("data:image/jpeg;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB")).astype(int)


def plain(size, colour, kind="PNG", mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 200), (64, 32)), ((20, 10), (20, 10)), ((3, 900), (1, 64)), ((64, 64), (64, 64))],  # never enlarged, never 0
)
def test_a_picture_fits_its_side_and_keeps_its_shape(size, expected):
    for kind in ("PNG", "JPEG"):
        small = draw(CAT, plain(size, (200, 30, 30), kind), 64)
        assert (small.width, small.height) == expected
        assert np.abs(pixels(small.data_uri).mean(axis=(0, 1)) - (200, 30, 30)).max() < 12


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [("L", 90, (90, 90, 90)), ("RGBA", (9, 9, 9, 0), (128, 128, 128)), ("I;16", 0, (0, 0, 0)), ("1", 1, (255, 255, 255))],
)
def test_pictures_of_any_mode_are_shown(mode, colour, shown):
    assert np.abs(pixels(draw(CAT, plain((30, 30), colour, mode=mode), 64).data_uri).mean(axis=(0, 1)) - shown).max() < 6


def test_boxes_are_kept_beside_the_picture_within_its_edges():
    """The page draws them over it, and can leave them out."""
    features = {"image/encoded": [plain((100, 100), (128, 128, 128))], "image/object/bbox/label": [1]}
    boxes = {"xmin": [0.2, -3.0, float("nan")], "ymin": [0.4, 0, 0], "xmax": [0.8, 9.0, 1], "ymax": [0.9, 1, 1]}
    features |= {f"image/object/bbox/{edge}": values for edge, values in boxes.items()}
    small = draw_example(CAT, features, 100)
    assert small.boxes == (Box(0.2, 0.4, 0.8, 0.9, 1), Box(0.0, 0.0, 1.0, 1.0, 0))
    assert np.ptp(pixels(small.data_uri), axis=2).max() < 12


@pytest.mark.parametrize(
    ("made", "camera"),
    [
        ({}, ""),
        ({271: "Canon", 272: "Canon EOS 80D"}, "Canon EOS 80D"),
        ({271: "NIKON CORPORATION", 272: "NIKON D750"}, "NIKON D750"),
        ({271: "Apple", 272: "iPhone 12"}, "Apple iPhone 12"),
        ({272: "X100\0"}, "X100"),
    ],
)
def test_the_camera_is_read_from_the_exif(made, camera):
    exif = Image.Exif()
    for tag, value in made.items():
        exif[tag] = value
    file = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 10, 10)).save(file, "JPEG", exif=exif)
    drawn = draw(CAT, file.getvalue(), 64)
    assert (drawn.camera, drawn.is_grey) == (camera, False)


def test_a_picture_without_colour_is_grey():
    assert draw(CAT, plain((30, 30), (90, 90, 90), "JPEG"), 64).is_grey


@pytest.fixture
def shown(small):
    """The written images of a small build as the page shows them."""
    rows = pq.read_table(small / "manifest.parquet", filters=[("status", "=", "written")]).to_pylist()
    return [of_row(open_folder(str(small), {}), row) for row in rows]


def test_pictures_are_read_from_the_shards_by_offset_and_come_in_order(shown):
    pictures = with_pictures(shown, 64, 10**6)
    assert [picture.name for picture in pictures] == [image.picture.name for image in shown]
    assert all(picture.data_uri for picture in pictures)
    assert len({picture.data_uri for picture in pictures}) > 10
    assert with_pictures(shown, 64, 10**6) == pictures


def test_pictures_beyond_the_budget_are_omitted_whatever_the_threads_do(shown):
    everything = with_pictures(shown, 64, 10**6)
    budget = sum(len(picture.data_uri) for picture in everything[:5])
    kept = with_pictures(shown, 64, budget)
    assert kept[:5] == everything[:5]
    assert sum(len(picture.data_uri) for picture in kept) <= budget


def test_a_picture_that_takes_more_than_its_share_is_made_at_half_the_size(tmp_path):
    """Noise, which compresses badly, leaves room for the others."""
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    source = PictureSource(CAT, open_folder(str(tmp_path), {}), "a.png", size=1)
    assert [picture.width for picture in with_pictures([source, source], 160, 12_000)] == [80, 80]
    assert with_pictures([source], 160, 10**6)[0].width == 160


def test_what_is_too_large_to_read_is_not_read(shown, monkeypatch):
    monkeypatch.setattr(report_pictures, "MOST_BYTES", shown[0].size - 1)
    assert with_pictures(shown[:1], 64, 10**6)[0].data_uri == ""
    monkeypatch.undo()
    monkeypatch.setattr(report_pictures, "MAX_READ", shown[0].size)
    assert [bool(picture.data_uri) for picture in with_pictures([shown[0], shown[0]], 64, 10**6)] == [True, False]


@pytest.mark.parametrize("change", ["missing", "cut", "rubbish", "no image"])
def test_a_picture_that_can_not_be_made_is_none_and_no_error(tmp_path, shown, change):
    image = shown[0]
    shutil.copy(f"{image.folder.path}/{image.file}", tmp_path / "shard")
    data = (tmp_path / "shard").read_bytes()
    if change == "missing":
        (tmp_path / "shard").unlink()
    elif change == "cut":
        (tmp_path / "shard").write_bytes(data[: image.offset + 40])
    elif change == "rubbish":
        (tmp_path / "shard").write_bytes(random.Random(1).randbytes(len(data)))
    else:
        (tmp_path / "shard").write_bytes(b"no image")
    offset = None if change == "no image" else image.offset
    broken = PictureSource(CAT, open_folder(str(tmp_path), {}), "shard", offset, image.size)
    assert with_pictures([broken], 64, 10**6) == [CAT]


def test_what_is_there_of_a_truncated_jpeg_is_shown(picture):
    whole = picture(1, size=(200, 200))
    assert draw(CAT, whole[: len(whole) // 2], 64).width == 64


def test_of_a_damaged_tiff_nothing_reaches_standard_error(capfd):
    file = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (60, 60), np.uint8)
    Image.fromarray(noise).save(file, "TIFF", compression="tiff_adobe_deflate")
    data = bytearray(file.getvalue())
    data[200:600] = bytes(400)
    with pytest.raises(OSError, match="decoder error"):
        draw(CAT, bytes(data), 64)
    assert capfd.readouterr().err == ""
