"""`crystalvision dataset card`."""

from typing import Annotated

import typer

from crystalvision.cli.dataset._options import DataPath, Json
from crystalvision.console import err, out, print_json

_OPTIONS = {"licence": "--licence", "creator": "--creator", "published": "--published"}


def card(
    path: DataPath,
    *,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence", "--license", metavar="SPDX", help="SPDX identifier, such as CC-BY-4.0."
        ),
    ] = None,
    creator: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A person. Repeatable.")
    ] = None,
    organisation: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An organisation. Repeatable.")
    ] = None,
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the dataset is.")
    ] = None,
    citation: Annotated[
        str | None, typer.Option(metavar="TEXT", help="How to cite it, ideally as BibTeX.")
    ] = None,
    published: Annotated[
        str | None, typer.Option(metavar="DATE", help="Day of publication, such as 2026-05-31.")
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Its web page.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a README.md that is no card.")
    ] = False,
    json: Json = False,
) -> None:
    """Write what a dataset is into its folder: README.md, card.png, croissant.json.

    What is stated once is kept when the card is written again; an empty text takes it out.
    """
    from crystalvision.cards import write_card

    written = write_card(
        path,
        licence=licence,
        creators=creator,
        organisations=organisation,
        description=description,
        citation=citation,
        published=published,
        url=url,
        overwrite=overwrite,
    )
    facts = written.facts
    if json:
        stated = facts.model_dump(mode="json")
        print_json({"path": path, "files": written.files, **stated, "not_stated": facts.not_stated})
        return
    out.print(f"{path}: {', '.join(written.files)}", soft_wrap=True)
    if facts.not_stated:
        options = ", ".join(_OPTIONS[name] for name in facts.not_stated)
        names = ", ".join(facts.not_stated)
        err.print(f"not stated: {names}; before you publish, give {options}", soft_wrap=True)
