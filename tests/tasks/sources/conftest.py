"""Shared by the tests of sources: images, and a listing of them."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.tasks.discover import discover_images


@pytest.fixture
def images(tmp_path):
    """`images("a/1.jpg", …)` makes files below the folder of the manifests."""

    def images(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(path.encode())

    return images


@pytest.fixture
def listing(tmp_path, make_settings):
    """`listing(rows, form="csv", **settings)` discovers what a manifest of these rows, or of this text, lists."""

    def listing(rows, form="csv", found=discover_images, **settings):
        path = tmp_path / f"manifest.{form}"
        if isinstance(rows, str):
            path.write_text(rows)
        elif form == "csv":
            names = list(dict.fromkeys(name for row in rows for name in row))
            lines = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)]
            path.write_text("\n".join(lines) + "\n")
        elif form == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            pq.write_table(pa.Table.from_pylist(rows), path)
        return found(make_settings(image_list=str(path), **settings))

    return listing
