"""The command `doctor`: what a bug report needs to say of a machine, on one screen."""

import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from textwrap import fill
from typing import Annotated
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
from cyclopts import Parameter

from imagerecords.flows.command.exit_codes import FAILED, OK, AsJson, StorageOptions
from imagerecords.flows.prefect_ui.api_url import prefect_api_url
from imagerecords.schemas.errors import BadSettings, BadStorage
from imagerecords.schemas.messages import printable
from imagerecords.schemas.secrets import refuse_secrets
from imagerecords.schemas.version import VERSION

PACKAGES = ("pillow", "numpy", "pyarrow", "simplejpeg", "turbojpeg", "fsspec", "s3fs", "obstore", "prefect", "tensorflow")
SECONDS = 5.0  # that Prefect's API has to answer
GIB = 2**30
WIDTH = 80  # of the list of packages
Place = Annotated[str | None, Parameter(help="A folder or URL to try, e.g. s3://bucket/prefix.")]
CAN_BE_LEFT_OUT = {"tensorflow": "tensorflow_check needs it", "turbojpeg": "JPEGs that are not upright are re-encoded"}


def doctor(place: Place = None, /, *, storage_options: StorageOptions = None, as_json: AsJson = False) -> int:
    """Print versions, decoders, memory, processors, and whether Prefect and a place can be reached: for bug reports.

    Exit 1 when the place, or a configured Prefect API, can't be reached.
    """
    refuse_secrets(storage_options, place=place or "")
    facts = dict((*_machine(), *_decoders(), ("Prefect", _prefect()), ("place", _place(place, storage_options or {}))))
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        for name, fact in facts.items():
            line = f"{name:14} {printable(fact)}"
            print(fill(line, WIDTH, subsequent_indent=" " * 15) if name == "packages" else line)
    return FAILED if any(fact.startswith("not reached") for fact in facts.values()) else OK


def _machine() -> Iterator[tuple[str, str]]:
    from imagerecords.tasks.storage.processors import usable_processors

    memory = psutil.virtual_memory()
    yield "imagerecords", f"{VERSION}, Python {platform.python_version()}, {platform.platform()}"
    yield "packages", ", ".join(map(_package, PACKAGES))
    yield "processors", f"{usable_processors()} of {psutil.cpu_count()} usable"
    yield "memory", f"{memory.available / GIB:,.1f} of {memory.total / GIB:,.1f} GiB available"
    yield "temporary", _temporary()


def _temporary() -> str:
    from imagerecords.tasks.storage.scratch import temporary_directory

    try:
        place = temporary_directory()
    except BadStorage as error:
        return str(error)
    return f"{psutil.disk_usage(str(place)).free / GIB:,.1f} GiB free in {place}"


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} not installed" + (f" ({why})" if (why := CAN_BE_LEFT_OUT.get(name)) else "")


def _decoders() -> Iterator[tuple[str, str]]:
    from PIL import features

    from imagerecords.tasks.images.opening import register_heic

    yield "HEIC", "decoded" if register_heic() else "not decoded: pip install 'imagerecords[heic]'"
    for name, feature in (("AVIF", "avif"), ("WebP", "webp"), ("TIFF", "libtiff")):
        yield name, f"decoded ({features.version(feature)})" if features.check(feature) else "not decoded by this Pillow"
    yield "JPEG 2000", "decoded" if _imports("imagecodecs") else "not decoded: imagecodecs can't be imported"
    yield "camera raw", "not decoded by any version: convert such files first"


def _imports(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def _prefect() -> str:
    try:
        url = prefect_api_url()
    except BadSettings as error:
        return f"not reached: {error}"
    if url is None:
        return "no API configured: builds run without Prefect"
    try:
        with urlopen(f"{url.rstrip('/')}/health", timeout=SECONDS):  # noqa: S310  # the user's own setting
            return f"reached: {url}"
    except HTTPError as error:
        return f"reached, answers {error.code}: {url}"
    except (OSError, ValueError) as error:
        return f"not reached: {url}: {error}"


def _place(place: str | None, storage_options: dict[str, str]) -> str:
    if place is None:
        return "none given: imagerecords doctor s3://bucket/prefix tries one"
    from imagerecords.tasks.storage.folders import open_folder

    try:
        folder = open_folder(place, storage_options)
        found = "exists" if folder.exists() else "does not exist yet"
    except Exception as error:  # whatever the library of its file system raises
        return f"not reached: {place}: {type(error).__name__}: {error}"
    return f"reached, {found}: {place}"
