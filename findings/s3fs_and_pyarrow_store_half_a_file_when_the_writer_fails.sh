#!/bin/bash
# s3fs and pyarrow put half a file into S3 if the program that writes it fails.
#
# One would guess: an upload to S3 is whole or it is not there, which is why no ".tmp" and rename is needed. If an error ends
# "with store.open(key, 'wb')" midway, the upload is given up.
# What happens: leaving the block closes the file, and closing it uploads what was written so far, as a complete object, with
# the error on its way. After an error in the third of four pictures a tar or a list of labels with two is there; the next run,
# which skips what exists, keeps it, and an object that was whole before is replaced by the half. smart_open gives the upload
# up: no object of that name is there afterwards.
# Versions: s3fs 2026.9.0, pyarrow 26.0.1, smart_open 9.0.2, boto3 1.43.117, against moto 5.2.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check s3fs==2026.9.0 fsspec==2026.9.0 pyarrow==26.0.1 smart_open==9.0.2 boto3==1.43.117 'moto[server]==5.2.5' || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import logging
import os
import sys

import boto3
import pyarrow.fs
import s3fs
import smart_open
from moto.server import ThreadedMotoServer

logging.disable(logging.CRITICAL)
os.environ.update(AWS_ACCESS_KEY_ID="example", AWS_SECRET_ACCESS_KEY="example-secret", AWS_DEFAULT_REGION="us-east-1")

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
client = boto3.client("s3", endpoint_url=address)
client.create_bucket(Bucket="photos")

by_s3fs = s3fs.S3FileSystem(endpoint_url=address)
by_pyarrow = pyarrow.fs.S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", region="us-east-1")
writers = {
    "s3fs": lambda key: by_s3fs.open(f"photos/{key}", "wb"),
    "pyarrow": lambda key: by_pyarrow.open_output_stream(f"photos/{key}"),
    "smart_open": lambda key: smart_open.open(f"s3://photos/{key}", "wb", transport_params={"client": client}),
}


class DamagedPicture(Exception):
    pass


for name, writer in writers.items():
    client.put_object(Bucket="photos", Key=f"{name}.csv", Body=b"whole " * 4)
    for key in (f"{name}.csv", f"{name}-new.csv"):
        try:
            with writer(key) as file:
                for number in range(4):
                    if number == 2:
                        raise DamagedPicture
                    file.write(b"label ")
        except DamagedPicture:
            pass
bodies = {o["Key"]: client.get_object(Bucket="photos", Key=o["Key"])["Body"].read() for o in client.list_objects_v2(Bucket="photos")["Contents"]}
for name in writers:
    print(f"{name}: the object that was there is {bodies.get(f'{name}.csv')}, the new one {bodies.get(f'{name}-new.csv')}")
server.stop()
half, whole = b"label label ", b"whole whole whole whole "
os._exit(not all(bodies.get(f"{name}.csv") == bodies.get(f"{name}-new.csv") == half for name in ("s3fs", "pyarrow")) or bodies.get("smart_open.csv") != whole or "smart_open-new.csv" in bodies)
PYTHON
