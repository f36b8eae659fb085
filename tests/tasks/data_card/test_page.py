"""The block of JSON that the page's script draws from: it can't end early, and leads from problems and charts to pictures."""

import json

from imagerecords.schemas.data_card import Bars, Box, Case, LabelRow, Metric, Outcome, Picture, Problem, Report
from imagerecords.schemas.summary import SplitSummary
from imagerecords.tasks.data_card.page import content, render

EVIL = "</script><script>alert(1)</script>&<!--"


def report():
    split = SplitSummary(split="train", found=2, written=2, rejected={}, shards=1, bytes=9)
    first = Picture(f"a/{EVIL}.jpg", "train", 1, EVIL, "data:,", 4, 3, (Box(0, 0, 1, 1, 1),), row=5, shard="s", record=0)
    second = Picture("a/b.jpg", "train", 1, EVIL, row=9, shard="s", record=1)
    bars = Bars("width", "Width", "", ("1 px", "2 px"), (1, 1), (0.5, 1.5, 2.5), {0: "1 px"})
    return Report(
        Outcome(True),
        True,
        (split,),
        (LabelRow(1, EVIL, (2,), 0),),
        charts=(bars, Bars("width", "Width", "train", ("1 px", "2 px"), (1, 1), (0.5, 1.5, 2.5))),
        metrics=(Metric("width", "Width", "narrow", "wide", {5: 1.0, 9: 2.0}, {5: 25.0, 9: 75.0}),),
        pictures=(first, second),
        problems=(Problem("tiny", "Tiny", "low", "`x`", "do `y`", 3, cases=(Case("1 px", (9, 777)),)),),
    )


def test_no_text_from_outside_ends_the_block():
    page = render(report()).decode()
    assert page.count("</script>") == 2
    assert "<!--" not in page
    block = page.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(block) == json.loads(json.dumps(content(report())))


def test_problems_lead_to_pictures_by_their_place_and_leave_out_those_without_one():
    made = content(report())
    assert made["problems"][0]["cases"] == [["1 px", [1], None]]
    assert [picture[9] for picture in made["pictures"]] == [[1.0], [2.0]]
    assert [picture[10] for picture in made["pictures"]] == [[25.0], [75.0]]
    assert made["pictures"][0][11] == [[0, 0, 1, 1, 1]]


def test_a_chart_has_the_counts_of_all_images_and_of_each_split():
    (chart,) = content(report())["charts"]
    assert chart["counts"] == {-1: [[1, 1], ""], 0: [[1, 1], ""]}


def test_words_in_backticks_are_code():
    assert "do <code>y</code>" in render(report()).decode()
