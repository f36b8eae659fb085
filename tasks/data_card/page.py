"""report.html from a Report: one file that needs no other, and allows only its own style, script and pictures.

All text is escaped by Jinja. The Content-Security-Policy names the SHA-256 of the page's one style and one script, so that even
text that got into the markup could neither run nor load anything.
"""

import base64
import functools
import hashlib
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from imagerecords.schemas.data_card import ALL_SPLITS, Bars, Case, Report
from imagerecords.schemas.messages import plural
from imagerecords.schemas.splits import SPLITS
from imagerecords.tasks.data_card.charts import draw_bars
from imagerecords.tasks.data_card.histograms import bytes_text

if TYPE_CHECKING:
    import jinja2

STYLE, SCRIPT, TEMPLATE = "report.css", "report.js", "report.html.jinja"


def render(report: Report) -> bytes:
    """The page, UTF-8."""
    from markupsafe import Markup

    numbers = {split: str(number) for number, split in enumerate(report.split_names)} | {ALL_SPLITS: ""}
    style, script = _asset(STYLE), _asset(SCRIPT)
    page = _template().render(
        report=report,
        phrases=list(report.outcome.findings.counts.phrases()),
        style=Markup(style),  # noqa: S704  # files of this package
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
        chart=lambda bars: Markup(draw_bars(bars)),  # noqa: S704  # escaped by its XML writer
        charts_by_title=_by_title(report.metric_charts),
        split_number=numbers.__getitem__,
        splits_of=lambda case: _listed(numbers[picture.split] for picture in case.pictures),
        labels_of=_labels_of,
        most=max((label.total for label in report.labels), default=0),
    )
    return page.encode()


@functools.cache
def _template() -> "jinja2.Template":
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": "{:,}".format, "plural": plural, "bytes": bytes_text, "tone": _tone, "share": _share}
    return environment.from_string(_asset(TEMPLATE))


@functools.cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _by_title(charts: Iterable[Bars]) -> dict[str, list[Bars]]:
    """Charts by their title: first that of all splits, then one per split."""
    by_title: dict[str, list[Bars]] = {}
    for bars in charts:
        by_title.setdefault(bars.title, []).append(bars)
    return by_title


def _labels_of(case: Case) -> str:
    return _listed(str(picture.label) for picture in case.pictures)


def _listed(words: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(words))


def _tone(split: str) -> str:
    """The class that colours a split; a foreign one's name could be anything."""
    return f"tone-{split}" if split in (*SPLITS, ALL_SPLITS) else "tone-other"


def _share(part: int, whole: int) -> Any:
    return f"{part / whole:.1%}" if whole else ""
