"""Which format an image file's first bytes are of."""

import pytest

from imagerecords.tasks.images.formats import image_format, image_size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_formats_are_known_by_their_first_bytes(picture, kind):
    data = picture(1, kind, "RGB" if kind != "GIF" else "P", size=(24, 16))
    assert image_format(data) == kind
    assert image_size(data) == (16, 24)


@pytest.mark.parametrize("data", [b"", b"RIFF\0\0\0\0WAVE", b"\xff", b"no picture", b"\xff\xd8\xff"])
def test_of_what_is_no_image_nothing_is_told(data):
    assert image_size(data) == (None, None)
    assert image_format(data) == ("JPEG" if data.startswith(b"\xff\xd8") else "")
