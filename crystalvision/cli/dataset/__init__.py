"""Look into datasets, check and mend them, and carry them to other tools."""

import typer

from crystalvision.cli.dataset.card import card
from crystalvision.cli.dataset.export import export
from crystalvision.cli.dataset.import_ import import_
from crystalvision.cli.dataset.info import info
from crystalvision.cli.dataset.merge import merge
from crystalvision.cli.dataset.repair import repair
from crystalvision.cli.dataset.split import split
from crystalvision.cli.dataset.thin import thin
from crystalvision.cli.dataset.verify import verify

app = typer.Typer(rich_markup_mode="markdown", help=__doc__)
for command in (info, verify, repair, split, merge, thin, card, export):
    app.command()(command)
app.command("import")(import_)
