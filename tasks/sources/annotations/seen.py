"""What lies in a folder or file that is of no known format, for an error."""

from collections import Counter

from imagerecords.schemas.messages import NAMED, some
from imagerecords.tasks.sources.annotations.label_tables import columns_in, image_column
from imagerecords.tasks.sources.annotations.model import Source
from imagerecords.tasks.sources.annotations.tables import columns_of
from imagerecords.tasks.sources.annotations.unread import unread_json
from imagerecords.tasks.sources.annotations.xml import parse_xml
from imagerecords.tasks.sources.file_names import ending_of

HOLDING = (
    ".json",
    ".xml",
    ".csv",
    ".tsv",
    ".jsonl",
    ".ndjson",
    ".manifest",
    ".yaml",
    ".yml",
)  # rarely of anything but annotations
LOOKED_INTO = 8  # files of no known format


def known_json(source: Source, paths: list[str]) -> str | None:
    """What the first JSON of no known format is that is somebody's."""
    for path in [path for path in paths if ending_of(path) in (".json", ".jsonl", ".ndjson")][:LOOKED_INTO]:
        try:
            lines = ending_of(path) != ".json"
            content = source.parsed(path, source.head(path).partition("\n")[0]) if lines else source.json(path)
        except ValueError:
            continue
        if what := unread_json(content):
            return what
    return None


def what_is_there(source: Source, target: str) -> str:
    """What lies there, for an error."""
    paths = [path for path in source.own if path.startswith(target)]
    endings = Counter(ending_of(path) or "without ending" for path in paths)
    counts = some([f"{count:,} {ending}" for ending, count in endings.most_common()], 5)
    others = [path for path in paths if ending_of(path) in HOLDING]
    shown = [f"{path} ({what})" if (what := content_of(source, path)) else path for path in others[:NAMED]]
    return (counts or "no files") + (f", among them {some(shown)}" if shown else "")


def content_of(source: Source, path: str) -> str:
    """What is wrong with a file, a table's columns, or the keys of JSON; empty where nothing is to be said."""
    if problem := problem_of(source, path):
        return problem
    try:
        content = source.json(path) if ending_of(path) == ".json" else None
        if ending_of(path) in (".jsonl", ".ndjson"):
            content = source.parsed(path, source.head(path).partition("\n")[0])
    except ValueError:
        return ""
    item = content[0] if isinstance(content, list) and content else content
    of = "a list of objects with keys" if isinstance(content, list) else "keys"
    return f"{of} {some(list(item), 6)}" if isinstance(item, dict) else ""


def problem_of(source: Source, path: str) -> str:
    """Why a file can't be read as JSON or XML, or a table's columns; empty where nothing is to be said."""
    try:
        if ending_of(path) == ".json":
            source.json(path)
        elif ending_of(path) == ".xml":
            parse_xml(source.folder.read(path))
        elif ending_of(path) in (".csv", ".tsv"):
            head = source.head(path)
            image = image_column(source, head)
            which = f"; the images are in {image}" if image and not columns_in(source, head) else ""
            return f"columns {some(columns_of(head), 6)}{which}"
    except ValueError as error:
        return str(error).partition(": /")[0].removesuffix(f": {source.place(path)}")
    return ""
