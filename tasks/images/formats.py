"""The format of an image file by its first bytes, and the size in its header; nothing is decoded."""

import io

from PIL import Image

from imagerecords.tasks.images.jpeg import START, read_jpeg_header

STARTS = {
    "JPEG": (START,),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\x00", b"MM\x00*"),
    "WEBP": (b"RIFF",),
}
HEIC = "HEIF"  # Pillow's name for what pillow-heif opens
# Further formats that may be decoded by more than Pillow's plugin, or by nothing here; by Pillow's names where it has one.
FURTHER = {
    "TIFF": (b"II+\x00", b"MM\x00+"),
    "PSD": (b"8BPS",),
    "JPEG2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "ICO": (b"\x00\x00\x01\x00",),
    "ICNS": (b"icns",),
    "CUR": (b"\x00\x00\x02\x00",),
    "XPM": (b"/* XPM */",),
    "JPEG XL": (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
    "JPEG XR": (b"II\xbc\x01",),
    "QOI": (b"qoif",),
    "OpenEXR": (b"v/1\x01",),
    "Radiance HDR": (b"#?RADIANCE", b"#?RGBE"),
    "MNG": (b"\x8aMNG\r\n\x1a\n",),
    "JNG": (b"\x8bJNG\r\n\x1a\n",),
    "SUN": (b"\x59\xa6\x6a\x95",),
    "SGI": (b"\x01\xda\x00", b"\x01\xda\x01"),
    "PCX": tuple(b"\n" + bytes([version, encoding]) for version in (0, 2, 3, 4, 5) for encoding in (0, 1)),
    "DCX": (b"\xb1\x68\xde\x3a",),
    "PAM": (b"P7\n",),
    "PFM": (b"PF\n",),
}
BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC)
BRANDS |= {b"avif": "AVIF", b"avis": "AVIF"}
# Raw files of cameras that their first bytes give away; the others are TIFFs.
RAW_STARTS = {
    b"IIU\x00": "RW2",
    b"IIRO": "ORF",
    b"IIRS": "ORF",
    b"MMOR": "ORF",
    b"FUJIFILMCCD-RAW": "RAF",
    b"FOVb": "X3F",
    b"\x00MRM": "MRW",
    b"II\x1a\x00\x00\x00HEAPCCDR": "CRW",
}
TIFF_MARKS = {b"CR\x02\x00": "CR2", b"IIII": "IIQ", b"MMMM": "IIQ"}  # behind a TIFF's header


def image_format(data: bytes) -> str:
    """The image format that bytes begin as, by Pillow's name; empty where it is not one of the usual."""
    for name, starts in STARTS.items():
        if data.startswith(starts) and (name != "WEBP" or data[8:12] == b"WEBP"):
            return name
    return ""


def begins_as(data: bytes) -> str:
    """The same with the further formats, by Pillow's name where it has one."""
    if data[4:8] == b"ftyp":
        return BRANDS.get(data[8:12], "")
    return image_format(data) or next((name for name, starts in FURTHER.items() if data.startswith(starts)), "")


def camera_raw(data: bytes) -> str:
    """The kind of a camera's raw file, by its usual ending; empty for any other file."""
    if data[4:12] == b"ftypcrx ":
        return "CR3"
    if data[:4] in STARTS["TIFF"] and data[8:12] in TIFF_MARKS:
        return TIFF_MARKS[data[8:12]]
    return next((kind for start, kind in RAW_STARTS.items() if data.startswith(start)), "")


def image_size(data: bytes) -> tuple[int, int] | tuple[None, None]:
    """Height and width in pixels by an image file's header, or None twice."""
    if data.startswith(START) and (header := read_jpeg_header(data)):
        return header.height, header.width
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.height, image.width
    except Exception:  # Pillow's plugins raise anything
        return None, None
