"""The tables of a JPEG: Huffman's codes, the steps of quantisation, and which a component uses (ITU T.81, annexes B and C)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from imagerecords.tasks.images.jpeg import FRAMES
from imagerecords.tasks.images.jpeg_parts import Part

HUFFMAN_TABLES, QUANTISATION_TABLES = 0xC4, 0xDB

Table = dict[tuple[int, int], int]  # symbols by the length and the bits of their code
Tables = dict[int, Table]  # by the byte that DHT names them with: AC tables from 16 on


class Component(NamedTuple):
    """A component of the frame: its name, its samples across and down in an MCU, and its quantisation table."""

    name: int
    across: int
    down: int
    table: int


def components(parts: Iterable[Part]) -> list[Component]:
    """The components that the frame lists."""
    frame = next((part.content for part in parts if part.marker in FRAMES), bytes(6))
    entries = (frame[at : at + 3] for at in range(6, 6 + 3 * frame[5], 3))
    return [Component(entry[0], entry[1] >> 4, entry[1] & 15, entry[2]) for entry in entries if len(entry) == 3]


def quantisation_tables(parts: Iterable[Part]) -> dict[int, list[int]]:
    """The quantisation tables by number, in the order in which the file has their steps: zigzag."""
    tables: dict[int, list[int]] = {}
    for part in parts:
        content = part.content if part.marker == QUANTISATION_TABLES else b""
        while content:
            size = 128 if content[0] >> 4 else 64
            steps = np.frombuffer(content[1 : 1 + size].ljust(size, b"\1"), ">u2" if size == 128 else "u1")
            tables[content[0] & 15] = steps.tolist()
            content = content[1 + size :]
    return tables


def huffman_tables(content: bytes) -> Tables:
    """The tables of a DHT segment (ITU T.81, annex C)."""
    tables: Tables = {}
    while len(content) >= 17:
        name, counts, symbols = content[0], content[1:17], iter(content[17:])
        code, table = 0, {}
        for length, count in enumerate(counts, 1):
            for symbol in (next(symbols, 0) for _ in range(count)):
                table[length, code] = symbol
                code += 1
            code <<= 1
        tables[name] = table
        content = content[17 + sum(counts) :]
    return tables


def codes(parts: Iterable[Part]) -> Tables:
    """All Huffman tables of a JPEG, the last of each name."""
    return dict(pair for part in parts if part.marker == HUFFMAN_TABLES for pair in huffman_tables(part.content).items())
