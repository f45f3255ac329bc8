"""Labelled measured files, as what a run is judged on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crystalvision import runs
from crystalvision.console import err
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.exchange import is_measured, measured_dataset
from crystalvision.measured_files import Readers, parse_gap_values
from crystalvision.models import LABEL
from crystalvision.plugins import Catalogue


@contextmanager
def judged_data(
    data: Dataset | str | Path, run: runs.Run, catalogue: Catalogue, stated: Mapping[str, Any]
) -> Iterator[Dataset | str | Path]:
    """A dataset as it is, or one of measured files on the axes of a run, gone at the end.

    Args:
        data: The dataset, or its path; or the folder or list of measured files.
        run: The run.
        catalogue: Where readers are looked up.
        stated: What the user states of measured files, as keywords of `import_folder`; gap values
            as `predict` takes them.

    Raises:
        InputError: Something is stated of a dataset, a file that is neither, or as for
            `import_folder`.
    """
    if not isinstance(data, Dataset) and Path(data).is_file() and not is_measured(Path(data)):
        raise InputError(
            f"{data}: is a file; expected a dataset, a folder of labelled measured files, or a CSV "
            "file that lists them in the columns file and class, with commas between"
        )
    if isinstance(data, Dataset) or not is_measured(Path(data)):
        for name, value in stated.items():
            if value is not None and (isinstance(data, Dataset) or Path(data).exists()):
                where = data.path if isinstance(data, Dataset) else data
                option = name.removesuffix("s").replace("_", "-")  # --gap-value is given for each
                raise InputError(
                    f"--{option}: {where} is no folder or list of measured files, "
                    "and states that itself; leave it out"
                )
        yield data
        return
    gaps = parse_gap_values([str(value) for value in stated.get("gap_values") or ()])
    stated = {**stated, "gap_values": gaps}
    readers = Readers(catalogue)
    record = run.record
    label = record.targets.get(LABEL)
    severities = None
    if label is not None and label.class_severities:
        severities = dict(zip(label.classes, label.class_severities, strict=True))
    with measured_dataset(
        Path(data), record.conditions, readers=readers, learnt_severities=severities, **stated
    ) as (made, done):
        for note in done.notes:
            err.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)
        yield made
