"""Reads Label Studio's exports (JSON, JSON-MIN, CSV, TSV) and tables of their kind: an image's label, and its regions as boxes.

What was not submitted is never read: predictions, drafts, and annotations that were skipped. All exports of a project give the
same images, labels and boxes. Regions are of the image as the browser shows it, upright whatever its EXIF orientation says.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.label_export import LabelledPath
from imagerecords.schemas.label_studio_settings import LabelStudioSettings
from imagerecords.schemas.labels import name_problems
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.label_studio_annotators import Answered, Decision, decide
from imagerecords.tasks.sources.label_studio_columns import (
    EVERY_REGION,
    IMAGE_NAMES,
    class_answer,
    class_control,
    image_columns,
    image_of,
    other_images,
)
from imagerecords.tasks.sources.label_studio_paths import seems_other
from imagerecords.tasks.sources.label_studio_shapes import ShapeCounts, boxes_of, is_region
from imagerecords.tasks.sources.label_studio_tasks import Annotation, Task, Tasks, read_tasks

UNLABELLED, SKIPPED, PREDICTED, OTHER = "not labelled", "skipped by annotators", "with predictions only", "of no image"
ONE_LABEL = "an image must have one label"
DEFAULT = LabelStudioSettings()


@dataclass
class Export:
    """What an export has: labelled images, what is wrong with tasks by their number, how many were skipped, what to report."""

    file: str
    unit: str
    images: list[LabelledPath] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    has_boxes: bool = False

    def place(self, number: int) -> str:
        """Where a task stands, for people; 0 is the whole file."""
        return f"{self.file}, {self.unit} {number}" if number else self.file

    def problems(self) -> list[str]:
        """What is wrong, in the order of the file, with its place."""
        return [f"{problem}: {self.place(number)}" for number, problem in sorted(self.bad)]


def read_export(
    text: str, file: str, reading: LabelStudioSettings = DEFAULT, *, by_objects: bool = False, several: bool = False
) -> Export:
    """The labelled images of an export; with `by_objects` the class of an image's objects is its label.

    With `several` an image may have several labels.

    Raises ValueError or BadLayout when it is none or is unclear.
    """
    found = read_tasks(text, file)
    if reading.annotators == "ground_truth" and not found.is_whole:
        problem = "annotators ground_truth must go with a JSON export, which says which annotation is marked, got another"
        raise BadLayout(f"{problem}: {file}. Export as JSON")
    export = Export(file, found.unit, bad=list(found.bad))
    if not found.tasks:
        return export
    columns, notes = image_columns(found, reading.label_studio_image)
    export.notes += notes
    control, instead = (EVERY_REGION, "") if by_objects else class_control(found, columns, reading.label_studio_class)
    _Reader(found, export, reading, columns, control, other_images(found, columns), several=several).read()
    if control is None and any(problem.startswith(ONE_LABEL) for _, problem in export.bad):
        remedy = "Pass --label_studio_class with one whose objects' names are the class"
        export.bad.append((0, f"an export must have a choice for the whole image, got {instead}. {remedy}"))
    return export


@dataclass
class _Reader:
    """The reading of an export's tasks, once its columns and controls are known."""

    found: Tasks
    export: Export
    reading: LabelStudioSettings
    columns: Sequence[str]
    control: str | None
    elsewhere: set[str]
    several: bool = False
    counts: ShapeCounts = field(default_factory=ShapeCounts)
    disputed: list[str] = field(default_factory=list)
    drawn_by_several: list[str] = field(default_factory=list)
    without_answer: int = 0
    unmarked: int = 0

    def read(self) -> None:
        """Add each task's images to the export, and what is to be reported of all."""
        for task in self.found.tasks:
            try:
                for item in self._images(task):
                    if isinstance(item, str):
                        self.export.bad.append((task.number, item))
                    else:
                        self.export.images.append(item)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
                problem = f"a task must be as Label Studio exports it, got {plain_words(error)}"
                self.export.bad.append((task.number, problem))
        self.export.notes += self._notes()

    def _images(self, task: Task) -> Iterator[LabelledPath | str]:
        """Each image of a task with its label, or what is wrong with it; tasks that nobody labelled are counted."""
        images = image_of(task, self.columns)
        if not any(self._own(annotation, None) for annotation in task.annotations):
            self.export.skipped[SKIPPED if task.is_skipped else PREDICTED if task.is_predicted else UNLABELLED] += 1
            return
        if not images:
            if any(isinstance(value, str) and seems_other(value) for value in task.data.values()):
                self.export.skipped[OTHER] += 1
            else:
                named = self.columns if self.reading.label_studio_image else IMAGE_NAMES
                yield f"a row must name its image in one of {', '.join(named)}, got none"
            return
        for page, image in enumerate(images):
            yield from self._image(task, image, page if len(images) > 1 else None)

    def _image(self, task: Task, image: str, page: int | None) -> Iterator[LabelledPath | str]:
        of_page = "" if page is None else f" of page {page + 1}"
        whole = self.found.is_whole
        answers = [
            Answered(annotation, class_answer(annotation, self.control, whole=whole, page=page))
            for annotation in task.annotations
            if self._own(annotation, page)
        ]
        if page is not None and not any(each.answer for each in answers) and self._has_answer(task):
            yield f"{ONE_LABEL}, got one for all pages of a task{of_page}. Make the choice perItem, and export as JSON"
            return
        if not answers:
            self.export.skipped[UNLABELLED] += 1
            return
        decision = decide(answers, self.reading.annotators)
        self._count(task, answers, decision)
        if decision.chosen is None:
            yield decision.problem + of_page
            return
        labels = decision.chosen.answer
        if len(labels) != 1 and not (labels and self.several):
            remedy = ". Pass --labels many to write all of them" if labels else ""
            yield f"{ONE_LABEL}, got {list(labels) or 'none'}{of_page}{remedy}"
        elif problems := [problem for label in labels for problem in name_problems(label)]:
            yield problems[0]
        elif image.startswith("data:"):
            yield "an image must be a file, got its data in the export"
        else:
            results = [result for result in decision.chosen.annotation.results if result.of not in self.elsewhere]
            results = [result for result in results if page is None or result.page == page]
            boxes = boxes_of(results, self.counts)
            yield LabelledPath(image, labels[0], self.export.place(task.number), boxes, task.number, labels[1:])

    def _has_answer(self, task: Task) -> bool:
        whole = self.found.is_whole
        return any(class_answer(annotation, self.control, whole=whole, page=None) for annotation in task.annotations)

    def _own(self, annotation: Annotation, page: int | None) -> bool:
        """Whether an annotation gives an image a class, or has a region on it."""
        if class_answer(annotation, self.control, whole=self.found.is_whole, page=page):
            return True
        return any(is_region(result) and (page is None or result.page == page) for result in annotation.results)

    def _count(self, task: Task, answers: Sequence[Answered], decision: Decision) -> None:
        """Count what is to be reported of an image that several annotated."""
        if len(answers) < 2:
            return
        if decision.split and decision.chosen:
            self.disputed.append(f"{self.export.unit} {task.number}: {decision.split}")
        self.without_answer += any(each.answer for each in answers) * sum(not each.answer for each in answers)
        drawn = {boxes_of(each.annotation.results, ShapeCounts()) for each in answers}
        if len(drawn) > 1:
            self.drawn_by_several.append(f"{self.export.unit} {task.number}")
        marked = any(each.annotation.is_ground_truth for each in answers)
        self.unmarked += self.reading.annotators == "ground_truth" and not marked

    def _notes(self) -> Iterator[str]:
        file, policy = self.found.file, self.reading.annotators
        if self.disputed:
            images = plural(len(self.disputed), "image")
            yield f"{file}: annotators disagree on {images}, decided by {policy}: {some(self.disputed, between='; ')}"
        if self.unmarked:
            yield f"{file}: no ground truth among several annotations of {plural(self.unmarked, 'image')}, which agree"
        if self.without_answer:
            yield f"{file}: {plural(self.without_answer, 'annotation')} without a choice beside others of the same image"
        if self.drawn_by_several:
            images = f"{plural(len(self.drawn_by_several), 'image')} ({some(self.drawn_by_several)})"
            yield f"{file}: regions of {images} differ between annotators: those of the annotation that counts are taken"
        if around := self.counts.around:
            shapes = ", ".join(plural(count, shape) for shape, count in sorted(around.items()))
            yield f"{file}: {shapes}: the upright box round each is taken"
        if self.counts.of_several_names:
            yield f"{file}: {plural(self.counts.of_several_names, 'region')} with several names: the first is taken"
        if unread := self.counts.unread:
            yield f"{file}: not read: {', '.join(plural(count, shape) for shape, count in sorted(unread.items()))}"
        if self.elsewhere:
            yield f"{file}: regions on other images not read: {some(sorted(self.elsewhere))}"
