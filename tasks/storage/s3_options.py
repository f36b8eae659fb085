"""The options that s3fs gets beside the user's: what servers and users of S3 expect, and botocore alone would not do."""

import os
from collections.abc import Mapping
from typing import Any

CHECKSUM_VARIABLES = {
    "request_checksum_calculation": "AWS_REQUEST_CHECKSUM_CALCULATION",
    "response_checksum_validation": "AWS_RESPONSE_CHECKSUM_VALIDATION",
}


def s3_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a build for S3, with three defaults added.

    - The environment's endpoint is an option too: s3fs keeps one file system per set of options, which would stay with the
      first server when the environment of a process changes.
    - AWS_REGION counts, and before AWS_DEFAULT_REGION, as in AWS's own command; botocore reads the second alone.
    - Checksums that many servers do not know (CRC32 trailers) are sent only where an operation requires one, unless the
      environment or the user asks for them: uploads carry a Content-MD5, which every server checks.
    """
    config = {name: "when_required" for name, variable in CHECKSUM_VARIABLES.items() if variable not in os.environ}
    options = {**given, "config_kwargs": config | dict(given.get("config_kwargs") or {})}
    client = dict(given.get("client_kwargs") or {})
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    ignored = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    if endpoint and not ignored and not given.get("endpoint_url") and "endpoint_url" not in client:
        options["endpoint_url"] = endpoint
    region = os.environ.get("AWS_REGION")
    if region and "region_name" not in client:
        options["client_kwargs"] = client | {"region_name": region}
    return options
