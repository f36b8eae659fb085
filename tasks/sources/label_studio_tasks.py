"""Tasks of Label Studio's exports, one form for all of them: JSON, JSON-MIN, CSV and TSV.

JSON has a task's data and each annotation's results apart. The other three have one row per annotation, in which the data's
columns and the controls' stand side by side. JSON-MIN writes the data before `id`, and the controls between `id` and
`annotator`: this order says which is which. CSV sorts its columns, and calls a data column with a control's name `_data_NAME`.
What the row of a task without annotations has in it is data in every form.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.plain_words import kind_of, of_kind, plain_words
from imagerecords.tasks.sources.label_studio_paths import seems_image, seems_other

META = frozenset(
    ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "history", "completed_by")
)
MADE_BY_LABEL_STUDIO = frozenset(("annotator", "annotation_id", "lead_time"))
DATA_PREFIX = "_data_"
PLAIN = "plain"  # a text in a row, which may be a choice, a typed text or data
LARGEST_CELL = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Result:
    """One answer or region: its control, kind (Label Studio's type), value, page, Image tag (`of`), and the image's sides."""

    control: str
    kind: str
    value: Mapping[str, Any]
    page: int | None = None
    of: str | None = None
    source: str | None = None
    region: str | None = None
    width: Any = None
    height: Any = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator submitted; `at` orders annotations by their last change."""

    results: tuple[Result, ...]
    by: str | None = None
    at: tuple[float, int] = (0.0, 0)
    is_ground_truth: bool = False


@dataclass(slots=True)
class Task:
    """A task with the annotations that were not skipped; `number` is its first row's."""

    number: int
    data: Mapping[str, Any]
    annotations: list[Annotation] = field(default_factory=list)
    is_skipped: bool = False
    is_predicted: bool = False


@dataclass
class Tasks:
    """The tasks of an export, and what is wrong with others; `unit` is what the file counts.

    `columns` are a row's that may be a control: none in JSON, which names controls. With `is_own` people wrote the rows.
    """

    file: str
    unit: str = "task"
    tasks: list[Task] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    is_whole: bool = False
    is_own: bool = False

    def place(self, number: int) -> str:
        """Where a task stands, for people; 0 is the whole file."""
        return f"{self.file}, {self.unit} {number}" if number else self.file


def read_tasks(text: str, file: str) -> Tasks:
    """The tasks of an export; raises ValueError or BadLayout when it is none."""
    ending = file.rpartition(".")[2].lower()
    if ending in ("csv", "tsv"):
        found = Tasks(file, "line")
        _read_rows(found, _table_rows(found, text), in_order=False)
        return found
    content = parse_json(text)
    if isinstance(content, dict) and isinstance(content.get("data"), dict):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(task, dict) for task in content):
        raise BadLayout(f"a Label Studio export must be a list of tasks, got {_named(content)}: {file}. Export it as JSON")
    found = Tasks(file)
    if any("annotations" in task or "completions" in task for task in content):
        found.is_whole = True
        for number, task in enumerate(content, 1):
            _read_task(found, number, task)
    else:
        _read_rows(found, list(enumerate(content, 1)), in_order=True)
    return found


def _named(content: Any) -> str:
    if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
        return "COCO"
    return kind_of(type(content).__name__)


