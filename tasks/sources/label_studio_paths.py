"""Paths of images as Label Studio writes them: uploads, local files and cloud storage are served under paths of its own.

It writes some names percent-encoded and some as they are, by version and way of import, so a path may be read in more than one
way; what is there decides.
"""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import unquote

HOST = r"^(?:https?://[^/]+(?:/[^?#]*?)?)?"  # exports may have the server's address, which may have a path
UPLOAD = re.compile(HOST + r"/data/upload/(?P<rest>.+)$")
LOCAL = re.compile(HOST + r"/data/local-files/?\?(?:[^#]*?&)?d=(?P<rest>.+)$")
CLOUD = re.compile(HOST + r"/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?fileuri=(?P<rest>[^&#]+)")
IMAGE_ENDING = re.compile(
    "jpg|jpe|jpeg|jfif|jif|png|apng|gif|bmp|dib|webp|avifs?|hei[cf]|tiff?|jp2|j2k|jpx|ico|psd|p[bgp]m", re.IGNORECASE
)
OTHER_ENDING = re.compile(
    "mp[34]|m4[av]|webm|mov|avi|mkv|og[agv]|wav|flac|aac|opus|pdf|txt|html?|json|[ct]sv|xml|ya?ml|zip", re.IGNORECASE
)


def image_path(path: str) -> str:
    """Where an image is, relative to the export, a path or a URL: the first of `readings`."""
    return readings(path)[0]


def readings(path: str) -> list[str]:
    """The ways to read an image's path, the likeliest first."""
    if found := UPLOAD.match(path):
        written = PurePosixPath(found["rest"]).name
        served = PurePosixPath(re.split("[?#]", found["rest"])[0]).name
        ways = [unquote(served), unquote(written), written]
    elif found := LOCAL.match(path):
        written = found["rest"]
        decoded = unquote(written)
        before = unquote(written.partition("&")[0])
        ways = [decoded, written, decoded.replace("+", " "), before]
        ways = [way.replace("\\", "/") for way in ways] + [decoded]
    elif found := CLOUD.match(path):
        ways = [_decoded(unquote(found["rest"])) or path]
    elif "://" in path:
        return [path]
    else:
        ways = [path, unquote(path)]
    return list(dict.fromkeys(way for way in ways if way)) or [path]


def there(path: str, exists: Callable[[str], bool]) -> str:
    """The reading of a path under which there is a file; where there is none, the likeliest."""
    ways = readings(path)
    return next((way for way in ways if exists(way)), ways[0]) if len(ways) > 1 else ways[0]


def _decoded(text: str) -> str | None:
    try:
        uri = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return uri if "://" in uri else None


def ending(path: str) -> str:
    """The ending of a path's or URL's file name, in lower case; empty where there is none."""
    name = image_path(path).rpartition("/")[2]
    name = re.split("[?#]", name)[0] if "://" in path else name
    return name.rpartition(".")[2].lower() if "." in name else ""


def seems_image(value: str) -> bool:
    """Whether a text in a task's data names an image."""
    if "\n" in value or len(value) > 4096:
        return False
    found = ending(value)
    is_served = bool(UPLOAD.match(value) or LOCAL.match(value) or CLOUD.match(value))
    return bool(IMAGE_ENDING.fullmatch(found)) or (is_served and not OTHER_ENDING.fullmatch(found))


def seems_other(value: str) -> bool:
    """Whether a text in a task's data names a file that is no image."""
    return "\n" not in value and " " not in value and bool(OTHER_ENDING.fullmatch(ending(value)))
