"""GIF files: the first picture, and what of the screen it leaves free.

A decision that binds users' data: where the first picture does not cover the screen, and has no transparent colour, the rest is
transparent, as browsers and editors show it. Pillow fills it with the first colour of the palette.
"""

from PIL import Image

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.memory_needed import WITH_OPACITY, Need, need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import Decoded, open_image, refuse_animation, refuse_size

OPAQUE = 255


def read_gif(data: bytes, settings: BuildSettings) -> Decoded:
    """The first picture of a GIF. Raises Rejected, or what Pillow raises."""
    image = open_image(data)
    refuse_size(image.height, image.width, settings)
    covered = image.dispose_extent  # type: ignore[attr-defined]
    leaves_room = covered != (0, 0, *image.size) and "transparency" not in image.info
    need = Need(WITH_OPACITY) if leaves_room else need_of_loaded(image)
    refuse_memory(need, image.height, image.width, len(data), settings)
    refuse_animation(image, settings)
    image.load()
    if not leaves_room:
        return Decoded(image)
    opacity = Image.new("L", image.size, 0)
    opacity.paste(OPAQUE, covered)
    return Decoded(image, opacity=opacity)
