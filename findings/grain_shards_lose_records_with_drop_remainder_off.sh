#!/bin/bash
# grain's shards leave records out although drop_remainder is off.
#
# One would guess: ten records in three shards with drop_remainder=False are four, three and three; between them the three
# readers see each record once an epoch.
# What happens: each shard is given its range (the first one 0 to 3) but hands out only ten divided by three, rounded down. The
# last record of each longer range is left out: record 3 of ten, records 3 and 7 of eleven. With drop_remainder=True a warning
# tells of the loss; without it nothing does.
# Versions: grain 0.2.18, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check grain==0.2.18 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import grain


def shards(count, readers):
    read = []
    for reader in range(readers):
        shard = grain.sharding.ShardOptions(shard_index=reader, shard_count=readers, drop_remainder=False)
        sampler = grain.samplers.IndexSampler(count, shard_options=shard, shuffle=False, num_epochs=1)
        loader = grain.DataLoader(data_source=list(range(count)), sampler=sampler, operations=[])
        read.append([int(record) for record in loader])
    missing = sorted(set(range(count)) - set(sum(read, [])))
    print(f"{count} records, {readers} shards: {read}, read by none: {missing}")
    return missing


sys.exit(not (shards(9, 3) == [] and shards(10, 3) == [3] and shards(11, 3) == [3, 7] and shards(5, 4) == [1]))
PYTHON
