"""What the tests of images share."""

import numpy as np
import pytest

from imagerecords.tasks.images.decode import decode_image
from imagerecords.tasks.images.normalise import normalise


@pytest.fixture
def pixels(make_settings):
    """`pixels(data, **settings)` gives the normalised pixels, before any JPEG, as whole numbers."""

    def pixels(data, **changes):
        settings = make_settings(**changes)
        return np.asarray(normalise(decode_image(data, settings), settings)).astype(int)

    return pixels
