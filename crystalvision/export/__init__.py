"""Exports trained systems as single files that take raw counts."""

from crystalvision.export._check import TOLERANCE, ExportCheck
from crystalvision.export._export import Format, check_export, export_run
from crystalvision.export._graph import ExportedSystem

__all__ = ["TOLERANCE", "ExportCheck", "ExportedSystem", "Format", "check_export", "export_run"]
