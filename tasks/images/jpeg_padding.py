"""Bytes between a scan's last block and the end of image: padding of a camera, or the rest of a stream that lost its place.

A damaged stream often finds its codes again, some blocks too early or too late. Where it is early, all blocks are there and
whole ones are left over, up to the end of image; padding does not decode to the very end.
"""

from imagerecords.tasks.images.jpeg import SCAN
from imagerecords.tasks.images.jpeg_parts import Part
from imagerecords.tasks.images.jpeg_tables import Table, codes, components

BLOCK = 64  # coefficients
ZERO_RUN = 15  # with size 0: sixteen zeros


def continues(parts: list[Part], used: bytes, rest: bytes) -> bool:
    """Whether what is behind the `used` bytes of a sequential scan is more of its blocks, to the last bit."""
    blocks = _blocks_of_mcu(parts)
    last = used.removesuffix(b"\0")[-1]  # 0xFF is followed by a stuffed 0
    bits = "".join(f"{byte:08b}" for byte in bytes([last]) + rest.replace(b"\xff\0", b"\xff"))
    unused = 8 - len(f"{last:08b}".rstrip("1"))
    return any(_ends_whole(bits, 8 - ones, blocks) for ones in range(unused + 1))


def _ends_whole(bits: str, position: int, blocks: list[tuple[Table, Table]]) -> bool:
    while position < len(bits):
        for dc, ac in blocks:
            after = _skip_block(bits, position, dc, ac)
            if after is None:
                return False
            position = after
        if len(bits) - position < 8 and "0" not in bits[position:]:
            return True
    return False


def _skip_block(bits: str, position: int, dc: Table, ac: Table) -> int | None:
    """Where a block ends; None where it does not end before the bits do, or has a code that no table has."""
    table, coefficient = dc, 0
    while coefficient < BLOCK:
        for length in range(1, 17):
            symbol = table.get((length, int(bits[position : position + length] or "0", 2)))
            if symbol is not None:
                break
        else:
            return None
        run, size = (symbol >> 4, symbol & 15) if coefficient else (0, symbol)
        position += length + size
        if position > len(bits):
            return None
        if coefficient and not size and run != ZERO_RUN:
            break
        coefficient += run + 1
        table = ac
    return position


def _blocks_of_mcu(parts: list[Part]) -> list[tuple[Table, Table]]:
    """The tables of each block in one MCU of the last scan."""
    tables = codes(parts)
    scan = [part.content for part in parts if part.marker == SCAN][-1]
    in_scan = [(scan[1 + 2 * number], scan[2 + 2 * number]) for number in range(scan[0])]
    # The MCU of a single component is one block, whatever its sampling.
    blocks = {one.name: one.across * one.down for one in components(parts)} if len(in_scan) > 1 else {}
    return [
        (tables.get(chosen >> 4, {}), tables.get(16 + (chosen & 15), {}))
        for name, chosen in in_scan
        for _ in range(blocks.get(name, 1))
    ]
