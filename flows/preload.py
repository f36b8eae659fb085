"""What a worker would import or set up at its first shard; the fork server imports this module once for all workers."""

import fsspec.implementations.local  # noqa: F401
from PIL import Image

import tasks.convert
import tasks.validate  # noqa: F401
from flows.no_pandas import keep_pandas_out
from tasks.records.reader import example_class

keep_pandas_out()
Image.init()  # all of Pillow's plugins
example_class()
