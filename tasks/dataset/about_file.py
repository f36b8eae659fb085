"""_build/about.json: what the data set is called, and its version, which rises when images are added or removed.

A decision that binds users' data: the version depends on the plan and the number of removed images alone, not on how often a
build or a removal ran. The same plan keeps it, so an interrupted build that runs again gives the same files, and one of another
plan starts from the version of the plan that both extend. A plan that extends another raises the second number, each removed
image the third.
"""

from imagerecords.schemas.about import About
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.output_files import ABOUT
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.plan import PlanHeader
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.removals import read_removals
from imagerecords.tasks.storage.folders import Folder


def read_about(output: Folder) -> About:
    """What the data set in an output is called, with the version that it has after its removals. Raises CorruptRecord."""
    return _read(output).after_removals(_removed(output))


def write_about(output: Folder, header: PlanHeader, before: PlanHeader | None, settings: BuildSettings) -> None:
    """Write what the data set of a plan is called; `before` is the header of the plan that is in the output, if any."""
    found = _read(output)
    if before and not found.plan:
        found = found.model_copy(update={"plan": before.digest})
    base = found.at(header.extends) if header.extends else None
    about = found.at(header.digest) or (base.after_append(_removed(output)) if base else About(removed=_removed(output)))
    given = settings.about()
    if "version" in given:
        given["removed"] = _removed(output)
    about = about.model_copy(update={**given, "plan": header.digest})
    output.write(ABOUT, (about.model_dump_json(indent=1) + "\n").encode())


def _read(output: Folder) -> About:
    try:
        return About.model_validate_json(output.read(ABOUT))
    except FileNotFoundError:
        return About()
    except ValueError as error:
        raise CorruptRecord(
            f"the data set's name and version must be readable, got: {plain_words(error)}: {output.join(ABOUT)}. Delete the "
            "file, and build again"
        ) from error


def _removed(output: Folder) -> int:
    return sum(map(len, read_removals(output).paths.values()))
