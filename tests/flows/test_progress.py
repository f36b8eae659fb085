"""Progress as text: lines where there is no terminal, and nothing on standard output."""

import ast
import io
from pathlib import Path

import pytest
from rich.console import Console

import imagerecords
from imagerecords.flows import terminal
from imagerecords.flows.arrivals import SECONDS_BETWEEN_CALLS
from imagerecords.flows.executors.pool import Workers
from imagerecords.flows.progress import BarProgress, Counted, LineProgress
from imagerecords.schemas.current_image import begin_image
from imagerecords.schemas.settings import BuildSettings


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


def test_no_time_is_predicted_from_no_image(monkeypatch):
    monkeypatch.setattr("imagerecords.flows.progress.SECONDS_BETWEEN_LINES", 0)
    lines = []
    progress = LineProgress(lines.append, lambda _: None)
    progress.begin("convert", 3, 30)
    progress.advance(0)
    assert lines[-1].endswith("0 images/s")


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


def test_images_of_unfinished_shards_count_and_never_become_fewer():
    counted = Counted("convert", 2, 20)
    assert counted.within(7)
    assert not counted.within(3)  # a shard is tried again
    assert counted.images_done == 7
    counted.advance(10)
    assert counted.images_done == 10
    assert counted.within(4)
    assert counted.images_done == 14
    counted.within(99)  # never more than there are
    assert counted.images_done == 20


def test_lines_are_printed_from_time_to_time_while_one_shard_is_converted(monkeypatch):
    lines = []
    monkeypatch.setattr("imagerecords.flows.progress.SECONDS_BETWEEN_LINES", 0)
    progress = LineProgress(lines.append, lambda _: None)
    progress.begin("convert", 1, 30)
    progress.within(12)
    assert lines[-1].startswith("convert: 0 of 1 shard, 12 of 30 images")


def test_a_bar_shows_the_step_that_is_not_counted_and_removes_it_in_the_end():
    file = io.StringIO()
    progress = BarProgress(Console(file=file, force_terminal=True, width=80), lambda _: None)
    progress.doing("plan")
    progress.begin("convert", 1, 1_281_167)
    progress.within(1_281_166)
    progress.doing("data card")
    assert [task.description for task in progress._bar.tasks] == ["convert", "data card"]
    progress.end()
    assert "1,281,166/1,281,167 images" in file.getvalue()
    assert "data card" not in file.getvalue().splitlines()[-1]


def begin_three(_shard, _settings):
    """Report three images that are begun, and that none is in the end."""
    for path in "abc":
        begin_image("train-00000-of-00001", path)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_workers_count_the_images_that_are_done_of_shards_in_hand(executor):
    settings = BuildSettings(train_directory="in", output_directory="out", executor=executor, workers=1)
    with Workers(settings) as workers:
        assert workers.images_done() == 0
        workers.run(begin_three, None, settings)
        assert workers.images_done() == 2
        workers.run(begin_image, "train-00000-of-00001", "")
        assert workers.images_done() == 0


def test_a_build_shows_images_before_its_only_shard_is_done(tmp_path, fill, monkeypatch):
    monkeypatch.setattr("imagerecords.flows.arrivals.SECONDS_BETWEEN_CALLS", SECONDS_BETWEEN_CALLS / 100)
    seen = []
    imagerecords.build(
        data_directory=fill(tmp_path / "in", {"cat": 300}),
        output_directory=tmp_path / "out",
        executor="threads",
        report=False,
        progress=seen.append,
    )
    converted = [update for update in seen if update.phase == "convert"]
    assert any(0 < update.images_done < 300 and not update.shards_done for update in converted)
    assert [update.images_done for update in converted] == sorted(update.images_done for update in converted)
    assert converted[-1].images_done == 300


def test_what_is_done_is_shown_on_a_terminal_only(monkeypatch, capsys):
    file = io.StringIO()
    with terminal.shown("audit", "file") as show:
        show(1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(terminal, "Console", lambda stderr: Console(file=file, force_terminal=True, width=80))
    with terminal.shown("audit", "file") as show:
        show(1, 2)
    assert "audit" in file.getvalue()
    assert "1/2 files" in file.getvalue()


def test_every_step_of_the_pipeline_has_a_task_in_prefect():
    from imagerecords.flows import pipeline
    from imagerecords.flows.build import TASKS

    calls = [node for node in ast.walk(ast.parse(Path(pipeline.__file__).read_text())) if isinstance(node, ast.Call)]
    run = [call.args[0].id for call in calls if ast.unparse(call.func).endswith(("runner.run", "runner.map", "runner.start"))]
    assert len(run) >= 8
    assert {step.__name__ for step in TASKS} == set(run)
