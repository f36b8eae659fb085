"""The quantised coefficients of a baseline JPEG, decoded apart from libjpeg (ITU T.81, annexes C, F and G)."""

import struct

import numpy as np

ZIGZAG = """
0 1 8 16 9 2 3 10 17 24 32 25 18 11 4 5 12 19 26 33 40 48 41 34 27 20 13 6 7 14 21 28 35 42 49 56 57 50 43 36 29 22 15 23 30 37
44 51 58 59 52 45 38 31 39 46 53 60 61 54 47 55 62 63
"""
PLACES = [int(place) for place in ZIGZAG.split()]


def coefficients_of(data):
    """For each component the blocks [rows, columns, 8, 8] that have a pixel of the picture, and its quantisation table."""
    codes, tables = {}, {}
    position = 2
    while True:
        marker, length = data[position + 1], struct.unpack_from(">H", data, position + 2)[0]
        body = data[position + 4 : position + 2 + length]
        position += 2 + length
        if marker == 0xDB:
            for at in range(0, len(body), 65):
                table = np.zeros(64, int)
                table[PLACES] = list(body[at + 1 : at + 65])
                tables[body[at]] = table.reshape(8, 8)
        elif marker == 0xC4:
            while body:
                codes[body[0]] = _code(body[1:17], body[17:])
                body = body[17 + sum(body[1:17]) :]
        elif marker in (0xC0, 0xC1):
            height, width = struct.unpack_from(">HH", body, 1)
            components = [(body[at], body[at + 1] >> 4, body[at + 1] & 15, body[at + 2]) for at in range(6, len(body), 3)]
        elif marker == 0xDA:
            names = {body[1 + 2 * at]: body[2 + 2 * at] for at in range(body[0])}
            break
    bits = "".join(f"{byte:08b}" for byte in data[position:-2].replace(b"\xff\0", b"\xff"))
    across, down = max(one[1] for one in components), max(one[2] for one in components)
    columns, rows = -(-width // (8 * across)), -(-height // (8 * down))
    found = [np.zeros((rows * v, columns * h, 64), int) for _, h, v, _ in components]
    last, at = [0] * len(components), 0
    for mcu in range(rows * columns):
        for number, (name, h, v, _) in enumerate(components):
            for block in range(h * v):
                row, column = mcu // columns * v + block // h, mcu % columns * h + block % h
                values, at = _block(bits, at, codes[names[name] >> 4], codes[16 + (names[name] & 15)])
                last[number] += values[0]
                values[0] = last[number]
                found[number][row, column, PLACES] = values
    sizes = [(-(-height * v // down), -(-width * h // across)) for _, h, v, _ in components]
    cut = [one[: -(-y // 8), : -(-x // 8)] for one, (y, x) in zip(found, sizes, strict=True)]
    squares = [one.reshape(*one.shape[:2], 8, 8) for one in cut]
    return [(blocks, tables[component[3]]) for blocks, component in zip(squares, components, strict=True)]


def _code(counts, symbols):
    code, at, found = 0, 0, {}
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            found[f"{code:0{length}b}"] = symbols[at]
            code, at = code + 1, at + 1
        code <<= 1
    return found


def _symbol(bits, at, code):
    for length in range(1, 17):
        if (symbol := code.get(bits[at : at + length])) is not None:
            return symbol, at + length
    raise AssertionError("no code")


def _value(bits, at, size):
    if not size:
        return 0, at
    number = int(bits[at : at + size], 2)
    return (number if bits[at] == "1" else number - (1 << size) + 1), at + size


def _block(bits, at, dc, ac):
    values = [0] * 64
    size, at = _symbol(bits, at, dc)
    values[0], at = _value(bits, at, size)
    place = 1
    while place < 64:
        symbol, at = _symbol(bits, at, ac)
        if symbol == 0:
            break
        place += symbol >> 4
        values[place], at = _value(bits, at, symbol & 15)
        place += 1
    return values, at
