"""imagerecords as a library: build a data set, plan one, audit one, open one.

    import imagerecords

    summary = imagerecords.build(train_directory="photos/train", output_directory="out")
    data = imagerecords.open_dataset("out")
    data["train"][3].label

Prefect is not imported here; the flow is `imagerecords.flows.build.build_image_dataset`. The public API is what `__init__.pyi`
lists: other modules may change with any version. Each name is imported at its first use, so that the command starts fast, and
lazy_loader with the first of them: the command has to decide what Ctrl-C does before anything else is imported.
"""

from imagerecords.schemas.version import VERSION

__version__ = VERSION


def __getattr__(name: str) -> object:
    """A public name, or `__all__`, from the module that the stub names."""
    import lazy_loader

    names = globals()
    names["__getattr__"], names["__dir__"], names["__all__"] = lazy_loader.attach_stub(__name__, __file__)
    return names["__all__"] if name == "__all__" else names["__getattr__"](name)


def __dir__() -> list[str]:
    """The public names."""
    __getattr__("__all__")
    return globals()["__dir__"]()  # type: ignore[no-any-return]
