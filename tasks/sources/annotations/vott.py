"""VoTT: its JSON export, whose `assets` have regions with tags, and the JSON of each asset."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from imagerecords.tasks.sources.annotations.geometry import from_size, no_of, numbers_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path


def is_vott(content: Any) -> bool:
    """Whether JSON is VoTT's: an export, or one asset."""
    return bool(_assets(content))


def _assets(content: Any) -> list[Mapping[str, Any]]:
    assets = content.get("assets") if isinstance(content, dict) else None
    found = list(assets.values()) if isinstance(assets, dict) else [content]
    return (
        found
        if all(isinstance(each, dict) and isinstance(each.get("asset"), dict) and "regions" in each for each in found)
        else []
    )


def read_vott(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files; an asset may stand in the export and in a file of its own."""
    seen: set[str] = set()
    for path in sorted(source.chosen, key=lambda path: path.endswith("-asset.json")):
        content = source.json(path)
        if not is_vott(content):
            source.refuse(source.place(path), "a VoTT file must have assets with regions")
            continue
        for each in _assets(content):
            asset = each["asset"]
            name = str(asset.get("name") or "")
            key = str(asset.get("id") or name)
            if key in seen:
                continue
            seen.add(key)
            place = source.place(path, f"asset {name}")
            size = asset.get("size") if isinstance(asset.get("size"), dict) else {}
            home = folder_of(path)
            yield AnnotatedImage(
                path=name,
                place=place,
                split=split_of_path(path),
                boxes=tuple(_boxes(source, each["regions"], place)),
                size=numbers_of((size.get("width"), size.get("height")), 2) or (0, 0),  # type: ignore[arg-type]
                folders=tuple(dict.fromkeys([home, folder_of(home), join(home, "images")])),
                other=unquote(str(asset.get("path") or "").removeprefix("file:")) or None,
            )


def _boxes(source: Source, regions: Any, place: str) -> Iterator[Box]:
    """A box for each tag of a region, as VoTT's own Pascal VOC has it."""
    for number, region in enumerate(regions, start=1):
        where = f"{place}, region {number}"
        if region.get("type") in ("POINT", "POLYLINE"):
            source.leave_object(str(region["type"]).lower())
            continue
        try:
            corners = from_size(*(no_of(region["boundingBox"][name]) for name in ("left", "top", "width", "height")))
        except (KeyError, TypeError, ValueError):
            source.drop_box(where, "a region must have a boundingBox of left, top, width and height")
            continue
        source.remarks["polygon, read as the upright box around it"] += region.get("type") == "POLYGON"
        yield from (
            Box(corners, str(tag), where) for tag in region.get("tags") or (None,) if tag is not None or not region.get("tags")
        )
