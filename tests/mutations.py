"""Seeded damage of files: bytes, values of JSON, words of texts, columns of Parquet."""

import copy
import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq

ODD_VALUES = [
    *(None, True, 0, 1, -1, 1.5, 1e308, float("nan"), float("inf"), 10**400, 2**63, "", "x", "\0", "\ud800", "a/../b", "://"),
    *([], {}, [[]], [None], [1], {"x": 1}, {"": []}, [{}], ["a", 1], "file:///x", "é" * 3, " "),
]
ODD_WORDS = [
    *(b"", b"null", b"-1", b"1e999", b"nan", b"\xff\xfe", b"\x00", b"[", b"{}", b'"', b"'", b"<", b"&x;", b"://", b","),
    *(
        b"\n",
        b"\r",
        b"\t",
        b"0" * 400,
        b"[" * 3000,
        b"\xed\xa0\x80",
        "\u2028".encode(),
        b"- ",
        b": ",
        b"!!python/name:x",
        b"*a",
    ),
]
WORD = re.compile(rb"[A-Za-z0-9_.-]+|[^A-Za-z0-9_.-]")
ODD_TYPES = [
    pa.int64(),
    pa.string(),
    pa.binary(),
    pa.float64(),
    pa.bool_(),
    pa.null(),
    pa.timestamp("s"),
    pa.list_(pa.string()),
]


def damage(data, form, draw):
    """The content of a file with one to three changes; `form` is its ending."""
    kinds = [_bytes, _bytes if form == "parquet" else _words]
    if form in ("json", "jsonl"):
        kinds += [_json_lines if form == "jsonl" else _json] * 3
    if form == "parquet":
        kinds += [_parquet] * 2
    change = draw.choice(kinds)
    for _ in range(draw.randint(1, 3)):
        try:
            data = change(data, draw)
        except (ValueError, OSError, pa.ArrowException, RecursionError):  # damaged too much to be changed by its structure
            data = _bytes(data, draw)
    return data


def _bytes(data, draw):
    place = draw.randrange(len(data) + 1)
    kind = draw.randrange(4)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + draw.randbytes(draw.randint(1, 4)) + data[place:]
    if kind == 2:
        return data[:place] + data[place + draw.randint(1, 20) :]
    return data[:place] + draw.randbytes(1) + data[place + 1 :]


def _words(data, draw):
    words = WORD.findall(data) or [b""]
    place = draw.randrange(len(words))
    words[place] = draw.choice([*ODD_WORDS, words[draw.randrange(len(words))]])
    return b"".join(words)


def _json(data, draw):
    return json.dumps(_changed(json.loads(data), draw)).encode()


def _json_lines(data, draw):
    lines = data.splitlines() or [b"{}"]
    place = draw.randrange(len(lines))
    lines[place] = _json(lines[place], draw)
    return b"\n".join(lines)


def _changed(content, draw):
    """JSON's content with another value, key or length somewhere."""
    content = copy.deepcopy(content)
    nodes, pending = [], [content]
    while pending:
        node = pending.pop()
        if isinstance(node, dict | list) and node:
            nodes.append(node)
            pending += node.values() if isinstance(node, dict) else node
    if not nodes or draw.random() < 0.05:
        return draw.choice(ODD_VALUES)
    node = draw.choice(nodes)
    key = draw.choice(list(node)) if isinstance(node, dict) else draw.randrange(len(node))
    kind = draw.random()
    if kind < 0.15:
        del node[key]
    elif kind < 0.25:
        node[key] = [node[key]]
    elif kind < 0.35 and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    else:
        node[key] = copy.deepcopy(draw.choice(ODD_VALUES))
    return content


def _parquet(data, draw):
    table = pq.read_table(io.BytesIO(data))
    metadata = dict(table.schema.metadata or {})
    place = draw.randrange(max(1, table.num_columns))
    kind = draw.randrange(5 if metadata else 4)
    if kind == 0:
        table = table.remove_column(place)
    elif kind == 1:
        odd = draw.choice(ODD_TYPES)
        table = table.set_column(place, table.column_names[place], pa.nulls(table.num_rows, odd))
    elif kind == 2:
        odd = draw.choice([-1, 2**40, "x", "", 1.5, True, b"\xff", [1], None])
        table = table.set_column(place, table.column_names[place], pa.array([odd] * table.num_rows))
    elif kind == 3:
        table = table.slice(0, draw.randrange(table.num_rows + 1))
    else:
        key = draw.choice(sorted(metadata))
        metadata[key] = draw.choice([_words, _bytes, _json])(metadata[key], draw)
        table = table.replace_schema_metadata(metadata)
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=max(1, table.num_rows // 2))
    return file.getvalue()
