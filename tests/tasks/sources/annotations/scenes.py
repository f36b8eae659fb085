"""The pictures of all exports in this folder: a red rectangle on grey, a class for each; what the tools were given to write.

Plain Python with Pillow, since the tools' own environments import it too.
"""

import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image

WIDTH, HEIGHT = 48, 32
CLASSES = ("cat", "dog")


class Scene(NamedTuple):
    """A picture: its file's name, its split, its class, and its rectangle as xmin, ymin, xmax, ymax in pixels."""

    name: str
    split: str
    label: str | None
    box: tuple[int, int, int, int] | None

    @property
    def stem(self):
        return self.name.rpartition(".")[0]


SCENES = (
    Scene("one.jpg", "train", "cat", (8, 6, 30, 20)),
    Scene("two.JPG", "train", "dog", (4, 4, 16, 28)),
    Scene("three.png", "train", "cat", (20, 2, 44, 14)),
    Scene("four.jpg", "val", "dog", (10, 12, 40, 30)),
    Scene("five.jpg", "val", "cat", (2, 10, 22, 26)),
    Scene("nothing.jpg", "train", None, None),
)


def draw(scene):
    image = Image.new("RGB", (WIDTH, HEIGHT), (110, 120, 130))
    if scene.box:
        image.paste((255, 0, 0), scene.box)
    return image


def data_of(scene):
    file = io.BytesIO()
    png = scene.name.endswith(".png")
    draw(scene).save(file, "PNG" if png else "JPEG", **({} if png else {"quality": 90, "subsampling": 0}))
    return file.getvalue()


def write(folder, scenes=SCENES):
    """The pictures of scenes right in a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        (folder / scene.name).write_bytes(data_of(scene))
    return folder
