"""The numbers in the files' names: each that `-of-N` promises is there, once, and of one N."""

import itertools
from collections import defaultdict
from collections.abc import Iterable

from imagerecords.schemas.audit import AuditProblem
from imagerecords.schemas.messages import plural
from imagerecords.tasks.records.files import NUMBERED

LISTED = 100  # missing files that are named one by one


def numbering_problems(names: Iterable[str]) -> Iterable[AuditProblem]:
    """Numbers that `-of-N` promises and no file has, and files of several N, of which a trainer would read all."""
    found: defaultdict[tuple[str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for match in filter(None, map(NUMBERED.fullmatch, names)):
        found[match["before"], match["after"]][match["count"]].add(int(match["index"]))
    for (before, after), counts in sorted(found.items()):
        if len(counts) > 1:
            kinds = ", ".join(f"{len(present)} of -of-{count}" for count, present in sorted(counts.items()))
            yield AuditProblem(
                f"{before}*-of-*{after}", None, None, f"are of several data sets, and would be read as one: {kinds}"
            )
        for count, present in sorted(counts.items()):
            first = 1 if 0 not in present and int(count) in present else 0  # some count from 1
            expected = range(first, first + int(count))
            for index in itertools.islice((index for index in expected if index not in present), LISTED):
                yield AuditProblem(f"{before}{index:0{len(count)}}-of-{count}{after}", None, None, "is missing")
            if (more := len(expected) - sum(index in expected for index in present) - LISTED) > 0:
                yield AuditProblem(f"{before}*-of-{count}{after}", None, None, f"{plural(more, 'more file')} missing")
            for index in sorted(index for index in present if index not in expected):
                name = f"{before}{index:0{len(count)}}-of-{count}{after}"
                yield AuditProblem(name, None, None, f"is beyond the {plural(int(count), 'file')} that its name tells of")
