"""Names of files and folders made of names that a user chose."""

import re
from collections.abc import Iterable

from crystalvision.text._escape import one_line

# What Windows, or a shell's globs and options, take for something else.
_REFUSED = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_BYTES = 120
"""What a file system bears is 255; the rest is for what a writer puts before and behind."""


def file_names(names: Iterable[str], other: str) -> list[str]:
    """A file's name for each name: its own, but for what file systems and shells refuse.

    No two are the same, also where a file system ignores case; none leaves its folder, hides, is
    reserved by Windows, begins like an option, or is too long.

    Args:
        names: The names.
        other: What a name begins with that has nothing left, such as `class`.
    """
    plain = [_plain(name) for name in names]
    found: list[str] = []
    taken: set[str] = set()
    for place, name in enumerate(plain):
        unique = name or f"{other}_{place}"
        while unique.casefold() in taken or (unique != name and unique in plain):
            unique = f"{unique}_{place}"
        taken.add(unique.casefold())
        found.append(unique)
    return found


def _plain(name: str) -> str:
    shown = _REFUSED.sub("_", one_line(name)).strip(". ")
    cut = shown.encode()[:_BYTES].decode(errors="ignore").rstrip(". ")
    if _RESERVED.fullmatch(cut) or cut.startswith(("-", "~")):
        cut = f"_{cut}"
    return cut
