"""The outcomes of a receipt as rows of known images."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from imagerecords.schemas.known import COLUMNS, OF_THE_BYTES, ORIENTATIONS_KEY, ORIGIN_KEY, SHA256, UPRIGHT, Origin
from imagerecords.schemas.receipt import WRITTEN

PLACE = ("offset", "size", "crc32c")


def receipt_origin(receipt: pa.Table) -> Origin | None:
    """The origin of a receipt's outcomes; None where it has none, as those of version 0.1.0."""
    data = (receipt.schema.metadata or {}).get(ORIGIN_KEY)
    try:
        return Origin.model_validate_json(data) if data else None
    except ValidationError:
        return None


def with_origin(receipt: pa.Table, origin: Origin, orientations: Iterable[int]) -> pa.Table:
    """A receipt with the origin of its outcomes, and for each row the orientation that was baked into its picture."""
    digits = "".join(map(str, orientations))
    return receipt.replace_schema_metadata({ORIGIN_KEY: origin.as_bytes(), ORIENTATIONS_KEY: digits.encode()})


def is_known(receipt: pa.Table, origin: Origin) -> pa.ChunkedArray:
    """Whether each row of a receipt with this origin says what becomes of an image with the same bytes.

    What partial_blocks=trim cuts off depends on an image's boxes too, and is not recorded: of such builds only rejected
    images and those stored unchanged are known.
    """
    of_the_bytes = pc.is_in(receipt["reason"], value_set=pa.array(sorted(OF_THE_BYTES), pa.string()))
    written = pc.equal(receipt["status"], WRITTEN)
    if origin.settings.get("partial_blocks") == "trim":
        written = pc.and_(written, pc.fill_null(pc.equal(receipt["sha256"], receipt["encoded_sha256"]), False))
    return pc.and_(pc.is_valid(receipt["sha256"]), pc.or_(written, of_the_bytes))


def known_rows(receipt: pa.Table, origin: Origin, folder: int) -> pa.Table:
    """The rows of a receipt with this origin that are known, with the places of their records in a data set's folder."""
    orientations = (receipt.schema.metadata or {}).get(ORIENTATIONS_KEY, b"")
    if len(orientations) != receipt.num_rows:
        return COLUMNS.empty_table()
    digits = pa.array(np.frombuffer(orientations, np.uint8) - ord("0"), pa.int8())
    rows = receipt.append_column("orientation", digits).filter(is_known(receipt, origin))
    unchanged = pc.fill_null(pc.equal(rows["sha256"], rows["encoded_sha256"]), True)
    columns = {name: rows[name] for name in rows.column_names}
    columns["orientation"] = pc.if_else(unchanged, pa.scalar(UPRIGHT, pa.int8()), rows["orientation"])
    columns["sha256"] = _binary(rows["sha256"])
    columns["encoded_sha256"] = _unless(unchanged, _binary(rows["encoded_sha256"]))
    columns["folder"] = _unless(unchanged, pa.repeat(pa.scalar(folder, pa.int32()), rows.num_rows))
    columns["file"] = _unless(unchanged, rows["shard"])
    columns |= {name: _unless(unchanged, rows[name]) for name in PLACE}
    return pa.table({field.name: _chunked(columns[field.name], field.type) for field in COLUMNS}, schema=COLUMNS)


def _unless(unchanged: pa.ChunkedArray, values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(unchanged, pa.scalar(None, values.type), values)


def _chunked(values: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values], kind)


def _binary(digests: pa.ChunkedArray) -> pa.Array:
    """Hexadecimal digests as bytes."""
    return pa.array([None if digest is None else bytes.fromhex(digest) for digest in digests.to_pylist()], SHA256)
