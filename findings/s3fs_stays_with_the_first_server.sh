#!/bin/bash
# s3fs goes on reading from the first server after AWS_ENDPOINT_URL names another.
#
# One would guess: a file system that is made after the environment changed (endpoint, access key) is one of the new server and
# the new key, as a new client of boto3 is; both are what s3fs's settings come from.
# What happens: fsspec keeps file systems and hands out the old one for equal arguments, and the environment is none of them.
# Code that copies "s3://photos" from one server to another by changing the variables stays on the first one; a notebook in
# which a wrong address or key was corrected goes on with the wrong one. Nothing warns. skip_instance_cache=True, or
# endpoint_url and key as arguments, do what one wants.
# Versions: s3fs 2026.9.0, fsspec 2026.9.0, boto3 1.43.117.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check s3fs==2026.9.0 fsspec==2026.9.0 boto3==1.43.117 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import http.server
import os
import sys
import threading

import boto3
import fsspec


def server(name):
    class Server(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = f"{name}, {self.headers['Authorization'].split('Credential=')[1].split('/')[0]}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Mon, 02 Jan 2023 00:00:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_GET = do_HEAD = answer

        def log_message(self, *values):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


os.environ.update(AWS_SECRET_ACCESS_KEY="example-secret", AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true")


def seen(address, key):
    os.environ.update(AWS_ENDPOINT_URL=address, AWS_ACCESS_KEY_ID=key)
    by_boto3 = boto3.Session().client("s3").get_object(Bucket="photos", Key="cat.jpg")["Body"].read().decode()
    by_s3fs = fsspec.filesystem("s3").cat_file("photos/cat.jpg").decode()
    fresh = fsspec.filesystem("s3", skip_instance_cache=True).cat_file("photos/cat.jpg").decode()
    print(f"boto3 reads from {by_boto3}; s3fs from {by_s3fs}; s3fs without its cache from {fresh}")
    return by_boto3, by_s3fs, fresh


old, new = "old server, old-key", "new server, new-key"
holds = seen(server("old server"), "old-key") == (old, old, old)
holds &= seen(server("new server"), "new-key") == (new, old, new)
sys.exit(not holds)
PYTHON
