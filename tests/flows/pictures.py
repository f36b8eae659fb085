"""Pictures with a red rectangle, stored in every EXIF orientation, and whether a record's boxes cover what is red."""

import io

import numpy as np
from PIL import Image

from tests.flows.examples import boxes_of
from tests.orientations import STORED_FROM_DISPLAYED


def with_red(box, size=(96, 64), orientation=1, kind="JPEG"):
    """An image file that is displayed with a size and a red box (xmin, ymin, xmax, ymax in pixels) on grey."""
    displayed = Image.new("RGB", size, (90, 90, 90))
    displayed.paste((255, 0, 0), box)
    stored = displayed.transpose(STORED_FROM_DISPLAYED[orientation]) if orientation != 1 else displayed
    exif, file = stored.getexif(), io.BytesIO()
    exif[0x112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    stored.save(file, kind, exif=exif, **options)
    return file.getvalue()


def red_of(data):
    """The corners of what is red in an image file as it is stored, relative."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    ys, xs = np.nonzero(pixels[..., 0] - pixels[..., 1] > 90)
    height, width, _ = pixels.shape
    return [xs.min() / width, ys.min() / height, (xs.max() + 1) / width, (ys.max() + 1) / height]


def covers(features):
    """Whether a record has one box, and it is where its picture is red."""
    boxes = boxes_of(features)
    return len(boxes) == 1 and np.allclose(boxes[0][1:], red_of(features["image/encoded"][0]), atol=0.02)


def voc(*objects, width=96, height=64):
    """A Pascal VOC file; an object is its name and its corners in pixels."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    bodies = [
        f"<object><name>{name}</name><bndbox>"
        + "".join(f"<{corner}>{value}</{corner}>" for corner, value in zip(corners, box, strict=True))
        + "</bndbox></object>"
        for name, *box in objects
    ]
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>x</filename>{size}{''.join(bodies)}</annotation>"
