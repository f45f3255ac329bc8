"""XML as instruments write it, without what a hostile file could do with it."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator


def parse(content: bytes) -> ET.Element:
    """The root of a document, whose tags lose their namespaces.

    Raises:
        ValueError: It defines entities, which could grow without end, or is damaged.
    """
    if b"<!ENTITY" in content or "<!ENTITY".encode("utf-16-le") in content:
        raise ValueError("its XML defines entities, which are not read")
    try:
        root = ET.fromstring(content)  # noqa: S314 - entities are refused above
    except ET.ParseError as error:
        raise ValueError(f"its XML is damaged: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def text_of(element: ET.Element | None, path: str) -> str | None:
    """The text at a path below an element, if it is there."""
    if element is None:
        return None
    found = element.find(path)
    return None if found is None or found.text is None else found.text.strip()


def named(root: ET.Element, *tags: str) -> Iterator[ET.Element]:
    """All elements below that have one of some names."""
    return (element for element in root.iter() if element.tag in tags)


def first(root: ET.Element, *tags: str) -> str | None:
    """The text, or the attribute `Value`, of the first element of one of some names."""
    for element in named(root, *tags):
        value = element.get("Value") or (element.text or "").strip()
        if value:
            return value
    return None
