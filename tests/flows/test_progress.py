"""Progress as text: lines where there is no terminal, and nothing on standard output."""

import io

from rich.console import Console

from imagerecords.flows.progress import BarProgress, LineProgress


def test_a_line_is_printed_at_the_begin_and_the_end_of_a_phase():
    lines = []
    progress = LineProgress(lines.append, lambda _: None)
    progress.begin("convert", 3, 30)
    for _ in range(3):
        progress.advance(10)
    progress.end()
    assert lines[0] == "convert: 30 images in 3 shards"
    assert lines[-1].startswith("convert: 3 of 3 shards, 30 of 30 images")
    assert lines[-1].endswith("0 s left")


def test_a_phase_without_work_is_no_error():
    lines = []
    progress = LineProgress(lines.append, lambda _: None)
    progress.begin("validate", 0, 0)
    progress.end()
    assert lines == ["validate: 0 images in 0 shards"]


def test_a_bar_shows_phase_and_count_and_prints_text_as_it_is():
    file = io.StringIO()
    progress = BarProgress(Console(file=file, force_terminal=True, width=120), lambda _: None)
    progress.note("we[i]rd: no image of label '[bold]'")
    progress.begin("convert", 2, 20)
    progress.advance(10)
    progress.advance(10)
    progress.end()
    progress.end()
    assert "we[i]rd: no image of label '[bold]'" in file.getvalue()
    assert "20/20" in file.getvalue()


def test_a_bar_without_any_work_ends():
    BarProgress(Console(file=io.StringIO()), lambda _: None).end()
