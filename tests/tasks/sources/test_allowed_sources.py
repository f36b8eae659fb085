"""A list of images may name its own host and configured stores; other hosts must be allowed, and may not redirect."""

import http.server
import threading
import time

import pytest

from imagerecords.tasks.discover import survey
from imagerecords.tasks.storage import http_options


class Images(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; `status-403.jpg` is answered with 403, `away` redirects, `slow` takes its time."""

    def do_HEAD(self) -> None:
        self._special() or super().do_HEAD()

    def do_GET(self) -> None:
        self._special() or super().do_GET()

    def _special(self) -> bool:
        name = self.path.rpartition("/")[2]
        if name.startswith("status-"):
            self.send_error(int(name[7:10]))
        elif name.startswith("away"):
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/cat/000.jpg")
            self.end_headers()
        elif name.startswith("slow"):
            time.sleep(2)
            self.send_error(500)
        else:
            return False
        return True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, fill):
    """The URL of a web server with images below cat/."""
    folder = fill(tmp_path / "www", {"cat": 3})

    def handler(*args):
        return Images(*args, directory=str(folder))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def errors(tmp_path, make_settings):
    """`errors(url, …)` are the errors of a list of these images."""

    def errors(*paths, **settings):
        (tmp_path / "list.csv").write_text("path,label\n" + "".join(f"{path},cat\n" for path in paths))
        return survey(make_settings(image_list=str(tmp_path / "list.csv"), executor="threads", **settings)).errors

    return errors


def names(server):
    return [f"{server}/cat/{number:03}.jpg" for number in range(3)]


def test_another_host_must_be_allowed(server, errors):
    (error,) = errors(*names(server))
    assert f"--allowed_sources {server}/" in error
    assert errors(*names(server), allowed_sources=(server,)) == ()


def test_images_come_from_an_allowed_host(server, tmp_path, build):
    (tmp_path / "list.csv").write_text("path,label\n" + "".join(f"{path},cat\n" for path in names(server)))
    summary = build(image_list=str(tmp_path / "list.csv"), output_directory=tmp_path / "out", allowed_sources=(server,))
    assert summary.splits[0].written == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status-403.jpg", "PermissionError"),
        ("status-404.jpg", "got none"),
        ("status-500.jpg", "500"),
        ("away.jpg", "another host"),
    ],
)
def test_what_a_server_answers_is_named_for_its_image(server, errors, name, words):
    (error,) = errors(*names(server), f"{server}/cat/{name}", allowed_sources=(server,))
    assert words in error
    assert name in error


def test_a_server_that_does_not_answer_is_left_after_a_while(server, errors, monkeypatch):
    monkeypatch.setattr(http_options, "SILENCE_SECONDS", 0.3)
    (error,) = errors(f"{server}/cat/slow.jpg", allowed_sources=(server,), storage_options={"block_size": 1 << 20})
    assert "no answer within 0.3 s" in error


@pytest.mark.parametrize("listed_by", ["https://lists.example.org/list.csv", "s3://bucket/list.csv"])
@pytest.mark.parametrize("path", ["file:///etc/1.jpg", "http://169.254.169.254/1.jpg"])
def test_a_list_of_another_machine_names_no_file_of_this_one(listed_by, path):
    import pyarrow as pa

    from imagerecords.tasks.sources.allowed_sources import refuse_other_hosts

    refuse_other_hosts(pa.array(["a.jpg", "s3://other/b.jpg"]), listed_by, ())
    with pytest.raises(PermissionError, match=r"allowed_sources, got"):
        refuse_other_hosts(pa.array(["a.jpg", path]), listed_by, ())
