#!/bin/bash
# pyarrow leaves an object in S3 where it deleted a picture.
#
# One would guess: delete_file of "cats/1.jpg" deletes the object "cats/1.jpg" and does nothing else; a bucket in which each
# object was deleted is empty, as with boto3 and s3fs.
# What happens: behind the deletion pyarrow puts an empty object called "cats/", so that the folder goes on existing. Whoever
# lists keys with boto3 and takes each for a picture now reads one of 0 bytes, counts a picture more than there is, and a class
# "cats" without any picture stays among the classes of a folder. So a deletion needs the right to write as well. Nothing
# warns.
# Versions: pyarrow 26.0.1, s3fs 2026.9.0, boto3 1.43.117, against moto 5.2.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pyarrow==26.0.1 s3fs==2026.9.0 fsspec==2026.9.0 boto3==1.43.117 'moto[server]==5.2.5' || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import logging
import os
import sys

import boto3
import pyarrow.fs
import s3fs
from moto.server import ThreadedMotoServer

logging.disable(logging.CRITICAL)
os.environ.update(AWS_ACCESS_KEY_ID="example", AWS_SECRET_ACCESS_KEY="example-secret", AWS_DEFAULT_REGION="us-east-1")

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
client = boto3.client("s3", endpoint_url=address)
ways = {
    "boto3": lambda: client.delete_object(Bucket="photos", Key="cats/1.jpg"),
    "s3fs": lambda: s3fs.S3FileSystem(endpoint_url=address).rm_file("photos/cats/1.jpg"),
    "pyarrow": lambda: pyarrow.fs.S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", region="us-east-1").delete_file("photos/cats/1.jpg"),
}
client.create_bucket(Bucket="photos")
left = {}
for name, delete in ways.items():
    client.put_object(Bucket="photos", Key="cats/1.jpg", Body=b"picture")
    delete()
    left[name] = [(found["Key"], found["Size"]) for found in client.list_objects_v2(Bucket="photos").get("Contents", [])]
    print(f"cats/1.jpg deleted by {name}; the bucket has {left[name]}")
server.stop()
os._exit(left != {"boto3": [], "s3fs": [], "pyarrow": [("cats/", 0)]})
PYTHON
