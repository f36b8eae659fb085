"""Pixels as a JPEG: with the quantisation tables and subsampling of the JPEG that they come from, or as the settings have it.

A decision that binds users' data. With jpeg_quality=source a JPEG that has to be decoded (for its colours, its size) is
quantised as it was before: its size stays, and little is rounded twice. A finer table would keep the noise of the coarse one,
in two to three times the bytes (benchmarks/results/quality.md). Other formats get quality 100 with halved chroma, as
build_image_data.py has it. Chroma that the source has sampled in ways that Pillow does not write gets the next finer one.
"""

import io
from typing import Any

from PIL import Image

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.jpeg import START
from imagerecords.tasks.images.jpeg_parts import header_parts
from imagerecords.tasks.images.jpeg_tables import Component, components, quantisation_tables

CLASSIC_QUALITY, CLASSIC_SUBSAMPLING = 100, "4:2:0"
LARGEST_STEP = 255  # of a table that baseline decoders take
# The place of each of a block's 64 coefficients in the order of a file.
ZIGZAG = sorted(range(64), key=lambda place: (sum(divmod(place, 8)), divmod(place, 8)[sum(divmod(place, 8)) % 2 == 0]))


def encode_jpeg(rgb: Image.Image, settings: BuildSettings, source: bytes = b"", *, exchanged: bool = False) -> bytes:
    """An RGB picture as a baseline JPEG; `source` is the file that it comes from, `exchanged` whether its sides are."""
    options: dict[str, Any] = {"quality": settings.jpeg_quality, "subsampling": settings.jpeg_subsampling}
    own = _own_options(source, exchanged=exchanged) if source.startswith(START) else {}
    if settings.jpeg_quality == "source":
        options["quality"] = CLASSIC_QUALITY
        options |= {"qtables": own["qtables"]} if own else {}
    if settings.jpeg_subsampling == "source":
        options["subsampling"] = own["subsampling"] if own else CLASSIC_SUBSAMPLING
    if "qtables" in options:
        del options["quality"]
    buffer = io.BytesIO()
    rgb.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _own_options(source: bytes, *, exchanged: bool) -> dict[str, Any]:
    """What Pillow's save takes for a JPEG's own tables and subsampling; empty where they can't be read."""
    parts = header_parts(source)
    found, tables = components(parts), quantisation_tables(parts)
    steps = [tables[component.table] for component in found[:2] if component.table in tables]
    if not found or len(steps) < len(found[:2]):
        return {}
    own = [_table(one, exchanged=exchanged) for one in steps]
    return {"qtables": own, "subsampling": _subsampling(found, exchanged=exchanged)}


def _table(steps: list[int], *, exchanged: bool) -> list[int]:
    """A table in rows from a file's order; transposed for a picture that was."""
    natural = [0] * 64
    for step, place in zip(steps, ZIGZAG, strict=True):
        row, column = divmod(place, 8)
        natural[8 * column + row if exchanged else place] = max(1, min(step, LARGEST_STEP))
    return natural


def _subsampling(found: list[Component], *, exchanged: bool) -> str:
    """The coarsest that keeps all of the chroma; that of grey is one colour, and CMYK's is what its inks make of it."""
    if len(found) == 1:
        return "4:2:0"
    across = found[0].across // max(1, found[1].across)
    down = found[0].down // max(1, found[1].down)
    if exchanged:
        across, down = down, across
    if across < 2:
        return "4:4:4"
    return "4:2:2" if down < 2 else "4:2:0"
