"""Which of several annotations of an image counts, by the setting `annotators`.

A decision that binds users' data. `agree`, the default: all who answered must give one answer. A data set has one class per
image and takes it for true, and which of two is right only its people can say; where they differ it is an error. `majority`:
the answer of most people, each with their latest; a tie is an error. `latest`: the answer that was changed last.
`ground_truth`: the one that is marked so; where none is marked, all must agree. Boxes are always those of one annotation: the
latest of those with the answer that counts (of the marked ones with `ground_truth`).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from imagerecords.schemas.label_studio_settings import Annotators
from imagerecords.schemas.unicode_names import composed
from imagerecords.tasks.sources.label_studio_tasks import Annotation

Answer = tuple[str, ...]  # the choices of one annotation, sorted


@dataclass(frozen=True)
class Answered:
    """An annotation and its answer, which is empty where it has none."""

    annotation: Annotation
    answer: Answer


@dataclass(frozen=True)
class Decision:
    """The annotation that counts, or what is wrong; `split` has the answers and their numbers where annotators differ."""

    chosen: Answered | None
    split: str = ""
    problem: str = ""


def decide(answers: Sequence[Answered], policy: Annotators) -> Decision:
    """Which annotation of an image counts; annotations without an answer don't where others have one."""
    given = [each for each in answers if each.answer] or list(answers)
    if policy == "ground_truth":
        given = [each for each in given if each.annotation.is_ground_truth] or given
    votes = Counter(_key(each.answer) for each in given)
    if len(votes) == 1:
        return Decision(_latest(given))
    split = _words(given)
    if policy == "latest":
        return Decision(_latest(given), split)
    if policy == "majority":
        most = _most_voted(given)
        if len(most) == 1:
            return Decision(_latest([each for each in given if _key(each.answer) in most]), split)
        remedy = "Pass --annotators latest or ground_truth, or have one more annotate it"
        return Decision(None, split, f"most annotators must agree on an image's label, got {split}. {remedy}")
    remedy = "Pass --annotators majority, latest or ground_truth, or correct the annotations"
    return Decision(None, split, f"annotators must agree on an image's label, got {split}. {remedy}")


def _key(answer: Answer) -> Answer:
    return tuple(sorted(map(composed, answer)))


def _latest(given: Sequence[Answered]) -> Answered:
    return max(given, key=lambda each: each.annotation.at)


def _most_voted(given: Sequence[Answered]) -> list[Answer]:
    """The answers that most people gave, each with their latest; an annotation of nobody in particular is one's own."""
    people: defaultdict[object, list[Answered]] = defaultdict(list)
    for number, each in enumerate(given):
        people[number if each.annotation.by is None else each.annotation.by].append(each)
    votes = Counter(_key(_latest(of_one).answer) for of_one in people.values())
    return [answer for answer, count in votes.items() if count == max(votes.values())]


def _words(given: Sequence[Answered]) -> str:
    """The answers and how many gave each: `'cat' (2), 'dog' (1)`."""
    votes = Counter(" and ".join(map(repr, _key(each.answer))) for each in given)
    return ", ".join(f"{answer} ({count})" for answer, count in sorted(votes.items()))
