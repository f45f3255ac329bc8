"""Readers of measured files. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_readers() -> Mapping[str, str]:
    """The readers that come with the toolkit."""
    return {
        "brml": "crystalvision_readers.brml:Brml",
        "bruker-raw": "crystalvision_readers.bruker_raw:BrukerRaw",
        "columns": "crystalvision_readers.columns:Columns",
        "gsas": "crystalvision_readers.gsas:Gsas",
        "mrc": "crystalvision_readers.mrc:Mrc",
        "npy": "crystalvision_readers.npy:Npy",
        "png": "crystalvision_readers.png:Png",
        "ras": "crystalvision_readers.ras:Ras",
        "rasx": "crystalvision_readers.rasx:Rasx",
        "tiff": "crystalvision_readers.tiff:Tiff",
        "uxd": "crystalvision_readers.uxd:Uxd",
        "xrdml": "crystalvision_readers.xrdml:Xrdml",
    }
