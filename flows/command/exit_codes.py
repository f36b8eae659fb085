"""What the commands share: exit codes, common options, and how they speak to people."""

import sys
from typing import Annotated

from cyclopts import Parameter

from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.secrets import option_problems, url_problems

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object on standard output.")]
StorageOptions = Annotated[dict[str, str] | None, Parameter(help="Options for remote file systems, without credentials.")]


def tell(text: str) -> None:
    """Print a line for people on standard error."""
    print(f"imagerecords: {text}", file=sys.stderr, flush=True)


def refuse_secrets(storage_options: dict[str, str] | None, **urls: str) -> None:
    """Raise BadSettings when a URL or an option carries a credential."""
    problems = [*option_problems(storage_options or {}), *url_problems(urls)]
    if problems:
        raise BadSettings("; ".join(problems))
