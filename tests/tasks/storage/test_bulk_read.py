"""Objects read one by one from S3 servers that do otherwise than S3: what was not listed is never taken for it."""

import http.server
import threading
from urllib.parse import unquote, urlsplit

import pytest

from imagerecords.tasks.storage.bulk_read import FileChanged, bulk_reader
from imagerecords.tasks.storage.folders import open_folder

SIZE = 12


class Careless(http.server.BaseHTTPRequestHandler):
    """Answers every GET and HEAD with an object of the same size, whatever the conditions; but for one archived object."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(send=False)

    def do_GET(self) -> None:
        self._answer(send=True)

    def _answer(self, *, send: bool) -> None:
        key = unquote(urlsplit(self.path).path).removeprefix("/photos/")
        archived = key == "in/archived"
        body = b"<Error><Code>InvalidObjectState</Code></Error>" if archived else key.encode().rjust(SIZE)
        self.send_response(403 if archived else 200)
        for name, value in {
            "Content-Length": str(len(body)),
            "ETag": '"now"',
            "Last-Modified": "Sat, 28 Nov 2026 10:00:00 GMT",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if send:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def photos(monkeypatch):
    """A folder of a bucket on the careless server."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield open_folder("s3://photos/in", {"endpoint_url": f"http://127.0.0.1:{server.server_port}"})
        server.shutdown()


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_a_server_that_ignores_the_condition_has_its_answer_compared(photos, reader):
    """As `rclone serve s3`: the object was replaced by another of the same size after it was listed."""
    read = bulk_reader(photos, reader)
    assert read("a.jpg", SIZE, "now") == b"in/a.jpg".rjust(SIZE)
    with pytest.raises(FileChanged):
        read("a.jpg", SIZE, "listed")


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_a_key_that_begins_with_a_slash_keeps_it(photos, reader):
    """obstore drops it, and would read another object."""
    assert bulk_reader(photos, reader)("s3://photos//a.jpg", SIZE, "now") == b"/a.jpg".rjust(SIZE)


def test_an_archived_object_may_not_be_read_and_is_no_fault_of_the_server(photos):
    with pytest.raises(PermissionError, match="Glacier"):
        bulk_reader(photos, "obstore")("archived", SIZE, "now")
