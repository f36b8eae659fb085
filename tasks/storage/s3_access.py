"""Whether the S3 places of a build can be reached with the credentials there are; checked before any work.

Only permanent problems are reported: a server that is slow, throttles or answers 5xx is left to the retries of the steps.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fsspec.asyn import sync

from imagerecords.schemas.errors import BadStorage
from imagerecords.schemas.setting_fields import S3_SCHEMES
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.bulk_read import UntrustedCertificate, refuse_certificate
from imagerecords.tasks.storage.folders import Folder, open_folder

CREDENTIALS = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE"
PERMISSIONS = "The credentials need s3:ListBucket and s3:GetObject there, for an output s3:PutObject and s3:DeleteObject too"
ADDRESSING = "Pass --storage_options.config_kwargs.s3.addressing_style virtual, or set it in the AWS config file (docs/s3.md)"
BY_HOST = "be asked by a host name that begins with its bucket"
VIRTUAL_HOST = re.compile(r"virtual[- ]?host|path[- ]?style", re.IGNORECASE)
FILES = ("labels_file", "synsets_file")  # settings that name other input than images
FORBIDDEN = 403
# By the server's error code: what the place must be, and the remedy.
BY_CODE = {
    "SignatureDoesNotMatch": ("be asked with the right secret key", CREDENTIALS),
    "InvalidAccessKeyId": ("be asked with an access key that it knows", CREDENTIALS),
    "InvalidToken": ("be asked with a valid session token", CREDENTIALS),
    "ExpiredToken": ("be asked with credentials that have not expired", "Renew them"),
    "RequestTimeTooSkewed": ("be asked by a machine whose clock is right", "Set the clock"),
    "AccessDenied": ("be open to these credentials", PERMISSIONS),
    "AllAccessDisabled": ("be open to these credentials", PERMISSIONS),
    "403": ("be open to these credentials", PERMISSIONS),
    "NoSuchBucket": ("be in a bucket that exists", "Make the bucket, or correct its name"),
    "InvalidBucketName": ("be in a bucket that exists", "Correct its name"),
    "PermanentRedirect": ("be asked in its bucket's region", "Set AWS_REGION to it"),
    "SecondLevelDomainForbidden": (BY_HOST, ADDRESSING),  # Aliyun OSS's
    "PathStyleDomainForbidden": (BY_HOST, ADDRESSING),  # Tencent COS's
    "AuthorizationHeaderMalformed": ("be asked in its bucket's region", "Set AWS_REGION to it"),
}


def refuse_no_access(settings: BuildSettings) -> None:
    """Raise BadStorage, with a line for each place of a build on S3 that can't be reached or read."""
    problems = list(access_problems(settings))
    if problems:
        raise BadStorage("\n".join(problems))


def refuse_no_access_to(storage_options: Mapping[str, Any], *, listed: bool = True, **places: str) -> None:
    """Raise BadStorage, with a line for each of a command's places on S3 that can't be reached or read.

    A file that is not `listed` may be open to credentials that may list nothing.
    """
    lines = []
    for name, url in places.items():
        if url.startswith(S3_SCHEMES):
            try:
                _ask(open_folder(url, storage_options))
            except Exception as error:  # as below
                problem = _problem(error)
                if problem and (listed or problem[1] != PERMISSIONS):
                    lines.append(f"{name} must {problem[0]}: {url}. {problem[1]}")
    if lines:
        raise BadStorage("\n".join(lines))


def access_problems(settings: BuildSettings) -> Iterable[str]:
    """The problems of a build with its places on S3, one line per place."""
    images = [(f"{name}_directory", url) for name, url in settings.directories().items()]
    images += [(settings.listed_by or "", url) for url in settings.lists()]
    images += [("images_directory", settings.images_directory)] if settings.images_directory else []
    files = [(name, getattr(settings, name)) for name in FILES] + [("bounding_boxes", url) for _, url in settings.box_files()]
    files += [("reuse_from", url) for url in settings.reuse_from]
    places = [("output_directory", settings.output_directory), *images, *((name, url) for name, url in files if url)]
    reported = set()
    for setting, url in places:
        if not url.startswith(S3_SCHEMES):
            continue
        try:
            folder = open_folder(url, settings.storage_options)
            _ask(folder)
            if setting in dict(images) and settings.s3_reader == "obstore":
                refuse_certificate(folder)
        except Exception as error:  # botocore's, aiohttp's and s3fs's errors have no common base
            problem = _problem(error)
            if problem and problem not in reported:  # several places may fail for one reason
                reported.add(problem)
                must, remedy = problem
                yield f"{setting} must {must}: {url}. {remedy}"


def _ask(folder: Folder) -> None:
    """List one object, without s3fs's many retries of a server that does not answer."""
    fs = folder.fs
    bucket, key, _ = fs.split_path(folder.path)
    sync(fs.loop, fs.s3.list_objects_v2, Bucket=bucket, Prefix=key, MaxKeys=1, **fs.req_kw)


def _problem(error: Exception) -> tuple[str, str] | None:
    """What a place must be and the remedy; None when trying again may help."""
    from botocore import exceptions as botocore

    text = " ".join(str(error).split())
    response = getattr(error, "response", None)
    if response is not None:
        return _answer_problem(response)
    if isinstance(error, UntrustedCertificate):
        return f"have a certificate that obstore trusts, got: {text}", "Have it signed by a CA, or pass --s3_reader s3fs"
    if isinstance(error, botocore.SSLError):
        return f"have a certificate that is trusted, got: {text}", "Set AWS_CA_BUNDLE to the CA's PEM file"
    if isinstance(error, (botocore.EndpointConnectionError, botocore.ConnectTimeoutError, botocore.ProxyConnectionError)):
        return f"be on a server that answers, got: {text}", "Check AWS_ENDPOINT_URL_S3 or storage_options.endpoint_url"
    if isinstance(error, botocore.HTTPClientError) and "No such file" in text:
        return f"have certificates that can be read, got: {text}", "Correct AWS_CA_BUNDLE"
    return _client_problem(error, text)


def _answer_problem(response: dict[str, Any]) -> tuple[str, str] | None:
    """The same for a server's answer."""
    error = response.get("Error", {})
    code = str(error.get("Code"))
    if VIRTUAL_HOST.search(f"{code} {error.get('Message')}"):
        return f"{BY_HOST}, got {code}", ADDRESSING
    is_forbidden = response.get("ResponseMetadata", {}).get("HTTPStatusCode") == FORBIDDEN
    must, remedy = BY_CODE.get(code) or (BY_CODE[str(FORBIDDEN)] if is_forbidden else ("", ""))
    return (f"{must}, got {code}", remedy) if must else None


def _client_problem(error: Exception, text: str) -> tuple[str, str] | None:
    """The same for errors before any request."""
    from botocore import exceptions as botocore

    if isinstance(error, botocore.NoCredentialsError):
        return (
            f"be asked with credentials, got none: {text}",
            f"{CREDENTIALS}, or pass storage_options.anon for a public bucket",
        )
    if isinstance(error, (botocore.PartialCredentialsError, botocore.CredentialRetrievalError, botocore.ProfileNotFound)):
        return f"be asked with credentials, got: {text}", CREDENTIALS
    if isinstance(error, botocore.NoRegionError):
        return "be asked in its bucket's region, got none", "Set AWS_REGION"
    if isinstance(error, (botocore.ParamValidationError, ValueError)):
        return f"be an S3 place, got: {text}", "Correct the URL, AWS_ENDPOINT_URL_S3 or storage_options.endpoint_url"
    return None
