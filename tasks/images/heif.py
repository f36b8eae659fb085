"""AVIF and HEIC: decoded by Pillow (libavif) and pillow-heif (libheif), with the colours and crop of the file.

Decisions that bind users' data: BT.709's and BT.2020's transfer counts as sRGB's, as browsers take it in pictures; in a PNG
it is BT.1886's. A file that ends before its pixels do is refused: libheif leaves out the tiles behind its end without a word.
"""

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.colour_codes import HDR, SRGB_TRANSFER, ColourCodes, apply_codes
from imagerecords.tasks.images.isobmff import end_of_pixels, primary_properties, with_one_association
from imagerecords.tasks.images.jpeg import exif_orientation
from imagerecords.tasks.images.memory_needed import TONED_DOWN, need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import Decoded, open_image, refuse_animation, refuse_size

VIDEO_TRANSFERS = {1, 6, 14, 15}


def read_heif(data: bytes, settings: BuildSettings) -> Decoded:
    """The first picture of an AVIF, the primary one of a HEIC. Raises Rejected, or what Pillow raises."""
    data = with_one_association(data)
    image = open_image(data)
    refuse_size(image.height, image.width, settings)
    refuse_animation(image, settings)
    if (end := end_of_pixels(data)) > len(data):
        raise Rejected(Reason.TRUNCATED, f"the {image.format}'s pixels end at byte {end:,}, the file at {len(data):,}")
    properties = primary_properties(data)
    codes = properties.codes
    if nclx := image.info.get("nclx_profile"):
        codes = ColourCodes(int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]))
    need = TONED_DOWN if codes is not None and codes.transfer in HDR else need_of_loaded(image)
    refuse_memory(need, image.height, image.width, len(data), settings)
    image.load()
    orientation = exif_orientation(image.info.get("exif") or b"")
    crop = properties.crop(image.width, image.height) if image.format == "AVIF" else None  # libheif crops by itself
    if crop:
        cropped = image.crop(crop)
        cropped.format = image.format
        image = cropped
    if codes is not None and not image.info.get("icc_profile"):
        if codes.transfer in VIDEO_TRANSFERS:
            codes = codes._replace(transfer=SRGB_TRANSFER)
        image = apply_codes(image, codes, keep=settings.icc == "keep")
    return Decoded(image, orientation)
