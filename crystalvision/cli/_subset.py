"""The option `--subset`, which several commands have."""

from typing import Annotated

import typer

SubsetOption = Annotated[
    str | None,
    typer.Option(
        metavar="SAMPLES",
        help="Only these samples of the dataset: 0:500 or 3,7,12; 10% of every split; or a "
        "condition on its columns, such as 'thickness_angstrom < 200 and label == twin'.",
    ),
]
