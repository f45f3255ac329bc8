"""The folder of a run: whether it may be written."""

from pathlib import Path

from crystalvision.errors import InputError
from crystalvision.storage import Destination

RECORD = "run.yaml"


def check_free(path: Path, *, overwrite: bool) -> Destination:
    """Check that a run may be written at `path`.

    Returns:
        What is there now, which the run may replace; what appears there later it may not.

    Raises:
        InputError: Something is there that may not be overwritten.
    """
    if path.name in {"", ".."}:
        raise InputError(f"-o {path}: expected the name of a folder to make, such as runs/first")
    destination = Destination.look(path)
    if not destination.taken:
        return destination
    if not (path / RECORD).is_file():
        raise InputError(f"{path} exists and is no run of crystalvision; choose another -o folder")
    if not overwrite:
        raise InputError(f"{path} holds a run already; use --overwrite, or another -o folder")
    return destination
