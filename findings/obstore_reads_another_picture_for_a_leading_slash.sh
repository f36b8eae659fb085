#!/bin/bash
# obstore reads another object than the one whose key begins with a slash.
#
# One would guess: "/cat.jpg" and "cat.jpg", which are two objects to S3, are two to obstore; or the first is refused, as
# "a//cat.jpg" is.
# What happens: the slash is dropped. Asked for "/cat.jpg", obstore gives the bytes of "cat.jpg" or says that there is none; a
# listing shows both under the one name, twice, with two sizes, and reading by that listing gives one picture twice and the
# other never. Keys with a slash in front come about when a folder and a name are joined with one slash too many. boto3 and s3fs
# read both. A slash at the end is dropped as well.
# Versions: obstore 0.12.1, s3fs 2026.9.0, boto3 1.43.117, against moto 5.2.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check obstore==0.12.1 s3fs==2026.9.0 boto3==1.43.117 'moto[server,s3]==5.2.5' || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import boto3
import obstore
import s3fs
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())
login = {"aws_access_key_id": "example", "aws_secret_access_key": "example-secret"}
client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **login)
client.create_bucket(Bucket="photos")
KEYS = {"/cat.jpg": b"grey cat", "cat.jpg": b"red", "dog.jpg/": b"dog"}
for key, body in KEYS.items():
    client.put_object(Bucket="photos", Key=key, Body=body)

store = S3Store(
    "photos",
    config={**login, "aws_endpoint": address, "aws_region": "us-east-1", "aws_virtual_hosted_style_request": "false"},
    client_options={"allow_http": True},
)
fs = s3fs.S3FileSystem(key="example", secret="example-secret", endpoint_url=address)


def by_obstore(key):
    try:
        return obstore.get(store, key).bytes().to_bytes()
    except (FileNotFoundError, ValueError) as error:
        return type(error).__name__


found = {key: (by_obstore(key), client.get_object(Bucket="photos", Key=key)["Body"].read()) for key in KEYS}
for key, (first, second) in found.items():
    print(f"{key!r}: obstore {first}, boto3 {second}")
slash = fs.cat_file("photos//cat.jpg")
twice = by_obstore("a//cat.jpg")
listed = sorted((each["path"], each["size"]) for batch in obstore.list(store) for each in batch)
print(f"'/cat.jpg' by s3fs: {slash}; 'a//cat.jpg' by obstore: {twice}; listed by obstore: {listed}")
server.stop()
holds = [first for first, _ in found.values()] == [b"red", b"red", "FileNotFoundError"] and slash == b"grey cat"
holds &= twice == "ValueError" and [each for each in listed if each[0] == "cat.jpg"] == [("cat.jpg", 3), ("cat.jpg", 8)]
sys.exit(not (holds and all(second == KEYS[key] for key, (_, second) in found.items())))
PYTHON
