"""The TFRecord frame, as TensorFlow's record_writer.cc writes it (uncompressed).

    uint64 length                little-endian
    uint32 masked CRC32C         of the 8 length bytes
    byte   data[length]
    uint32 masked CRC32C         of data

A CRC is masked because data may itself hold CRCs: rotate right by 15 bits, add a constant (tensorflow/core/lib/hash/crc32c.h).
"""

import struct

import google_crc32c

HEADER = struct.Struct("<QI")
LENGTH = struct.Struct("<Q")
FOOTER = struct.Struct("<I")
OVERHEAD = HEADER.size + FOOTER.size
MASK_DELTA = 0xA282EAD8


def mask(crc: int) -> int:
    """The masked form of a CRC32C, as the frame stores it."""
    return (((crc >> 15) | (crc << 17)) + MASK_DELTA) & 0xFFFFFFFF


def frame(data: bytes) -> tuple[bytes, bytes, int]:
    """The bytes before and after `data` in a record, and the masked CRC32C of `data`."""
    length = LENGTH.pack(len(data))
    crc = mask(google_crc32c.value(data))
    return length + FOOTER.pack(mask(google_crc32c.value(length))), FOOTER.pack(crc), crc
