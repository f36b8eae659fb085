"""The commands on finished data sets; flows/command/app.py puts them into the app."""

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from imagerecords.flows.command.console import print_audit
from imagerecords.flows.command.exit_codes import FAILED, OK, AsJson, StorageOptions
from imagerecords.flows.retry import FINAL_OS_ERRORS
from imagerecords.flows.terminal import print_line, shown
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.errors import BadInput
from imagerecords.schemas.messages import plural, printable
from imagerecords.schemas.output_files import REPORT
from imagerecords.schemas.results import Selection
from imagerecords.schemas.secrets import refuse_secrets
from imagerecords.schemas.setting_fields import S3_SCHEMES

AnyFolder = Annotated[str, Parameter(help="A folder or URL of TFRecord files, whichever program wrote them.")]
AFile = Annotated[str, Parameter(help="A TFRecord file, e.g. out/train-00000-of-00008.")]
DataSet = Annotated[str, Parameter(help="The folder or URL of a data set.")]
Name = Annotated[str, Parameter(help="A file's name, its path, or the beginning of its SHA-256.")]


def audit(
    path: AnyFolder,
    /,
    *,
    options: Annotated[AuditOptions, Parameter(name="*")] = AuditOptions(),  # noqa: B008  # frozen
    storage_options: StorageOptions = None,
    as_json: AsJson = False,
) -> int:
    """Re-read any folder of TFRecord files, or one file, and report every problem; exit 1 when there is one."""
    from imagerecords.tasks.audit.folder import audit_folder

    _check_places(storage_options, path=path)
    with shown("audit", "file") as show:
        result = audit_folder(path, storage_options or {}, options, show)
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        print_audit(Console(), result)
    return FAILED if result.problems else OK


def show(
    path: AFile,
    /,
    *,
    record: Annotated[int, Parameter(help="Number of the record, from 0.")] = 0,
    save: Annotated[Path | None, Parameter(help="Write the record's image to this file.")] = None,
    storage_options: StorageOptions = None,
) -> int:
    """Print one record's features."""
    from imagerecords.tasks.commands.show import read_record

    _check_places(storage_options, listed=False, path=path)
    shown = read_record(path, record, storage_options or {})
    print("\n".join(shown.lines()))
    if save:
        _save("save", save, shown.image)
    return OK


def report(
    path: AnyFolder,
    /,
    *,
    save: Annotated[
        Path | None, Parameter(help="Write the page to this file instead, e.g. where the folder is read-only.")
    ] = None,
    storage_options: StorageOptions = None,
) -> int:
    """Write report.html, the data card of any folder of TFRecord files, into the folder."""
    from imagerecords.tasks.data_card.gather import make_report, put_report

    _check_places(storage_options, path=path)
    with shown("data card"):
        page = make_report(path, storage_options or {})
    if save:
        _save("save", save, page)
    else:
        put_report(path, storage_options or {}, page)
    print_line(f"wrote {save or path.rstrip('/') + '/' + REPORT}")
    return OK


def locate(
    dataset: DataSet,
    name: Name,
    /,
    *,
    storage_options: StorageOptions = None,
    as_json: AsJson = False,
) -> int:
    """Print where an image is, by file name, path, SHA-256 or the beginning of one; exit 1 when it is not found."""
    from imagerecords.tasks.commands.locate import locate_image

    _check_places(storage_options, dataset=dataset)
    found = locate_image(dataset, name, storage_options or {}, print_line)
    _print_rows(found, as_json)
    if not found:
        print_line(
            f"{name} is in no record and no row of {dataset}. Pass a file's whole name, a path, or a SHA-256's beginning"
        )
    return OK if found else FAILED


def extract(
    dataset: DataSet,
    /,
    *,
    to: Annotated[Path, Parameter(help="Directory to write to, one folder per label.")],
    selection: Annotated[Selection, Parameter(name="*")] = Selection(),  # noqa: B008  # frozen
    storage_options: StorageOptions = None,
    as_json: AsJson = False,
) -> int:
    """Write records back to label folders, each image with the bytes that its record holds."""
    from imagerecords.tasks.commands.extract import UNLABELLED, extract_images
    from imagerecords.tasks.records.image import LABEL_KEYS, OBJECT_TEXT, TEXT_KEYS

    _check_places(storage_options, dataset=dataset)
    with shown("extract"):
        done = extract_images(dataset, to, selection, storage_options or {})
    if as_json:
        print(json.dumps(asdict(done), indent=2))
    else:
        labels = f" of {plural(done.labels, 'label')}" if done.labels else ""
        present = f"; {done.present:,} {'was' if done.present == 1 else 'were'} there already" if done.present else ""
        print(f"{plural(done.written, 'image')}{labels} written to {to}{present}")
        if done.of_objects:
            images = plural(done.of_objects, "image")
            print(f"{images} named by the class of their objects: their records have no label of the image")
        if done.several:
            print(f"{plural(done.several, 'image')} with several labels in the folder of the first of them")
        if done.without_image:
            print(f"{plural(done.without_image, 'record')} without an image file skipped (raw pixels and paths are none)")
        if done.other_images:
            print(
                f"images beside those not written: {', '.join(done.other_images)}. imagerecords show prints what a record has"
            )
        if done.broken:
            print(f"{plural(done.broken, 'broken record')} skipped: run imagerecords audit {shlex.quote(dataset)}")
        if done.unlabelled:
            print(
                f"{plural(done.unlabelled, 'image')} in {to / UNLABELLED}: their records have no label (one number or text in "
                f"{', '.join(sorted({*LABEL_KEYS, *TEXT_KEYS, OBJECT_TEXT}))}). imagerecords show prints what a record has"
            )
    nothing = done.without_image > 0 and not (done.written or done.present)
    return FAILED if done.broken or nothing else OK


