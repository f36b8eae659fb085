"""What can't be accessed on S3 is reported in one line with exit code 2, before any work, and without any secret."""

import socket
import threading
from pathlib import Path

import pytest

from tests.acceptance.faulty_proxy import Faults, FaultyProxy
from tests.acceptance.running import Images, Shell
from tests.acceptance.seaweed import READ_ONLY_KEY, READ_ONLY_SECRET, SECRET, Bucket, OnS3, Seaweed

PLANTED = "wJalrXUtnFEMI/K7MDENG/planted+secret"


def refused(shell: Shell, words: list[str], environment: dict[str, str]) -> str:
    """The one line with which a command is refused."""
    build = shell.start(words, environment)
    assert build.wait() == 2, build.stderr
    lines = [line for line in build.stderr.splitlines() if "running with" not in line]
    assert len(lines) == 1, build.stderr
    assert lines[0].startswith("imagerecords: error: ")
    assert not build.stdout
    return lines[0]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AWS_SECRET_ACCESS_KEY": PLANTED}, "must be asked with the right secret key, got SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "must be asked with an access key that it knows, got InvalidAccessKeyId"),
        ({"AWS_PROFILE": "nobody"}, "must be asked with credentials, got: The config profile (nobody) could not be found"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "must be on a server that answers"),  # the discard port: refused
        ({"AWS_ENDPOINT_URL_S3": "http://no.such.host.invalid"}, "must be on a server that answers"),
        ({"AWS_ENDPOINT_URL_S3": "nonsense:1"}, "must be an S3 place, got: Invalid endpoint"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_server_that_does_not_let_us_in_is_told_in_one_line(
    on_s3: Shell, quick: Images, bucket: Bucket, environment: dict[str, str], message: str
):
    line = refused(on_s3, quick.arguments(bucket.url("out"), "--no-prefect"), environment)
    assert message in line
    assert PLANTED not in line
    assert bucket.keys("out") == []


@pytest.mark.parametrize("command", [["audit"], ["show"], ["locate", "x"]], ids=lambda words: words[0])
def test_commands_on_finished_data_sets_are_refused_in_the_same_words(on_s3: Shell, bucket: Bucket, command: list[str]):
    words = [command[0], bucket.url("out"), *command[1:]]
    assert "got InvalidAccessKeyId" in refused(on_s3, words, {"AWS_ACCESS_KEY_ID": "nobody"})


def test_a_missing_bucket_is_told_for_whatever_lies_in_it(on_s3: Shell, quick_on_s3: OnS3, quick: Images):
    line = refused(on_s3, quick.arguments("s3://nobody-made-this/out", "--no-prefect"), {})
    assert "output_directory must be in a bucket that exists, got NoSuchBucket: s3://nobody-made-this/out" in line
    for setting in ("train_directory", "labels_file", "bounding_boxes"):
        words = quick_on_s3.arguments("out", **{setting: "s3://nobody-made-this/in.csv"})
        assert f"{setting} must be in a bucket that exists" in refused(on_s3, words, {})
    assert not (on_s3.folder / "out").exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "SecondLevelDomainForbidden",
            "that begins with its bucket, got SecondLevelDomainForbidden: s3://b/out. "
            "Pass --storage_options.config_kwargs.s3.addressing_style virtual",
        ),
        ("OtherRule", "must be open to these credentials, got OtherRule: s3://b/out. The credentials need"),
    ],
)
def test_a_server_that_refuses_a_request_by_a_rule_of_its_own_is_reported(
    on_s3: Shell, quick: Images, bucket: Bucket, code: str, message: str
):
    with FaultyProxy(bucket.endpoint, Faults(answers={"GET /": (403, code)})) as proxy:
        line = refused(on_s3, quick.arguments("s3://b/out", "--no-prefect"), {"AWS_ENDPOINT_URL_S3": proxy.endpoint})
    assert message in line


def test_read_only_credentials_are_told_before_the_input_is_listed(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket):
    reader = {"AWS_ACCESS_KEY_ID": READ_ONLY_KEY, "AWS_SECRET_ACCESS_KEY": READ_ONLY_SECRET}
    no_such_input = quick_on_s3.train + "-is-not-there"  # would be reported if it were read
    line = refused(on_s3, quick_on_s3.arguments(bucket.url("out"), train_directory=no_such_input), reader)
    assert f"output_directory must be writable, got PermissionError: Access Denied.: {bucket.url('out')}" in line


def test_no_credentials_at_all_are_told(shell: Shell, quick: Images, bucket: Bucket):
    line = refused(shell, quick.arguments(bucket.url("out"), "--no-prefect"), {"AWS_ENDPOINT_URL_S3": bucket.endpoint})
    assert "must be asked with credentials, got none" in line


@pytest.mark.parametrize("bundle", [None, "missing.pem"])
def test_a_certificate_that_is_not_trusted_is_told(
    shell: Shell, quick: Images, tls: Seaweed, bundle: str | None, bucket: Bucket
):
    environment = tls.environment | ({"AWS_CA_BUNDLE": bundle} if bundle else {})
    line = refused(shell, quick.arguments("s3://any/out", "--no-prefect"), environment)
    assert "AWS_CA_BUNDLE" in line
    assert ("certificates that can be read" if bundle else "a certificate that is trusted") in line


def test_a_plan_is_refused_in_the_same_words(on_s3: Shell, quick: Images, bucket: Bucket):
    words = quick.arguments(bucket.url("out"), train_directory="s3://nobody-made-this/in")
    plan = on_s3.start(["plan", *words[2:]])
    assert plan.wait() == 2
    assert "train_directory must be in a bucket that exists" in plan.stderr


class Listener:
    """Takes connections and hangs up, so that every request fails in its own way; keeps what it was sent."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            connection.recv(1 << 16)
            body = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
            connection.sendall(b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            connection.close()


def test_no_secret_is_in_anything_that_a_build_leaves_or_says(
    on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, prefect_server: str, tmp_path: Path
):
    """Planted as key, token and profile; a good build, a refused one, and one whose reads fail, under --debug."""
    token = "planted-session-token"
    home = tmp_path / "aws"
    home.write_text(f"[default]\naws_access_key_id=x\naws_secret_access_key={PLANTED}\naws_session_token={token}\n")
    planted = {"AWS_SECRET_ACCESS_KEY": PLANTED, "AWS_SESSION_TOKEN": token, "AWS_SHARED_CREDENTIALS_FILE": str(home)}
    good = on_s3.start(["--debug", *quick_on_s3.arguments(bucket.url("out"))])
    assert good.wait() == 0, good.stderr
    runs = []
    for more in ({}, {"AWS_ENDPOINT_URL_S3": Listener().endpoint}):
        for runner in ({}, {"PREFECT_API_URL": prefect_server}):
            words = quick_on_s3.images.arguments(bucket.url(f"out{len(runs) + 2}"), train_directory=quick_on_s3.train)
            runs.append(on_s3.start(["--debug", *words], planted | more | runner))  # side by side: they mostly wait
    for build in runs:
        assert build.wait() in {1, 2}, build.stderr
        assert "Traceback" in build.stderr
    runs.append(good)
    said = "".join(run.stdout + run.stderr for run in runs)
    written = b"".join(bucket.read(f"out/{key}") for key in bucket.keys("out"))
    written += b"".join(path.read_bytes() for path in Path(on_s3.environment["PREFECT_HOME"]).rglob("*.db*"))
    for secret in (SECRET, PLANTED, token):
        assert secret not in said
        assert secret.encode() not in written
