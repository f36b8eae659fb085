"""Files on web servers: a deadline for each, no redirect to another host, and errors that say what the server answered."""

import contextlib
import errno
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

PROTOCOLS = ("http", "https")
CONNECT_SECONDS = 10
SILENCE_SECONDS = 20
FILE_SECONDS = 300
REFUSED = (401, 403)
GONE = (404, 410)
LONGEST = 200  # characters of what a server says
RECEIVED = re.compile(r"received (\d+) of (\d+) bytes")


def http_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a build for web servers, with a client that keeps deadlines and stays on its host."""
    return {"get_client": _client, **given}


async def _client(**options: Any) -> Any:
    import aiohttp

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_stay_on_host)
    timeout = aiohttp.ClientTimeout(total=FILE_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
    return aiohttp.ClientSession(**{"timeout": timeout, "trace_configs": [tracing], **options})


async def _stay_on_host(_session: Any, _context: Any, request: Any) -> None:
    """Raise PermissionError when a server redirects to another host; a change to HTTPS, or of the path, is followed."""
    target = request.response.headers.get("Location", "")
    there = request.url.join(type(request.url)(target))
    if there.host != request.url.host:
        raise PermissionError(errno.EACCES, f"{request.url.host} redirects to another host, {there.host}")


@contextlib.contextmanager
def http_errors(fs: Any) -> Iterator[None]:
    """Errors of the web client as OSErrors: FileNotFoundError, PermissionError, TimeoutError, or one with the status.

    Errors of other file systems stay as they are. fsspec raises FileNotFoundError for whatever kept it from asking for
    a file's size; the cause says what it was.
    """
    if fs.protocol not in (PROTOCOLS, *PROTOCOLS):
        yield
        return
    import aiohttp

    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _os_error(error) from error
    except FileNotFoundError as error:
        if isinstance(error.__cause__, (aiohttp.ClientError, PermissionError, TimeoutError)):
            raise _os_error(error.__cause__) from error
        raise


def _os_error(error: BaseException) -> OSError:
    import aiohttp

    if isinstance(error, PermissionError):
        return error
    if isinstance(error, TimeoutError):
        return TimeoutError(errno.ETIMEDOUT, f"no answer within {SILENCE_SECONDS} s, or {FILE_SECONDS} s in all")
    if not isinstance(error, aiohttp.ClientResponseError) or error.message.startswith("Bad status line"):
        return OSError(errno.EIO, _broken_answer(error))
    text = f"HTTP {error.status} {_line(error.message)}".rstrip()
    if error.status in REFUSED:
        return PermissionError(errno.EACCES, text)
    if error.status in GONE:
        return FileNotFoundError(errno.ENOENT, text)
    return OSError(errno.EIO, text)


def _broken_answer(error: BaseException) -> str:
    """What was wrong with an answer that is no whole one of HTTP."""
    import aiohttp

    if isinstance(error, aiohttp.ClientPayloadError):
        sizes = RECEIVED.search(str(error))
        return f"the answer ended after {sizes[1]} of {sizes[2]} bytes" if sizes else "the answer ended early"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.ClientResponseError):
        return "an answer that is no HTTP"  # behind one that was longer than it announced
    return f"{type(error).__name__}: {_line(str(error))}"


def _line(text: str) -> str:
    """A server's words in one line, cut where they are many."""
    return textwrap.shorten(text, LONGEST, placeholder=" …")
