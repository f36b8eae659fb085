"""What tests read of a result: its pixels, or why the image was rejected."""

import io

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Rejected
from imagerecords.tasks.images.process import process_image


def reason_of(data, settings):
    """Why an image is rejected."""
    with pytest.raises(Rejected) as caught:
        process_image(data, settings)
    return caught.value.reason


def pixels_of(data):
    """The pixels as Pillow decodes them, RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)
