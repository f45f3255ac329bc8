"""Names of figures of patterns."""

from pathlib import Path


def png_name(name: str, taken: set[str]) -> str:
    """A PNG's name that says which pattern, and that no other has; it is added to those taken."""
    stem = Path(name).name.replace("[", "-").replace("]", "")
    unique, number = stem, 1
    while unique in taken:
        number += 1
        unique = f"{stem}-{number}"
    taken.add(unique)
    return f"{unique}.png"
