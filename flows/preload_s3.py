"""What a worker of a build on S3 imports besides, a second of its time; the fork server does it once for all workers."""

import aiobotocore.session  # noqa: F401
import obstore.exceptions
import obstore.store  # noqa: F401
import s3fs  # noqa: F401
