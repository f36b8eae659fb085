"""Large pictures, computed in bands of rows: the same bytes as small ones."""

import io

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images import bands
from imagerecords.tasks.images.process import process_image

SETTINGS = BuildSettings(output_directory="out", train_directory="in")


def _picture(mode, kind, **options):
    rng = np.random.default_rng(5)
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (37, 23), np.uint16))
    else:
        image = Image.fromarray(rng.integers(0, 256, (37, 23, len(mode)), np.uint8), mode)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("I;16", "PNG"), ("I;16", "TIFF"), ("RGBA", "TIFF"), ("RGBA", "JPEG2000")],
)
def test_bands_change_no_byte(mode, kind, monkeypatch):
    data = _picture(mode, kind)
    whole = process_image(data, SETTINGS)
    monkeypatch.setattr(bands, "PIXELS", 100)  # four rows
    assert process_image(data, SETTINGS) == whole
