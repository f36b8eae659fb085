"""Known images: what became of a source's bytes in an earlier build, and what that outcome depends on.

A decision that binds users' data: an outcome belongs to the SHA-256 of the source's bytes and to its origin, and to nothing
else: no path, size or time decides. Each receipt records the origin of its outcomes; receipts without one, as those of version
0.1.0, are not used.
"""

import json
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from imagerecords.schemas.receipt import Reason

ORIGIN_KEY = b"imagerecords.origin"  # in a receipt and in the table of known images: an Origin as JSON
ORIENTATIONS_KEY = b"imagerecords.orientations"  # in a receipt: a digit per row, the EXIF orientation baked into the picture
RECEIPT_KEYS = (ORIGIN_KEY, ORIENTATIONS_KEY)
UPRIGHT = 1

# Content settings that change what an Example says of an image, not the image itself.
NOT_OF_THE_IMAGE = frozenset(["features"])
# Rejections for other causes than the bytes of the source.
NOT_OF_THE_BYTES = {Reason.UNREADABLE, Reason.CHANGED_DURING_BUILD, Reason.KILLED_WORKER, Reason.DUPLICATE, Reason.REMOVED}
OF_THE_BYTES = frozenset(Reason) - NOT_OF_THE_BYTES

SHA256 = pa.binary(32)
# Sorted by sha256. encoded_sha256 and the record's place (an index into the list of folders, a file there, and its frame) are
# null where the source is stored unchanged, and for a rejected image.
COLUMNS = pa.schema(
    [
        ("sha256", SHA256),
        ("reason", pa.string()),
        ("message", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("source_format", pa.string()),
        ("brightness", pa.float32()),
        ("contrast", pa.float32()),
        ("sharpness", pa.float32()),
        ("dhash", pa.uint64()),
        ("odd_header", pa.bool_()),
        ("has_gps", pa.bool_()),
        ("has_thumbnail", pa.bool_()),
        ("encoded_sha256", SHA256),
        ("orientation", pa.int8()),
        ("folder", pa.int32()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("crc32c", pa.uint32()),
    ]
)


class Origin(BaseModel):
    """What an image's outcome depends on beside its bytes: the programs' versions and the settings."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    imagerecords: str
    encoder: str
    decoders: dict[str, str]
    settings: dict[str, Any]

    @classmethod
    def of(cls, version: str, encoder: str, decoders: dict[str, str], content: dict[str, Any]) -> "Origin":
        """The origin by these versions and content settings, as it is read back from JSON."""
        settings = {name: value for name, value in content.items() if name not in NOT_OF_THE_IMAGE}
        return cls(imagerecords=version, encoder=encoder, decoders=decoders, settings=json.loads(json.dumps(settings)))

    def as_bytes(self) -> bytes:
        """JSON, the same for the same origin."""
        return json.dumps(self.model_dump(), sort_keys=True).encode()

    def differences(self, now: "Origin") -> list[str]:
        """What differs from another origin, in words."""
        pairs = [
            ("imagerecords", self.imagerecords, now.imagerecords),
            ("the encoder's version", self.encoder, now.encoder),
            *((name, self.decoders.get(name), now.decoders.get(name)) for name in sorted({*self.decoders, *now.decoders})),
            *((name, self.settings.get(name), now.settings.get(name)) for name in sorted({*self.settings, *now.settings})),
        ]
        return [f"{name} was {then!r}, is {is_now!r}" for name, then, is_now in pairs if then != is_now]
