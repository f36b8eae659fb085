"""The figures of a picture: what they are by definition, and that they compare across sizes and formats."""

import io
import itertools
import math

import numpy as np
import pytest
from PIL import Image, ImageFilter

from imagerecords.tasks.images.metrics import Figures, measure, measure_colours, reduction
from imagerecords.tasks.images.process import process_image


def grey(array):
    return np.ascontiguousarray(array, np.uint8)


def scene(width, height):
    """A picture with edges and slopes of all sizes, the same scene at any size."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = sum(np.sin(2 * np.pi * (a * x + b * y + a * b / 3)) / (a + b) for a, b in itertools.product(range(1, 6), repeat=2))
    blocks = 60 * ((x * 7).astype(int) + (y * 5).astype(int) & 1)
    return Image.fromarray(np.clip(70 + 40 * waves + blocks, 0, 255).astype(np.uint8))


def distance(first, second):
    """In how many bits two hashes differ."""
    return (first.dhash ^ second.dhash).bit_count()


def test_the_figures_are_what_their_definitions_say():
    levels = np.random.default_rng(3).integers(0, 256, (40, 50))
    figures = measure(grey(levels))
    unit = levels / 255
    laplacian = 4 * unit[1:-1, 1:-1] - unit[:-2, 1:-1] - unit[2:, 1:-1] - unit[1:-1, :-2] - unit[1:-1, 2:]
    assert figures.brightness == pytest.approx(unit.mean(), rel=1e-12)
    assert figures.contrast == pytest.approx(unit.std(), rel=1e-12)
    assert figures.sharpness == pytest.approx(laplacian.var(), rel=1e-9)


def test_the_hash_has_a_bit_for_each_step_to_a_brighter_cell():
    cells = np.random.default_rng(4).integers(0, 256, (8, 9))
    bits = "".join("1" if right > left else "0" for row in cells for left, right in itertools.pairwise(row))
    assert measure(grey(cells.repeat(5, axis=0).repeat(5, axis=1))).dhash == int(bits, 2)


@pytest.mark.parametrize(
    ("picture", "figures"),
    [
        (np.zeros((40, 60)), Figures(0, 0, 0, 0)),
        (np.full((40, 60), 255), Figures(1, 0, 0, 0)),
        (np.indices((64, 64)).sum(axis=0) % 2 * 255, Figures(128 / 255, 0, 0, 0)),  # averaged away, half a level up
        (np.full((1, 1), 51), Figures(0.2, 0, None, 0)),
        (np.full((2, 900), 51), Figures(0.2, 0, None, 0)),
        (np.broadcast_to(np.arange(9) * 20, (9, 9)), Figures(80 / 255, math.sqrt(20 / 3) * 20 / 255, 0, 2**64 - 1)),
    ],
    ids=["black", "white", "checkerboard", "one pixel", "a line", "a slope"],
)
def test_simple_pictures_have_simple_figures(picture, figures):
    got = measure(grey(picture))
    assert got.dhash == figures.dhash
    assert got.brightness == pytest.approx(figures.brightness, abs=1e-12)
    assert got.contrast == pytest.approx(figures.contrast, abs=1e-12)
    assert got.sharpness == figures.sharpness


@pytest.mark.parametrize(
    ("size", "scale"),
    [((500, 375), 8), ((256, 256), 8), ((255, 999), 4), ((128, 128), 4), ((127, 127), 2), ((63, 500), 1), ((1, 1), 1)],
)
def test_no_picture_is_reduced_below_32_pixels_a_side_for_checking(size, scale):
    assert reduction(*size) == scale


def test_the_same_scene_has_the_same_figures_at_every_size_and_in_every_format(make_settings):
    """A JPEG is measured on its decode at 1/8, 1/4 or 1/2 scale, everything else on its pixels."""
    found = []
    for width, height in ((1200, 900), (600, 450), (200, 150), (80, 60)):
        for kind, options in (("JPEG", {"quality": 92}), ("PNG", {"compress_level": 1})):
            file = io.BytesIO()
            scene(width, height).convert("RGB").save(file, kind, **options)
            found.append(process_image(file.getvalue(), make_settings()).figures)
    first = found[0]
    for other in found[1:]:
        assert other.brightness == pytest.approx(first.brightness, abs=0.01)
        assert other.contrast == pytest.approx(first.contrast, rel=0.1)
        assert distance(first, other) <= 3


def test_another_scene_has_another_hash():
    first = measure(np.asarray(scene(500, 375)))
    second = measure(np.asarray(scene(500, 375).transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    assert distance(first, second) > 10


def test_blur_lowers_sharpness_and_light_raises_brightness():
    sharp = scene(500, 375)
    blurred = [measure_colours(sharp.filter(ImageFilter.GaussianBlur(radius)).convert("RGB")) for radius in (0, 8, 16, 32)]
    assert [figures.sharpness for figures in blurred] == sorted((figures.sharpness for figures in blurred), reverse=True)
    assert blurred[0].sharpness > 4 * blurred[3].sharpness
    darker = measure_colours(sharp.point(lambda level: level // 2).convert("RGB"))
    assert darker.brightness == pytest.approx(blurred[0].brightness / 2, abs=0.01)


def test_figures_are_of_the_picture_that_is_written(make_settings):
    """Upright and on its background, not as it is stored."""
    data = io.BytesIO()
    exif = Image.Exif()
    exif[0x112] = 3
    scene(320, 240).convert("RGB").save(data, "JPEG", quality=95, exif=exif)
    upright = measure_colours(scene(320, 240).transpose(Image.Transpose.ROTATE_180).convert("RGB"))
    assert distance(process_image(data.getvalue(), make_settings()).figures, upright) <= 3
    assert distance(process_image(data.getvalue(), make_settings(exif="keep")).figures, upright) > 10
    clear = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(clear, "PNG")
    assert process_image(clear.getvalue(), make_settings()).figures.brightness == 1


def test_check_pixels_none_measures_nothing(make_settings, picture):
    for kind in ("JPEG", "PNG"):
        assert process_image(picture(1, kind), make_settings(check_pixels="none")).figures is None
