"""Charts of the data card: pygal's shapes, without its scripts, styles, dates and random names; text escaped."""

import re
from xml.etree import ElementTree

import pytest

from imagerecords.schemas.data_card import Bars
from imagerecords.tasks.data_card.charts import draw_bars

HISTOGRAM = Bars("Width", "train", ("1 px", "2 px", "3 px"), (5, 0, 1234), {0: "1", 2: "3"}, summary="from 1 to 3")
EVIL = "<img src=x onerror=alert(1)>"


def texts(svg, tag):
    return [node.text for node in ElementTree.fromstring(svg).iter(tag)]


def test_each_bar_has_its_name_and_count_as_title():
    assert texts(draw_bars(HISTOGRAM), "title") == ["1 px: 5", "2 px: 0", "3 px: 1,234"]


def test_the_higher_the_count_the_higher_the_bar():
    heights = [
        float(bar.get("height"))
        for bar in ElementTree.fromstring(draw_bars(HISTOGRAM)).iter("rect")
        if bar.get("class") == "bar"
    ]
    assert heights[1] == 0 < heights[0] < heights[2]


def test_horizontal_bars_stand_in_the_given_order_from_the_top():
    svg = draw_bars(Bars("Images per label", "train", ("cat", "dog", "emu"), (3, 2, 1), is_horizontal=True))
    places = {
        node.text: float(node.get("y"))
        for node in ElementTree.fromstring(svg).iter("text")
        if node.text in ("cat", "dog", "emu")
    }
    assert places["cat"] < places["dog"] < places["emu"]


@pytest.mark.parametrize("is_horizontal", [True, False])
def test_a_chart_has_only_shapes_text_and_classes(is_horizontal):
    """The page's policy allows no inline style, and would refuse a script; ids and dates would differ each time."""
    svg = draw_bars(Bars("Width", "train", (EVIL, "b"), (1, 2), {0: EVIL}, is_horizontal=is_horizontal))
    root = ElementTree.fromstring(svg)
    assert {node.tag for node in root.iter()} <= {"svg", "g", "rect", "path", "text", "title"}
    assert {name for node in root.iter() for name in node.attrib} & {"style", "id", "onload"} == set()
    assert not re.search(r"20\d\d-\d\d", svg)


@pytest.mark.parametrize("is_horizontal", [True, False])
def test_names_from_outside_are_escaped(is_horizontal):
    svg = draw_bars(Bars(EVIL, "train", (EVIL, "b"), (1, 2), {0: EVIL}, is_horizontal=is_horizontal, summary='"'))
    assert "<img" not in svg
    assert f"{EVIL}: 1" in texts(svg, "title")


def test_the_same_bars_give_the_same_bytes():
    assert draw_bars(HISTOGRAM) == draw_bars(HISTOGRAM)


@pytest.mark.parametrize("counts", [(), (0,), (0, 0), (10**9,)])
def test_no_count_is_too_odd_to_be_drawn(counts):
    for is_horizontal in (True, False):
        svg = draw_bars(Bars("t", "train", tuple(map(str, counts)), counts, is_horizontal=is_horizontal))
        assert len(texts(svg, "title")) == len(counts)


def test_labels_of_one_name_or_of_one_beginning_have_a_bar_each():
    """Two synsets may both be called crane."""
    names = ("crane", "crane", "a name as long as this one, 1", "a name as long as this one, 2")
    svg = draw_bars(Bars("t", "train", names, (1, 2, 3, 4), is_horizontal=True))
    assert sorted(texts(svg, "title")) == sorted(f"{name}: {count}" for name, count in zip(names, (1, 2, 3, 4), strict=True))
    places = [
        node.get("y") for node in ElementTree.fromstring(svg).iter("text") if node.text in {"crane", "a name as long as thi…"}
    ]
    assert len(set(places)) == 4


def test_characters_that_xml_can_not_hold_are_replaced():
    svg = draw_bars(Bars("t", "train", ("a\x00b\x1b", "\ud800"), (1, 2), is_horizontal=True))
    assert sorted(texts(svg, "title")) == ["a\ufffdb\ufffd: 1", "\ufffd: 2"]
