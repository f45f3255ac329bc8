"""Carries datasets to other tools, and labelled images from folders into datasets.

An export holds every column, the calibration, the classes, the recipe, the identity and the splits.
It is whole or absent, and it is made a few images at a time.
"""

from crystalvision.exchange._file_digests import changed_files
from crystalvision.exchange._hdf5 import export_hdf5
from crystalvision.exchange._import import Imported, import_folder
from crystalvision.exchange._measured import is_measured, measured_dataset
from crystalvision.exchange._png import export_png
from crystalvision.exchange._selection import Exported
from crystalvision.exchange._webdataset import export_webdataset

__all__ = [
    "Exported",
    "Imported",
    "changed_files",
    "export_hdf5",
    "export_png",
    "export_webdataset",
    "import_folder",
    "is_measured",
    "measured_dataset",
]
