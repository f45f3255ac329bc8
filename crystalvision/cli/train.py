"""`crystalvision train`."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.cli._state import State
from crystalvision.cli.clusters import MAX_PROCESSES
from crystalvision.cli.console import Advance, err, out, print_json, progress
from crystalvision.errors import InputError
from crystalvision.text import command_line

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.datasets import Dataset
    from crystalvision.runs import Run
    from crystalvision.training import ClassicalExperiment, EpochRecord, Machine, PhaseRecord


def train(
    ctx: typer.Context,
    experiment: Annotated[
        str,
        typer.Argument(
            help="A YAML file, or the name of an experiment that `crystalvision plugins` lists."
        ),
    ],
    *,
    data: Annotated[Path, typer.Option("-d", "--data", help="The dataset to train on.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run folder to write.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting. May be repeated."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Replaces the experiment's seed.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="Replaces the experiment's precision: 32, bf16, or 16."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    devices: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_PROCESSES,
            help="GPUs of each node, or processes on a CPU; they share each batch.",
        ),
    ] = 1,
    nodes: Annotated[
        int,
        typer.Option(
            min=1, max=MAX_PROCESSES, help="Nodes; torchrun starts the command on each of them."
        ),
    ] = 1,
    strategy: Annotated[
        str, typer.Option(help="How Lightning spreads the work over several devices.")
    ] = "auto",
    accumulate: Annotated[
        int,
        typer.Option(
            min=1,
            max=65_536,
            help="Parts in which to compute each batch, one after another: less memory.",
        ),
    ] = 1,
    compile_: Annotated[
        bool, typer.Option("--compile", help="Compile the backbones first, which takes minutes.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace the run, or unfinished training, that is there."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the run's record as JSON.")] = False,
) -> None:
    """Train a system on a dataset and write a run folder.

    If it is stopped, however it is, the same command goes on where it was.
    """
    from crystalvision.datasets import Dataset, doubts
    from crystalvision.runs import check_free, train_run
    from crystalvision.training import ClassicalExperiment, Machine, leads, load_experiment

    state: State = ctx.obj
    machine = Machine.called(
        device,
        devices=devices,
        nodes=nodes,
        strategy=strategy,
        compile=compile_,
        accumulate=accumulate,
    )
    if leads(machine):
        check_free(output, overwrite=overwrite)
    changes = [*(settings or []), *([f"precision={precision}"] if precision else [])]
    described = load_experiment(experiment, state.catalogue, overrides=changes, seed=seed)
    dataset = Dataset.open(data)
    if machine.device.type == "cpu" and leads(machine):
        state.note_threads()
    if leads(machine):
        for doubt in doubts(dataset):
            err.print(f"note: {doubt}", soft_wrap=True)
    if isinstance(described, ClassicalExperiment):
        _only_the_cpu(machine)
        run = _train_classical(described, dataset, output, state, overwrite=overwrite)
    else:
        with ExitStack() as stack:
            run = train_run(
                described,
                dataset,
                output,
                catalogue=state.catalogue,
                machine=machine,
                overwrite=overwrite,
                listener=_Progress(stack),
                reading=lambda total: _reading(stack, total),
                selection=state.selection,
                command=("crystalvision", *state.arguments),
                keep_threads=state.threads is not None and state.threads.automatic,
            )
        if not leads(machine):
            return
    if json:
        print_json(run.record.model_dump(mode="json"))
    else:
        _print_end(run, data)


def _reading(stack: ExitStack, total: int) -> Callable[[int], None]:
    return stack.enter_context(progress("reading patterns", total))


def _only_the_cpu(machine: "Machine") -> None:
    if machine != type(machine)():
        raise InputError(
            "a classical system is fitted by one process on the CPU: leave out --device, "
            "--devices, --nodes, --strategy, --accumulate and --compile"
        )


def _train_classical(
    experiment: "ClassicalExperiment",
    dataset: "Dataset",
    output: Path,
    state: State,
    *,
    overwrite: bool,
) -> "Run":
    from crystalvision.runs import train_classical_run

    total = sum(len(dataset.split(name)) for name in ("train", "validation"))
    with ExitStack() as stack:
        # Reading and describing are one bar: neither says much alone.
        advance = stack.enter_context(progress("computing features", 2 * total))

        def on_fit(patterns: int, features: int) -> None:
            stack.pop_all().close()
            name = experiment.system.estimator.name
            err.print(f"fitting {name} to {patterns} patterns of {features} features")
            stack.enter_context(progress(f"fitting {name}", None))

        return train_classical_run(
            experiment,
            dataset,
            output,
            catalogue=state.catalogue,
            command=("crystalvision", *state.arguments),
            overwrite=overwrite,
            on_read=advance,
            on_features=advance,
            on_fit=on_fit,
        )


class _Progress:
    """Shows a bar for each phase while it runs, and a line once it has ended."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._advance: Advance | None = None

    def note(self, text: str) -> None:
        err.print(f"note: {text}", soft_wrap=True)

    def phase_started(self, name: str, train: tuple[str, ...], epochs: int) -> None:
        self._stack.pop_all().close()  # the bar before this one
        err.print(
            f"phase {name}: trains {', '.join(train)} for {epochs} epoch{'s' * (epochs != 1)}"
        )
        self._advance = self._stack.enter_context(progress(name, epochs))

    def epoch_ended(self, record: "EpochRecord") -> None:
        if self._advance is not None:
            self._advance(note=_describe(record))

    def phase_ended(self, record: "PhaseRecord") -> None:
        self._stack.pop_all().close()
        self._advance = None
        err.print(
            f"phase {record.name}: best {record.monitor} {record.best_value:.4f} at epoch "
            f"{record.best_epoch} of {record.epochs}, {record.seconds:.1f} s"
        )


def _describe(record: "EpochRecord") -> str:
    scores = (f"{name.replace('_', ' ')} {value:.3f}" for name, value in record.scores.items())
    parts = [f"loss {record.validation_loss:.3f}", *scores]
    return ", ".join(parts)


def _print_end(run: "Run", data: Path) -> None:
    phases = run.record.phases
    best = ", ".join(f"{each.name} {each.monitor} {each.best_value:.4f}" for each in phases)
    seconds = run.record.training_seconds
    out.print(f"{run.path}: {best}; trained in {seconds:.1f} s", soft_wrap=True)
    command = command_line("crystalvision", "evaluate", run.path, "-d", data)
    out.print(f"next: {command}", soft_wrap=True)
