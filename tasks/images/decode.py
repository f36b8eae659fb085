"""An image file decoded within the settings' limits, each format by the decoder that reads it right."""

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bitmaps import read_bmp, read_xpm
from imagerecords.tasks.images.formats import HEIC, begins_as, camera_raw
from imagerecords.tasks.images.gif import read_gif
from imagerecords.tasks.images.heif import read_heif
from imagerecords.tasks.images.icons import read_icns, read_icon
from imagerecords.tasks.images.jpeg import UPRIGHT
from imagerecords.tasks.images.jpeg2000 import read_jpeg2000
from imagerecords.tasks.images.opening import Decoded, load, open_image, refuse_size, rejection
from imagerecords.tasks.images.png import read_png
from imagerecords.tasks.images.psd import read_psd
from imagerecords.tasks.images.rasters import read_dcx, read_pcx, read_sgi, read_sun, without_runs
from imagerecords.tasks.images.tiff import read_tiff

READERS = {
    "TIFF": read_tiff,
    "PNG": read_png,
    "GIF": read_gif,
    "AVIF": read_heif,
    HEIC: read_heif,
    "PSD": read_psd,
    "JPEG2000": read_jpeg2000,
    "ICO": read_icon,
    "CUR": read_icon,
    "ICNS": read_icns,
    "BMP": read_bmp,
    "XPM": read_xpm,
    "SUN": read_sun,
    "SGI": read_sgi,
    "PCX": read_pcx,
    "DCX": read_dcx,
}


def decode_image(data: bytes, settings: BuildSettings) -> Decoded:
    """The decoded image, with `info` as Pillow has it. Raises Rejected, and nothing else."""
    read = _read if camera_raw(data) else READERS.get(begins_as(data), _read)
    try:
        decoded = read(data, settings)
    except Rejected:
        raise
    except Exception as error:
        raise rejection(error) from error
    if settings.exif == "reject" and decoded.orientation != UPRIGHT:
        raise Rejected(Reason.ORIENTED, f"EXIF orientation {decoded.orientation}")
    refuse_size(decoded.image.height, decoded.image.width, settings)  # an icon's size may turn out to be another
    return decoded


def _read(data: bytes, settings: BuildSettings) -> Decoded:
    """The first frame, by Pillow's own plugin."""
    image = open_image(data)
    try:
        return load(image, settings)
    except OSError:
        if image.format != "TGA" or "compression" not in image.info:
            raise
    return load(open_image(without_runs(data)), settings)
