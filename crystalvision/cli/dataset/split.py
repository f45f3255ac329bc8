"""`crystalvision dataset split`."""

from typing import Annotated

import typer

from crystalvision.api.cards import refresh_card_or_say
from crystalvision.cli.dataset._options import DataPath, Json
from crystalvision.console import err, out, print_json


def split(
    path: DataPath,
    *,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Another seed assigns otherwise.")
    ] = 0,
    validation: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the validation part.")
    ] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of the test part.")] = 0.2,
    json: Json = False,
) -> None:
    """Assign the samples of a dataset to training, validation and test anew.

    Every class has its share of each part, and samples of one specimen stay together. The
    assignment follows from the seed and the labels alone, and is stored with the dataset. Runs keep
    the assignment that they were trained with.
    """
    from crystalvision.config import validate
    from crystalvision.datasets import Dataset, DatasetWriter, SplitSettings, doubts

    given = {"seed": seed, "validation_share": validation, "test_share": test}
    settings = validate(SplitSettings, given, "split")
    dataset = Dataset.open(path)
    with DatasetWriter.hold(path, dataset.header) as writer:
        counts = writer.split(settings)
    refresh_card_or_say(path, figure=False)
    for doubt in doubts(Dataset.open(path)):
        err.print(f"note: {doubt}", soft_wrap=True)
    if json:
        print_json({"path": path, "splits": counts})
    else:
        parts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        out.print(f"{path}: {parts}", soft_wrap=True)
