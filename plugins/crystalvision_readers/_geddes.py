"""Numbers of powder patterns through geddes, whose errors and limits are brought into line."""

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float

from crystalvision.measured_files import MAX_BYTES

Points = tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]

_MOST_RANGES = 4096
_MOST_MEMBERS = 20_000
_END = "out of range"  # what geddes says of an index beyond the last


def points(content: bytes, name: str, index: int = 0) -> Points:
    """Positions [degree] and values of one range of a file.

    Args:
        content: The file.
        name: What it is called, which tells geddes the format.
        index: Which range.

    Raises:
        ValueError: There is no such range, or it is damaged.
    """
    import geddes

    try:
        pattern = geddes.read_bytes(content, name, index=index)
    except Exception as error:  # geddes raises errors of many kinds for a damaged file
        text = " ".join(str(error).split()).removeprefix("Parse error: ")
        raise ValueError(text or type(error).__name__) from error
    except BaseException as error:  # a panic of Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"it is damaged: {error}") from error
    return np.array(pattern.x, dtype=np.float64), np.array(pattern.y, dtype=np.float64)


def ranges(
    content: bytes, name: str, count: int | None = None
) -> tuple[list[Points | None], list[str]]:
    """All ranges of a file.

    Args:
        content: The file.
        name: What it is called.
        count: How many there are, where that is known; else all up to the first that is not read.

    Returns:
        For each range its points, or `None` for one that is no pattern; and notes of those.

    Raises:
        ValueError: None is a pattern; the reason of the first.
    """
    found: list[Points | None] = []
    notes: list[str] = []
    first: ValueError | None = None
    for index in range(min(_MOST_RANGES, count if count is not None else _MOST_RANGES)):
        try:
            found.append(points(content, name, index))
        except ValueError as error:
            if index and _END in str(error):
                break
            first = first or error
            notes.append(f"range {index} is left out: {error}")
            found.append(None)
            if count is None:
                break
    if not any(each is not None for each in found):
        raise first or ValueError("it holds no range")
    return found, notes


def check_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip file whose content is of a size that is read.

    Raises:
        ValueError: Unpacked, it is larger.
        zipfile.BadZipFile: It is none.
    """
    archive = zipfile.ZipFile(path)
    members = archive.infolist()
    total = sum(one.file_size for one in members)
    if len(members) > _MOST_MEMBERS or total > MAX_BYTES:
        archive.close()
        raise ValueError(
            f"it holds {len(members):,} files of {total:,} bytes; up to {_MOST_MEMBERS:,} of "
            f"{MAX_BYTES:,} bytes are read"
        )
    return archive
