"""Arguments that the commands on datasets share."""

from pathlib import Path
from typing import Annotated

import typer

PROBLEMS_FOUND = 1
"""Exit status of a command that leaves a dataset with problems."""

DataPath = Annotated[Path, typer.Argument(metavar="PATH", help="The dataset's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead.")]
