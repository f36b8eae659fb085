"""The command report: where the page goes, and the error where there is nothing to report on."""


def test_it_writes_the_page_into_the_folder_and_says_where(imagerecords, build, data, tmp_path):
    build(train_directory=data, output_directory=tmp_path / "out")
    page = (tmp_path / "out/report.html").read_bytes()
    (tmp_path / "out/report.html").unlink()
    ran = imagerecords("report", tmp_path / "out")
    assert (ran.code, ran.out) == (0, "")
    assert f"wrote {tmp_path}/out/report.html" in ran.err
    assert (tmp_path / "out/report.html").read_bytes() == page


def test_it_writes_the_page_elsewhere_and_leaves_the_folder_alone(imagerecords, build, data, tmp_path, digests):
    build(train_directory=data, output_directory=tmp_path / "out", report=False)
    before = digests(tmp_path / "out")
    ran = imagerecords("report", tmp_path / "out", "--save", tmp_path / "card.html")
    assert ran.code == 0, ran.err
    assert (tmp_path / "card.html").read_bytes().startswith(b"<!DOCTYPE html>")
    assert digests(tmp_path / "out") == before


def test_a_folder_without_records_is_bad_input(imagerecords, tmp_path):
    ran = imagerecords("report", tmp_path)
    assert ran.code == 2
    assert "a folder for a data card must hold TFRecord files" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_credentials_in_the_path_are_refused(imagerecords):
    assert imagerecords("report", "s3://me:secret@bucket/out").code == 2
