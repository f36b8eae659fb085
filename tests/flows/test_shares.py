"""The share of a split that was asked for, beside the one that it has: in the plan and in the build's summary."""

import imagerecords


def test_plan_and_build_report_the_share_that_was_asked_for(tmp_path, fill, build):
    settings = {
        "data_directory": fill(tmp_path / "in", {f"label {number}": 4 for number in range(8)}),
        "validation_fraction": 0.1,
        "output_directory": tmp_path / "out",
    }
    for summary in (imagerecords.plan(**settings), build(**settings)):
        (line,) = [share.line() for share in summary.shares if share.split == "validation"]
        assert line.startswith("validation has 25.0% of the images (10.0% asked for)")
