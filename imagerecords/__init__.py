"""imagerecords as a library: build a data set, plan one, audit one, open one.

    import imagerecords

    summary = imagerecords.build(train_directory="photos/train", output_directory="out")
    data = imagerecords.open_dataset("out")
    data["train"][3].label

Prefect is not imported here; the flow is `imagerecords.flows.build.build_image_dataset`. The public API is what `__init__.pyi`
lists: other modules may change with any version. Each name is imported at its first use, so that the command starts fast.
"""

import lazy_loader

from imagerecords.schemas.version import VERSION

__version__ = VERSION
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
