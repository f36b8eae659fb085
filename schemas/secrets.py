"""Credentials in settings: refused, since flow parameters are stored, shown and logged."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from imagerecords.schemas.errors import BadSettings

# Names under which fsspec file systems take secrets, and other usual names of secrets.
SECRET_NAME = re.compile(
    r"^key$|^auth|secret|passw|^pwd$|token|credential|access_?key|account_?key|private|signature|^sas|connection_?string|cookie",
    re.I,
)
# Names that the pattern matches and that hold no secret.
HARMLESS_NAMES = frozenset(["signature_version"])
# user:password@ in any part of a chained URL, or a signature in its query.
URL_WITH_SECRET = re.compile(r"://[^/@\s]*:[^/@\s]*@|[?&](sig|signature|token|x-amz-[a-z-]+|awsaccesskeyid)=", re.I)
REMEDY = "Use the environment (AWS_ACCESS_KEY_ID …) or an AWS profile: settings are stored and shown"


def option_problems(options: Mapping[str, Any]) -> Iterable[str]:
    """A problem for each entry of storage options that looks like a credential, by its dotted name, never by its value."""
    for name in _secret_names(options, ""):
        yield f"storage_options must carry no credential, got one named {name!r}. {REMEDY}"


def refuse_secrets(storage_options: Mapping[str, Any] | None, **urls: str) -> None:
    """Raise BadSettings when a URL, given by its setting's name, or an option carries a credential."""
    if problems := [*option_problems(storage_options or {}), *url_problems(urls)]:
        raise BadSettings("; ".join(problems))


def url_problems(urls: Mapping[str, str | None]) -> Iterable[str]:
    """A problem for each URL, by the setting's name, that carries a password or a signature."""
    for name, url in urls.items():
        if url and URL_WITH_SECRET.search(url):
            yield f"{name} must carry no credential, got a URL with a password or signature in it. {REMEDY}"


def _secret_names(value: Any, name: str) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secret_names(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple, set)):
        for number, inner in enumerate(value):
            yield from _secret_names(inner, f"{name}.{number}")
    elif isinstance(value, (str, bytes)) and value:
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        parts = [part for part in name.split(".") if part not in HARMLESS_NAMES]
        if any(SECRET_NAME.search(part) for part in parts) or URL_WITH_SECRET.search(text):
            yield name
