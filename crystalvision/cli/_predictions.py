"""Shows predictions as a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crystalvision.console import err, out

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.prediction import Estimates, Predictions

_SHARES, _LEAST_SHARE = 5, 0.05


def print_maps(said: "Predictions", path: Path | None) -> None:
    """Say where maps were written, if there are any."""
    from crystalvision.prediction import map_arrays

    if path is not None:
        err.print(f"maps of {', '.join(map_arrays(said))} in {path}", soft_wrap=True)


def note_maps(said: "Predictions") -> None:
    """Say what a table does not hold."""
    from crystalvision.prediction import map_arrays

    if arrays := map_arrays(said):
        err.print(f"note: -o FILE keeps the maps of {', '.join(arrays)}", soft_wrap=True)


def print_table(names: Sequence[str], said: "Predictions") -> None:
    """Write a table to stdout, and below it what its marks mean."""
    from rich.table import Table

    cells = [_cells(each) for each in said.values() if len(each.target.shape) < 2]
    columns = {heading: values for each in cells for heading, values in each.items()}
    for name, undecided in said.undecided_targets.items():
        heading = _several("probability", name)
        marked = zip(columns[heading], undecided, strict=True)
        columns[heading] = [f"{'? ' if one else ''}{text}" for text, one in marked]
    if said.novelty is not None:
        columns["novelty"] = [f"{'! ' if one > 1 else ''}{one:.2f}" for one in said.novelty]
    table = Table(box=None)
    table.add_column("image", overflow="fold")
    classes = {name for name, each in said.items() if each.target.classes}
    for heading in columns:
        if heading in classes:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    for place, name in enumerate(names):
        table.add_row(name, *(values[place] for values in columns.values()))
    out.print(table)
    if said.rejected is not None and said.rejected.any():
        out.print(
            f"! {int(said.rejected.sum())} of {said.patterns} patterns are unlike the training "
            "data (novelty above 1): do not rely on what is said of them",
            style="bold red",
        )
    if said.undecided is not None and said.undecided.any():
        out.print(
            f"? {int(said.undecided.sum())} of {said.patterns} patterns are undecided between "
            "classes (less probable than 95 % of those told rightly): another may be right",
            style="bold yellow",
        )


def _cells(said: "Estimates") -> dict[str, list[str]]:
    """Columns of the table that tell a target: heading → text of each pattern."""
    target, answers = said.target, said.answers
    if target.classes and target.shape:
        return {}
    if target.components:
        return {target.name: [_shares(row, target.components) for row in said.value]}
    if not target.classes:
        units = "" if target.units == "1" else f" [{target.units}]"
        deviations = said.spread if answers is None else answers.value_std
        return {f"{target.name}{units}": _numbers(said.value, deviations)}
    found = {target.name: said.names}
    if said.probabilities is not None:
        places = range(len(said.value)), said.value
        deviations = None
        if answers is not None and answers.probability_std is not None:
            deviations = answers.probability_std[places]
        found[_several("probability", target.name)] = _numbers(
            said.probabilities[places], deviations
        )
    if answers is not None and answers.mutual_information is not None:
        heading = _several("disagreement [nat]", target.name)
        found[heading] = _numbers(answers.mutual_information, None)
    return found


def _shares(row: Any, components: Sequence[str]) -> str:
    """The greatest shares of components, such as `NaCl 0.61, MgO 0.39`."""
    order = (-row).argsort(kind="stable")[:_SHARES]
    shown = [place for place in order if row[place] >= _LEAST_SHARE] or [order[0]]
    return ", ".join(f"{components[place]} {row[place]:.2f}" for place in shown)


def _several(heading: str, target: str) -> str:
    """A heading that says of which target, unless it is the usual one."""
    return heading if target == "label" else f"{target} {heading}"


def _numbers(values: Any, deviations: Any) -> list[str]:
    texts = []
    for place, value in enumerate(values):
        several = [value] if value.ndim == 0 else list(value)
        text = " ".join(f"{one:.3f}" for one in several)
        if deviations is not None and value.ndim == 0:
            text += f" ± {deviations[place]:.3f}"
        texts.append(text)
    return texts
