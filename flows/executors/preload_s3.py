"""The imports of a build on S3, a second per worker otherwise; the fork server does them once for all workers."""

try:
    import aiobotocore.session  # noqa: F401
    import obstore.exceptions
    import obstore.store  # noqa: F401
    import s3fs  # noqa: F401
except ImportError:
    raise
except Exception as error:  # as in preload.py
    raise ImportError(f"{type(error).__name__}: {error}") from error
