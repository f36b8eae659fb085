"""The pictures of the data card that a build replaces: a picture of the same image is taken from there, not drawn again.

A picture's key is a digest of all that it depends on: the image as stored, its largest side, and the versions of what draws it.
The page has a digest of its pictures, so that one that was changed or cut off is not used.
"""

import base64
import contextlib
import functools
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imagerecords.schemas.data_card import Picture
from imagerecords.schemas.output_files import KNOWN, REPORT
from imagerecords.schemas.version import VERSION
from imagerecords.tasks.dataset.known_images import NO_SPACE
from imagerecords.tasks.images.decoders import decoder_versions
from imagerecords.tasks.storage.folders import Folder

EARLIER = f"{KNOWN}/{REPORT.rpartition('/')[2]}"
IMAGE = re.compile(
    r'<img id="p\d+" data-key="([\w-]+)" src="([^"]*)" alt="[^"]*" width="(\d+)" height="(\d+)" '
    r'data-camera="([^"]*)" data-grey="([01])"'
)
DIGEST = re.compile(r'data-digest="(\w+)"')
KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of an image: a data URI, its width and height in pixels, and what the image's bytes say beside."""

    data_uri: str
    width: int
    height: int
    camera: str
    is_grey: bool


def key_of(encoded_sha256: str, side: int) -> str:
    """The key of the picture of an image, at most `side` pixels wide and high."""
    digest = hashlib.blake2b(f"{_versions()}\0{side}\0{encoded_sha256}".encode(), digest_size=KEY_BYTES)
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


@functools.cache
def _versions() -> str:
    return json.dumps([VERSION, decoder_versions()], sort_keys=True)


def digest_of(pictures: Iterable[Picture]) -> str:
    """A digest of the pictures that have a key, as the page shows them."""
    with_key = (picture for picture in pictures if picture.key)
    return _digest((each.key, Drawn(each.data_uri, each.width, each.height, each.camera, each.is_grey)) for each in with_key)


def keep_card(output: Folder) -> None:
    """Copy the data card of an output, before it is removed with the shards that it is about, if the disk has space for it."""
    try:
        output.write(EARLIER, output.read(REPORT))
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise


def read_drawn(output: Folder) -> Mapping[str, Drawn]:
    """The pictures of an output's earlier data card, by key; none where the page is not as it was written."""
    for name in (EARLIER, REPORT):
        with contextlib.suppress(FileNotFoundError):
            return drawn_in(output.read(name).decode(errors="replace"))
    return {}


def drawn_in(page: str) -> dict[str, Drawn]:
    """The pictures on a page, by key."""
    found = [
        (key, Drawn(uri, int(width), int(height), html.unescape(camera), grey == "1"))
        for key, uri, width, height, camera, grey in IMAGE.findall(page)
    ]
    digest = DIGEST.search(page)
    return dict(found) if digest and digest[1] == _digest(found) else {}


def _digest(pictures: Iterable[tuple[str, Drawn]]) -> str:
    digest = hashlib.sha256()
    for key, drawn in pictures:
        digest.update(f"{key}\0{drawn.data_uri}\0{drawn.width}\0{drawn.height}\0{drawn.camera}\0{drawn.is_grey}\0".encode())
    return digest.hexdigest()
