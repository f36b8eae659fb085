"""XML from anywhere, read without entities, which could fill the memory."""

from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.model import Source


def parse_xml(data: bytes) -> Any:
    """The root of an XML file; raises ValueError where it is none that can be read."""
    try:
        return defusedxml.ElementTree.fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        raise ValueError(plain_words(error) if str(error) else type(error).__name__) from error


def read_xml(source: Source, path: str) -> Any:
    """The root of a file; None, with what is wrong noted, where it can't be read."""
    try:
        return parse_xml(source.folder.read(path))
    except ValueError as error:
        source.refuse(source.place(path), f"annotations must be plain XML, got {error}")
        return None
