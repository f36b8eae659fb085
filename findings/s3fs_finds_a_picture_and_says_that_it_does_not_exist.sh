#!/bin/bash
# s3fs finds a new picture and says, of the same name, that it does not exist.
#
# One would guess: exists() asks the store, as it does for a name that was never seen; at least exists(), ls() and find() of
# one file system give one answer.
# What happens: what a folder's ls() once returned is kept for good. A picture that another program uploaded later is in find()
# of that folder, while ls() leaves it out, exists() says no, and cat_file() and open() raise FileNotFoundError for the very
# name that find() gave. One that was deleted is still listed, and exists. A program that waits for new pictures with ls() or
# exists() waits forever, and one that skips damaged or missing pictures leaves out each that came after the first listing.
# use_listings_cache=False or invalidate_cache() gives the present state. Nothing warns.
# Versions: s3fs 2026.9.0, fsspec 2026.9.0, boto3 1.43.117, against moto 5.2.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check s3fs==2026.9.0 fsspec==2026.9.0 boto3==1.43.117 'moto[server]==5.2.5' || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import logging
import os
import sys

import boto3
import s3fs
from moto.server import ThreadedMotoServer

logging.disable(logging.CRITICAL)
os.environ.update(AWS_ACCESS_KEY_ID="example", AWS_SECRET_ACCESS_KEY="example-secret", AWS_DEFAULT_REGION="us-east-1")

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
client = boto3.client("s3", endpoint_url=address)
client.create_bucket(Bucket="photos")
for name in ("old", "gone"):
    client.put_object(Bucket="photos", Key=f"hens/{name}.jpg", Body=b"picture")

store = s3fs.S3FileSystem(endpoint_url=address)
store.ls("photos/hens")
client.put_object(Bucket="photos", Key="hens/new.jpg", Body=b"picture")
client.delete_object(Bucket="photos", Key="hens/gone.jpg")


def seen(store):
    read = []
    for way in (store.cat_file, lambda path: store.open(path).read()):
        try:
            read.append(way("photos/hens/new.jpg").decode())
        except FileNotFoundError as error:
            read.append(type(error).__name__)
    names = [sorted(path.split("/")[-1] for path in paths) for paths in (store.ls("photos/hens"), store.find("photos/hens"))]
    exist = [store.exists(f"photos/hens/{name}.jpg") for name in ("new", "gone")]
    print(f"ls {names[0]}, find {names[1]}; exists: new {exist[0]}, gone {exist[1]}; new read: {read}")
    return (*names, exist, read)


cached = seen(store)
fresh = seen(s3fs.S3FileSystem(endpoint_url=address, use_listings_cache=False))
server.stop()
holds = cached == (["gone.jpg", "old.jpg"], ["new.jpg", "old.jpg"], [False, True], ["FileNotFoundError"] * 2)
holds &= fresh == (["new.jpg", "old.jpg"], ["new.jpg", "old.jpg"], [True, False], ["picture"] * 2)
sys.exit(not holds)
PYTHON
