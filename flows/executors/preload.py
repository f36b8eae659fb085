"""What a worker would import or set up at its first shard; the fork server imports this module once for all workers.

The fork server ignores an ImportError and dies of any other error, so any other error is raised as one: each worker then
imports the module again and reports the error.
"""

try:
    from imagerecords.flows.executors.imports import quick_imports

    with quick_imports():
        import fsspec.implementations.local  # noqa: F401
        from PIL import Image

        import imagerecords.tasks.convert
        import imagerecords.tasks.validate  # noqa: F401
        from imagerecords.flows.executors.no_pandas import keep_pandas_out
        from imagerecords.tasks.records.example import example_class

        keep_pandas_out()
        Image.init()  # all of Pillow's plugins
        example_class()
except ImportError:
    raise
except Exception as error:
    raise ImportError(f"{type(error).__name__}: {error}") from error
