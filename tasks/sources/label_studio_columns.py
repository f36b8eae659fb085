"""Which column of an export has the images, and which control the class: found by what their values are, or named by settings.

A column of images has names of image files in it; a class is a choice for the whole image. Where several could be meant it is
an error that lists them; a task's own data is never taken for an annotator's answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.label_studio_paths import seems_image, seems_other
from imagerecords.tasks.sources.label_studio_shapes import is_region, regions_of
from imagerecords.tasks.sources.label_studio_tasks import PLAIN, Annotation, Result, Task, Tasks

IMAGE_NAMES = ("image", "path", "file")  # columns that are taken for images whatever their values are
LABEL_NAMES = ("choice", "label")  # columns of people's own tables that are taken for labels
CHOICES = ("choices", "taxonomy")
EVERY_REGION = "\0"  # in place of a control: the names of all regions are the class
RULE = "a Label Studio export must have"
LISTED = 8  # columns that an error lists


def image_texts(value: Any) -> list[str]:
    """The texts of a value that may name an image, or the images of a task with several pages."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text]


def image_columns(found: Tasks, setting: str | None) -> tuple[list[str], list[str]]:
    """The columns in which tasks have their image, one per task, and what to report; raises BadLayout where it is unclear."""
    names = list(dict.fromkeys(name for task in found.tasks for name in task.data))
    if setting:
        if setting not in names:
            raise BadLayout(
                f"label_studio_image must be a column of the export, got {setting!r}: {found.file}. There are {_listed(names)}"
            )
        return [setting], []
    sources = {result.source for result in _all_results(found.tasks)}.intersection(names)
    filled = {
        name: {task.number for task in found.tasks if any(map(seems_image, image_texts(task.data.get(name))))} for name in names
    }
    likely = [name for name in names if filled[name] and (not sources or name in sources)]
    if len(likely) > 1 and sum(len(filled[name]) for name in likely) > len(set().union(*(filled[name] for name in likely))):
        if "image" not in likely:
            raise BadLayout(
                f"{RULE} one column with images, got {_listed(likely)}: {found.file}. Name one with --label_studio_image"
            )
        others = [name for name in likely if name != "image"]
        return ["image"], [f"{found.file}: images taken from column 'image', not from {_listed(others)} (--label_studio_image)"]
    if likely:
        return [*likely, *(name for name in IMAGE_NAMES if name in names and name not in likely)], []
    urls = [name for name in names if any("://" in text for task in found.tasks for text in image_texts(task.data.get(name)))]
    if usual := [name for name in IMAGE_NAMES if name in names] or (urls if len(urls) == 1 else []):
        return usual, []
    raise BadLayout(f"{RULE} a column with images, got {_listed(names)}: {found.file}. Name it with --label_studio_image")


def class_control(found: Tasks, images: Sequence[str], setting: str | None) -> tuple[str | None, str]:
    """The control whose answer is the class, or None and what there is; raises BadLayout where it is unclear."""
    counts: Counter[str] = Counter()
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    examples: defaultdict[str, dict[str, None]] = defaultdict(dict)
    of_region: set[str] = set()
    for task in found.tasks:
        for annotation in task.annotations:
            regions = regions_of(annotation.results)
            for result in annotation.results:
                if result.kind == "relation" or (not found.is_whole and _is_data(result, images)):
                    continue
                kinds[result.control][result.kind] += 1
                if _is_of_region(result, regions, whole=found.is_whole):
                    of_region.add(result.control)
                elif answer := _sound_answer(result):
                    counts[result.control] += 1
                    examples[result.control].update(dict.fromkeys(answer[:1]))
    if setting:
        if setting not in kinds:
            there = f"There are {_kinds_text(kinds)}"
            raise BadLayout(f"label_studio_class must be a control of the export, got {setting!r}: {found.file}. {there}")
        return setting, ""
    certain = [name for name in counts if any(kind in CHOICES for kind in kinds[name])]
    possible = certain
    if not found.is_whole:
        possible = [name for name in counts if name not in of_region and (name in certain or PLAIN in kinds[name])]
    if found.is_own and (usual := [name for name in LABEL_NAMES if name in possible]):
        possible = usual
    if len(possible) > 1:
        shown = "; ".join(f"{name} ({some(list(map(repr, examples[name])))})" for name in sorted(possible)[:LISTED])
        raise BadLayout(
            f"{RULE} one control that may be the class, got {shown}: {found.file}. Name one with --label_studio_class"
        )
    return (possible[0], "") if possible else (None, _kinds_text(kinds))


