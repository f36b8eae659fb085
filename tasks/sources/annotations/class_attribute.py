"""Which of the attributes or questions of a labelling tool has the class: the only one, or the one of a usual name."""

from collections import Counter
from collections.abc import Sequence

from imagerecords.tasks.sources.annotations.model import Source

CLASS_NAMES = ("class", "label", "category", "type", "name", "object", "classname", "class_name")


def class_attribute(source: Source, path: str, counts: Counter[str], wanted: Sequence[str] = ()) -> str | None:
    """The attribute that has the class; `counts` are its values' numbers by name, `wanted` the only names that count."""
    usual = [name for known in CLASS_NAMES for name in counts if name.strip().lower() == known]
    if wanted:
        chosen = next((name for name in usual if name.strip().lower() in wanted), None)
    else:
        chosen = next(iter(counts)) if len(counts) == 1 else next(iter(usual), None)
        if counts and chosen is None:
            source.refuse(
                source.place(path),
                f"an attribute must be named class or label, got {', '.join(sorted(counts))}. Rename the one of the classes",
            )
    for name, count in counts.items():
        source.unread[f"attribute {name}"] += 0 if name == chosen else count
    return chosen
