"""Options of S3 that come from the environment."""

import pytest

from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.storage.s3_options import s3_options

NAMES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_REGION", "AWS_DEFAULT_REGION")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_a_process_whose_endpoint_changes_asks_the_other_server(monkeypatch):
    ports = []
    for port in ("9001", "9002"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        ports.append(open_folder("s3://bucket/x", {}).fs.endpoint_url)
    assert ports == ["http://127.0.0.1:9001", "http://127.0.0.1:9002"]


def test_the_endpoint_of_s3_comes_first_and_that_of_the_settings_before_it(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3")
    assert s3_options({})["endpoint_url"] == "http://s3"
    assert s3_options({"endpoint_url": "http://mine"})["endpoint_url"] == "http://mine"
    assert "endpoint_url" not in s3_options({"client_kwargs": {"endpoint_url": "http://mine"}})


def test_endpoints_that_are_to_be_ignored_are(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert "endpoint_url" not in s3_options({})


def test_the_region_that_other_libraries_read_counts(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert s3_options({})["client_kwargs"] == {"region_name": "eu-central-1"}
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert s3_options({})["client_kwargs"] == {"region_name": "eu-central-1"}
    assert s3_options({"client_kwargs": {"region_name": "x"}})["client_kwargs"] == {"region_name": "x"}
