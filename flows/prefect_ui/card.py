"""The data card as an artifact: its place, its main figures and some of its pictures, of bounded size."""

from html.parser import HTMLParser

from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import REPORT
from imagerecords.schemas.splits import EVERY_SPLIT
from imagerecords.schemas.summary import BuildSummary
from imagerecords.tasks.data_card.histograms import label_rows
from imagerecords.tasks.data_card.rows import read_rows
from imagerecords.tasks.storage.folders import Folder

MOST_LABELS = 20
MOST_PICTURES = 24
MOST_CHARACTERS = 400_000  # of all pictures; Prefect has taken artifacts of 5 MB, slowly


class _Pictures(HTMLParser):
    """The pictures of a data card, by their text: the first of each label first."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.by_label: dict[str, list[tuple[str, str]]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        source, text = values.get("src") or "", values.get("alt") or ""
        if tag == "img" and source.startswith("data:image/"):
            self.by_label.setdefault(text.partition(", ")[0], []).append((text, source))

    def chosen(self) -> list[tuple[str, str]]:
        """At most MOST_PICTURES of them in MOST_CHARACTERS, one per label in each round."""
        chosen: list[tuple[str, str]] = []
        left = MOST_CHARACTERS
        for number in range(max(map(len, self.by_label.values()), default=0)):
            for pictures in self.by_label.values():
                if number < len(pictures) and len(chosen) < MOST_PICTURES and len(pictures[number][1]) <= left:
                    chosen.append(pictures[number])
                    left -= len(pictures[number][1])
        return chosen


def place_of(output: Folder) -> str:
    """Where an output is: a path where it is local, else its URL."""
    return output.path if output.is_local else output.canonical_url


def card_markdown(summary: BuildSummary, output: Folder) -> str:
    """The data card's place and main figures, and sample pictures with their text."""
    written = sum(split.written for split in summary.splits)
    rejected = sum(split.found for split in summary.splits) - written
    figures = f"{plural(written, 'image')} written, {rejected:,} rejected, {plural(summary.labels, 'label')}"
    page = f"{place_of(output)}/{REPORT}"
    lines = [f"The whole data card: `{page}`" if output.is_local else f"The whole data card: [{page}]({page})"]
    pictures = [f"![{_escaped(text)}]({source})" for text, source in _Pictures(output.read(REPORT).decode()).chosen()]
    return "\n\n".join([*lines, f"{figures}.", *_findings(summary), _labels(output), *([" ".join(pictures)] * bool(pictures))])


def _findings(summary: BuildSummary) -> list[str]:
    found = [f"- {phrase}" for phrase in (*summary.findings.phrases(), summary.findings.limit_of_near()) if phrase]
    return ["\n".join(found)] if found else []


def _labels(output: Folder) -> str:
    """A table of the labels with the most images."""
    rows = read_rows(output).narrow
    present = rows["split"].unique().to_pylist()
    splits = [split for split in EVERY_SPLIT if split in present]
    labels = sorted(label_rows(rows, splits), key=lambda label: (-label.total, label.label))
    shown = labels[:MOST_LABELS]
    head = f"| label | {' | '.join(splits)} | rejected |\n|---|{'---:|' * (len(splits) + 1)}"
    lines = [
        f"| {_escaped(row.text)} | {' | '.join(f'{count:,}' for count in row.written)} | {row.rejected:,} |" for row in shown
    ]
    more = [f"\n{plural(len(labels) - len(shown), 'label')} more in the data card."] if len(labels) > len(shown) else []
    return "\n".join([head, *lines, *more])


def _escaped(text: str) -> str:
    """A text in which nothing is Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]()<>|#!" else letter for letter in text.replace("\n", " "))
