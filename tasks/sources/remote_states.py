"""The sizes and versions of files on object stores and web servers, asked for one by one; servers may fail now and then."""

import threading
import time

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.http_options import PROTOCOLS, http_errors
from imagerecords.tasks.storage.versions import remote_version

DELAYS = (0.5, 1.0, 2.0)  # seconds before a web server is asked again; clients of object stores have retries of their own
ASKED_AGAIN = 8  # files that no answer was had of, in a row, after which files are asked for once
GIVEN_UP = 64  # the same, after which no more are asked for: a million files of a server that is gone would take days

FileState = tuple[int, str, str | None]  # size, version, and what is wrong


class RemoteStates:
    """Asks for the states of files in a folder, from several threads."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._delays = DELAYS if folder.fs.protocol in (PROTOCOLS, *PROTOCOLS) else ()
        self._guard = threading.Lock()
        self._failed = 0  # in a row

    def state_of(self, path: str) -> FileState:
        """A file's size and version, or what is wrong with it."""
        if self._failed >= GIVEN_UP:
            return 0, "", f"an image must be readable, got no answer for {GIVEN_UP} images before it: {path}"
        try:
            state = self._ask(path)
        except OSError as error:
            with self._guard:
                self._failed += 1
            return 0, "", f"an image must be readable, got: {error.strerror or error}: {path}"
        with self._guard:
            self._failed = 0
        return state

    def _ask(self, path: str) -> FileState:
        """The state by the first answer; raises OSError where there was none after the last delay."""
        for delay in self._delays:
            try:
                return self._state(path)
            except OSError:
                if self._failed >= ASKED_AGAIN:
                    raise
                time.sleep(delay)
        return self._state(path)

    def _state(self, path: str) -> FileState:
        fs = self._folder.fs
        try:
            with http_errors(fs):
                info = fs.info(path)
        except (FileNotFoundError, PermissionError) as error:
            return 0, "", missing(path, error)
        if info["type"] != "file" or info["size"] is None:
            what = "a file of unknown size" if info["type"] == "file" else f"a {info['type']}"
            return 0, "", f"an image must be a file of known size, got {what}: {path}"
        return info["size"], remote_version(info), None


def missing(path: str, error: Exception) -> str:
    """What is wrong with an image that is not there, or may not be asked for."""
    words = f"{type(error).__name__} ({error})" if isinstance(error, OSError) else plain_words(error)
    what = "none" if isinstance(error, FileNotFoundError | NotADirectoryError) else words
    return f"an image must exist, got {what}: {path}"
