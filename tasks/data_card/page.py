"""report.html from a Report: one file that needs no other, and allows only its own style, script and pictures.

All text is escaped by Jinja, and in the block of JSON, which the script draws charts, tables and pictures from, no character
can end the block. The Content-Security-Policy names the SHA-256 of the page's one style and one script, so that even text that
got into the markup could neither run nor load anything.
"""

import base64
import functools
import hashlib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from imagerecords.schemas.data_card import ALL_SPLITS, Bars, Picture, Problem, Report
from imagerecords.schemas.messages import plural
from imagerecords.schemas.splits import EVERY_SPLIT
from imagerecords.tasks.data_card.drawn import digest_of
from imagerecords.tasks.data_card.histograms import bytes_text

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

STYLE, TEMPLATE = "report.css", "report.html.jinja"
SCRIPTS = ("report_state.js", "report_charts.js", "report_labels.js", "report_pictures.js", "report.js")
CODE = re.compile(r"`([^`]+)`")


def render(report: Report) -> bytes:
    """The page, UTF-8."""
    from markupsafe import Markup

    style, script = _asset(STYLE), _script()
    page = _template().render(
        report=report,
        digest=digest_of(report.pictures),
        style=Markup(style),  # noqa: S704  # files of this package
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
        data=Markup(_json(content(report))),  # noqa: S704  # no character can end the block
    )
    return page.encode()


def page_of(template: str, **values: Any) -> bytes:
    """A page without a script, in the data card's style, from another template."""
    from markupsafe import Markup

    style = _asset(STYLE)
    policy = _policy(style, "")
    page = _environment().from_string(template).render(style=Markup(style), policy=policy, **values)  # noqa: S704  # as above
    return page.encode()


def content(report: Report) -> dict[str, Any]:
    """What the script draws from: numbers instead of repeating texts, lists instead of named fields."""
    splits = {split: number for number, split in enumerate(report.split_names)}
    shards = {name: number for number, name in enumerate(dict.fromkeys(picture.shard for picture in report.pictures))}
    places = {picture.row: number for number, picture in enumerate(report.pictures)}
    return {
        "images": report.images,
        "splits": list(report.split_names),
        "labels": [[label.label, label.text, list(label.written), label.rejected] for label in report.labels],
        "metrics": [[metric.key, metric.title, metric.low, metric.high] for metric in report.metrics],
        "charts": list(_charts(report.charts, splits)),
        "sizes": [list(size) for size in report.sizes],
        "omittedSizes": report.omitted_sizes,
        "categories": [[each.key, each.title, each.note, list(each.counts.items())] for each in report.categories],
        "shards": list(shards),
        "pictures": [_picture(picture, report, splits, shards) for picture in report.pictures],
        "problems": [_problem(problem, places) for problem in report.problems],
    }


def _charts(charts: tuple[Bars, ...], splits: dict[str, int]) -> Any:
    """One chart per metric, with the counts of all images under -1 and of each split under its number."""
    by_key: dict[str, dict[str, Any]] = {}
    for bars in charts:
        chart = by_key.setdefault(
            bars.key,
            {
                "key": bars.key,
                "title": bars.title,
                "names": list(bars.names),
                "edges": list(bars.edges),
                "ticks": bars.ticks,
                "scale": bars.scale,
                "cut": list(bars.cut),
                "counts": {},
            },
        )
        number = -1 if bars.split == ALL_SPLITS else splits[bars.split]
        chart["counts"][number] = [list(bars.counts), bars.summary]
    return by_key.values()


def _picture(picture: Picture, report: Report, splits: dict[str, int], shards: dict[str, int]) -> list[Any]:
    boxes = [[round(each, 4) for each in (box.xmin, box.ymin, box.xmax, box.ymax)] + [box.label] for box in picture.boxes]
    return [
        picture.path,
        splits[picture.split],
        picture.label,
        shards[picture.shard],
        picture.record,
        picture.source_format,
        picture.note,
        picture.camera,
        int(picture.is_grey),
        [metric.values.get(picture.row) for metric in report.metrics],
        [metric.percentiles.get(picture.row) for metric in report.metrics],
        boxes,
    ]


def _problem(problem: Problem, places: dict[int, int]) -> dict[str, Any]:
    cases = [[case.note, [places[row] for row in case.rows if row in places], case.label] for case in problem.cases]
    return {"key": problem.key, "title": problem.title, "count": problem.count, "unit": problem.unit, "cases": cases}


def _json(value: Any) -> str:
    """JSON in which no character ends the block that it is in."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@functools.cache
def _template() -> "jinja2.Template":
    return _environment().from_string(_asset(TEMPLATE))


def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": "{:,}".format, "plural": plural, "bytes": bytes_text, "tone": _tone, "share": _share}
    environment.filters["code"] = _code
    return environment


@functools.cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _script() -> str:
    """The page's script: its parts in order."""
    return "".join(_asset(name) for name in SCRIPTS)


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


def _code(text: str) -> "Markup":
    """A text with what is between backticks as code."""
    from markupsafe import Markup, escape

    parts = [
        (Markup("<code>{}</code>").format(part) if number % 2 else escape(part)) for number, part in enumerate(CODE.split(text))
    ]
    return Markup("").join(parts)


def _tone(split: str) -> str:
    """The class that colours a split; a foreign one's name could be anything."""
    return f"tone-{split}" if split in (*EVERY_SPLIT, ALL_SPLITS) else "tone-other"


def _share(part: int, whole: int) -> Any:
    return f"{part / whole:.1%}" if whole else ""