def _is_data(result: Result, images: Sequence[str]) -> bool:
    """Whether a column of a row is certainly of the task's data: its images, or texts that name files."""
    texts = result.value["choices"] if result.kind == PLAIN else []
    return result.control in images or any(seems_image(text) or seems_other(text) for text in texts)


def _is_of_region(result: Result, regions: set[str], *, whole: bool) -> bool:
    """Whether an answer is about a region, not about the image; rows say so by several answers of one control."""
    if is_region(result):
        return True
    return result.region in regions if whole else result.region is not None


def answer_of(result: Result) -> tuple[str, ...]:
    """The texts that a result answers with; those of nested choices and of taxonomies are paths."""
    value = result.value
    if result.kind in (*CHOICES, PLAIN, "text", "textarea"):
        texts = value[{PLAIN: "choices", "textarea": "text"}.get(result.kind, result.kind)]
        return tuple(_path(text) for text in ([texts] if isinstance(texts, str) else texts))
    if result.kind in ("rating", "number", "datetime"):
        return (str(value[result.kind]),)
    return ()


def _sound_answer(result: Result) -> tuple[str, ...]:
    """The same, but nothing of what is malformed; its task is reported when it is read."""
    try:
        return answer_of(result)
    except (KeyError, TypeError):
        return ()


def _path(choice: Any) -> str:
    return "/".join(map(str, choice)) if isinstance(choice, list) else str(choice)


def class_answer(annotation: Annotation, control: str | None, *, whole: bool, page: int | None) -> tuple[str, ...]:
    """The classes that an annotation gives an image, sorted: a control's answers, or the names of its regions."""
    regions = regions_of(annotation.results)
    answers: set[str] = set()
    for result in annotation.results:
        if control not in (result.control, EVERY_REGION) or (page is not None and result.page != page):
            continue
        if result.kind.endswith("labels"):
            answers.update(map(str, result.value.get(result.kind) or ()))
        elif control != EVERY_REGION and not _is_of_region(result, regions, whole=whole):
            answers.update(answer_of(result))
    return tuple(sorted(answers))


def image_of(task: Task, columns: Iterable[str]) -> list[str]:
    """The images of a task: one, or several where it has pages; none where no column has any."""
    for column in columns:
        if texts := image_texts(task.data.get(column)):
            return texts
    return []


def other_images(found: Tasks, columns: Sequence[str]) -> set[str]:
    """The Image tags of regions on other images of the tasks; raises BadLayout where it is unclear which those are."""
    tags: dict[str, str | None] = {}
    for result in _all_results(found.tasks):
        if result.of and is_region(result):
            tags.setdefault(result.of, result.source)
    if len(tags) < 2:
        return set()
    ours = {tag for tag, source in tags.items() if (source or tag) in columns}
    if not ours:
        raise BadLayout(
            f"{RULE} regions on one image, got {_listed(tags)}, none with the name of column {columns[0]!r}: {found.file}. "
            "Give each Image tag the name of its column, or pass --label_studio_image"
        )
    return tags.keys() - ours


def _all_results(tasks: Iterable[Task]) -> Iterable[Result]:
    return (result for task in tasks for annotation in task.annotations for result in annotation.results)


def _listed(names: Iterable[str]) -> str:
    return some([repr(name) for name in names], LISTED) or "no column at all"


def _kinds_text(kinds: Mapping[str, Counter[str]]) -> str:
    return some([f"{name} ({', '.join(sorted(kinds[name]))})" for name in sorted(kinds)], LISTED) or "no control at all"
