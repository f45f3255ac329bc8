"""Text that a user chose, as each medium shows it: names stay text, whatever characters they have.

Classes, files, runs, recipes and whatever else users name may hold markup, control characters or a
formula. Each medium has one function here, and all writers use it: `printable` and `one_line` for
terminals and pages, `inline`, `code`, `paragraphs` and `fenced` for Markdown, `csv_writer` and
`csv_reader` for tables, `figure_text` for figures, `command_line` for commands to copy,
`file_names` for files, `json_text` and `crystalvision.yaml_text` for documents.
"""

from crystalvision.text._cells import csv_reader, csv_writer, protect, restore
from crystalvision.text._escape import message, one_line, printable, quoted, shortened
from crystalvision.text._figures import figure_text
from crystalvision.text._file_names import file_names
from crystalvision.text._json import json_text
from crystalvision.text._markdown import code, fenced, inline, paragraphs
from crystalvision.text._shell import command_line
from crystalvision.text._units import axis_symbol, quantity_text, unit_text

MOST_CLASSES = 24
"""Classes that a matrix, a legend or a table can hold for a reader."""

__all__ = [
    "MOST_CLASSES",
    "axis_symbol",
    "code",
    "command_line",
    "csv_reader",
    "csv_writer",
    "fenced",
    "figure_text",
    "file_names",
    "inline",
    "json_text",
    "message",
    "one_line",
    "paragraphs",
    "printable",
    "protect",
    "quantity_text",
    "quoted",
    "restore",
    "shortened",
    "unit_text",
]
