"""Boxes: what is wrong with one, what the policy makes of it, and how it follows a rotated image."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from imagerecords.schemas.boxes import EMPTY, INVERTED, NOT_FINITE, OUTSIDE, SOUND, Boxes, clamp, problems_of, rotate

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("box", "problem", "clamped"),
    [
        ((0.1, 0.2, 0.3, 0.4), SOUND, (0.1, 0.2, 0.3, 0.4)),
        ((0, 0, 1, 1), SOUND, (0, 0, 1, 1)),
        ((-0.1, 0.2, 0.3, 1.4), OUTSIDE, (0, 0.2, 0.3, 1)),
        ((0.3, 0.2, 0.1, 0.4), INVERTED, (0.1, 0.2, 0.3, 0.4)),
        ((0.9, 0.2, 0.1, 1.6), OUTSIDE, (0.1, 0.2, 0.9, 1)),  # inverted too: the classic script wrote it as it was
        ((0.1, 0.2, 0.1, 0.4), EMPTY, None),
        ((1.1, 0.2, 1.3, 0.4), OUTSIDE, None),  # beside the image: nothing is left
        ((-0.0, 0.2, 0.3, 0.4), SOUND, (0, 0.2, 0.3, 0.4)),
        ((NAN, 0.2, 0.3, 0.4), NOT_FINITE, None),
        ((0.1, 0.2, INF, 0.4), NOT_FINITE, (0.1, 0.2, 1, 0.4)),  # clamped all the same; place_boxes drops it first
    ],
)
def test_each_problem_is_named_and_clamped_away_where_something_is_left(box, problem, clamped):
    corners = np.array([box], np.float32)
    assert problems_of(corners).tolist() == [problem]
    moved = clamp(corners)
    if clamped is None:
        assert problems_of(moved)[0] in (EMPTY, NOT_FINITE)
    else:
        assert moved[0].tolist() == np.array(clamped, np.float32).tolist()


FINITE = st.floats(-2, 3, width=32)


@given(st.lists(st.tuples(FINITE, FINITE, FINITE, FINITE), max_size=8))
def test_what_clamping_leaves_is_sound_or_empty_and_sound_boxes_stay_as_they_are(boxes):
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    moved = clamp(corners)
    assert set(problems_of(moved).tolist()) <= {SOUND, EMPTY}
    sound = problems_of(corners) == SOUND
    assert (moved[sound] == corners[sound]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_follows_its_pixels_when_pillow_turns_the_image_upright(orientation):
    pixels = np.zeros((60, 100), np.uint8)
    pixels[12:30, 20:70] = 255
    image, file = Image.fromarray(pixels), io.BytesIO()
    exif = image.getexif()
    exif[0x112] = orientation
    image.save(file, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    ys, xs = np.nonzero(upright)
    height, width = upright.shape
    expected = [xs.min() / width, ys.min() / height, (xs.max() + 1) / width, (ys.max() + 1) / height]
    assert np.allclose(rotate(np.array([[0.2, 0.2, 0.7, 0.5]]), orientation), [expected])


def test_the_boxes_of_an_image_without_any_are_empty_lists_of_the_right_types():
    features = Boxes.planned([]).rotated(6).features()
    assert {(key, values.dtype.name, len(values)) for key, values in features.items()} == {
        *((f"image/object/bbox/{corner}", "float32", 0) for corner in ("xmin", "xmax", "ymin", "ymax")),
        ("image/object/bbox/label", "int64", 0),
    }
