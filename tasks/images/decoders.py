"""What an image's outcome depends on beside its bytes: the versions of everything that decodes and encodes, and settings."""

import functools
import importlib.metadata
import platform

import PIL
from PIL import features

from imagerecords.schemas.example import ENCODER_VERSION
from imagerecords.schemas.known import Origin
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.version import VERSION

# Pillow's libraries by its own names for them.
LIBRARIES = ("jpg", "libjpeg_turbo", "jpg_2000", "libtiff", "webp", "avif", "littlecms2", "zlib")
PACKAGES = ("simplejpeg", "turbojpeg", "tifffile", "imagecodecs", "pillow-heif", "numpy")


@functools.cache
def decoder_versions() -> dict[str, str]:
    """The version of each decoder by its name, as this process has them; those that are not installed are missing."""
    versions = {"processor": platform.machine(), "pillow": PIL.__version__}
    for name in LIBRARIES:
        if version := features.version(name):
            versions[name] = version
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def origin_now(settings: BuildSettings) -> Origin:
    """The origin of what this process makes of images with these settings."""
    return Origin.of(VERSION, ENCODER_VERSION, decoder_versions(), settings.content())
