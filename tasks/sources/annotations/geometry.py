"""Numbers and boxes as annotations have them: the upright box around points, around a rotated rectangle, of a size."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

Corners = tuple[float, float, float, float]
IS_CROWD = ("1", "1.0", "True", "true")  # COCO's iscrowd, as tools write it


def around(points: Iterable[Sequence[float]]) -> Corners:
    """The upright box around points; raises ValueError where there is none."""
    xs, ys = zip(*((float(x), float(y)) for x, y, *_ in points), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def rotated(corners: Corners, degrees: float) -> Corners:
    """The upright box around a rectangle that is rotated clockwise about its centre."""
    if not degrees % 360:
        return corners
    xmin, ymin, xmax, ymax = corners
    x, y, across, down = (xmin + xmax) / 2, (ymin + ymax) / 2, (xmax - xmin) / 2, (ymax - ymin) / 2
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    half_x, half_y = across * cosine + down * sine, across * sine + down * cosine
    return x - half_x, y - half_y, x + half_x, y + half_y


def from_size(x: float, y: float, width: float, height: float) -> Corners:
    """Corners of an upper left corner with a width and a height."""
    return x, y, x + width, y + height


def numbers_of(values: Any, count: int) -> tuple[float, ...] | None:
    """So many finite numbers, which some tools write as texts; None where a value is anything else."""
    if not isinstance(values, list | tuple) or len(values) != count or bool in map(type, values):
        return None
    try:
        numbers = tuple(map(float, values))
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def are_numbers(values: Any) -> bool:
    """Whether a value is a list of finite numbers."""
    return isinstance(values, list | tuple) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values
    )


def no_of(value: Any) -> float:
    """A number, or the number that a text is; raises ValueError for all else and for what is not finite."""
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError(f"{str(value)[:20]}… is no number") from error
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no number")
    return number
