"""Oxford-IIIT Pets: `list.txt` names the images, whose names begin with the breed; lists of splits and XML lie beside it."""

from collections.abc import Iterator

from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join
from imagerecords.tasks.sources.annotations.voc import objects_of, size_of
from imagerecords.tasks.sources.annotations.xml import read_xml

LIST = "list.txt"
HEADER = "#Image CLASS-ID SPECIES"
SPLITS = {"trainval.txt": "train", "test.txt": "test"}


def is_oxford_pets(source: Source, path: str) -> bool:
    """Whether a text is its list, by the header."""
    return path.rpartition("/")[2] == LIST and source.head(path).lstrip("\ufeff").startswith(HEADER)


def read_oxford_pets(source: Source) -> Iterator[AnnotatedImage]:
    """The images of the list, each with its breed, and the box around the head, where there is one."""
    for path in source.chosen:
        home = folder_of(path)
        lists = {split: join(home, name) for name, split in SPLITS.items() if join(home, name) in source.files_set}
        splits = {image: split for split, of_split in lists.items() for _, image in _lines(source, of_split)}
        for number, image in _lines(source, path):
            place = source.place(path, f"line {number}")
            breed, _, order = image.rpartition("_")
            if not breed or not order.isdigit():
                source.refuse(place, f"an image's name must be its breed and a number, got {image!r}")
                continue
            xml = join(home, f"xmls/{image}.xml")
            root = read_xml(source, xml) if xml in source.files_set else None
            yield AnnotatedImage(
                image,
                place,
                (breed,),
                splits.get(image),
                () if root is None else tuple(objects_of(source, root, source.place(xml))),
                (0, 0) if root is None else size_of(root),
                by_stem=True,
                folders=(join(folder_of(home), "images"), folder_of(home)),
            )


def _lines(source: Source, path: str) -> Iterator[tuple[int, str]]:
    """The lines of a list that name an image, with their numbers."""
    for number, line in enumerate(source.text(path).splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line.split()[0]
