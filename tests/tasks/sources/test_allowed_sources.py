"""A list of images may name its own host and configured stores; other hosts must be allowed, and may not redirect."""

import http.server
import threading
import time
from collections import Counter

import pytest

from imagerecords.tasks.discover import survey
from imagerecords.tasks.sources import remote_states
from imagerecords.tasks.storage import http_options


class Images(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; `status-403.jpg` is answered with 403, `away` redirects, `slow` takes its time."""

    def do_HEAD(self) -> None:
        self._special() or super().do_HEAD()

    def do_GET(self) -> None:
        self._special() or super().do_GET()

    def _special(self) -> bool:
        name = self.path.rpartition("/")[2]
        self.server.asked[name] += 1
        if name.startswith("busy-") and self.server.asked[name] < 3:
            name = f"status-{name[5:8]}"
        elif name.startswith("busy-"):
            self.path = "/cat/000.jpg"
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
def asked():
    """How often each file was asked for."""
    return Counter()


@pytest.fixture
def server(tmp_path, fill, asked):
    """The URL of a web server with images below cat/."""
    folder = fill(tmp_path / "www", {"cat": 3})

    def handler(*args):
        return Images(*args, directory=str(folder))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = asked
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
        ("away.jpg", "another host"),
    ],
)
def test_what_a_server_answers_is_named_for_its_image(server, errors, name, words):
    (error,) = errors(*names(server), f"{server}/cat/{name}", allowed_sources=(server,))
    assert words in error
    assert name in error


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(server, errors, monkeypatch, status):
    monkeypatch.setattr(remote_states, "DELAYS", (0.0, 0.0, 0.0))
    assert errors(f"{server}/cat/busy-{status}.jpg", allowed_sources=(server,)) == ()


def test_a_server_that_is_gone_is_not_asked_for_every_image(server, asked, errors, monkeypatch):
    monkeypatch.setattr(remote_states, "DELAYS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(remote_states, "ASKED_AGAIN", 4)
    listed = errors(*(f"{server}/cat/status-503{number}.jpg" for number in range(300)), allowed_sources=(server,))
    assert "HTTP 503" in listed[0]
    assert 64 <= len(asked) < 150


def test_a_server_that_does_not_answer_is_left_after_a_while(server, errors, monkeypatch):
    monkeypatch.setattr(http_options, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(remote_states, "DELAYS", ())
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