def _read_task(found: Tasks, number: int, row: Mapping[str, Any]) -> None:
    """Add a task of a JSON export."""
    try:
        data = row.get("data", {name: row[name] for name in row.keys() - {"annotations"}})
        task = Task(number, dict(of_kind(data, dict, "data")))
        name = "annotations" if "annotations" in row else "completions"
        for index, annotation in enumerate(of_kind(row.get(name, []), list, name)):
            place = f"{name}[{index}]"
            if of_kind(annotation, dict, place).get("was_cancelled") or annotation.get("skipped"):
                task.is_skipped = True
                continue
            given = of_kind(annotation.get("result") or [], list, f"{place}.result")
            results = tuple(_result(result, f"{place}.result[{at}]") for at, result in enumerate(given))
            is_ground_truth = bool(annotation.get("ground_truth") or annotation.get("honeypot"))
            who = _who(annotation.get("completed_by"))
            task.annotations.append(Annotation(results, who, _time(annotation, annotation.get("id")), is_ground_truth))
        task.is_predicted = bool(row.get("predictions"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        found.bad.append((number, f"a task must be as Label Studio exports it, got {plain_words(error)}"))
    else:
        found.tasks.append(task)


def _result(result: Any, place: str) -> Result:
    kind = str(of_kind(result, dict, place)["type"])
    if kind == "relation":
        return Result("", kind, {})
    value, source = of_kind(result["value"], dict, f"{place}.value"), result.get("source")
    return Result(
        control=str(result.get("from_name") or kind),
        kind=kind,
        value=value,
        page=result.get("item_index", value.get("item_index")),
        of=_text(result.get("to_name")),
        source=source.removeprefix("$") if isinstance(source, str) else None,
        region=_text(result.get("id")),
        width=result.get("original_width"),
        height=result.get("original_height"),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _who(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("email") or value.get("id")
    return None if value in (None, "") else str(value)


def _time(row: Mapping[str, Any], number: Any) -> tuple[float, int]:
    """When an annotation was last changed, and its id, which grows."""
    try:
        at = datetime.fromisoformat(str(row.get("updated_at") or row.get("created_at"))).timestamp()
    except ValueError:
        at = 0.0
    return at, int(number) if str(number).isdecimal() else 0


def _table_rows(found: Tasks, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    """The rows of CSV or TSV with their numbers, without empty values."""
    csv.field_size_limit(LARGEST_CELL)
    head = text.partition("\n")[0]
    delimiter = max(",\t;", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = next(reader, [])
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ValueError(f"columns named twice: {some(twice)}")
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for number, values in enumerate(reader, 2):
        if not any(values):
            continue
        if len(values) != len(names):
            found.bad.append((number, f"a row must have {plural(len(names), 'column')}, got {len(values)}"))
            continue
        cells = zip(names, values, strict=True)
        rows.append((number, {name: _cell(value) for name, value in cells if value or name in META}))
    return rows


def _cell(text: str) -> Any:
    """A value of a table: JSON where it is a list or an object, as Label Studio writes several answers and regions."""
    if text[:1] in ("[", "{"):
        try:
            return parse_json(text)
        except ValueError:
            return text
    return text


def _read_rows(found: Tasks, rows: Sequence[tuple[int, Mapping[str, Any]]], *, in_order: bool) -> None:
    """Add the tasks of rows: an annotation each, those of a task together."""
    found.is_own = not any(row.keys() & MADE_BY_LABEL_STUDIO for _, row in rows)
    controls = _between(row for _, row in rows) if in_order and not found.is_own else set()
    certain = set() if found.is_own else {name for _, row in rows if _has_no_annotation(row) for name in row if row[name]}
    tasks: dict[Any, Task] = {}
    for number, row in rows:
        named = {name: value for name, value in row.items() if name not in META and not name.startswith(DATA_PREFIX)}
        hidden = {name.removeprefix(DATA_PREFIX): value for name, value in row.items() if name.startswith(DATA_PREFIX)}
        data = {name: value for name, value in named.items() if name not in controls} | hidden
        answers = {name: named[name] for name in named if name not in certain and (not controls or name in controls)}
        try:
            if found.is_own:  # people's labels may be numbers
                answers = {name: str(value) if _is_whole(value) else value for name, value in answers.items()}
            results = tuple(result for name, value in answers.items() for result in _results_of(name, value))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            found.bad.append((number, f"a row must be as Label Studio exports it, got {plain_words(error)}"))
            continue
        key = _task_of(row) if row.get("id") and not found.is_own else number
        task = tasks.setdefault(key, Task(number, data))
        if found.is_own or not _has_no_annotation(row):
            who = _who(row.get("annotator", row.get("completed_by")))
            task.annotations.append(Annotation(results, who, _time(row, row.get("annotation_id"))))
    found.tasks += tasks.values()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _has_no_annotation(row: Mapping[str, Any]) -> bool:
    """Whether a row is a task's without any annotation."""
    stated = [row[name] for name in ("annotation_id", "updated_at") if name in row]
    return bool(stated) and all(value in (None, "", "None") for value in stated)


def _task_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What rows of one task share: its id, and the files that it names, since tables of several projects may be joined."""
    files = sorted(value for value in row.values() if isinstance(value, str) and (seems_image(value) or seems_other(value)))
    return (str(row["id"]), *files)


def _between(rows: Iterator[Mapping[str, Any]]) -> set[str]:
    """The controls of JSON-MIN: what stands between `id` and `annotator` in some row, and before `id` in none."""
    between: set[str] = set()
    before: set[str] = set()
    for row in rows:
        names = list(row)
        if "id" in row and "annotator" in row:
            start, end = names.index("id"), names.index("annotator")
            between.update(names[start + 1 : end])
            before.update(names[:start])
    return between - before


def _results_of(name: str, value: Any) -> Iterator[Result]:
    """What a column of a row may say as a control, in the forms of Label Studio's converter."""
    if isinstance(value, str):
        yield Result(name, PLAIN, {"choices": [value]})
    elif isinstance(value, Mapping):
        yield _from_row(name, value)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping):
                yield _from_row(name, item)
            elif isinstance(item, str):  # several answers of one control: each is of a region or a page
                yield Result(name, "choices", {"choices": [item]}, region=name)


KINDS = (
    *("choices", "taxonomy", "rating", "number", "datetime", "text", "ranker", "pairwise"),
    *("rectanglelabels", "ellipselabels", "polygonlabels", "keypointlabels", "brushlabels", "vectorlabels", "bitmasklabels"),
    *("labels", "hypertextlabels", "timeserieslabels", "paragraphlabels", "videorectangle", "timelinelabels", "cuboidlabels"),
)


def _from_row(name: str, value: Mapping[str, Any]) -> Result:
    kind = next((kind for kind in KINDS if kind in value), "other")
    if kind == "other" and "x" in value:
        kind = "ellipse" if "radiusX" in value else "rectangle" if "height" in value else "keypoint"
    elif kind == "other" and "points" in value:
        kind = "polygon"
    elif kind == "other" and "rle" in value:
        kind = "brush"
    sides = (value.get("original_width"), value.get("original_height"))
    return Result(name, kind, value, page=value.get("item_index"), width=sides[0], height=sides[1])


def by_control(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results by their control, in the order of controls' names: that which the exports have differs."""
    grouped: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        grouped[result.control].append(result)
    return dict(sorted(grouped.items()))
