"""The numbers in the files' names: each number below the N of `-of-N` must be there, with one N only."""

import itertools
from collections import defaultdict
from collections.abc import Iterable

from imagerecords.schemas.audit import AuditProblem
from imagerecords.schemas.messages import plural
from imagerecords.tasks.records.files import NUMBERED

LISTED = 100  # missing files that are named one by one


def numbering_problems(names: Iterable[str]) -> Iterable[AuditProblem]:
    """Missing numbers, numbers beyond N, and files of several N, all of which a trainer would read."""
    found: defaultdict[tuple[str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for match in filter(None, map(NUMBERED.fullmatch, names)):
        present = found[match["before"], match["after"]][match["count"]]
        if int(match["index"]) in present:
            yield AuditProblem(match[0], None, None, "has the number of another file, in other digits")
        present.add(int(match["index"]))
    for (before, after), counts in sorted(found.items()):
        if len(counts) > 1:
            kinds = ", ".join(f"{len(present)} of -of-{count}" for count, present in sorted(counts.items()))
            yield AuditProblem(f"{before}*-of-*{after}", None, None, f"mix shards of several data sets: {kinds}")
        for count, present in sorted(counts.items()):
            first = 1 if 0 not in present and int(count) in present else 0  # some count from 1
            expected = range(first, first + int(count))  # may be too long for len()
            for index in itertools.islice((index for index in expected if index not in present), LISTED):
                yield AuditProblem(f"{before}{index:0{len(count)}}-of-{count}{after}", None, None, "is missing")
            if (more := int(count) - sum(index in expected for index in present) - LISTED) > 0:
                yield AuditProblem(f"{before}*-of-{count}{after}", None, None, f"{plural(more, 'more file')} missing")
            for index in sorted(index for index in present if index not in expected):
                name = f"{before}{index:0{len(count)}}-of-{count}{after}"
                yield AuditProblem(name, None, None, f"is beyond the {plural(int(count), 'file')} of its name")
