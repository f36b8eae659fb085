"""The images that a file names are left out of a listing, and counted."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.listing import Listing
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import EVERY_SPLIT
from imagerecords.schemas.unicode_names import composed
from imagerecords.tasks.sources.input_files import names_in, read_text

EXCLUDED = "excluded"


def exclude_images(settings: BuildSettings, listing: Listing) -> Listing:
    """The listing without the images that `exclude` names, by path or by split and path as in the manifest.

    Names of no image are noted; it is an error where no name is that of an image, or a label keeps none.
    """
    if settings.exclude is None:
        return listing
    text, errors = read_text("exclude", settings.exclude, settings.storage_options)
    if errors:
        return Listing.of_errors(errors)
    names = {composed(name.strip()) for name in names_in(text)}
    forms = {form: name for name in names for form in (name.replace("\\", "/"), name)}
    paths, sources = listing.images["path"].to_pylist(), listing.images["source"].to_pylist()
    used = [_names_of(path, source) & forms.keys() for path, source in zip(paths, sources, strict=True)]
    out = pa.array([bool(found) for found in used], pa.bool_())
    unknown = sorted(names - {forms[form] for found in used for form in found})
    if unknown and len(unknown) == len(names):
        return Listing.of_errors(
            [f"exclude must name images of the input by their path, got none: {settings.exclude}: {some(unknown)}"]
        )
    kept = listing.images.filter(pc.invert(out))
    lost = sorted(set(listing.images["label"].to_pylist()) - set(kept["label"].to_pylist()))
    if lost:
        labels = some([listing.labels[label - 1] for label in lost])
        return Listing.of_errors([f"a label must keep an image, got all excluded: {labels}: {settings.exclude}"])
    notes = [f"exclude: {plural(len(unknown), 'name')} of no image: {some(unknown)}"] if unknown else []
    return _without_boxes(
        replace(
            listing,
            images=kept,
            skipped=listing.skipped | {EXCLUDED: pc.sum(out).as_py()},
            notes=(*listing.notes, *notes),
        )
    )


def _names_of(path: str, source: str) -> set[str]:
    """The names by which an image may be excluded; one of a directory that fractions divide may be in any split."""
    path = composed(path)
    return {path, *(f"{split}/{path}" for split in (EVERY_SPLIT if source == "data" else (source,)))}


def _without_boxes(listing: Listing) -> Listing:
    """The listing whose counts of boxes are those of its images; those of excluded ones are excluded."""
    if listing.boxes is None:
        return listing
    planned = pc.sum(pc.list_value_length(listing.images["boxes"])).as_py() or 0
    excluded = listing.boxes.excluded + listing.boxes.planned - planned
    return replace(listing, boxes=listing.boxes.model_copy(update={"planned": planned, "excluded": excluded}))
