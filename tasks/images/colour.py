"""Colours of an ICC profile as sRGB, by LittleCMS.

Decisions that bind users' data: relative colorimetric with black point compensation, which photo editors take by default.
A profile counts as sRGB by what it does, not by its name: when it moves no colour by more than TOLERANCE levels. The many
profiles called sRGB differ by one, and a linear one may be called sRGB too. A profile that can't be read, that is for other
channels than the image's, or under which white is not white, is ignored, as every viewer does.
"""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

CHANNELS = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # a profile's colour space, and the image mode that is meant
TOLERANCE = 2
WHITE = 192  # of each channel at least, where all of an image's are 255
STEPS = 9  # a channel, of the colours that are tried
CACHED = 32  # transforms, of a few hundred kilobytes each; one takes 5 ms to make, and profiles repeat


def convert_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """An image of mode L, RGB or CMYK as RGB, converted from its profile to sRGB; one of mode RGB is changed itself."""
    transform = _transform(profile, image.mode)
    if transform is not None:
        return transform.apply_in_place(image) if image.mode == "RGB" else transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def convert_lab(image: Image.Image) -> Image.Image:
    """An image in CIELAB as sRGB."""
    return _lab_transform().apply(image)


def is_srgb(profile: bytes) -> bool:
    """Whether an RGB image's values mean the same with the profile as without it."""
    return not profile or _transform(profile, "RGB") is None


@functools.lru_cache(CACHED)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way to sRGB from a profile; None where there is none, or nothing to do."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if CHANNELS.get(opened.profile.xcolor_space.strip()) != mode:
            return None
        transform = _build(opened, mode)
        if mode != "CMYK" and min(transform.apply(Image.new(mode, (1, 1), "white")).tobytes()) < WHITE:
            return None
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return None
    return transform if mode != "RGB" or _moves_colours(transform) else None


@functools.lru_cache(1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return _build(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")


def _build(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _moves_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, STEPS).astype(np.uint8)
    before = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(STEPS, -1, 3)
    after = np.asarray(transform.apply(Image.fromarray(before)))
    return bool(np.abs(after.astype(int) - before).max() > TOLERANCE)