def remove(
    dataset: DataSet,
    /,
    *,
    names: Annotated[Path, Parameter(name="--list", help="File of image paths, file names or SHA-256, one per line.")],
    storage_options: StorageOptions = None,
    as_json: AsJson = False,
) -> int:
    """Remove images from a finished data set, rewriting the shards that contain them."""
    from imagerecords.tasks.commands.remove import remove_images

    _check_places(storage_options, dataset=dataset)
    listed = _lines(names)
    with shown("remove"):
        done = remove_images(dataset, listed, storage_options or {})
    if as_json:
        print(json.dumps(asdict(done), indent=2))
    else:
        before = f"; {len(done.already):,} removed before" if done.already else ""
        print(f"{plural(len(done.images), 'image')} removed, {plural(len(done.shards), 'shard')} rewritten{before}")
        if done.digest:
            print(f"digest {done.digest}  {dataset}")
    print_line(
        "delete them at the source too: a build with other settings or input, or of another output, would bring them back"
    )
    return OK


def diff(
    dataset: DataSet,
    other: DataSet,
    /,
    *,
    html: Annotated[Path | None, Parameter(help="Write a page to this file that shows the changed images.")] = None,
    storage_options: StorageOptions = None,
    as_json: AsJson = False,
) -> int:
    """Print which images were added, removed, moved, relabelled, replaced, re-encoded; exit 1 if any was or a record is bad."""
    from imagerecords.tasks.commands.diff import diff_datasets

    _check_places(storage_options, dataset=dataset, other=other)
    broken: list[str] = []
    if html:
        from imagerecords.tasks.commands.diff_page import diff_page

        with shown("diff"):
            differences, page = diff_page(dataset, other, storage_options or {}, broken.append)
        _save("html", html, page)
    else:
        with shown("diff"):
            differences = diff_datasets(dataset, other, storage_options or {}, broken.append)
    _print_rows(differences, as_json)
    for line in broken:
        print_line(line)
    counts = Counter(difference.kind for difference in differences)
    print_line(
        ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))
        or ("no difference among the others" if broken else "the same images")
    )
    if html:
        print_line(f"wrote {html}")
    return FAILED if differences or broken else OK


def _check_places(storage_options: dict[str, Any] | None, *, listed: bool = True, **places: str) -> None:
    """Raise BadInput where a place or an option carries a credential, or a place on S3 can't be reached or read."""
    refuse_secrets(storage_options, **places)
    if any(url.startswith(S3_SCHEMES) for url in places.values()):
        from imagerecords.tasks.storage.s3_access import refuse_no_access_to

        refuse_no_access_to(storage_options or {}, listed=listed, **places)


def _save(setting: str, path: Path, data: bytes) -> None:
    """Write the file that a setting names. Raises BadInput where that can't be done; of a full disk nothing is left."""
    try:
        path.write_bytes(data)
    except OSError as error:
        if error.errno not in FINAL_OS_ERRORS:
            raise BadInput(
                f"{setting} must be a file that can be written, got {error.strerror}: {path}. Choose another"
            ) from error
        if path.is_file():
            path.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


def _print_rows(rows: Sequence[Any], as_json: bool) -> None:
    """Print one line per row, or all rows as one JSON array."""
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        print(printable(str(row)))


def _lines(path: Path) -> list[str]:
    """The names in a file, one per line, without blank lines. Raises BadInput."""
    from imagerecords.tasks.sources.input_files import decoded, names_in

    try:
        names = names_in(decoded(path.read_bytes()))
    except ValueError as error:
        raise BadInput(f"list must be {error}: {path}") from error
    except OSError as error:
        raise BadInput(f"list must be a text file that can be read, got {error.strerror}: {path}. Check the path") from error
    if not names:
        raise BadInput(f"list must name at least one image, got none: {path}")
    return names
