"""Charts as SVG for the data card, drawn by pygal, without its colours, scripts and dates.

Shapes keep pygal's classes, so that the page's own style colours them, light and dark. Attributes are sorted and numbers
rounded: the same bars always give the same bytes, whether pygal found lxml or not.
"""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from imagerecords.schemas.data_card import Bars

# Units of the SVG, about pixels: a wide screen has four histograms in a row, or two label charts.
WIDTH, HEIGHT = 340, 180
ROWS_WIDTH, ROW_HEIGHT, FRAME_HEIGHT = 440, 24, 34
TEXT_SIZE = 13  # as in report.css: pygal leaves room for it
LABEL_LENGTH = 22
SVG = "{http://www.w3.org/2000/svg}"
# Elements for pygal's script, and texts that the page has itself.
DROPPED = {"defs", "title", "desc", "script", "style"}
DROPPED_CLASSES = re.compile(r"\b(tooltip-overlay|legends|titles|text-overlay|overlay)\b")
# A label in another program's record may have any character.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LONG_NUMBER = re.compile(r"-?\d+\.\d+")


def draw_bars(bars: Bars) -> str:
    """The chart as an SVG element. Names are escaped by the XML writer."""
    import pygal

    chart: Any
    names = [NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", name) for name in bars.names]
    if bars.is_horizontal:
        width, height = ROWS_WIDTH, FRAME_HEIGHT + ROW_HEIGHT * len(bars.names)
        chart = pygal.HorizontalBar(width=width, height=height, **_options())
        order = range(len(bars.names) - 1, -1, -1)  # pygal draws the first at the bottom
        chart.x_labels = [_short(names[number]) for number in order]
    else:
        width, height = WIDTH, HEIGHT
        chart = pygal.Bar(width=width, height=height, show_minor_x_labels=False, **_options())
        order = range(len(bars.names))
        chart.x_labels = [str(number) for number in order]  # pygal shows a name twice when two bars have it
        chart.x_labels_major = [str(number) for number in sorted(bars.ticks)]
    chart.add(bars.split, [bars.counts[number] for number in order])
    root = ElementTree.fromstring(chart.render(is_unicode=True))  # noqa: S314  # pygal wrote it a line above
    _prune(root)
    _name_bars(root, [f"{names[number]}: {bars.counts[number]:,}" for number in order])
    if not bars.is_horizontal:
        _name_ticks(root, [bars.ticks[number] for number in sorted(bars.ticks)])
    root.attrib.clear()
    root.attrib |= {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": f"{bars.title}. {bars.summary}"}
    return _plain(root)


def _options() -> dict[str, Any]:
    from pygal.style import Style

    style = Style(label_font_size=TEXT_SIZE, major_label_font_size=TEXT_SIZE)
    options: dict[str, Any] = {"js": (), "css": (), "no_prefix": True, "disable_xml_declaration": True, "show_legend": False}
    return options | {"margin": 4, "spacing": 6, "max_scale": 5, "value_formatter": "{:,.0f}".format, "style": style}


def _short(name: str) -> str:
    return name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…"


def _prune(node: ElementTree.Element) -> None:
    node.attrib.pop("style", None)
    for child in list(node):
        name = child.tag.removeprefix(SVG) if isinstance(child.tag, str) else "comment"
        if name in DROPPED or DROPPED_CLASSES.search(child.get("class", "")):
            node.remove(child)
        else:
            _prune(child)


def _name_bars(root: ElementTree.Element, names: Sequence[str]) -> None:
    """Give each bar a title, which browsers show under the pointer."""
    for bar, name in zip(root.iterfind(f".//{SVG}g[@class='bar']"), names, strict=True):
        for shape in bar:
            shape.set("class", "bar")
            shape.attrib.pop("rx", None)
            shape.attrib.pop("ry", None)
        ElementTree.SubElement(bar, f"{SVG}title").text = name


def _name_ticks(root: ElementTree.Element, names: Sequence[str]) -> None:
    ticks = root.iterfind(f".//{SVG}g[@class='axis x']//{SVG}text")
    for tick, name in zip(ticks, names, strict=True):
        tick.text = name


def _plain(root: ElementTree.Element) -> str:
    """The element as text for HTML: without namespace prefixes."""
    for node in root.iter():
        node.tag = node.tag.removeprefix(SVG)
        node.attrib.update({key: LONG_NUMBER.sub(_rounded, value) for key, value in node.attrib.items()})
    return ElementTree.canonicalize(ElementTree.tostring(root, encoding="unicode"))


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.1f}".removesuffix(".0")
