"""A data set that grows: names and contents of its shards, rows of its manifest, labels."""

from pathlib import Path

import pyarrow.parquet as pq

FIRST = {"train_shards": 3, "validation_shards": 2}


def names(output, split):
    return sorted(path.name for path in Path(output).glob(f"{split}-*"))


def contents(output, split):
    """The bytes of a split's shards, in order."""
    return [(Path(output) / name).read_bytes() for name in names(output, split)]


def manifest(output, split):
    return [row for row in pq.read_table(Path(output) / "manifest.parquet").to_pylist() if row["split"] == split]


def labels(output):
    return (Path(output) / "labels.txt").read_text().split()


def lay_out(tmp_path, fill, listed, folders):
    """Settings of an input with these labels, each a letter; images that are there stay."""
    source = tmp_path / "in"
    for path in source.glob("?"):
        if path.name not in folders:
            path.rename(tmp_path / f"gone-{path.name}")
    fill(source, {label: 2 for label in folders if not (source / label).exists()})
    if listed is None:
        return {"train_directory": source}
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in listed))
    return {"train_directory": source, "labels_file": tmp_path / "labels.txt"}


def copy(source, target):
    """A file's bytes under another name."""
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(source.read_bytes())


def reasons(output):
    """Why images were rejected, by split and path."""
    rows = [row for split in ("train", "validation") for row in manifest(output, split)]
    return {f"{row['split']}/{row['path']}": row["message"] for row in rows if row["reason"] == "duplicate"}


def write_image_list(path, rows):
    """An image list of rows of path, label and other columns."""
    columns = list(rows[0])
    lines = [",".join(columns), *(",".join(str(row[name]) for name in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
