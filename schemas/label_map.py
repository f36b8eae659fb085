"""TensorFlow's label_map.pbtxt: names with ids from 1, as the Object Detection API and Model Garden write them."""

import re

from imagerecords.schemas.labels import name_problems

ENDINGS = (".pbtxt", ".pbtext")
COMMENT = re.compile(r"#[^\n]*")
ITEM = re.compile(r"item\s*:?\s*\{(?P<fields>(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^{}\"'])*)\}")
FIELD = re.compile(
    r"\b(?P<name>id|name|display_name)\s*:\s*"
    r"(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<number>-?\d+))"
)
ESCAPE = re.compile(r"\\(.)")


def read_label_map(text: str, file: str) -> tuple[dict[str, int], list[str]]:
    """The labels of a label map in the order of their ids, each with its id, and the errors.

    An item's name is its label; where that is a MID such as /m/01yrx, its display_name is.
    """
    items = list(ITEM.finditer(COMMENT.sub("", text)))
    if not items:
        return {}, [f"label map must have items, got none: {file}"]
    labels: dict[int, str] = {}
    errors: list[str] = []
    for number, item in enumerate(items, start=1):
        fields = {field["name"]: _value(field) for field in FIELD.finditer(item["fields"])}
        name, place = fields.get("name", ""), f"{file}, item {number}"
        name = fields.get("display_name", "") if not name or name.startswith("/") else name
        if not name or not fields.get("id", "").isdigit():
            errors.append(f"an item of a label map must have a name and an id, got {', '.join(fields) or 'neither'}: {place}")
        elif (label := int(fields["id"])) in labels or name in labels.values():
            errors.append(f"names and ids of a label map must differ, got {name!r} and {label} again: {place}. Remove one")
        else:
            labels[label] = name
            errors.extend(f"{problem}: {place}" for problem in name_problems(name))
    if not errors and sorted(labels) != list(range(1, len(labels) + 1)):
        gap = next(number for number, label in enumerate(sorted(labels), start=1) if number != label)
        errors.append(f"ids of a label map must be 1 to {len(labels)}, got none for {gap}: {file}. Number them without gaps")
    return {labels[label]: label for label in sorted(labels)}, errors


def _value(field: re.Match[str]) -> str:
    text = next(text for text in (field["double"], field["single"], field["number"]) if text is not None)
    return ESCAPE.sub(r"\1", text)
