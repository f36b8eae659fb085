"""Exit codes, and the options that several commands have."""

from typing import Annotated

from cyclopts import Parameter

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object on standard output.")]
StorageOptions = Annotated[dict[str, str] | None, Parameter(help="Options for remote file systems, without credentials.")]
