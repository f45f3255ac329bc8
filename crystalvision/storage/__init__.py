"""The disk: files and folders that appear whole or not at all, and never over others' work.

Temporary names belong to one writer each, what is written has the permissions that the user's umask
gives, and a name is taken by the last rename alone: what stands there then is what stood there when
the command began, or is left as it is. What the disk refuses is a `StorageError` of one line.
"""

from crystalvision.storage._destination import Destination
from crystalvision.storage._errors import disk_errors
from crystalvision.storage._place import TakenError
from crystalvision.storage._tensors import write_tensors
from crystalvision.storage._whole import (
    is_partial,
    place_folder,
    read_text,
    remove_partials,
    whole_file,
    whole_folder,
    write_file,
    write_text,
)

__all__ = [
    "Destination",
    "TakenError",
    "disk_errors",
    "is_partial",
    "place_folder",
    "read_text",
    "remove_partials",
    "whole_file",
    "whole_folder",
    "write_file",
    "write_tensors",
    "write_text",
]
