"""Readers of measured files. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_readers() -> Mapping[str, str]:
    """The readers that come with the toolkit."""
    return {
        "blo": "crystalvision_readers.blo:Blockfile",
        "brml": "crystalvision_readers.brml:Brml",
        "bruker-raw": "crystalvision_readers.bruker_raw:BrukerRaw",
        "columns": "crystalvision_readers.columns:Columns",
        "dm": "crystalvision_readers.dm:DigitalMicrograph",
        "emd": "crystalvision_readers.emd:Emd",
        "gsas": "crystalvision_readers.gsas:Gsas",
        "hspy": "crystalvision_readers.hspy:Hspy",
        "mib": "crystalvision_readers.mib:Mib",
        "mrc": "crystalvision_readers.mrc:Mrc",
        "nexus": "crystalvision_readers.nexus:Nexus",
        "npy": "crystalvision_readers.npy:Npy",
        "png": "crystalvision_readers.png:Png",
        "ras": "crystalvision_readers.ras:Ras",
        "rasx": "crystalvision_readers.rasx:Rasx",
        "ser": "crystalvision_readers.ser:Ser",
        "tiff": "crystalvision_readers.tiff:Tiff",
        "uxd": "crystalvision_readers.uxd:Uxd",
        "xrdml": "crystalvision_readers.xrdml:Xrdml",
    }
